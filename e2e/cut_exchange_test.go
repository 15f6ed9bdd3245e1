package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing/iotest"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// cutTask is what a task of an exchange does; nil means that there is no such task.
type cutTask func(in binaryutil.BinaryReader) (io.Reader, error)

// cutCall is one call of an exchange and what comes of it when nothing goes wrong. The task of call i
// has the code i+1, so that each call's runs are counted by themselves.
type cutCall struct {
	task    cutTask
	builtin bool // KeepAlive, Describe, Disconnect: no task of ours runs
	answer  []byte
	code    serial.ErrorCode // the answer is this error; 0 if it is none
	refused bool             // the server may answer Goodbye, as it is stopping
}

// exchange is one canonical use of a connection. client makes the calls in order and tells report what
// came of each, exactly once.
type exchange struct {
	name   string
	calls  []cutCall
	client func(x *cutRun)
}

// cutRun is an exchange on one connection.
type cutRun struct {
	exchange
	c      *serialclient.Client
	srv    *serialserver.Server
	pause  func(time.Duration) // lets time pass where that costs nothing
	runs   []atomic.Int32      // by call
	got    []cutResult         // by call; the client's goroutine's
	before time.Time
}

type cutResult struct {
	answer  []byte
	err     error
	reports int
	took    time.Duration
}

func (x *cutRun) report(call int, answer []byte, err error) {
	r := &x.got[call]
	r.answer, r.err, r.took = answer, err, time.Since(x.before)
	r.reports++
	x.before = time.Now()
}

// call makes call i in the plain way.
func (x *cutRun) call(i int, request []byte) {
	answer, err := x.c.Call(context.Background(), serial.TaskCode(i+1), request)
	x.report(i, answer, err)
}

// server returns a server with the exchange's tasks.
func (x *cutRun) server(t serialserver.Timeout) *serialserver.Server {
	srv := serialserver.New(&t, serialserver.WithName("cut"))
	for i, call := range x.calls {
		if call.task == nil {
			continue
		}
		srv.Register(serial.TaskCode(i+1), func(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
			x.runs[i].Add(1)
			return call.task(in)
		}, fmt.Sprint("call ", i))
	}
	return srv
}

// counted reads the message and answers how long it was.
func counted(in binaryutil.BinaryReader) (io.Reader, error) {
	n, err := io.Copy(io.Discard, in)
	return strings.NewReader(fmt.Sprint(n)), err
}

func answers(b []byte) cutTask {
	return func(in binaryutil.BinaryReader) (io.Reader, error) {
		_, err := io.Copy(io.Discard, in)
		return bytes.NewReader(b), err
	}
}

