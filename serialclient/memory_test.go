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

// TestEarlyResponsesTakeNoMoreThanTheyCount: the room of a pipeline bounds its memory.
func TestEarlyResponsesTakeNoMoreThanTheyCount(t *testing.T) {
	c := startOver(t, func(p *peer) {
		for buf := make([]byte, 2); ; {
			if _, err := io.ReadFull(p.Conn, buf); err != nil {
				return
			}
			if _, err := p.Conn.Write([]byte{0, 0}); err != nil {
				return
			}
		}
	}, []serialtest.Option{serialtest.Buffer(4096)})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, err := c.Pipeline(background)
	require.NoError(t, err)
	for err == nil {
		err = p.Send(1, nil)
	}
	require.ErrorIs(t, err, serialclient.ErrPipelineFull)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapAlloc, before.HeapAlloc+40<<20, "of a room of 16 MiB") // a slice may have twice what it needs
	require.NoError(t, p.Close())
}
