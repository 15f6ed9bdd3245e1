package serialclient

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// Pool makes calls over connections to one or several addresses, whose servers do the same tasks. It
// connects when a call needs a connection, keeps some that are idle, and replaces those that fail. Make one with
// NewPool, and end it with Shutdown or Close. Its methods are safe for concurrent use.
//
// A call has a connection alone until it ends. It takes an idle one, and otherwise waits, in the order of
// coming, for whichever is first: one that another call gives back, or a new one. Addresses are preferred that
// are healthy, then those with the fewest calls under way, and among these it is each one's turn. If the address
// preferred has no idle connection, the call takes another one's, and one is made in the background. An address
// that cannot be reached is tried again after a pause, by one attempt at a time, and no call waits for it while
// there is another one; for one of which nothing is known yet, a quarter of a second at most. When none can be
// reached and there is no connection left, calls wait for a while for the first that can, see WithPatience, and
// then fail with ErrUnreachable.
//
// A call that certainly did not run, its outcome being NotRun, is made again by the Pool, at another address if
// one can be reached. One that may have run is not, unless it is marked Idempotent. How often a call is sent is
// limited, and there is a budget of retries for all of them. While each address is in a pause, because its server has
// just ended a connection or could not be reached, a retry waits for the end of the first of them, or for an idle
// connection, within WithPatience.
// A NotRun on a connection on which calls have been
// answered before counts for neither: the server has ended the connection, which costs it nothing, and there
// cannot be more of these than answers.
//
// Each new connection begins with a Describe. So a call is sent only to a server that has accepted the
// connection, and which has said for how long it may be idle.
type Pool struct {
	network   string // never changes, as the next seven
	order     binary.ByteOrder
	opts      poolOptions
	addresses []*poolAddress
	dialling  context.Context // done from Close on
	stopDials context.CancelCauseFunc
	drained   chan struct{} // closed when no call is under way and none may begin
	timer     *time.Timer   // runs tick; started under mu

	background sync.WaitGroup // the Pool's goroutines and armed timer

	mu      sync.Mutex // guards what follows, and what the types say; held for moments only
	state   poolState
	active  int                    // calls, streams and pipelines that have not ended
	conns   map[*poolConn]struct{} // all that are open, until they are closed
	dials   map[*poolDial]struct{} // attempts to connect
	idle    int                    // idle connections of all addresses
	waiting waiters
	turn    int // the index of the address whose turn it is
	retries bucket
	resting chan struct{} // closed when there is an idle connection, for retries that rest; nil: none does
	timerAt time.Time     // when tick runs; zero: never
	stats   poolCounts
}

// poolState says how far a Pool's end is.
type poolState uint8

const (
	poolOpen     poolState = iota
	poolDraining           // no call may begin
	poolClosed             // and no goroutine
)

// NewPool returns a Pool over addresses on the named network, for messages in the given byte order (nil:
// big-endian). It does not connect yet. The error says what is wrong with the addresses: there is none, or one
// is empty or named twice. A call looks at each of them: dozens are fine, thousands are not.
func NewPool(network string, addresses []string, order binary.ByteOrder, opts ...PoolOption) (*Pool, error) {
	if len(addresses) == 0 {
		return nil, errors.New("serialclient: a pool needs an address")
	}
	if order == nil {
		order = binary.BigEndian
	}
	now := time.Now()
	p := &Pool{
		network: network,
		order:   order,
		opts:    newPoolOptions(opts, len(addresses)),
		drained: make(chan struct{}),
		conns:   make(map[*poolConn]struct{}),
		dials:   make(map[*poolDial]struct{}),
	}
	named := make(map[string]bool)
	for i, name := range addresses {
		if name == "" || named[name] {
			return nil, fmt.Errorf("serialclient: address %q of a pool is empty or named twice", name)
		}
		named[name] = true
		a := &poolAddress{name: name, index: i, dialRate: newBucket(p.opts.dialRate, p.opts.dialRate, now)}
		p.addresses = append(p.addresses, a)
	}
	burst := retryBurstSeconds*p.opts.retryRate + times(min(p.opts.maxOpen, maxRate), retryBurstPerConnection)
	p.retries = newBucket(burst, p.opts.retryRate, now)
	p.dialling, p.stopDials = context.WithCancelCause(context.Background())
	p.timer = stoppedTimer(p.tick)
	return p, nil
}

// ByteOrder returns the byte order of the numbers in messages.
func (p *Pool) ByteOrder() binary.ByteOrder { return p.order }

// Call runs a task, as Client.Call does, on a connection of the Pool. If it certainly did not run it is made
// again, see Pool. The error is an *Error, whose Outcome is for all attempts together: NotRun only if each
// was. Where there were several, or one more was not made, it wraps an *AttemptsError.
func (p *Pool) Call(ctx context.Context, task serial.TaskCode, request []byte, opts ...CallOption) ([]byte, error) {
	return p.AppendCall(ctx, nil, task, request, opts...)
}

// AppendCall is Call with the response appended to dst, which lets a caller reuse its memory. With an error it
// returns dst as it was; what lies between its length and its capacity may have changed. Over an idle
// connection it allocates no more than Client.AppendCall.
func (p *Pool) AppendCall(ctx context.Context, dst []byte, task serial.TaskCode, request []byte, opts ...CallOption) ([]byte, error) {
	if task.IsReserved() {
		return dst, notRun(task, ErrReservedCode)
	}
	call := poolCall{pool: p, ctx: ctx, task: task, idempotent: marked(opts, Idempotent)}
	for {
		c, err := call.connection()
		if err != nil {
			return dst, err
		}
		response, err := c.client.AppendCall(ctx, dst, task, request)
		if err == nil {
			call.answered(c)
			return response, nil
		}
		if err := call.lost(c, err); err != nil {
			return dst, err
		}
	}
}

// CallOption says something about one call.
type CallOption uint8

// Idempotent marks a call whose task may run twice without harm: it is made again also when it may have run, its
// outcome being Unknown, but not after ctx is done, nor when its response was over the limit.
const Idempotent CallOption = 1

func marked(opts []CallOption, mark CallOption) bool {
	for _, opt := range opts {
		if opt == mark {
			return true
		}
	}
	return false
}
