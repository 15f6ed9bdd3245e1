package serialtest

import (
	"fmt"
	"net"
)

// DefaultBuffer is how many bytes each direction of a Pipe holds unless
// Buffer says otherwise: 64 KiB, near what a loopback socket holds.
const DefaultBuffer = 64 << 10

// Option changes one property of a Pipe.
type Option func(*config)

// config is what the options of one Pipe add up to.
type config struct {
	buffer         int
	client, server net.Addr
	halfClose      bool
	resetOnUnread  bool
}

func newConfig(opts []Option) config {
	cfg := config{
		buffer:        DefaultBuffer,
		client:        Addr("client"),
		server:        Addr("server"),
		halfClose:     true,
		resetOnUnread: true,
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	return cfg
}

// Buffer sets how many bytes each direction holds before a Write blocks. With
// 0 the pipe is unbuffered, as net.Pipe is: a Write returns only once Reads
// took all its bytes. A Read may take more than the buffer holds, because it
// also takes what a blocked Write still has to hand over; ChunkReads bounds it.
// A negative size panics. The memory is taken as bytes arrive, so a large size
// costs nothing by itself.
func Buffer(bytes int) Option {
	if bytes < 0 {
		panic(fmt.Sprintf("serialtest: negative buffer size %d", bytes))
	}
	return func(cfg *config) { cfg.buffer = bytes }
}

// Addrs sets what LocalAddr and RemoteAddr return: client is the first end's
// own address, server the second's. The default is Addr("client") and
// Addr("server"). A *net.TCPAddr serves code that looks inside; nil panics.
func Addrs(client, server net.Addr) Option {
	if client == nil || server == nil {
		panic("serialtest: nil address")
	}
	return func(cfg *config) { cfg.client, cfg.server = client, server }
}

// NoHalfClose makes a Pipe whose ends have no CloseWrite method, as net.Pipe
// and many wrapping connections have none.
func NoHalfClose() Option {
	return func(cfg *config) { cfg.halfClose = false }
}

// ResetOnUnread says what Close does while input that the closing end has not
// read waits in its buffer. On, the default, it does what TCP does: it resets
// the connection, and what the peer has not read yet is lost. That is how a
// last response gets destroyed, so a server that closes carelessly fails its
// test here as it would fail in production. Off, Close is always clean.
func ResetOnUnread(on bool) Option {
	return func(cfg *config) { cfg.resetOnUnread = on }
}

// Addr is an address that is only a name. Its network is "pipe".
type Addr string

// Network returns "pipe".
func (Addr) Network() string { return "pipe" }

// String returns the name itself.
func (a Addr) String() string { return string(a) }
