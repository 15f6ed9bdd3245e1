package serialclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/serialkit/serialkit/serial"
)

// The reasons why a Pool makes no further attempt, for errors.Is.
var (
	// ErrPoolClosed: Close or Shutdown was called before.
	ErrPoolClosed = errors.New("serialclient: pool closed")
	// ErrPoolFull: as many callers as may, see WithMaxWaiting, wait for a connection.
	ErrPoolFull = errors.New("serialclient: too many callers wait for a connection")
	// ErrUnreachable: no address can be reached now, and there is no connection left.
	ErrUnreachable = errors.New("serialclient: no address of the pool can be reached")
	// ErrTooManyAttempts: the call was sent as often as it may be, see WithAttempts.
	ErrTooManyAttempts = errors.New("serialclient: attempt limit reached")
	// ErrRetryBudget: the call was not made again because too many are, see WithRetryBudget.
	ErrRetryBudget = errors.New("serialclient: retry budget spent")
)

// errNoConn is why an attempt to connect fails whose Dialer returns neither a connection nor an error, or
// ends its goroutine.
var errNoConn = errors.New("serialclient: the Dialer returned no connection")

// Attempt is one attempt to make a call.
type Attempt struct {
	// Address is where it was made.
	Address string
	// Outcome is what is known of it.
	Outcome Outcome
	// Err is why it failed.
	Err error
}

// AttemptsError is the reason behind the *Error of a Pool's call that was attempted several times, or was not
// attempted again. errors.Is and errors.As find the reason and each attempt's.
type AttemptsError struct {
	// Attempts are those that failed, in their order. Where no address could be reached it ends with each
	// address's last error.
	Attempts []Attempt
	// Reason is why there was no further attempt; nil: the last one settled the call.
	Reason error
}

// Error returns the attempts and the reason.
func (e *AttemptsError) Error() string {
	var s strings.Builder
	if e.Reason != nil {
		s.WriteString(e.Reason.Error())
	}
	for i, a := range e.Attempts {
		if i > 0 || e.Reason != nil {
			s.WriteString("; ")
		}
		fmt.Fprintf(&s, "%s %v: %v", a.Address, a.Outcome, a.Err)
	}
	return s.String()
}

// Unwrap returns the reason and those of the attempts.
func (e *AttemptsError) Unwrap() []error {
	var errs []error
	if e.Reason != nil {
		errs = append(errs, e.Reason)
	}
	for _, a := range e.Attempts {
		errs = append(errs, a.Err)
	}
	return errs
}

// dialError is why an address could not be reached. What it wraps may be an answer to something else than
// the call, the Describe or an application's handshake, and must not be taken for the call's.
type dialError struct{ err error }

func (e *dialError) Error() string        { return "connecting: " + e.err.Error() }
func (e *dialError) Is(target error) bool { return errors.Is(e.err, target) }

// As is errors.As, but finds no serial.ErrorCoder and no Error.
func (e *dialError) As(target any) bool {
	switch target.(type) {
	case *serial.ErrorCoder, **serial.Error, **Error:
		return false
	}
	return errors.As(e.err, target)
}

// attemptKind is what the next attempt of a call is.
type attemptKind uint8

const (
	first   attemptKind = iota
	moved               // again for free, because an idle connection had ended
	retried             // again, from the budget
)

// poolCall is a call that a Pool makes. Its caller's goroutine owns it.
type poolCall struct {
	pool       *Pool
	ctx        context.Context
	task       serial.TaskCode
	noTask     bool // it is a pipeline
	idempotent bool

	next     attemptKind
	avoid    *poolAddress // where it was refused last
	counted  int          // attempts that count
	attempts []Attempt    // that have failed
}

// connection returns a connection for the next attempt, or the error of the call.
func (l *poolCall) connection() (*poolConn, error) {
	if l.next == retried {
		l.pool.rest(l.ctx)
	}
	c, unreached, err := l.pool.acquire(l.ctx, l.avoid, l.next)
	if err != nil {
		l.attempts = append(l.attempts, unreached...)
		return nil, l.error(err)
	}
	return c, nil
}

// answered ends a call that was answered.
func (l *poolCall) answered(c *poolConn) {
	c.used = true
	l.pool.release(c, callAnswered)
}

// lost gives back the connection of an attempt that has failed. It returns nil if there is to be another
// one, and otherwise the error of the call.
func (l *poolCall) lost(c *poolConn, err error) error {
	e := err.(*Error)
	l.attempts = append(l.attempts, Attempt{c.address.name, e.Outcome, e.Err})
	if e.Outcome == Failed {
		l.answered(c)
		return l.error(nil)
	}
	again, reason := l.again(c, e)
	if !again {
		l.pool.release(c, callEnded)
		return l.error(reason)
	}
	l.avoid = c.address
	l.pool.release(c, callAgain)
	return nil
}

// again reports whether there is to be another attempt, and if one is refused why.
func (l *poolCall) again(c *poolConn, e *Error) (bool, error) {
	switch {
	case l.ctx.Err() != nil, e.Outcome == Unknown && (!l.idempotent || errors.Is(e, ErrTooLarge)):
		return false, nil
	case e.Outcome == NotRun && c.used: // each such one follows an answer
		l.next = moved
		return true, nil
	}
	l.counted++
	if l.counted >= l.pool.opts.attempts {
		return false, ErrTooManyAttempts
	}
	if !l.pool.mayRetry() {
		return false, ErrRetryBudget
	}
	l.next = retried
	return true, nil
}

// error returns the error of the call after its attempts, of which the last may have settled it; if not,
// reason is why there are no more.
func (l *poolCall) error(reason error) error {
	e := &Error{Task: l.task, Outcome: l.outcome(reason), noTask: l.noTask}
	switch {
	case len(l.attempts) == 0:
		e.Err = reason
	case len(l.attempts) == 1 && reason == nil:
		e.Err, e.Address = l.attempts[0].Err, l.attempts[0].Address
	default:
		e.Err = &AttemptsError{Attempts: l.attempts, Reason: reason}
	}
	return e
}

// outcome returns what is known of the call.
func (l *poolCall) outcome(reason error) Outcome {
	if n := len(l.attempts); n > 0 && reason == nil && l.attempts[n-1].Outcome == Failed {
		return Failed
	}
	for _, a := range l.attempts {
		if a.Outcome != NotRun {
			return Unknown
		}
	}
	return NotRun
}