func numbered(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

func echoed(in binaryutil.BinaryReader) (io.Reader, error) { return in, nil }

func failing(binaryutil.BinaryReader) (io.Reader, error) { return nil, serial.Errorf(7, "as told") }

// early answers when it has read ten bytes.
func early(in binaryutil.BinaryReader) (io.Reader, error) {
	_, err := io.ReadFull(in, make([]byte, 10))
	return strings.NewReader("enough"), err
}

var builtin = cutCall{builtin: true}

// exchanges are the twelve, which are all of docs/protocol.md that has a response.
var exchanges = []exchange{
	{"KeepAlive and an empty call", []cutCall{builtin, {task: answers(nil)}}, func(x *cutRun) {
		x.report(0, nil, x.c.KeepAlive(context.Background()))
		x.call(1, nil)
	}},
	{"two small calls", []cutCall{{task: echoed, answer: []byte("hello")}, {task: counted, answer: []byte("3")}}, func(x *cutRun) {
		x.call(0, []byte("hello"))
		x.call(1, []byte("abc"))
	}},
	{"a request of several blocks", []cutCall{{task: counted, answer: []byte("300")}}, func(x *cutRun) { x.call(0, numbered(300)) }},
	{"a response of several blocks", []cutCall{{task: answers(numbered(300)), answer: numbered(300)}}, func(x *cutRun) { x.call(0, nil) }},
	{"an error and a call", []cutCall{{task: failing, code: 7}, {task: counted, answer: []byte("2")}}, func(x *cutRun) {
		x.call(0, []byte("xy"))
		x.call(1, []byte("xy"))
	}},
	{"an unknown task and a call", []cutCall{{code: serial.ErrorUnknownTask}, {task: counted, answer: []byte("2")}}, func(x *cutRun) {
		x.call(0, []byte("xy"))
		x.call(1, []byte("xy"))
	}},
	{"Describe", []cutCall{builtin}, func(x *cutRun) {
		d, err := x.c.Describe(context.Background())
		if err == nil && d.Server != "cut" {
			err = fmt.Errorf("described as %q", d.Server)
		}
		x.report(0, nil, err)
	}},
	{"a call and Disconnect", []cutCall{{task: counted, answer: []byte("1")}, builtin}, func(x *cutRun) {
		x.call(0, []byte("x"))
		x.report(1, nil, x.c.Disconnect(context.Background()))
	}},
	{"a pipeline with an error in the middle", []cutCall{
		{task: echoed, answer: []byte("first")}, {task: failing, code: 7}, {task: counted, answer: []byte("300")},
	}, pipelined},
	{"a streamed echo", []cutCall{{task: echoed, answer: numbered(80)}}, func(x *cutRun) {
		x.stream(0, iotest.OneByteReader(bytes.NewReader(numbered(80)))) // no Len: sent as it comes
	}},
	{"an answer before the request has ended", []cutCall{{task: early, answer: []byte("enough")}, {task: counted, answer: []byte("0")}}, func(x *cutRun) {
		x.call(0, numbered(400))
		x.call(1, nil)
	}},
	{"Goodbye while idle", []cutCall{{task: counted, answer: []byte("1")}, {task: counted, answer: []byte("2"), refused: true}}, func(x *cutRun) {
		x.call(0, []byte("x"))
		x.srv.Disconnect(time.Second)
		x.pause(100 * time.Millisecond) // while the server lingers: later a reset may destroy its Goodbye
		x.before = time.Now()
		x.call(1, []byte("xy"))
	}},
}

func pipelined(x *cutRun) {
	requests := [][]byte{[]byte("first"), numbered(3), numbered(300)}
	p, err := x.c.Pipeline(context.Background())
	if err != nil {
		panic(err) // the connection is new
	}
	defer p.Close()
	var sent []int
	for i, request := range requests {
		if err := p.Send(serial.TaskCode(i+1), request); err != nil {
			x.report(i, nil, err)
			continue
		}
		sent = append(sent, i)
	}
	for _, i := range sent {
		answer, err := p.Receive(nil)
		x.report(i, answer, err)
	}
}

func (x *cutRun) stream(call int, request io.Reader) {
	s, err := x.c.Stream(context.Background(), serial.TaskCode(call+1), request)
	if err != nil {
		x.report(call, nil, err)
		return
	}
	defer s.Close()
	answer, err := io.ReadAll(s)
	x.report(call, answer, err)
}

// cutSetup is how exchanges are connected, and how long each end waits.
type cutSetup struct {
	pair   func() (near, far net.Conn)
	client serialclient.Timeout
	server serialserver.Timeout
	pause  func(time.Duration)
}

// run runs the exchange through a proxy with the fault. Everything has ended when it returns.
func (x exchange) run(setup cutSetup, fault *serialtest.ProxyFault) *cutRun {
	r := &cutRun{exchange: x, runs: make([]atomic.Int32, len(x.calls)), got: make([]cutResult, len(x.calls)), pause: setup.pause}
	r.srv = r.server(setup.server)
	client, near := setup.pair()
	far, server := setup.pair()
	p := serialtest.NewProxy(func(context.Context) (net.Conn, error) { return far, nil }, fault)
	served, handled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(served)
		_ = r.srv.HandleConnection(context.Background(), server, nil)
	}()
	go func() {
		defer close(handled)
		_ = p.Handle(near)
	}()
	r.c = serialclient.New(client, nil, serialclient.WithTimeout(setup.client))
	r.before = time.Now()
	x.client(r)
	_ = r.c.Close()
	<-served
	<-handled
	_ = p.Close()
	return r
}
