package serialclient_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// exchange is one call of a scripted session.
type exchange struct {
	task     serial.TaskCode
	request  []byte
	response []byte // on the wire
}

// session is a request of two blocks answered OK, another one answered Error, and a Goodbye.
var session = []exchange{
	{1, bytesOf(300), okResponse(string(bytesOf(270)))},
	{2, []byte("fail"), []byte{errorCode, 42}},
	{3, []byte("bye"), []byte{goodbyeCode}},
}

func (e exchange) onTheWire() []byte {
	return serial.AppendStream([]byte{byte(e.task)}, e.request)
}

// server follows the session as far as it gets, and counts what it got.
func server(got *int) script {
	return func(p *peer) {
		for _, e := range session {
			want := e.onTheWire()
			buf := make([]byte, len(want))
			n, err := io.ReadFull(p.in, buf)
			*got += n
			if !bytes.HasPrefix(want, buf[:n]) {
				p.fail("read % x", buf[:n])
			}
			if err != nil {
				return
			}
			p.write(e.response...)
		}
		p.end()
	}
}

// ways are the ways to make the session's calls. Each returns their errors.
var ways = map[string]func(t *testing.T, c *serialclient.Client) []error{
	"calls": func(t *testing.T, c *serialclient.Client) (errs []error) {
		for i, e := range session {
			response, err := c.Call(background, e.task, e.request)
			errs = append(errs, checkBody(t, i, response, err))
		}
		return errs
	},
	"streams": func(t *testing.T, c *serialclient.Client) (errs []error) {
		for i, e := range session {
			s, err := c.Stream(background, e.task, bytes.NewReader(e.request))
			if err == nil {
				var response []byte
				response, err = io.ReadAll(s)
				err = checkBody(t, i, response, err)
				require.NoError(t, s.Close())
			}
			errs = append(errs, err)
		}
		return errs
	},
	"pipeline": func(t *testing.T, c *serialclient.Client) (errs []error) {
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		sent := make([]error, len(session))
		for i, e := range session {
			sent[i] = p.Send(e.task, e.request)
		}
		for i, err := range sent {
			var response []byte
			if err == nil {
				response, err = p.Receive(nil)
			}
			errs = append(errs, checkBody(t, i, response, err))
		}
		require.NoError(t, p.Close())
		return errs
	},
}

// checkBody requires that a response that came is the right one.
func checkBody(t *testing.T, i int, response []byte, err error) error {
	t.Helper()
	if err == nil {
		require.Zero(t, i, "only the first call is answered OK")
		require.Equal(t, bytesOf(270), response)
	}
	return err
}

// accident is something that happens to the session at a byte.
type accident struct {
	name   string
	fault  func(n int) *serialtest.Fault
	write  bool
	stalls bool // needs time to be noticed
	reason error
}

var accidents = []accident{
	{"cut write", serialtest.CutWrite, true, false, nil}, // EPIPE or EOF
	{"reset write", serialtest.ResetWrite, true, false, syscall.ECONNRESET},
	{"stall write", serialtest.StallWrite, true, true, os.ErrDeadlineExceeded},
	{"cut read", serialtest.CutRead, false, false, io.ErrUnexpectedEOF},
	{"reset read", serialtest.ResetRead, false, false, syscall.ECONNRESET},
	{"stall read", serialtest.StallRead, false, true, os.ErrDeadlineExceeded},
}

// The timeouts of these tests, all different.
var sessionTimeout = serialclient.Timeout{Wait: 7 * time.Second, Read: 3 * time.Second, Write: 2 * time.Second}

// longest is how long the session may take: a blocked write, which a Pipe lets notice no earlier than
// twice its timeout, and then the half second in which an answer may still come.
const longest = 7 * time.Second

// TestOutcomeAtEveryByte: wherever the connection is cut, reset or stalled, each call says exactly
// what is known of it, once, and in time.
func TestOutcomeAtEveryByte(t *testing.T) {
	for way, run := range ways {
		for _, a := range accidents {
			t.Run(way+"/"+a.name, func(t *testing.T) {
				for n := range sessionSize(a.write) {
					synctest.Test(t, func(t *testing.T) {
						client, server := serialtest.Pipe()
						accidentAt(t, way, run, a, n, client, server, way != "streams")
					})
				}
			})
		}
	}
}

