package main

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
)

// format is how the payloads of a peer look on the wire.
type format struct {
	request, response func(p []byte) []byte
}

// exchange is one payload on the wire, prepared.
type exchange struct {
	payload           []byte
	request, response []byte
	requests          []byte // as many requests as fit into a chunk, at least one
	responses         []byte // more than a chunk of responses
	burst             int    // how many requests there are in requests
}

func newExchange(f format, p []byte) *exchange {
	x := &exchange{payload: p, request: f.request(p), response: f.response(p)}
	x.burst = max(1, chunkSize/len(x.request))
	x.requests = bytes.Repeat(x.request, x.burst)
	x.responses = bytes.Repeat(x.response, chunkSize/len(x.response)+2)
	return x
}

// exchanges shares the latest exchange between the sessions of a peer.
type exchanges struct {
	latest atomic.Pointer[exchange]
}

func (e *exchanges) of(f format, p []byte) *exchange {
	x := e.latest.Load()
	if x == nil || len(x.payload) != len(p) || &x.payload[0] != &p[0] {
		x = newExchange(f, p)
		e.latest.Store(x)
	}
	return x
}

// byteSession is a client that knows only bytes: it writes prepared requests and compares what
// comes back with prepared responses.
type byteSession struct {
	conn      net.Conn
	format    format
	exchanges *exchanges // of the format
	buf       []byte     // of a response, or of a chunk
	framed    func(s *byteSession) error
}

func newByteSession(conn net.Conn, f format, e *exchanges) *byteSession {
	return &byteSession{conn: conn, format: f, exchanges: e}
}

// buffer returns n bytes of s's own.
func (s *byteSession) buffer(n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	return s.buf[:n]
}

func (s *byteSession) roundTrip(p []byte) error {
	x := s.exchanges.of(s.format, p)
	if _, err := s.conn.Write(x.request); err != nil {
		return err
	}
	buf := s.buffer(len(x.response))
	if _, err := io.ReadFull(s.conn, buf); err != nil {
		return err
	}
	if !bytes.Equal(buf, x.response) {
		return errWrongEcho
	}
	return nil
}

func (s *byteSession) pipeline(p []byte, size int, stop *atomic.Bool) (int64, error) {
	if s.framed != nil {
		if err := s.framed(s); err != nil {
			return 0, err
		}
	}
	x := s.exchanges.of(s.format, p)
	w := newWindow(size)
	sent := make(chan error, 1)
	go func() { sent <- s.sendBursts(w, x) }()
	answered, err := s.receiveBursts(w, x, size, stop)
	w.close()
	if err != nil {
		s.conn.Close()
	}
	if serr := <-sent; err == nil {
		err = serr
	}
	return answered, err
}

// sendBursts writes a request for each place of w, as many at a time as there are, up to a chunk.
func (s *byteSession) sendBursts(w *window, x *exchange) error {
	for {
		n := w.take()
		if n == 0 {
			return nil
		}
		for n > 0 {
			k := min(n, x.burst)
			if _, err := s.conn.Write(x.requests[:k*len(x.request)]); err != nil {
				s.conn.Close() // the receiver ends as well
				return err
			}
			n -= k
		}
	}
}

// receiveBursts reads responses and gives their places back until stop is set.
func (s *byteSession) receiveBursts(w *window, x *exchange, size int, stop *atomic.Bool) (int64, error) {
	buf := s.buffer(chunkSize)
	due := int64(size) // responses
	var answered int64
	for partial := 0; answered < due; {
		n, err := s.conn.Read(buf)
		if err != nil {
			return answered, err
		}
		if !bytes.Equal(buf[:n], x.responses[partial:partial+n]) {
			return answered, errWrongEcho
		}
		whole := (partial + n) / len(x.response)
		partial = (partial + n) % len(x.response)
		answered += int64(whole)
		if whole > 0 && !stop.Load() {
			due += int64(whole)
			w.give(whole)
		}
	}
	return answered, nil
}

func (s *byteSession) up(n int64) error {
	p := streamRequest(opUp, n)
	if _, err := s.conn.Write(s.format.request(p)); err != nil {
		return err
	}
	if err := sendZeros(s.conn, n); err != nil {
		return err
	}
	return s.expect(s.format.response(p))
}

func (s *byteSession) down(n int64) error {
	if _, err := s.conn.Write(s.format.request(streamRequest(opDown, n))); err != nil {
		return err
	}
	return readOff(s.conn, s.buffer(chunkSize), n)
}

// expect reads what has to come.
func (s *byteSession) expect(response []byte) error {
	buf := s.buffer(len(response))
	if _, err := io.ReadFull(s.conn, buf); err != nil {
		return err
	}
	if !bytes.Equal(buf, response) {
		return errWrongEcho
	}
	return nil
}

func (s *byteSession) Close() error { return s.conn.Close() }

// zeros is what streams consist of.
var zeros [chunkSize]byte

// sendZeros writes n zeros, a chunk at a time.
func sendZeros(w io.Writer, n int64) error {
	for n > 0 {
		k, err := w.Write(zeros[:min(n, chunkSize)])
		if err != nil {
			return err
		}
		n -= int64(k)
	}
	return nil
}

// readOff reads n bytes and drops them.
func readOff(r io.Reader, buf []byte, n int64) error {
	for n > 0 {
		k, err := r.Read(buf[:min(n, int64(len(buf)))])
		n -= int64(k)
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}
