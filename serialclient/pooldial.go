package serialclient

import (
	"context"
	"os"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// poolDial is an attempt to connect. The Pool's lock guards it.
type poolDial struct {
	address   *poolAddress
	promising bool      // the address has not failed before
	slowAt    time.Time // when it has taken so long that nobody should wait for it alone
}

// startDialLocked begins an attempt to connect, which must be allowed.
func (p *Pool) startDialLocked(a *poolAddress, now time.Time) {
	a.dialRate.take(now)
	d := &poolDial{address: a, promising: a.failures == 0, slowAt: now.Add(slowDial)}
	p.dials[d] = struct{}{}
	a.dialing++
	p.stats.dials++
	p.background.Add(1)
	go p.dial(d)
}

// dial makes a connection, and hands it to whoever waits.
func (p *Pool) dial(d *poolDial) {
	defer p.background.Done()
	var c *poolConn
	var err error = &dialError{errNoConn} // should the Dialer end the goroutine
	defer func() { p.dialled(d, c, err) }()
	c, err = p.connect(d.address)
}

// connect makes a connection that a server has accepted.
func (p *Pool) connect(a *poolAddress) (*poolConn, error) {
	ctx, cancel := context.WithTimeoutCause(p.dialling, p.opts.dialTimeout, os.ErrDeadlineExceeded)
	defer cancel()
	conn, err := p.opts.dialer(ctx, p.network, a.name)
	if err == nil && conn == nil {
		err = errNoConn
	}
	if err != nil {
		return nil, &dialError{err}
	}
	client := New(conn, p.order, p.opts.client...)
	described, err := client.describeWithin(ctx, DefaultMaxResponse)
	if err != nil && OutcomeOf(err) != Failed {
		client.Close()
		return nil, &dialError{err.(*Error).Err}
	}
	var wait int64
	if described != nil { // an error code, or what is no description, is an answer too
		wait = described.Limits.WaitMillis
	}
	return newPoolConn(client, a, wait, time.Now(), &p.opts), nil
}

// describeWithin is Describe with room for so many bytes, though there may be less for calls. Nobody else uses
// the Client yet.
func (c *Client) describeWithin(ctx context.Context, bytes int) (*serial.Description, error) {
	limit := c.opts.maxResponse
	defer func() { c.opts.maxResponse = limit }()
	c.opts.maxResponse = max(limit, bytes)
	return c.Describe(ctx)
}

// dialled takes a connection that was made, or notes why there is none.
func (p *Pool) dialled(d *poolDial, c *poolConn, err error) {
	p.mu.Lock()
	now := time.Now()
	delete(p.dials, d)
	d.address.dialing--
	if p.state == poolClosed {
		p.mu.Unlock()
		if c != nil {
			c.client.Close()
		}
		return
	}
	defer p.mu.Unlock()
	if c == nil {
		p.stats.dialFailures++
		d.address.failed(now, err, &p.opts)
		p.dispatchLocked(now)
		return
	}
	d.address.connected()
	p.conns[c] = struct{}{}
	d.address.open++
	p.idleLocked(c, now, now)
}
