package binaryutil_test

import (
	"encoding/binary"
	"io"
	"math"
	"testing"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/internal/inputs"
)

// readerEnds are how the operations on an input may end: without an error, or with one of these.
var readerEnds = []struct {
	kind string
	err  error
}{
	{"whole", nil},
	{"end", io.EOF},
	{"cut", io.ErrUnexpectedEOF},
	{"malformed", binaryutil.ErrMalformed},
	{"too large", binaryutil.ErrTooLarge},
	{"trailing", binaryutil.ErrTrailingBytes},
}

// TestManyReader is FuzzReader with mutated inputs.
func TestManyReader(t *testing.T) {
	kinds := make([]string, len(readerEnds))
	for i, end := range readerEnds {
		kinds[i] = end.kind
	}
	inputs.Mutated{
		Seeds: readerSeeds(), Longest: 4096, Kinds: kinds,
		Bound: func(in inputs.Input) int { return comparisonBound(len(in[0]), len(in[1])) },
		Check: func(t testing.TB) func(inputs.Input) int {
			c := new(comparison)
			return func(in inputs.Input) int {
				err := c.check(t, in[0], in[1], in[2], len(in[3])%2 == 1)
				for i, end := range readerEnds {
					if err == end.err {
						return i
					}
				}
				t.Fatalf("the oracle ended with %v", err)
				return -1
			}
		},
	}.Run(t)
}

// TestManyRoundTrip is FuzzRoundTrip with mutated inputs: numbers out of the first field, a string, a slice.
func TestManyRoundTrip(t *testing.T) {
	inputs.Mutated{
		Seeds:   []inputs.Input{{make([]byte, 26), []byte("text"), {1, 2, 3}}, {make([]byte, 26), {}, make([]byte, 1025)}},
		Longest: 4096, Kinds: []string{"big", "little"},
		Check: func(t testing.TB) func(inputs.Input) int {
			return func(in inputs.Input) int {
				var n [26]byte
				copy(n[:], in[0])
				u := func(i int) uint64 { return binary.BigEndian.Uint64(n[i:]) }
				order, kind := binary.ByteOrder(binary.BigEndian), 0
				if n[0]%2 == 1 {
					order, kind = binary.LittleEndian, 1
				}
				checkRoundTrip(t, order, n[1]%2 == 1, int64(u(2)), u(10), math.Float64frombits(u(18)), string(in[1]), in[2])
				return kind
			}
		},
	}.Run(t)
}
