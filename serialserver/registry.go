package serialserver

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// TaskFunc handles the tasks of one code. The server calls it in the connection's goroutine, so
// the tasks of one connection follow each other, while those of different ones run side by side.
//
// ctx is cancelled when the task is cancelled, its client vanishes or the connection is closed, and
// at the latest when the answer is complete: it lasts while out is read. context.Cause says why. c is the connection. in reads
// the message, io.EOF at its end, and is valid until the answer is complete; what is left unread is
// discarded. lg carries the client's address. args are those of HandleConnection.
//
// With a nil error the answer is what out has to say, until io.EOF; nil is an empty answer. in
// itself may be returned, or a reader of it. If out is an io.Closer it is closed. An out that has
// the method Len() int, such as *bytes.Buffer and *binaryutil.Buffer, is sent in as few writes as
// possible; any other is sent as it comes, so that a live stream is not held back. A nil pointer in out
// is a reader like any other: return the literal nil. Nothing ends a Read of out but out itself: one that
// may block for long returns when ctx is done, for instance a pipe by
// context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) }).
//
// A task that was cancelled (Client.Cancel) or whose time was over (Limits.TaskTime, TaskTimeout) and returns
// ctx.Err(), or an error that wraps it or its cause, is answered with error 253 (cancelled) or 254 (deadline
// exceeded). Otherwise ctx.Err() has no code, nor have the errors of in, so that returning one as it is drops
// the connection.
//
// An error that is, or wraps, a serial.ErrorCoder is the answer Error with its code. Any other
// error, like a panic or an out that fails, drops the connection: the client learns that its task
// may have run.
type TaskFunc func(ctx context.Context, c *Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...interface{}) (out io.Reader, err error)

// registration is one registered task. It does not change.
type registration struct {
	code    serial.TaskCode
	name    string
	f       TaskFunc // as registered
	run     TaskFunc // with the middleware around it
	builtin bool     // not the application's: neither counted nor logged
	own     Limits   // of the task code
	limits  *Limits  // those over the server's; nil: the server's
}

// registry is the tasks of a server. Finding one takes no lock.
type registry struct {
	tasks        [256]atomic.Pointer[registration]
	unregistered [256]atomic.Pointer[registration] // what a code without a TaskFunc runs, where it has limits

	mu         sync.Mutex // held while tasks are changed; guards what follows
	middleware []func(TaskFunc) TaskFunc
	limits     [256]Limits
}

// wrapLocked puts the middleware around f, the first of it outermost.
func (r *registry) wrapLocked(f TaskFunc) TaskFunc {
	for i := len(r.middleware) - 1; i >= 0; i-- {
		f = r.middleware[i](f)
	}
	return f
}

// Register makes f the TaskFunc of code t, in place of the one before. The name is for people:
// logs, metrics, Describe. It panics if t is reserved or f is nil.
func (s *Server) Register(t serial.TaskCode, f TaskFunc, name string) {
	if t.IsReserved() {
		panic("serialserver: Register of the reserved task code " + t.String())
	}
	if f == nil {
		panic("serialserver: Register of a nil TaskFunc for task code " + t.String())
	}
	r := &s.tasks
	r.mu.Lock()
	defer r.mu.Unlock()
	s.storeLocked(registration{code: t, name: name, f: f})
}

// storeLocked makes reg the task of its code, with the middleware and the limits there are.
func (s *Server) storeLocked(reg registration) {
	r := &s.tasks
	reg.run = r.wrapLocked(reg.f)
	reg.own = r.limits[reg.code]
	limits := reg.own.over(s.limits)
	reg.limits = &limits
	r.tasks[reg.code].Store(&reg)
}

// Use puts middleware around every TaskFunc, those registered already and those to come. The
// first one given is the outermost. It sees what the TaskFunc returns, before out is read; KeepAlive,
// Describe and unknown tasks have none. A middleware is called in Use and in Register, for one TaskFunc
// at a time and maybe several times for the same one: only the latest result counts. It must not
// call methods that change the server.
func (s *Server) Use(middleware ...func(TaskFunc) TaskFunc) {
	for _, m := range middleware {
		if m == nil {
			panic("serialserver: Use of a nil middleware")
		}
	}
	r := &s.tasks
	r.mu.Lock()
	defer r.mu.Unlock()
	r.middleware = append(r.middleware, middleware...)
	for i := range r.tasks {
		if old := r.tasks[i].Load(); old != nil {
			s.storeLocked(*old)
		}
	}
}

// TaskFunc returns the TaskFunc registered for t, without middleware, and its name, and whether
// there is one.
func (s *Server) TaskFunc(t serial.TaskCode) (TaskFunc, string, bool) {
	reg := s.tasks.tasks[t].Load()
	if reg == nil {
		return nil, "", false
	}
	return reg.f, reg.name, true
}

// RegisteredTaskCodes returns the codes that have a TaskFunc, ascending.
func (s *Server) RegisteredTaskCodes() []serial.TaskCode {
	var codes []serial.TaskCode
	for i := range s.tasks.tasks {
		if s.tasks.tasks[i].Load() != nil {
			codes = append(codes, serial.TaskCode(i))
		}
	}
	return codes
}
