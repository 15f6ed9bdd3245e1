package serialclient

import (
	"context"
	"sync"
)

// Shutdown ends the Pool gracefully. No call may begin any more; those that have begun, waiting ones among them,
// go on to their end, as do streams and pipelines until they are closed. Then the servers are told by a
// Disconnect that the connections are done, for which up to 5 s are taken, and all is closed. When ctx is done
// it is closed at once, as by Close, and the error is the cause of ctx; otherwise it is nil. Calling it again,
// or at the same time as Close, waits for the same end.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	if p.state == poolOpen {
		p.state = poolDraining
		p.drainedLocked()
	}
	p.mu.Unlock()
	select {
	case <-p.drained:
	case <-ctx.Done():
	case <-p.dialling.Done():
	}
	if ctx.Err() == nil {
		polite, cancel := context.WithTimeout(ctx, politeTime)
		defer cancel()
		p.each(func(c *Client) { c.Disconnect(polite) })
	}
	p.Close()
	return context.Cause(ctx)
}

// Close ends the Pool at once: callers that wait fail with ErrPoolClosed, and all connections are closed, so
// that calls under way fail, their outcome being Unknown once a byte was sent. It waits for the Pool's own
// goroutines, and so for a Dialer that does not heed its context. The error is always nil.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.state != poolClosed {
		p.state = poolClosed
		if p.timer.Stop() {
			p.background.Done()
		}
		for p.waiting.n > 0 {
			p.waiting.serve(p.waiting.first, nil, ErrPoolClosed)
		}
		p.stopDials(ErrPoolClosed)
	}
	p.mu.Unlock()
	p.each(func(c *Client) { c.Close() })
	p.background.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.conns)
	p.idle = 0
	for _, a := range p.addresses {
		a.idle, a.open = nil, 0
	}
	return nil
}

// each calls f with each connection's Client, at the same time, and waits.
func (p *Pool) each(f func(*Client)) {
	p.mu.Lock()
	var clients []*Client
	for c := range p.conns {
		clients = append(clients, c.client)
	}
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { f(c) })
	}
	all.Wait()
}
