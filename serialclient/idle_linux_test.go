package serialclient_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// endings are the ways in which a server ends an idle connection, and what the next call says.
var endings = map[string]struct {
	end    func(conn *net.TCPConn)
	reason error
}{
	"Goodbye":         {func(conn *net.TCPConn) { conn.Write([]byte{2}) }, serialclient.ErrGoodbye},
	"Goodbye and FIN": {func(conn *net.TCPConn) { conn.Write([]byte{2}); conn.CloseWrite() }, serialclient.ErrGoodbye},
	"FIN":             {func(conn *net.TCPConn) { conn.CloseWrite() }, serialclient.ErrServerGone},
	"RST":             {func(conn *net.TCPConn) { conn.SetLinger(0); conn.Close() }, serialclient.ErrServerGone},
	"a response":      {func(conn *net.TCPConn) { conn.Write([]byte{0, 0}) }, serialclient.ErrProtocol},
	"half an Error":   {func(conn *net.TCPConn) { conn.Write([]byte{1}) }, serialclient.ErrProtocol},
}

// TestServerGoneWhileIdle: it is noticed before anything is sent, on a connection that was used and on
// one that was not.
func TestServerGoneWhileIdle(t *testing.T) {
	for name, ending := range endings {
		for _, used := range []bool{false, true} {
			for way, call := range idleCalls {
				t.Run(name+"/"+way, func(t *testing.T) {
					conn, other := tcpPair(t)
					idle := make(chan struct{})
					p := play(t, other, func(p *peer) {
						if used {
							p.expect(77, "still there?")
							p.ok("still there?")
						}
						<-idle
						ending.end(other)
						p.end()
					})
					c := serialclient.New(conn, nil)
					if used {
						usable(t, c)
					}
					close(idle)
					arrived(t, conn)
					task, err := call(c)
					failure(t, err, task, serialclient.NotRun, ending.reason)
					require.Equal(t, ending.reason, c.Err())
					_, err = c.Call(background, 9, nil)
					failure(t, err, 9, serialclient.NotRun, ending.reason)
					require.NoError(t, c.Close())
					<-p.done
				})
			}
		}
	}
}

// arrived waits until the kernel of this side knows of something to read or of the end.
func arrived(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	raw, err := conn.SyscallConn()
	require.NoError(t, err)
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return !errors.Is(err, syscall.EAGAIN)
	})
	require.NoError(t, err)
}

// idleCalls are the calls that begin with a look at the connection. Each returns its task.
var idleCalls = map[string]func(c *serialclient.Client) (serial.TaskCode, error){
	"Call": func(c *serialclient.Client) (serial.TaskCode, error) {
		_, err := c.Call(background, 1, []byte("never sent"))
		return 1, err
	},
	"Stream": func(c *serialclient.Client) (serial.TaskCode, error) {
		_, err := c.Stream(background, 1, nil)
		return 1, err
	},
	"Pipeline": func(c *serialclient.Client) (serial.TaskCode, error) {
		_, err := c.Pipeline(background)
		return 0, err
	},
	"KeepAlive": func(c *serialclient.Client) (serial.TaskCode, error) {
		return serial.TaskKeepAlive, c.KeepAlive(background)
	},
	"Describe": func(c *serialclient.Client) (serial.TaskCode, error) {
		_, err := c.Describe(background)
		return serial.TaskDescribe, err
	},
}

// TestDisconnectAfterTheServersGoodbye: there is nothing left to say.
func TestDisconnectAfterTheServersGoodbye(t *testing.T) {
	conn, other := tcpPair(t)
	p := play(t, other, func(p *peer) {
		p.goodbye()
		p.end()
	})
	arrived(t, conn)
	c := serialclient.New(conn, nil)
	require.NoError(t, c.Disconnect(background))
	<-p.done
}

// TestLayerOverASocketIsNotLookedInto: what the kernel has for the layer is not the protocol's.
func TestLayerOverASocketIsNotLookedInto(t *testing.T) {
	conn, other := tcpPair(t)
	_, err := other.Write([]byte{0xff})
	require.NoError(t, err)
	c := client(t, struct{ *net.TCPConn }{conn}, play(t, other, echoes))
	got := make([]byte, 1)
	_, err = io.ReadFull(conn, got) // as the layer does, sooner or later
	require.NoError(t, err)
	_, err = other.Write([]byte{0xff})
	require.NoError(t, err)
	p, err := c.Pipeline(background)
	require.NoError(t, err, "there is input, of which nothing is known")
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	require.NoError(t, p.Close())
	usable(t, c)
}
