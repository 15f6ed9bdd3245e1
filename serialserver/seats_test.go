package serialserver_test

import (
	"context"
	"encoding/binary"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// silentProxy is a connection whose address is not known before it is closed.
type silentProxy struct {
	net.Conn
	closed context.Context
	close  func()
}

func newSilentProxy(conn net.Conn) silentProxy {
	closed, cancel := context.WithCancel(context.Background())
	return silentProxy{conn, closed, cancel}
}

func (c silentProxy) RemoteAddr() net.Addr { <-c.closed.Done(); return nil }
func (c silentProxy) Close() error         { c.close(); return c.Conn.Close() }

// Connections whose address is waited for take up no more than their seats.
func TestSilentProxiesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil, serialserver.WithMaxClients(1))
		l := listen(context.Background(), srv)
		for range 1000 {
			client, server := serialtest.Pipe()
			l.accepts <- accepted{newSilentProxy(server), nil}
			defer client.Close()
		}
		synctest.Wait()
		require.LessOrEqual(t, serialserver.Connections(srv), 1+128, "a client, and refusals")
		srv.Close()
		srv.Wait()
	})
}

// HandleConnection is known to the server while it waits for the address.
func TestHandleConnectionOfASilentProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		client, server := serialtest.Pipe()
		s := serve(t, context.Background(), srv, client, newSilentProxy(server))
		synctest.Wait()
		require.Equal(t, 1, srv.NumClients())
		srv.Close()
		srv.Wait()
		s.result()
	})
}

// explosive is a connection that panics when it is asked for its address, or closed.
type explosive struct {
	net.Conn
	addr bool
}

func (c explosive) RemoteAddr() net.Addr {
	if c.addr {
		panic("address")
	}
	return nil
}

func (c explosive) Close() error { c.Conn.Close(); panic("close") }

// A connection that panics leaves its seat.
func TestSeatAfterAPanic(t *testing.T) {
	refuse := func(context.Context, net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
		return nil, nil, nil, nil, errBroken
	}
	for name, addr := range map[string]bool{"address": true, "close": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(nil, nil, serialserver.WithHandshake(refuse, 0))
				l := listen(context.Background(), srv)
				client, server := serialtest.Pipe()
				defer client.Close()
				l.accepts <- accepted{explosive{server, addr}, nil}
				srv.Wait()
				synctest.Wait()
				require.Zero(t, serialserver.Connections(srv))
				srv.Close()
			})
		})
	}
}

// lastingClose is a connection whose Close lasts.
type lastingClose struct {
	net.Conn
	closes *atomic.Int32
}

func (c lastingClose) Close() error { c.closes.Add(1); sleep(time.Minute); return c.Conn.Close() }

// Close closes all connections side by side, and does not wait for them.
func TestCloseSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(nil, nil)
		var closes atomic.Int32
		for range 3 {
			client, server := serialtest.Pipe()
			serve(t, context.Background(), srv, client, lastingClose{server, &closes})
		}
		synctest.Wait()
		start := time.Now()
		srv.Close()
		synctest.Wait()
		require.EqualValues(t, 3, closes.Load())
		require.Zero(t, time.Since(start))
		srv.Wait()
	})
}
