package serialclient_test

import (
	"context"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// TestPoolLooksAtTheOthers: when a server has ended one connection, those that it has ended as well are not
// left to be found one by one.
func TestPoolLooksAtTheOthers(t *testing.T) {
	const connections = 8
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			var conns, ends []*net.TCPConn
			left := make(chan error, connections+1)
			p, err := serialclient.NewPool("tcp", []string{"a"}, nil, serialclient.WithDialLimit(1, 1000), // one at a time
				serialclient.WithDialer(func(context.Context, string, string) (net.Conn, error) {
					conn, other := tcpPair(t)
					conns, ends = append(conns, conn), append(ends, other)
					go func() { left <- describedEcho(other) }()
					return conn, nil
				}))
			require.NoError(t, err)
			var pipelines []*serialclient.PoolPipeline
			for range connections {
				l, err := p.Pipeline(background)
				require.NoError(t, err)
				pipelines = append(pipelines, l)
			}
			for _, l := range pipelines {
				require.NoError(t, l.Close())
			}
			for i, end := range ends[:connections] {
				require.NoError(t, end.SetReadDeadline(time.Now().Add(10*time.Second)))
				ending.end(end)
				arrived(t, conns[i])
			}
			poolCall(t, p, "x")
			for range connections {
				require.NotErrorIs(t, <-left, os.ErrDeadlineExceeded)
			}
			require.NoError(t, p.Close())
			<-left
			for _, end := range ends {
				end.Close()
			}
		})
	}
}

// describedEcho is a server with a Describe. It returns why it ends.
func describedEcho(conn net.Conn) error {
	buf := make([]byte, 2)
	if _, err := io.ReadFull(conn, buf); err != nil {
		return err
	}
	conn.Write(okResponse(describe(0)))
	for {
		code := make([]byte, 1)
		if _, err := io.ReadFull(conn, code); err != nil {
			return err
		}
		message, err := io.ReadAll(serial.NewReader(conn))
		if err != nil {
			return err
		}
		if serial.TaskCode(code[0]) == serial.TaskDisconnect {
			conn.Write([]byte{goodbyeCode})
			return nil
		}
		conn.Write(okResponse(string(message)))
	}
}
