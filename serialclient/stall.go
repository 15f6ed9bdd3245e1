package serialclient

import (
	"sync/atomic"
	"time"

	"github.com/serialkit/serialkit/internal/transport"
)

// stallAfter is how long a write may be blocked before responses are read beside it.
const stallAfter = 5 * time.Millisecond

// stall keeps a connection from the deadlock in which both sides write and neither reads: a write
// that is blocked for a while gets a reader beside it. Its timer is armed at most once in
// stallAfter, so that a write that does not block costs next to nothing.
type stall struct {
	writers atomic.Int32 // writes that may be blocked
	armed   atomic.Bool  // the timer will fire
	timer   *time.Timer  // made by init
}

func (s *stall) init(c *Client) {
	s.timer = stoppedTimer(c.readBeside)
}

// enter is called before a write that may block, and leave after it.
func (s *stall) enter(c *Client) {
	s.writers.Add(1)
	s.arm(c)
}

func (s *stall) leave() { s.writers.Add(-1) }

func (s *stall) arm(c *Client) {
	if s.armed.CompareAndSwap(false, true) {
		c.startTimer(s.timer, stallAfter)
	}
}

// readBeside reads responses while a write is blocked and nobody else reads.
func (c *Client) readBeside() {
	defer c.background.Done()
	c.stall.armed.Store(false)
	if c.stall.writers.Load() == 0 {
		return
	}
	for c.readOneBeside() {
	}
	if c.stall.writers.Load() > 0 {
		c.stall.arm(c) // to look again
	}
}

// readOneBeside reads one response, if nobody else reads. It reports whether to go on. Between two
// responses it lets whoever waits for the first take it.
func (c *Client) readOneBeside() bool {
	select {
	case c.responses.reading <- struct{}{}:
		defer func() { <-c.responses.reading }()
	default:
		return false
	}
	cl, ok := c.responses.window.head()
	if !ok || c.stall.writers.Load() == 0 || c.Err() != nil {
		return false
	}
	if c.responses.window.isForgotten(cl) {
		c.discardBeside()
		return false
	}
	body, err := c.responses.readFor(cl, nil)
	if isInterrupted(err) {
		return false // it has not been read whole
	}
	if !c.responses.window.putEarly(cl, response{body, err}) {
		c.breakDown(ErrPipelineFull)
	}
	return true
}

// discardBeside throws away the response of a stream that was closed, whose request is still being sent.
func (c *Client) discardBeside() {
	n, err := c.responses.discardReading(abandonedBytes)
	switch {
	case err == transport.ErrInterrupted:
	case err != nil:
		c.breakDown(err)
	case n > abandonedBytes:
		c.breakDown(errAbandoned)
	}
}
