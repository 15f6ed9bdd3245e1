package serialtest

import (
	"fmt"
	"time"
)

// Place is where on a proxied connection a fault happens. Its methods make the faults.
//
// All numbers count from 0, and a negative one panics. A place at a byte is reached when everything
// before that byte was passed on and the byte itself is there: it is the first that the fault
// concerns. A place after a message is reached as soon as its last byte was passed on, whatever comes.
//
// The proxy follows the framing of docs/protocol.md from the first byte of a connection, as its
// sender meant it: bytes that faults add or change do not count. A response of the codes Processing and OK
// is one response, both codes included. After a Goodbye, and after a byte that
// is no response code, places by message are not reached any more; nor are they meaningful where a
// handshake comes before the first request. Offsets are.
type Place struct {
	response bool // on the way from the server to the client
	by       placeKind
	message  int
	at       int64 // the byte's number in its message or on the connection
}

type placeKind uint8

const (
	byOffset placeKind = iota
	byMessage
	afterMessage
)

// RequestByte is byte k of request n: its task code is byte 0.
func RequestByte(n, k int) Place { return place(false, byMessage, n, int64(k)) }

// ResponseByte is byte k of response n: its response code is byte 0.
func ResponseByte(n, k int) Place { return place(true, byMessage, n, int64(k)) }

// AfterRequest is behind the last byte of request n.
func AfterRequest(n int) Place { return place(false, afterMessage, n, 0) }

// AfterResponse is behind the last byte of response n.
func AfterResponse(n int) Place { return place(true, afterMessage, n, 0) }

// ClientByte is byte k of all that the client sends.
func ClientByte(k int64) Place { return place(false, byOffset, 0, k) }

// ServerByte is byte k of all that the server sends.
func ServerByte(k int64) Place { return place(true, byOffset, 0, k) }

func place(response bool, by placeKind, n int, k int64) Place {
	if n < 0 || k < 0 {
		panic(fmt.Sprintf("serialtest: place at message %d, byte %d", n, k))
	}
	return Place{response: response, by: by, message: n, at: k}
}

// reached tells whether the next byte that f expects is the one of p.
func (p Place) reached(f *follower) bool {
	switch p.by {
	case byOffset:
		return f.offset == p.at
	case byMessage:
		return f.state != outOfFrame && f.message == p.message && int64(f.within) == p.at
	}
	return f.message == p.message+1 && f.within == 0
}

// String names the place, such as "byte 3 of request 0".
func (p Place) String() string {
	from, message := "the client's stream", "request"
	if p.response {
		from, message = "the server's stream", "response"
	}
	switch p.by {
	case byOffset:
		return fmt.Sprintf("byte %d of %s", p.at, from)
	case byMessage:
		return fmt.Sprintf("byte %d of %s %d", p.at, message, p.message)
	}
	return fmt.Sprintf("the end of %s %d", message, p.message)
}

// HalfClose ends this direction, as a peer does that closes its sending side: the receiver reads
// io.EOF. What the sender sends from then on is read and thrown away. The other direction works on.
func (p Place) HalfClose() *ProxyFault { return p.fault(proxyHalfClose) }

// Close closes both of the proxy's connections, as a process that ends does. Where one of them has
// input that the proxy had not read, TCP makes a reset of that.
func (p Place) Close() *ProxyFault { return p.fault(proxyClose) }

// Reset resets both connections, those that have SetLinger, as a Pipe and a TCP connection have; others
// are closed. A reset may overtake bytes that were passed on before it.
func (p Place) Reset() *ProxyFault { return p.fault(proxyReset) }

// Stall stops this direction until ProxyFault.Release, or until the connection ends: when it is reset, when both
// ends have ended what they send, or with the proxy. Up to 64 KiB more are taken from the sender
// meanwhile, and not passed on.
func (p Place) Stall() *ProxyFault { return p.fault(proxyStall) }

// Drip passes the bytes on one at a time from here on, each in a Write of its own, with a pause before
// each. With a pause of 0 there is none, and buffers may join the bytes again; in a testing/synctest bubble a
// pause of 1 ns is enough for the receiver to see each byte alone.
func (p Place) Drip(pause time.Duration) *ProxyFault {
	f := p.fault(proxyDrip)
	f.pause = pause
	return f
}

// Delay stops this direction for d, once.
func (p Place) Delay(d time.Duration) *ProxyFault {
	f := p.fault(proxyDelay)
	f.pause = d
	return f
}

// Duplicate passes the byte at the place on twice. After a message that is the byte which comes next.
func (p Place) Duplicate() *ProxyFault { return p.fault(proxyDuplicate) }

// Corrupt changes the byte at the place: it is combined with mask by exclusive or. After a message that is the
// byte which comes next. A mask of 0, which would change nothing, panics.
func (p Place) Corrupt(mask byte) *ProxyFault {
	if mask == 0 {
		panic("serialtest: Corrupt with an empty mask")
	}
	f := p.fault(proxyCorrupt)
	f.mask = mask
	return f
}

func (p Place) fault(act proxyAction) *ProxyFault {
	return &ProxyFault{place: p, act: act, released: make(chan struct{})}
}
