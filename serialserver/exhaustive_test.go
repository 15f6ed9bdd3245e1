package serialserver_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"testing"

	"github.com/serialkit/serialkit/internal/inputs"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

var exhaustive = flag.Int("exhaustive", shortInput, "TestRequestsOfEveryShortInput: every input of up to so many bytes; 3 takes minutes")

// oracleTasks are the codes that have a task: the even ones echo, the odd ones read nothing.
const oracleTasks = 100

// requestServer is a server for whatever bytes, what it has run, and memory for its checks.
type requestServer struct {
	*serialserver.Server
	conn        *inputs.Conn
	description []byte // the answer to Describe
	ran         []byte
	got         transcript
	want        transcript
}

func newRequestServer(t testing.TB) *requestServer {
	s := &requestServer{Server: serialserver.New(nil), conn: inputs.NewConn()}
	for code := range serial.TaskCode(oracleTasks) {
		s.Register(code, task(func(_ ctx, _ client, in reader) (io.Reader, error) {
			s.ran = append(s.ran, byte(code))
			if code%2 == 0 {
				return in, nil
			}
			return nil, nil
		}).run, "")
	}
	s.serve([]byte{byte(serial.TaskDescribe), 0}, nil)
	if s.got.parse(s.conn.Written()); len(s.got.answers) != 1 || s.got.answers[0].kind != okAnswer {
		t.Fatalf("Describe was answered %v", s.got.answers)
	}
	s.description = bytes.Clone(s.got.answers[0].body)
	return s
}

// serve serves a connection whose client sends b, in pieces of the sizes in cuts, and half closes.
func (s *requestServer) serve(b, cuts []byte) error {
	s.ran = s.ran[:0]
	s.conn.Reset(b, cuts, 0)
	return s.HandleConnection(context.Background(), s.conn, nil)
}

// requestsEnd is how the requests of a connection end, the kinds of check.
type requestsEnd int

// Their order is that of requestsEnds.
const (
	atBoundary requestsEnd = iota // between two requests
	unanswered                    // within one whose echo had begun
	answered                      // within one that was answered all the same
	disconnected
)

var requestsEnds = []string{"whole", "cut echo", "cut", "disconnect"}

// errs are what HandleConnection returns.
var errs = map[requestsEnd]error{
	atBoundary: nil, unanswered: io.ErrUnexpectedEOF, answered: io.ErrUnexpectedEOF, disconnected: serialserver.ErrGracefulDisconnect,
}

// expect is the naive oracle: what a server answers to b and runs for it. The last answer may be missing
// if it is optional: an echo that broke off before its first byte.
func (s *requestServer) expect(b []byte) (end requestsEnd, optional bool, ran []byte) {
	w := &s.want
	for w.reset(); len(b) > 0; {
		code := serial.TaskCode(b[0])
		if code == serial.TaskDisconnect {
			w.add(goodbyeAnswer, nil)
			return disconnected, false, w.ran
		}
		message, rest, whole := w.stream(b[1:])
		if code < oracleTasks {
			w.ran = append(w.ran, b[0])
		}
		switch {
		case code < oracleTasks && code%2 == 0:
			if !whole {
				w.add(cutAnswer, message)
				return unanswered, len(message) == 0, w.ran
			}
			w.add(okAnswer, message)
		case code < oracleTasks || code == serial.TaskKeepAlive:
			w.add(okAnswer, nil)
		case code == serial.TaskDescribe:
			w.add(okAnswer, s.description)
		default:
			w.add(errorAnswer, unknownTask)
		}
		if !whole {
			w.add(goodbyeAnswer, nil)
			return answered, false, w.ran
		}
		b = rest
	}
	return atBoundary, false, w.ran
}

var unknownTask = []byte{byte(serial.ErrorUnknownTask)}

// check compares what the server does with b, in pieces, with the oracle.
func (s *requestServer) check(t testing.TB, b, cuts []byte) requestsEnd {
	err := s.serve(b, cuts)
	s.got.parse(s.conn.Written())
	got := s.got.answers
	end, optional, ran := s.expect(b)
	want := s.want.answers
	if optional && len(got) == len(want)-1 {
		want = want[:len(got)]
	}
	if !same(got, want) || !bytes.Equal(s.ran, ran) || !s.conn.Closed() {
		t.Fatalf("%x in pieces %v: answered %v, ran %v, closed %v; want %v, %v", b, cuts, got, s.ran, s.conn.Closed(), want, ran)
	}
	if !errors.Is(err, errs[end]) {
		t.Fatalf("%x in pieces %v: returned %v, want %v", b, cuts, err, errs[end])
	}
	return end
}

// TestRequestsOfEveryShortInput serves connections whose clients send each input and then end.
func TestRequestsOfEveryShortInput(t *testing.T) {
	inputs.Short(t, *exhaustive, "connections", func(t testing.TB) func([]byte) {
		s := newRequestServer(t)
		return func(b []byte) { s.check(t, b, nil) }
	})
}

// requestSeeds are what clients send, and the sizes of the pieces that it comes in.
func requestSeeds() []inputs.Input {
	return []inputs.Input{
		{{}, {}},
		{bytes.Join([][]byte{request(0, "hello"), request(1, "unread"), {250, 0, 251, 0}, request(200, "unknown"), disconnect}, nil), {}},
		{bytes.Join([][]byte{request(2, "a"), request(3, ""), request(98, "b"), request(99, "c")}, nil), {1}},
		{beginning(2, "cut"), {3, 1}},
		{append(beginning(7, "cut"), 9), {}},
	}
}

// FuzzRequests does the same with whatever up to 4 KiB, in any pieces.
func FuzzRequests(f *testing.F) {
	for _, in := range requestSeeds() {
		f.Add(in[0], in[1])
	}
	s := newRequestServer(f)
	f.Fuzz(func(t *testing.T, b, cuts []byte) { s.check(t, b[:min(len(b), 4096)], cuts) })
}

// TestManyRequests is FuzzRequests with mutated inputs.
func TestManyRequests(t *testing.T) {
	inputs.Mutated{
		Seeds: requestSeeds(), Longest: 4096, Kinds: requestsEnds,
		Check: func(t testing.TB) func(inputs.Input) int {
			s := newRequestServer(t)
			return func(in inputs.Input) int { return int(s.check(t, in[0], in[1])) }
		},
	}.Run(t)
}
