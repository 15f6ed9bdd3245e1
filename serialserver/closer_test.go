package serialserver_test

import (
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// closer counts how often it is closed.
type closer struct {
	io.Reader
	closed int
	does   func() // in Close; nil: nothing
}

func (c *closer) Close() error {
	c.closed++
	if c.does != nil {
		c.does()
	}
	return errBroken // which comes too late to matter
}

// readFunc is a Read.
type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// Whatever happens, what a task returned is closed once, before HandleConnection returns.
func TestOutIsClosedExactlyOnce(t *testing.T) {
	text := func() io.Reader { return strings.NewReader("text") }
	stop := func() { panic("stop") }
	for name, test := range map[string]struct {
		out   io.Reader
		close func()
		err   error                  // that the task returns with it
		does  func(*session, client) // meanwhile
	}{
		"complete":                 {out: text()},
		"complete stream":          {out: onlyReader{text()}},
		"reading fails":            {out: iotest.ErrReader(errBroken)},
		"reading fails half-way":   {out: io.MultiReader(text(), iotest.ErrReader(errBroken))},
		"reading panics":           {out: readFunc(func([]byte) (int, error) { panic("read") })},
		"reading ends goroutine":   {out: readFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil })},
		"closing panics":           {out: text(), close: stop},
		"reading, closing panic":   {out: readFunc(func([]byte) (int, error) { panic("read") }), close: stop},
		"closing ends goroutine":   {out: text(), close: runtime.Goexit},
		"with an error":            {out: text(), err: errBroken},
		"with a code":              {out: text(), err: serial.Errorf(7, "coded")},
		"with a code, close panic": {out: text(), err: serial.Errorf(7, "coded"), close: stop},
		"no progress":              {out: stuck{}},
		"client vanishes":          {out: endless{}, does: func(s *session, _ client) { s.Close() }},
		"client closed":            {out: endless{}, does: func(_ *session, c client) { c.Close() }},
		"cut off":                  {out: endless{}, does: func(_ *session, c client) { c.Disconnect(time.Millisecond) }},
		"write timeout":            {out: endless{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := &closer{Reader: test.out, does: test.close}
				srv := newServer(nil, func(ctx, client, reader) (io.Reader, error) { return out, test.err })
				s := connect(t, srv)
				s.send(request(testTask, ""))
				synctest.Wait()
				if test.does != nil {
					test.does(s, srv.Clients()[0])
				}
				if test.out != (endless{}) {
					s.closeWrite()
				}
				s.result()
				require.Equal(t, 1, out.closed)
			})
		})
	}
}

// endless is an answer without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// The answer is complete before out is closed, so that a slow Close does not cut it.
func TestOutIsClosedAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &closer{Reader: strings.NewReader("text")}
		s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) { return out, nil }))
		for want := range 3 {
			s.send(request(testTask, ""))
			s.answer()
			require.Equal(t, want+1, out.closed)
		}
		s.send(disconnect)
		s.wants(goodbye)
		require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
	})
}

// A Close that lasts holds back neither its answer, nor an error code, nor an earlier answer.
func TestCloseHoldsNothingBack(t *testing.T) {
	last := func() { sleep(time.Minute) }
	text := func() io.Reader { return strings.NewReader("text") }
	for name, test := range map[string]struct {
		out  io.Reader
		err  error
		want serialtest.Message
	}{
		"known length": {&closerOfLength{&closer{Reader: text(), does: last}, lengther(4)}, nil, ok("text")},
		"stream":       {&closer{Reader: text(), does: last}, nil, ok("text")},
		"code":         {&closer{Reader: text(), does: last}, coded(7), failed(7)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) { return test.out, test.err }))
				s.send(append(request(emptyTask, ""), request(testTask, "")...))
				s.wants(ok(""), test.want)
				require.LessOrEqual(t, time.Since(s.start), time.Millisecond)
			})
		})
	}
}

type closerOfLength struct {
	*closer
	lengther
}
