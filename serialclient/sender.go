package serialclient

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/serialkit/serialkit/internal/transport"
	"github.com/serialkit/serialkit/serial"
)

// sender sends a stream's request. Its goroutine ends at the latest when the request's reader
// returns; nobody waits for that reader.
type sender struct {
	requests  *requests
	request   io.Reader
	finishing atomic.Bool           // the request was read to its end
	failed    atomic.Pointer[error] // why it could not be
	done      chan struct{}         // closed when nothing more is sent
	state     atomic.Int32          // of the reading of the request
}

// The states of reading a request.
const (
	notReading = iota
	reading
	stopped // it is not read any more
)

func (s *sender) isDone() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *sender) run() {
	err := errGoexit
	defer func() {
		if err != nil {
			err = &requestError{err}
			s.failed.Store(&err)
			s.requests.c.breakDown(err)
		}
		s.requests.written(0, s.requests.output.Err())
		close(s.done)
	}()
	err = s.copy()
}

// requestError is why a stream's request could not be read. What it wraps is the application's: it may be
// an error of another server's, and must not be taken for this one's answer.
type requestError struct{ err error }

func (e *requestError) Error() string        { return "reading the request: " + e.err.Error() }
func (e *requestError) Is(target error) bool { return errors.Is(e.err, target) }

// As is errors.As, but finds no serial.ErrorCoder and no Error.
func (e *requestError) As(target any) bool {
	switch target.(type) {
	case *serial.ErrorCoder, **serial.Error, **Error:
		return false
	}
	return errors.As(e.err, target)
}

// errGoexit is why a request cannot be read whose reader ends its goroutine.
var errGoexit = errors.New("serialclient: the request's reader ended its goroutine")

// emptyReads is how many times in a row a request may return neither byte nor error.
const emptyReads = 100

// copy sends the request as it comes. It returns why that could not be read; why it could not be
// sent is the output's to say. A request that knows its length, such as a *bytes.Reader, is sent in
// as few writes as possible.
func (s *sender) copy() error {
	r := s.requests
	buf := transport.Scratch()
	defer func() { transport.Release(buf) }()
	_, coalesce := s.request.(interface{ Len() int })
	for empty := 0; r.output.Err() == nil; empty++ {
		p := buf[:len(buf)/(serial.MaxBlock+1)*serial.MaxBlock] // as blocks these fill the output
		n, err := s.read(p, !coalesce)
		if n > 0 {
			empty = 0
			r.blocks.Write(p[:n])
		}
		if n == len(p) {
			buf = transport.Bulk(buf)
		}
		switch {
		case err == io.EOF:
			s.finishing.Store(true)
			r.close()
			r.output.Flush()
			return nil
		case err != nil:
			return err
		case empty == emptyReads:
			return io.ErrNoProgress
		}
		if !coalesce {
			r.blocks.Flush()
			r.output.Flush()
		}
	}
	return nil
}

// read reads the request once, with the output lent if that may last: what was written before is sent
// meanwhile.
func (s *sender) read(p []byte, lend bool) (int, error) {
	if s.request == nil {
		return 0, io.EOF
	}
	if !s.state.CompareAndSwap(notReading, reading) {
		return 0, errUnfinished
	}
	defer s.state.CompareAndSwap(reading, notReading)
	if lend {
		s.requests.output.Lend()
		defer s.requests.output.Reclaim()
	}
	return s.request.Read(p)
}

// explain puts why the request could not be read into the error of the call, if that broke it.
func (s *sender) explain(err error) error {
	e, ok := err.(*Error)
	if cause := s.failed.Load(); cause != nil && ok && e.Outcome != Failed && e.Err != ErrGoodbye {
		e.Err = *cause
	}
	return err
}
