package serialclient_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestIdleConnectionHoldsNoBuffer: an idle client costs a few kilobytes; its buffers, of 16 KiB each,
// have gone back.
func TestIdleConnectionHoldsNoBuffer(t *testing.T) {
	const clients, each = 200, 8 << 10
	before := heap()
	for range clients {
		conn, other := serialtest.Pipe()
		c := serialclient.New(conn, nil)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			io.ReadFull(other, make([]byte, 3))
			other.Write([]byte{0, 1, 'y', 0})
		}()
		_, err := c.Call(background, 1, []byte("x"))
		require.NoError(t, err)
		<-answered
		t.Cleanup(func() { c.Close(); other.Close() })
	}
	require.Less(t, heap()-before, int64(clients*each))
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC() // twice: a pool gives its memory up at the second one
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
