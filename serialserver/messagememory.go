package serialserver

import (
	"cmp"
	"net/netip"
	"sync"
)

// DefaultMessageMemory is how many bytes the messages of all WholeMessage and WholeMessageStream tasks together take (64 MiB): room for
// thousands of usual ones, and for ten of the largest while they grow.
const DefaultMessageMemory = 64 << 20

// messageShare is the part of it that one address has unless WithMessageMemoryPerAddress says otherwise: so none
// has enough to keep the others out, and each has room for two of the largest while they grow.
const messageShare = 4

// freeMessage is what each message may take without a look at that (16 KiB, as much as a connection's buffer), so
// that small ones are never refused because of large ones.
const freeMessage = 16 << 10

// WithMessageMemory sets how many bytes the messages of all WholeMessage and WholeMessageStream tasks together may take
// while they are read and handled, those below 16 KiB not counted: 0 means DefaultMessageMemory, negative no limit. A task for whose
// message there is no room is answered with error 252 (busy). While a message grows, its old and its new buffer
// count. One within its Limits.MaxMessage is never refused while no other is held, whatever the limit is.
//
// A client that sends a large message slowly has its part of it for as long as Limits.MessageTime, an hour by
// default, and the clients of one address as much as WithMessageMemoryPerAddress says. What remains is that clients
// of as many addresses as there are shares, four by default, have all of it for that time, and that the clients
// behind one proxy or address translation share one part. Where clients are not trusted give such task codes less
// time (SetTaskLimits).
func WithMessageMemory(bytes int64) Option {
	return func(s *Server) {
		if bytes == 0 {
			bytes = DefaultMessageMemory
		}
		s.messages.max = bytes
	}
}

// WithMessageMemoryPerAddress sets how much of WithMessageMemory the clients of one address, of IPv6 of one network
// of 64 bits, may have together: 0 means a quarter of it, negative no limit of their own. A message within its
// Limits.MaxMessage is not refused for this while its address holds no other: so an address has more where a single
// message does not fit otherwise. Clients whose connections have no IP address share all that there is.
func WithMessageMemoryPerAddress(bytes int64) Option {
	return func(s *Server) { s.messages.perHost = bytes }
}

// memoryLimit bounds memory that many take from.
type memoryLimit struct {
	max, perHost int64 // never change after New; negative: no limit; perHost 0: its part of max

	mu     sync.Mutex // guards what follows, and taken and over of each message
	used   int64
	usedBy map[netip.Prefix]int64
}

// share is how much one host may have; negative: all.
func (l *memoryLimit) share() int64 {
	if l.perHost == 0 && l.max >= 0 {
		return l.max / messageShare
	}
	return cmp.Or(l.perHost, -1)
}

// take takes n bytes for m beside what it has, if there are as many. For a message that is bounded by itself there
// always are while there is no other: of all, and of its host.
func (l *memoryLimit) take(m *wholeMessage, n int64, bounded bool) bool {
	if n == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.over {
		return false
	}
	if l.max >= 0 && l.used+n > l.max && !(bounded && l.used == m.taken) {
		return false
	}
	if m.host.IsValid() {
		used, share := l.usedBy[m.host], l.share()
		if share >= 0 && used+n > share && !(bounded && used == m.taken) {
			return false
		}
		if l.usedBy == nil {
			l.usedBy = make(map[netip.Prefix]int64)
		}
		l.usedBy[m.host] = used + n
	}
	l.used += n
	m.taken += n
	return true
}

// keep gives back what m has but for n bytes, which it needs.
func (l *memoryLimit) keep(m *wholeMessage, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keepLocked(m, n)
}

// end gives back what m has, which gets nothing any more: its task is done.
func (l *memoryLimit) end(m *wholeMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.over = true
	l.keepLocked(m, 0)
}

func (l *memoryLimit) keepLocked(m *wholeMessage, needed int64) {
	n := m.taken - needed
	if n <= 0 {
		return
	}
	l.used -= n
	m.taken -= n
	if !m.host.IsValid() {
		return
	}
	if l.usedBy[m.host] -= n; l.usedBy[m.host] == 0 {
		delete(l.usedBy, m.host)
	}
}