// TestOutcomeAtEveryByteTCP is the same on the kernel's connections.
func TestOutcomeAtEveryByteTCP(t *testing.T) {
	for way, run := range ways {
		for _, a := range accidents {
			if a.stalls {
				continue // time is tested in memory
			}
			t.Run(way+"/"+a.name, func(t *testing.T) {
				for n := range sessionSize(a.write) {
					client, server := tcpPair(t)
					accidentAt(t, way, run, a, n, client, server, way == "calls")
				}
			})
		}
	}
}

// sessionSize returns how many bytes the session has in one direction.
func sessionSize(write bool) (n int) {
	for _, e := range session {
		if write {
			n += len(e.onTheWire())
		} else {
			n += len(e.response)
		}
	}
	return n
}

// accidentAt runs the session in one way with an accident at byte n. What must come of it is exactly
// known, unless a stream reads before it has sent, or a pipeline's timer sends when it likes.
func accidentAt(t *testing.T, way string, run func(*testing.T, *serialclient.Client) []error, a accident, n int, conn, other net.Conn, exact bool) {
	t.Helper()
	fault := a.fault(n)
	got := 0
	p := play(t, other, server(&got))
	c := serialclient.New(serialtest.Faulty(conn, fault), nil, serialclient.WithTimeout(sessionTimeout))
	begin := time.Now()
	errs := run(t, c)
	took := time.Since(begin)
	require.Equal(t, 1, fault.Fired(), "%v", fault)
	if a.stalls {
		require.LessOrEqual(t, took, longest, "%v", fault)
	}
	require.Error(t, c.Err())
	require.NoError(t, c.Close())
	<-p.done
	for i, err := range errs {
		if exact {
			checkOutcome(t, way, a, n, i, err)
		}
		checkPromise(t, i, got, err)
	}
}

// checkPromise requires that a call that did not run, as its error says, cannot have run, the server
// having got so many bytes in all.
func checkPromise(t *testing.T, i, got int, err error) {
	t.Helper()
	if err == nil {
		return
	}
	outcome := serialclient.OutcomeOf(err)
	failure(t, err, session[i].task, outcome, err)
	if begin, _ := place(i, true); outcome == serialclient.NotRun && !errors.Is(err, serialclient.ErrGoodbye) {
		require.LessOrEqual(t, got, begin, err)
	}
}

// checkOutcome compares the error of call i with what an accident at byte n must make it.
func checkOutcome(t *testing.T, way string, a accident, n, i int, err error) {
	t.Helper()
	task, at := session[i].task, fmt.Sprintf("%s, %s at %d: call %d: %v", way, a.name, n, i, err)
	reason := a.reason
	if reason == nil {
		reason = err
	}
	switch is := answered(way, a, n, i); {
	case is && i == 0:
		require.NoError(t, err, at)
	case is && i == 1:
		failure(t, err, task, serialclient.Failed, err)
	case is:
		failure(t, err, task, serialclient.NotRun, serialclient.ErrGoodbye)
	case reached(way, a, n, i):
		failure(t, err, task, serialclient.Unknown, reason)
	default:
		failure(t, err, task, serialclient.NotRun, reason)
	}
}

// place returns where the request or the response of call i begins and ends.
func place(i int, write bool) (begin, end int) {
	for _, e := range session[:i+1] {
		begin = end
		if write {
			end += len(e.onTheWire())
		} else {
			end += len(e.response)
		}
	}
	return begin, end
}

// answered reports whether the response of call i arrives.
func answered(way string, a accident, n, i int) bool {
	_, end := place(i, a.write)
	if a.write && way == "pipeline" && !a.stalls {
		return false // all are sent together, and with the output goes the input
	}
	return end <= n
}

// reached reports whether a byte of call i can have reached the server.
func reached(way string, a accident, n, i int) bool {
	switch {
	case a.write:
		begin, _ := place(i, true)
		return begin < n
	case way == "pipeline":
		return true
	}
	return i == 0 || answered(way, a, n, i-1) // otherwise the connection was broken before
}
