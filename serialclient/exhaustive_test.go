package serialclient_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"testing"

	"github.com/serialkit/serialkit/internal/inputs"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

var exhaustive = flag.Int("exhaustive", shortInput, "TestResponsesOfEveryShortInput: every input of up to so many bytes; 3 takes minutes")

// endOfCall is what came of a call, the kinds of check.
type endOfCall int

// Their order is that of endsOfCalls.
const (
	answeredOK endOfCall = iota
	answeredError
	saidGoodbye
	saidNonsense
	saidTooLittle
	anythingElse
)

var endsOfCalls = []string{"ok", "error", "goodbye", "malformed", "cut"}

// outcomes are what a failed call must say is known. Those of an OK answer and of anything else are no matter.
var outcomes = [...]serialclient.Outcome{
	answeredError: serialclient.Failed, saidGoodbye: serialclient.NotRun,
	saidNonsense: serialclient.Unknown, saidTooLittle: serialclient.Unknown, anythingElse: 0,
}

// called is what came of one call.
type called struct {
	end  endOfCall
	body []byte // of an OK answer
	code serial.ErrorCode
	err  error // where a client has made the call
}

func (c called) String() string {
	return fmt.Sprintf("%d (ok, error, goodbye, malformed, cut, else) %x %d %v", c.end, c.body, c.code, c.err)
}

// judge says what a client has made of a call to a task.
func judge(task serial.TaskCode, answer []byte, err error) called {
	if err == nil {
		return called{end: answeredOK, body: answer}
	}
	got := called{end: anythingElse, err: err}
	failure, ok := err.(*serialclient.Error)
	if !ok || failure.Task != task {
		return got
	}
	var coder serial.ErrorCoder
	end := anythingElse
	switch {
	case errors.Is(err, serialclient.ErrGoodbye):
		end = saidGoodbye
	case errors.Is(err, serialclient.ErrProtocol):
		end = saidNonsense
	case errors.Is(err, io.ErrUnexpectedEOF):
		end = saidTooLittle
	case errors.As(err, &coder):
		end, got.code = answeredError, coder.ErrorCode()
	}
	if failure.Outcome == outcomes[end] {
		got.end = end
	}
	return got
}

// responder is the memory of checks that are made often.
type responder struct {
	conn   *inputs.Conn
	got    []called
	want   []called
	memory []byte
}

func newResponder() *responder { return &responder{conn: inputs.NewConn()} }

// call makes calls to the tasks 1, 2 and so on, which a server answers with b in pieces, and then the end: a Call
// if it is one, and otherwise a pipeline that sends them all first.
func (r *responder) call(t testing.TB, b, cuts []byte, calls int) {
	r.conn.Reset(b, cuts, 2*calls) // of which each request has two bytes
	c := serialclient.New(r.conn, nil)
	r.got = r.got[:0]
	if calls == 1 {
		answer, err := c.Call(context.Background(), 1, nil)
		r.got = append(r.got, judge(1, answer, err))
	} else {
		r.pipeline(t, c, calls)
	}
	c.Close()
}

func (r *responder) pipeline(t testing.TB, c *serialclient.Client, calls int) {
	p, err := c.Pipeline(context.Background())
	for i := 0; i < calls && err == nil; i++ {
		err = p.Send(serial.TaskCode(i+1), nil)
	}
	if err != nil {
		t.Fatalf("sending %d calls: %v", calls, err)
	}
	for i := range calls {
		answer, err := p.Receive(nil)
		r.got = append(r.got, judge(serial.TaskCode(i+1), answer, err))
	}
	p.Close()
}

// expect is the naive oracle of calls that were all sent. What follows the last response is not looked at.
func (r *responder) expect(b []byte, calls int) {
	r.want, r.memory = r.want[:0], r.memory[:0]
	for len(r.want) < calls {
		var next called
		next, b = r.response(b)
		r.want = append(r.want, next)
		for next.end > answeredError && len(r.want) < calls { // nothing more can be told
			r.want = append(r.want, next)
		}
	}
}

