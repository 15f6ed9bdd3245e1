package serial_test

import (
	"encoding/hex"
	"errors"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

// errBoom is what sources and destinations fail with.
var errBoom = errors.New("boom")

// sizes are message sizes around the full blocks, and a few that fill buffers.
var sizes = []int{0, 1, 2, 253, 254, 255, 256, 257, 509, 510, 511, 764, 765, 766, 4095, 4096, 4097, 16319, 16320, 16321, 70000}

// message returns n bytes, byte i being i mod 251.
func message(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// unhex decodes hex digits with spaces between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// allocated returns how many bytes f allocates, at the least of two tries. It costs little, and the
// runtime may count a few pages late.
func allocated(f func()) int {
	least := ^uint64(0)
	total := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	for range 2 {
		metrics.Read(total)
		before := total[0].Value.Uint64()
		f()
		metrics.Read(total)
		least = min(least, total[0].Value.Uint64()-before)
	}
	return int(least)
}
