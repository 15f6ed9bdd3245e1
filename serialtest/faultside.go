package serialtest

import (
	"math"
	"net"
)

// armed is a Fault on one connection. The turn of its side guards it.
type armed struct {
	*Fault
	spent bool // it has fired here and counts no more
}

// fire counts a fault at a position, once per connection.
func (a *armed) fire() {
	if !a.spent {
		a.spent = true
		a.fired.Add(1)
	}
}

// left returns how many bytes may pass at once at position pos.
func (a *armed) left(pos int) int {
	switch {
	case a.act == chunk:
		return a.n
	case a.act == short && a.spent:
		return math.MaxInt
	}
	return a.n - pos
}

const (
	opRead  = "read"
	opWrite = "write"
)

// side is one direction of a faulty connection: its faults and how many bytes
// have passed. Whoever holds the turn may touch the rest; a channel rather than
// a mutex, because the turn is held while blocked.
type side struct {
	op     string // "read" or "write"; never changes
	turn   chan struct{}
	faults []armed
	pos    int

	err error // why a fault makes every call fail; the lock of faultyConn guards it
}

func newSide(op string, faults []*Fault) *side {
	s := &side{op: op, turn: make(chan struct{}, 1)}
	for _, f := range faults {
		if f.write == (op == opWrite) {
			s.faults = append(s.faults, armed{Fault: f})
		}
	}
	return s
}

func (s *side) lock()   { s.turn <- struct{}{} }
func (s *side) unlock() { <-s.turn }

// move is one Read or Write on conn.
func (s *side) move(conn net.Conn, p []byte) (int, error) {
	if s.op == opRead {
		return conn.Read(p)
	}
	return conn.Write(p)
}

// next tells how many of want bytes may pass now, or which fault is due before
// the first of them: of several, the first that was given.
func (s *side) next(want int) (limit int, due *armed) {
	if want == 0 {
		return 0, nil
	}
	limit = want
	for i := range s.faults {
		left := s.faults[i].left(s.pos)
		if left == 0 {
			return 0, &s.faults[i]
		}
		limit = min(limit, left)
	}
	return limit, nil
}

// passed notes that n bytes of want passed in one go.
func (s *side) passed(n, want int) {
	s.pos += n
	for i := range s.faults {
		if f := s.faults[i].Fault; f.act == chunk && n == f.n && n < want {
			f.fired.Add(1)
		}
	}
}
