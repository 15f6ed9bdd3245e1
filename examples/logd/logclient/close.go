package logclient

import (
	"context"
)

// Sync returns nil when everything that Log took before is resolved: acknowledged, or dropped and counted. It returns the cause
// of ctx when that is done first, and ErrClosed when Close ends first and has left some of it.
func (c *Client) Sync(ctx context.Context) error {
	c.mu.Lock()
	c.sealLocked()
	done := make(chan struct{})
	c.waitLocked(done)
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.ended:
		select {
		case <-done:
			return nil
		default:
			return ErrClosed
		}
	}
}

// waitLocked closes done when everything that is pending now is resolved.
func (c *Client) waitLocked(done chan struct{}) {
	q := &c.queue
	if n := len(q.sealed); n > 0 && !q.sealed[n-1].acked {
		q.sealed[n-1].waiters = append(q.sealed[n-1].waiters, done)
		return
	}
	c.waitForSpoolLocked([]chan struct{}{done})
}

// Close ends the Client. Log takes nothing more. What is pending is sent until ctx is done, or until the collector is away and everything is in the
// spool. What is in memory then is written to the spool, and dropped where there is none or no room. So without a spool,
// and with a ctx that is never done, it waits for the collector for ever. The error is the spool's, if it could not be written to its end. Calling it again waits for the same end.
func (c *Client) Close(ctx context.Context) (Left, error) {
	var err error
	c.once.Do(func() { err = c.shut(ctx) })
	<-c.ended
	l := c.Stats()
	return Left{Spooled: l.Spooled, Dropped: c.left, Ledger: l}, err
}

// shut does it, once.
func (c *Client) shut(ctx context.Context) error {
	defer close(c.ended)
	c.flush(ctx)
	c.mu.Lock()
	c.stopping, c.draining = true, true
	c.wake.Broadcast()
	c.mu.Unlock()
	c.cancel()
	<-c.sender

	c.mu.Lock()
	c.rewindLocked()
	c.ending = true
	c.mu.Unlock()
	c.signal()
	<-c.keeper
	c.dropRest()
	var err error
	if c.spool != nil {
		err = c.spool.Close()
	}
	c.trouble.close()
	select {
	case <-c.trouble.ended:
	case <-ctx.Done(): // OnError takes its time, and has the rest of it.
	}
	return err
}

// flush waits until nothing is pending, or there is no point in waiting.
func (c *Client) flush(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.idle.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	c.sealLocked()
	for c.pendingLocked() && ctx.Err() == nil && (c.spool == nil || !c.ledger.Away || c.ledger.Memory > 0) {
		c.idle.Wait()
	}
}

// dropRest drops what is in memory.
func (c *Client) dropRest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = c.ledger.Memory
	c.ledger.Dropped.Closed += c.left
	c.ledger.Memory = 0
	c.queue = queue{}
	c.ledger.Connected = false
}