// response is the naive decoder of one response.
func (r *responder) response(b []byte) (c called, rest []byte) {
	cut := called{end: saidTooLittle}
	switch {
	case len(b) == 0:
		return cut, nil
	case serial.ResponseCode(b[0]) == serial.ResponseGoodbye:
		return called{end: saidGoodbye}, nil
	case serial.ResponseCode(b[0]) == serial.ResponseError && len(b) == 1:
		return cut, nil
	case serial.ResponseCode(b[0]) == serial.ResponseError:
		return called{end: answeredError, code: serial.ErrorCode(b[1])}, b[2:]
	case serial.ResponseCode(b[0]) != serial.ResponseOK:
		return called{end: saidNonsense}, nil
	}
	from := len(r.memory)
	for b = b[1:]; len(b) > 0; {
		n := min(int(b[0]), len(b)-1)
		if b[0] == 0 {
			return called{end: answeredOK, body: r.memory[from:]}, b[1:]
		}
		r.memory, b = append(r.memory, b[1:1+n]...), b[1+n:]
	}
	return cut, nil
}

// check compares what calls come to with the oracle. It returns the end of the last.
func (r *responder) check(t testing.TB, b, cuts []byte, calls int) endOfCall {
	r.call(t, b, cuts, calls)
	r.expect(b, calls)
	for i, want := range r.want {
		if got := r.got[i]; got.end != want.end || got.code != want.code || !bytes.Equal(got.body, want.body) {
			t.Fatalf("answered %x in pieces %v: call %d of %d came to %v, want %v", b, cuts, i+1, calls, got, want)
		}
	}
	written := r.conn.Written()
	for i := range calls {
		if len(written) != 2*calls || written[2*i] != byte(i+1) || written[2*i+1] != 0 {
			t.Fatalf("answered %x in pieces %v: the client wrote %x", b, cuts, written)
		}
	}
	if !r.conn.Closed() {
		t.Fatalf("answered %x in pieces %v: not closed", b, cuts)
	}
	return r.want[calls-1].end
}

// TestResponsesOfEveryShortInput answers a call with each input, and then the end.
func TestResponsesOfEveryShortInput(t *testing.T) {
	inputs.Short(t, *exhaustive, "calls", func(t testing.TB) func([]byte) {
		r := newResponder()
		return func(b []byte) { r.check(t, b, nil, 1) }
	})
}

// responseSeeds are what servers answer, the sizes of the pieces that it comes in, and as many bytes as there are calls
// beside the first.
func responseSeeds() []inputs.Input {
	three := bytes.Join([][]byte{okResponse("hello"), {errorCode, 7}, okResponse("")}, nil)
	return []inputs.Input{
		{{}, {}, {}}, {okResponse("hello"), {}, {}}, {{errorCode, 7}, {1}, {}}, {{goodbyeCode}, {}, {}}, {{3}, {}, {}}, {{0, 2, 1}, {}, {}},
		{three, {}, {0, 0}}, {three, {1}, {0, 0}}, {append(three[:9:9], goodbyeCode), {2, 9}, {0, 0, 0}},
	}
}

// callsOf returns how many calls an input is for.
func callsOf(field []byte) int { return 1 + len(field)%4 }

// FuzzResponses does the same with whatever up to 4 KiB, in any pieces, for up to four calls.
func FuzzResponses(f *testing.F) {
	for _, in := range responseSeeds() {
		f.Add(in[0], in[1], in[2])
	}
	r := newResponder()
	f.Fuzz(func(t *testing.T, b, cuts, calls []byte) { r.check(t, b[:min(len(b), 4096)], cuts, callsOf(calls)) })
}

// TestManyResponses is FuzzResponses with mutated inputs.
func TestManyResponses(t *testing.T) {
	inputs.Mutated{
		Seeds: responseSeeds(), Longest: 4096, Kinds: endsOfCalls,
		Check: func(t testing.TB) func(inputs.Input) int {
			r := newResponder()
			return func(in inputs.Input) int { return int(r.check(t, in[0], in[1], callsOf(in[2]))) }
		},
	}.Run(t)
}
