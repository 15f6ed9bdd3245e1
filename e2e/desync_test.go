package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// Every message byte is a trap: the code of a registered task that must never run. If a server
// ever takes a message byte for a task code, a trap fires.

// trapFrom is the lowest code that is a trap. Below are the codes of the tasks that are called.
const trapFrom = 50

// behaviour is what a task does.
type behaviour int

const (
	readsAll    behaviour = iota // reads everything, answers how much it was
	readsSome                    // reads k bytes and answers ok
	echoes                       // returns in
	failsCoded                   // reads k bytes and fails with a code
	failsPlain                   // reads k bytes and fails without one
	panics                       // reads k bytes and panics
	breaksOff                    // reads k bytes, its answer fails
	keepsOn                      // reads k bytes, answers, and a goroutine of it goes on reading
	unknownTask                  // has no task
	keepAlive                    // is KeepAlive
	numBehaviours
)

// step is one request and what its task does.
type step struct {
	does    behaviour
	message []byte
	reads   int // k
}

// session is a random pipelined session.
type session struct {
	steps   []step
	unread  int           // the server's cap
	lost    int           // bytes that are missing at the end of the last request
	stalls  bool          // and instead of the end of the connection comes nothing
	chunks  []int         // how the requests are cut, in turn
	buffer  int           // of the pipe
	timeout time.Duration // Read
}

func drawSession(t *rapid.T) session {
	s := session{
		unread:  rapid.SampledFrom([]int{1, 7, 64, 1000}).Draw(t, "unread"),
		chunks:  rapid.SliceOfN(rapid.IntRange(1, 700), 1, 4).Draw(t, "chunks"),
		buffer:  rapid.SampledFrom([]int{0, 1, 100, 1 << 16}).Draw(t, "buffer"),
		timeout: time.Second,
	}
	n := rapid.IntRange(1, 6).Draw(t, "requests")
	for range n {
		st := step{does: behaviour(rapid.IntRange(0, int(numBehaviours)-1).Draw(t, "does"))}
		size := rapid.SampledFrom([]int{0, 1, 5, 64, 65, 254, 255, 256, 600, 1100}).Draw(t, "size")
		first := rapid.IntRange(trapFrom, 249).Draw(t, "first")
		st.message = make([]byte, size)
		for i := range st.message {
			st.message[i] = byte(trapFrom + (first-trapFrom+i)%(250-trapFrom))
		}
		st.reads = rapid.IntRange(0, size).Draw(t, "reads")
		s.steps = append(s.steps, st)
	}
	if rapid.Bool().Draw(t, "cut") {
		s.lost = rapid.IntRange(1, len(s.steps[n-1].message)+1).Draw(t, "lost")
		s.stalls = rapid.Bool().Draw(t, "stalls")
	}
	return s
}

// request returns the bytes of one request. Its blocks are not full, so that their lengths, too,
// are traps where they can be.
func (st step) request(code int) []byte {
	b := []byte{byte(code)}
	switch st.does {
	case unknownTask:
		b[0] = byte(serial.TaskCancel)
	case keepAlive:
		b[0] = byte(serial.TaskKeepAlive)
	}
	for m := st.message; len(m) > 0; {
		n := min(len(m), 60)
		b = serial.AppendBlocks(b, m[:n])
		m = m[n:]
	}
	return serial.AppendEnd(b)
}

// wire returns all requests, and whether the last one is incomplete.
func (s session) wire() []byte {
	var b []byte
	for i, st := range s.steps {
		b = append(b, st.request(i)...)
	}
	return b[:len(b)-s.lost]
}

