package serialserver_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

var exhaustive = flag.Int("exhaustive", shortInput, "TestRequestsOfEveryShortInput: every input of up to so many bytes; 3 takes minutes")

// oracleTasks are the codes that have a task: the even ones echo, the odd ones read nothing.
const oracleTasks = 100

// requestServer is a server for whatever bytes, and what it has run.
type requestServer struct {
	*serialserver.Server
	description string // the answer to Describe
	ran         []byte
}

func newRequestServer(t testing.TB) *requestServer {
	s := &requestServer{Server: serialserver.New(nil)}
	for code := range serial.TaskCode(oracleTasks) {
		s.Register(code, task(func(_ ctx, _ client, in reader) (io.Reader, error) {
			s.ran = append(s.ran, byte(code))
			if code%2 == 0 {
				return in, nil
			}
			return nil, nil
		}).run, "")
	}
	got := s.answers(t, []byte{byte(serial.TaskDescribe), 0})
	require.Len(t, got, 1)
	s.description = got[0]
	return s
}

// answers serves a connection whose client sends b and half closes, and returns the responses. What b
// asks for fits the pipe, so that no goroutine is needed.
func (s *requestServer) answers(t testing.TB, b []byte) (got []string) {
	client, server := serialtest.Pipe(serialtest.Buffer(1 << 20))
	client.Write(b)
	client.(interface{ CloseWrite() error }).CloseWrite()
	_ = s.HandleConnection(context.Background(), server, nil)
	in := bufio.NewReader(client)
	for {
		m, err := serialtest.ReadMessage(in)
		if err == io.EOF {
			return got
		}
		require.NoError(t, err, "%x", b)
		got = append(got, m.String())
	}
}

// expect is the naive oracle: what a server answers to b and runs for it. The last answer may be missing
// if it is optional: an echo that broke off before its first byte.
func (s *requestServer) expect(b []byte) (answers []string, optional bool, ran []byte) {
	for len(b) > 0 {
		code := serial.TaskCode(b[0])
		if code == serial.TaskDisconnect {
			return append(answers, goodbye.String()), false, ran
		}
		message, rest, whole := parseStream(b[1:])
		switch {
		case code < oracleTasks && code%2 == 0:
			ran = append(ran, b[0])
			if !whole {
				return append(answers, cut(string(message)).String()), len(message) == 0, ran
			}
			answers = append(answers, ok(string(message)).String())
		case code < oracleTasks:
			ran = append(ran, b[0])
			answers = append(answers, ok("").String())
		case code == serial.TaskKeepAlive:
			answers = append(answers, ok("").String())
		case code == serial.TaskDescribe:
			answers = append(answers, s.description)
		default:
			answers = append(answers, failed(serial.ErrorUnknownTask).String())
		}
		if !whole {
			return append(answers, goodbye.String()), false, ran
		}
		b = rest
	}
	return answers, false, ran
}

func parseStream(b []byte) (message, rest []byte, whole bool) {
	for len(b) > 0 {
		n := int(b[0])
		b = b[1:]
		if n == 0 {
			return message, b, true
		}
		n = min(n, len(b))
		message, b = append(message, b[:n]...), b[n:]
	}
	return message, nil, false
}

// check compares what the server does with b with the oracle.
func (s *requestServer) check(t testing.TB, b []byte) {
	s.ran = s.ran[:0]
	got := s.answers(t, b)
	want, optional, ran := s.expect(b)
	if optional && len(got) == len(want)-1 {
		want = want[:len(got)]
	}
	if len(got) != len(want) || !bytes.Equal(s.ran, ran) {
		t.Fatalf("%x: answered %v, ran %v; want %v, %v", b, got, s.ran, want, ran)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%x: answered %v, want %v", b, got, want)
		}
	}
}

// TestRequestsOfEveryShortInput serves connections whose clients send each input and then end.
func TestRequestsOfEveryShortInput(t *testing.T) {
	s, n := newRequestServer(t), 0
	for size := range *exhaustive + 1 {
		for v := range 1 << (8 * size) {
			s.check(t, []byte{byte(v >> 16), byte(v >> 8), byte(v)}[3-size:])
			n++
		}
	}
	t.Logf("%d connections", n)
}

// FuzzRequests does the same with whatever up to 4 KiB.
func FuzzRequests(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Join([][]byte{request(0, "hello"), request(1, "unread"), {250, 0, 251, 0}, request(200, "unknown"), disconnect}, nil))
	f.Add(beginning(2, "cut"))
	s := newRequestServer(f)
	f.Fuzz(func(t *testing.T, b []byte) { s.check(t, b[:min(len(b), 4096)]) })
}
