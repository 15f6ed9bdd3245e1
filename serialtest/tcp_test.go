package serialtest_test

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/serialkit/serialkit/serialtest"
	"github.com/stretchr/testify/require"
)

// tcpPair returns both ends of a real connection. They are closed with t.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	client, err = net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	server, err = listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	return client, server
}

func TestCutOnTCP(t *testing.T) {
	inner, server := tcpPair(t)
	fault := serialtest.CutWrite(3)
	client := serialtest.Faulty(inner, fault)
	read := reading(client, 1)
	n, err := client.Write([]byte(message))
	require.ErrorIs(t, err, syscall.EPIPE)
	require.Equal(t, 3, n)
	require.Equal(t, io.EOF, (<-read).err, "the blocked Read is woken")
	got, err := io.ReadAll(server)
	require.NoError(t, err)
	require.Equal(t, "012", string(got))
	require.Equal(t, 1, fault.Fired())
	require.NoError(t, client.Close())
}

func TestResetOnTCP(t *testing.T) {
	inner, server := tcpPair(t)
	fault := serialtest.ResetRead(3)
	client := serialtest.Faulty(inner, fault)
	mustWrite(t, server, "012") // all read, or Close alone would reset
	_, err := io.ReadFull(client, make([]byte, 3))
	require.NoError(t, err)
	readFails(t, client, syscall.ECONNRESET)
	writeFails(t, client, syscall.ECONNRESET)
	readFails(t, server, syscall.ECONNRESET)
	require.Equal(t, 1, fault.Fired())
	require.NoError(t, client.Close())
}

// Bytes wait on the socket, yet a Read ends by its deadline or Close alone. (On
// a busy machine the deadline may pass before the Read stalls, so Fired is
// left to the tests in a bubble.)
func TestStallOnTCP(t *testing.T) {
	inner, server := tcpPair(t)
	client := serialtest.Faulty(inner, serialtest.StallRead(0))
	mustWrite(t, server, message)
	require.NoError(t, client.SetReadDeadline(time.Now().Add(5*time.Millisecond)))
	readFails(t, client, os.ErrDeadlineExceeded)
	require.NoError(t, client.SetReadDeadline(time.Time{}))
	read := reading(client, 1)
	require.NoError(t, client.Close())
	require.ErrorIs(t, (<-read).err, net.ErrClosed)
}

// A Pipe fails as TCP fails, with errors that are the same to errors.Is.
func TestPipeFailsAsTCPDoes(t *testing.T) {
	for name, pair := range map[string]func(*testing.T) (net.Conn, net.Conn){
		"tcp":  tcpPair,
		"pipe": func(*testing.T) (net.Conn, net.Conn) { return serialtest.Pipe() },
	} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t)
			require.NoError(t, closeWrite(t, client))
			writeFails(t, client, syscall.EPIPE)
			readFails(t, server, io.EOF)
			require.NoError(t, server.SetReadDeadline(time.Now()))
			readFails(t, server, os.ErrDeadlineExceeded)

			client, server = pair(t)
			mustWrite(t, server, "unread")
			_, err := io.ReadFull(client, make([]byte, 1))
			require.NoError(t, err)
			require.NoError(t, client.Close())
			require.ErrorIs(t, client.Close(), net.ErrClosed)
			readFails(t, client, net.ErrClosed)
			readFails(t, server, syscall.ECONNRESET)
			writeFails(t, server, syscall.EPIPE)
		})
	}
}