// run runs the session and returns what the client received, how the server ended, and which tasks
// ran. Its goroutines have ended when it returns.
func (s session) run(t *rapid.T) (got []string, ran []int, served error) {
	var trap atomic.Int32
	trap.Store(-1)
	stragglers := make(chan struct{}, len(s.steps))
	srv := serialserver.New(&serialserver.Timeout{Read: s.timeout}, serialserver.WithLimits(serialserver.Limits{UnreadInput: int64(s.unread)}))
	for i, st := range s.steps {
		srv.Register(serial.TaskCode(i), func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
			ran = append(ran, i)
			return st.task(in, stragglers)
		}, fmt.Sprint("step ", i))
	}
	for code := trapFrom; code < 250; code++ {
		srv.Register(serial.TaskCode(code), func(context.Context, *serialserver.Client, binaryutil.BinaryReader, *zap.Logger, ...interface{}) (io.Reader, error) {
			trap.Store(int32(code))
			return nil, nil
		}, "trap")
	}
	client, server := serialtest.Pipe(serialtest.Buffer(s.buffer))
	done := make(chan error, 1)
	go func() { done <- srv.HandleConnection(context.Background(), server, nil) }()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		s.send(client)
	}()
	r := bufio.NewReader(client)
	for {
		m, err := serialtest.ReadMessage(r)
		if err != nil {
			if err != io.EOF {
				got = append(got, err.Error())
			}
			break
		}
		got = append(got, m.String())
	}
	client.Close()
	served = <-done
	<-sent
	for _, st := range s.steps[:len(ran)] {
		if st.does == keepsOn {
			<-stragglers
		}
	}
	if code := trap.Load(); code >= 0 {
		t.Fatalf("message byte %d was taken for a task code", code)
	}
	return got, ran, served
}

// send writes the requests in pieces and then ends, or stalls.
func (s session) send(conn net.Conn) {
	b := s.wire()
	for i := 0; len(b) > 0; i++ {
		n := min(s.chunks[i%len(s.chunks)], len(b))
		if _, err := conn.Write(b[:n]); err != nil {
			return
		}
		b = b[n:]
	}
	if !s.stalls {
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}
}

var errBroken = errors.New("broken")

// task is the TaskFunc of the step.
func (st step) task(in binaryutil.BinaryReader, stragglers chan struct{}) (io.Reader, error) {
	if st.does == echoes {
		return in, nil
	}
	want := len(st.message)
	if st.does != readsAll {
		want = st.reads
	}
	b := make([]byte, want)
	_, err := io.ReadFull(in, b)
	if st.does == keepsOn {
		go func() {
			io.Copy(io.Discard, in)
			stragglers <- struct{}{}
		}()
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(b, st.message[:want]) {
		return nil, serial.Errorf(99, "wrong bytes")
	}
	switch st.does {
	case failsCoded:
		return nil, serial.Errorf(7, "coded")
	case failsPlain:
		return nil, errBroken
	case panics:
		panic("as told")
	case breaksOff:
		return io.MultiReader(bytes.NewReader(b), iotest.ErrReader(errBroken)), nil
	}
	return bytes.NewReader([]byte("ok")), nil
}

// TestNoByteIsEverTakenForATaskCode is the property that holds the wire together: whatever handlers
// do with their messages and wherever a connection ends, the tasks that run are those that were
// called, in order, and the answers are theirs.
func TestNoByteIsEverTakenForATaskCode(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		f.Value.Set("100000")
	}
	runs, ended := 0, map[string]int{}
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) { // a bubble has no Deadline
			s := drawSession(t)
			got, ran, served := s.run(t)
			want := s.expect()
			if want.racy { // what is certain is the beginning, and that no trap fired
				got, ran = got[:min(len(got), len(want.messages))], ran[:min(len(ran), len(want.ran))]
			}
			if fmt.Sprint(got) != fmt.Sprint(want.messages) {
				t.Errorf("received\n%v, want\n%v", got, want.messages)
			}
			if fmt.Sprint(ran) != fmt.Sprint(want.ran) {
				t.Errorf("ran %v, want %v", ran, want.ran)
			}
			if !want.served(served) {
				t.Errorf("ended by %s, served: %v", want.kind, served)
			}
			runs++
			ended[want.kind]++
		})
	})
	t.Logf("%d sessions, ended by: %v", runs, ended)
	for _, kind := range []string{"end", "unread", "drop", "cut", "stall"} {
		if ended[kind] == 0 {
			t.Errorf("no session was ended by: %s", kind)
		}
	}
}
