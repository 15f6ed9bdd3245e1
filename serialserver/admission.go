package serialserver

import (
	"errors"
	"net/netip"
	"time"

	"go.uber.org/zap"
)

// The default numbers of clients. Each has an Option that sets it.
const (
	// DefaultMaxClients is how many clients a server serves at a time: at 8 KiB for an idle one, 128 MiB.
	DefaultMaxClients = 16384

	// DefaultMaxClientsPerAddress is how many of them may come from one address at the most, and maxClientsShare which
	// part of WithMaxClients, if that is less: so one host alone cannot take all the room.
	DefaultMaxClientsPerAddress = DefaultMaxClients / maxClientsShare
	maxClientsShare             = 4

	// maxRefusals is how many clients are being told Goodbye at a time because there is no room for them. More are
	// closed without a word.
	maxRefusals = 128

	// refusedLogEvery is how often at most a line says that clients are refused.
	refusedLogEvery = time.Second
)

// ErrTooManyClients is what HandleConnection returns when there was no room for the client. It was told Goodbye,
// unless too many were being told so at that time.
var ErrTooManyClients = errors.New("serialserver: too many clients")

// WithMaxClients sets how many clients are served at a time, those in their handshake included: 0 means
// DefaultMaxClients, negative no limit. A client beyond that is told Goodbye, after the handshake where
// there is one, so that it goes elsewhere without fear.
func WithMaxClients(n int) Option {
	return func(s *Server) { s.admission.max = orDefault(n, DefaultMaxClients) }
}

// WithMaxClientsPerAddress sets how many of the clients may come from one address, of IPv6 from one network of
// 64 bits: 0 means a quarter of WithMaxClients, at least 1 and at most DefaultMaxClientsPerAddress; negative no limit.
// Clients whose connections have no IP address do not count. Behind a proxy that does not tell whom it speaks for all
// clients have its address: then there should be no limit.
func WithMaxClientsPerAddress(n int) Option {
	return func(s *Server) { s.admission.maxPerHost = n }
}

// perHostLimit is how many of the clients may come from one host; negative: there is no limit.
func (a *admission) perHostLimit() int {
	if a.maxPerHost != 0 {
		return a.maxPerHost
	}
	if a.max < 0 {
		return DefaultMaxClientsPerAddress
	}
	return min(max(a.max/maxClientsShare, 1), DefaultMaxClientsPerAddress)
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// room is what there is for a connection.
type room uint8

const (
	admitted room = iota
	refused       // it is told Goodbye
	dropped       // it is closed
)

// seat is what a connection takes up. Server.mu guards it; only the connection's goroutine changes it.
type seat struct {
	room room
	host netip.Prefix // invalid: it does not count
}

// admission counts the connections. Server.mu guards it, but for the first two.
type admission struct {
	max, maxPerHost int // negative: no limit; maxPerHost 0: the default; neither changes after New

	taken    int // seats of those that were admitted
	perHost  map[netip.Prefix]int
	refusing int

	unlogged int       // refused since the latest line
	logged   time.Time // when that was
}

// seatLocked returns the seat of a connection that has just come, for seatAt to say where from.
func (a *admission) seatLocked() seat {
	if a.max >= 0 && a.taken >= a.max {
		return a.refuseLocked()
	}
	a.taken++
	return seat{}
}

// seatAtLocked is where the connection that was given a seat has come from.
func (a *admission) seatAtLocked(s seat, host netip.Prefix) seat {
	if s.room != admitted || !host.IsValid() {
		return s
	}
	if limit := a.perHostLimit(); limit >= 0 && a.perHost[host] >= limit {
		a.taken--
		return a.refuseLocked()
	}
	a.perHost[host]++
	s.host = host
	return s
}

func (a *admission) refuseLocked() seat {
	a.unlogged++
	if a.refusing >= maxRefusals {
		return seat{room: dropped}
	}
	a.refusing++
	return seat{room: refused}
}

// leaveLocked gives a seat back.
func (a *admission) leaveLocked(s seat) {
	switch s.room {
	case refused:
		a.refusing--
	case admitted:
		a.taken--
		if !s.host.IsValid() {
			return
		}
		if a.perHost[s.host]--; a.perHost[s.host] == 0 {
			delete(a.perHost, s.host)
		}
	}
}

// logRefused says now and then that clients are refused, and how many.
func (s *Server) logRefused() {
	now := time.Now()
	s.mu.Lock()
	n, a := s.admission.unlogged, &s.admission
	due := n > 0 && (a.logged.IsZero() || now.Sub(a.logged) >= refusedLogEvery)
	if due {
		a.unlogged, a.logged = 0, now
	}
	s.mu.Unlock()
	if due {
		s.Log().Warn("no room for clients", zap.Int("refused", n))
	}
}

// refuse makes sure that c is told Goodbye before anything else.
func (c *Client) refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	c.conn.InterruptRead()
}

// drop closes the connection of a client that there was not even room to refuse.
func (c *Client) drop(e *ending) error {
	*e = ending{reason: ClosedRefused, err: ErrTooManyClients}
	metrics := c.Metrics()
	metrics.ConnectionOpened(c)
	c.abort()
	metrics.ConnectionClosed(c, ClosedRefused)
	return ErrTooManyClients
}
