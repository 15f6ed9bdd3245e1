package logclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/logclient/spool"
)

var (
	// ErrClosed: the Client was closed before.
	ErrClosed = errors.New("logclient: closed")
	// ErrFull: there was no room for the record, and it was dropped.
	ErrFull = errors.New("logclient: no room for the record")
)

// Client sends log records to a collector. Make one with New, and end it with Close. Its methods are safe for
// concurrent use.
type Client struct {
	options Options
	reader  *Reader
	trouble *reporter
	spool   *spool.Spool // nil: none
	epoch   uint64       // of the keys of new batches; does not change

	ctx    context.Context // of the connection; done when Close has no time left
	cancel context.CancelFunc
	kick   chan struct{} // tells the keeper to look; holds one
	sender chan struct{} // closed when the sender has returned
	keeper chan struct{} // closed when the keeper has returned
	ended  chan struct{} // closed when Close is through
	once   sync.Once
	left   uint64 // how many records Close has dropped; does not change once ended is closed

	identity spool.Identity // the sender's alone

	// mu guards all below. It is never held across a read, a write, or a call into the application.
	mu     sync.Mutex
	wake   sync.Cond // the sender waits for it
	idle   sync.Cond // Close waits for it
	ledger Ledger    // but for what the spool knows itself
	queue  queue
	flight flight

	closing   bool // Log takes nothing more
	stopping  bool // the sender is to end
	draining  bool // the keeper is to spool everything
	ending    bool // and to end
	spoolFull bool
	spoolWait time.Time // before it nothing is written to the spool, because that has failed
}

// New returns a Client. It does not connect: the first record does that, in the background. With a SpoolDir it reads what
// is there, and the error may be spool.ErrInUse or the file system's; otherwise it is ErrAddress.
func New(o Options) (*Client, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	c := &Client{
		options: o, kick: make(chan struct{}, 1),
		sender: make(chan struct{}), keeper: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := c.openSpool(); err != nil {
		return nil, fmt.Errorf("logclient: %w", err)
	}
	c.wake.L, c.idle.L = &c.mu, &c.mu
	c.queue.limit = o.BatchRecords
	c.reader = newReader(o)
	c.trouble = newReporter(&o)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.reportDamage()
	go c.send()
	go c.keep()
	return c, nil
}

// Log takes a record. It never blocks, and keeps nothing of r. Where r has no time, service or host, it gets the
// present time and those of Options. The error is a *logwire.FieldError for a record that is malformed or over a limit,
// ErrFull, or ErrClosed: the record is dropped then, and counted.
func (c *Client) Log(r logwire.Record) error {
	if r.Time == 0 {
		r.Time = time.Now().UnixNano()
	}
	if r.Service == "" {
		r.Service = c.options.Service
	}
	if r.Host == "" {
		r.Host = c.options.Host
	}
	err := r.Check()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.Accepted++
	switch {
	case c.closing:
		c.ledger.Dropped.Closed++
		return ErrClosed
	case err != nil:
		c.ledger.Dropped.Invalid++
		return err
	}
	if !c.takeLocked(&r) {
		if c.spool != nil {
			c.ledger.Dropped.SpoolFull++
		} else {
			c.ledger.Dropped.QueueFull++
		}
		c.trouble.report(Dropped, ErrFull)
		return ErrFull
	}
	return nil
}

// Stats returns the ledger as it is at one moment, also after Close.
func (c *Client) Stats() Ledger {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.ledger
	l.MemoryBytes = int64(c.queue.bytes)
	if c.spool != nil {
		l.SpoolBytes = c.spool.Bytes()
	}
	return l
}

// openSpool opens the spool, or makes an identity that nobody keeps.
func (c *Client) openSpool() error {
	if c.options.SpoolDir == "" {
		c.identity = spool.NewIdentity()
		c.epoch = c.identity.Epoch
		return nil
	}
	s, err := spool.Open(c.options.SpoolDir, spool.Options{MaxBytes: c.options.SpoolBytes, FS: c.options.fs})
	if err != nil {
		return err
	}
	c.spool, c.identity = s, s.Identity()
	c.epoch = c.identity.Epoch
	c.ledger.Recovered, c.ledger.Spooled = s.Recovered(), s.Recovered()
	c.ledger.UnknownLosses = s.Unknown()
	c.queue.spoolEnd, c.flight.position = s.End(), s.Acked()
	return nil
}

func (c *Client) reportDamage() {
	if c.spool == nil {
		return
	}
	if n := c.spool.Unknown(); n > 0 {
		c.trouble.report(SpoolDamaged, fmt.Errorf("logclient: an unknown number of records at %d places", n))
	}
	if c.spool.IdentityLost() {
		c.trouble.report(Renumbered, errors.New("logclient: the spool's identity was damaged: what had been sent may be stored twice"))
	}
}

// signal tells the keeper to look.
func (c *Client) signal() {
	select {
	case c.kick <- struct{}{}:
	default: // It was told.
	}
}
