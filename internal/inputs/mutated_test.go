package inputs

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRunTriesAll: a run that is a multiple of no batch tries each number once, and counts it.
func TestRunTriesAll(t *testing.T) {
	set(t, many, 1001)
	var tried, bound atomic.Int64
	Mutated{
		Seeds: testSeeds, Longest: 100, Kinds: []string{"short", "long"},
		Bound: func(Input) int { bound.Add(1); return 1 << 20 },
		Check: func(testing.TB) func(Input) int {
			return func(in Input) int { tried.Add(1); return min(len(in[0])/5, 1) }
		},
	}.Run(t)
	require.Equal(t, int64(1001), tried.Load())
	require.NotZero(t, bound.Load())
}

func set(t *testing.T, number *uint64, n uint64) {
	old := *number
	*number = n
	t.Cleanup(func() { *number = old })
}

var kept []byte // what the child's decoder allocates

// bad are runs that must fail, in a process of their own.
var bad = map[string]Mutated{
	"fatal": {Kinds: []string{"any"}, Check: func(t testing.TB) func(Input) int {
		return func(in Input) int {
			if bytes.Contains(in[0], []byte{254, 3}) {
				t.Fatalf("there it is")
			}
			return 0
		}
	}},
	"panic": {Kinds: []string{"any"}, Check: func(t testing.TB) func(Input) int {
		return func(in Input) int {
			return bytes.Index(in[0], []byte{254, 3}) / 1000000 * (1 / max(0, 1-bytes.Count(in[0], []byte{254, 3})))
		}
	}},
	"greedy": {Kinds: []string{"any"}, Bound: func(in Input) int { return 100_000 + len(in[0]) }, Check: func(testing.TB) func(Input) int {
		return func(in Input) int {
			if bytes.Contains(in[0], []byte{254, 3}) {
				kept = make([]byte, 200_000)
			}
			return 0
		}
	}},
	"kind":  {Kinds: []string{"any", "missing"}, Check: func(testing.TB) func(Input) int { return func(Input) int { return 0 } }},
	"empty": {Kinds: []string{"any"}, Check: func(testing.TB) func(Input) int { return func(Input) int { return 0 } }},
}

// TestChild is such a run; TestFailures runs it.
func TestChild(t *testing.T) {
	m, ok := bad[os.Getenv("INPUTS_TEST_CHILD")]
	if !ok {
		t.Skip("a child of TestFailures")
	}
	m.Seeds, m.Longest = testSeeds, 100
	m.Run(t)
}

// child runs TestChild and requires that it fails.
func child(t *testing.T, name string, args ...string) string {
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestChild$", "-test.timeout=1m"}, args...)...)
	cmd.Env = append(os.Environ(), "INPUTS_TEST_CHILD="+name)
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	return string(out)
}

var again = regexp.MustCompile(`again: -run '\^TestChild\$' (-many 1 .*)`)

// TestFailures: a failure names its input and how it is made again, which fails as well.
func TestFailures(t *testing.T) {
	for name, says := range map[string]string{"fatal": "there it is", "panic": "divide by zero", "greedy": "allocated 2"} {
		out := child(t, name, "-many=1000000")
		require.Contains(t, out, says)
		require.Contains(t, out, "fe03", "the input")
		args := again.FindStringSubmatch(out)
		require.NotNil(t, args, out)
		require.Contains(t, child(t, name, strings.Fields(args[1])...), says)
	}
}

// TestRunsOfNothingFail, and those without an input of some kind.
func TestRunsOfNothingFail(t *testing.T) {
	require.Contains(t, child(t, "kind", "-many=1000"), `no input of the kind "missing"`)
	require.Contains(t, child(t, "empty", "-many=0"), "no input was tried")
}
