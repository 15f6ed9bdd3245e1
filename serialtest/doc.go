// Package serialtest has what tests of network code need: connections in
// memory, connections on which things go wrong, and a check for leaked
// goroutines. Beside the standard library it imports package serial alone.
//
// # Connections in memory
//
// Pipe returns both ends of a connection that behaves as TCP does: it buffers,
// it can be half closed, its deadlines reach blocked calls, its errors are
// those of a socket. A server tested on a Pipe needs no port and no patience:
//
//	client, server := serialtest.Pipe()
//	go srv.HandleConnection(ctx, server, binary.BigEndian)
//	client.Write(request)
//
// The difference from net.Pipe is the buffer: there, no Write returns before
// the other end reads, so that two ends that write at the same time block each
// other for ever, which they would not do on a network. Buffer(0) is that
// behaviour, and Buffer(1) a connection that is nearly always full.
//
// What TCP does that is easily forgotten, a Pipe does by default: closing a
// connection whose input was not read to its end resets it, and the reset may
// destroy the last response on its way to the peer. See ResetOnUnread.
//
// # Time
//
// In a testing/synctest bubble the clock moves only when all goroutines are
// blocked, so that an hour passes at once and a timeout can be tested at its
// limit, one nanosecond before and one after. Pipes, faults and deadlines made
// inside a bubble follow its clock exactly:
//
//	func TestIdleClientIsTimedOut(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			client, server := serialtest.Pipe()
//			...
//			start := time.Now()
//			_, err := client.Read(buf) // until the server gives up
//			... time.Since(start) is the server's timeout, to the nanosecond
//		})
//	}
//
// A real TCP connection cannot do this: waiting for the kernel does not count
// as blocked there.
//
// # Faults
//
// Faulty wraps any connection, of a Pipe or real, so that it is cut, reset or
// stalled at a chosen byte, delivers its bytes in pieces, or writes short. The
// usual test makes the connection fail at every byte of an exchange in turn:
//
//	for n := range total {
//		fault := serialtest.CutWrite(n)
//		conn := serialtest.Faulty(client, fault)
//		... run the exchange on conn, check what each side says
//		if fault.Fired() != 1 {
//			t.Errorf("%v did not happen", fault)
//		}
//	}
//
// Ask Fired in every such test: when the exchange changes and the fault is no
// longer reached, it must not pass for nothing.
//
// # A proxy
//
// Proxy stands between a client and a server, in memory or on TCP, follows the protocol in both directions, and makes
// a ProxyFault happen at its Place: "byte 3 of request 1", "the end of response 0", "byte 700 of what the server
// sends". So neither end needs to be wrapped, and a test says what it means:
//
//	stall := serialtest.ResponseByte(1, 0).Stall()
//	proxy := serialtest.NewProxy(dialServer, stall)
//	defer proxy.Close()
//	go proxy.Serve(listener) // or conn, err := proxy.Dial()
//	... call twice; the second answer does not come
//	stall.Release()
//
// # Leaks
//
// CheckLeaks at the start of a test makes it fail if it leaves goroutines
// running; Main does that once for all tests of a package:
//
//	func TestMain(m *testing.M) { serialtest.Main(m) }
package serialtest
