package serialtest

import (
	"errors"
	"io"
	"net"
	"sync"
)

// proxyQueue is how many bytes of a direction wait in the proxy while they cannot be passed on.
const proxyQueue = 64 << 10

// link is one proxied connection: a client's and the one to the server that was dialled for it. It
// has four goroutines, of which run waits for all: each direction has one that reads into a queue, so
// that the end of a sender is seen during a stall too, and one that passes on what is in it.
type link struct {
	client, server net.Conn  // never change, as up and down
	up, down       *proxyWay // from the client, from the server

	ended chan struct{} // closed when both have ended what they send
	done  chan struct{} // closed when the link is over

	mu   sync.Mutex // guards what follows
	ends int        // how many have ended what they send, in order or not
	over bool       // done is closed
}

func newLink(client, server net.Conn, faults []*ProxyFault) *link {
	l := &link{client: client, server: server, ended: make(chan struct{}), done: make(chan struct{})}
	l.up = newProxyWay(l, client, server, false, faults)
	l.down = newProxyWay(l, server, client, true, faults)
	return l
}

// run passes bytes on until the connection has ended in both directions.
func (l *link) run() {
	var receiving, passing sync.WaitGroup
	receiving.Go(l.up.receive)
	receiving.Go(l.down.receive)
	passing.Go(func() { l.up.run(l.down) })
	passing.Go(func() { l.down.run(l.up) })
	passing.Wait()
	l.end(false)
	receiving.Wait()
}

// end closes everything, once. What is blocked fails, and all goroutines of the link end.
func (l *link) end(reset bool) {
	l.mu.Lock()
	again := l.over
	l.over = true
	l.mu.Unlock()
	if again {
		return
	}
	close(l.done)
	for _, c := range []net.Conn{l.client, l.server} {
		if reset {
			resetOnClose(c)
		}
		_ = c.Close()
	}
	l.up.closeQueue()
	l.down.closeQueue()
}

// senderEnded notes that one of the ends sends no more.
func (l *link) senderEnded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ends++; l.ends == 2 {
		close(l.ended)
	}
}

// receive reads what the sender sends into the queue, to its end. A sender that fails has reset the
// connection, which is passed on at once; one that this side has closed has not.
func (w *proxyWay) receive() {
	defer w.link.senderEnded()
	_, err := io.Copy(onlyWriter{w.in}, onlyReader{w.from})
	if err != nil {
		w.link.end(!errors.Is(err, net.ErrClosed))
		return
	}
	_ = w.in.(closeWriter).CloseWrite()
}

// onlyReader and onlyWriter hide what io.Copy would use instead of reading and writing.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
