package logclient

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff makes the pauses after failures. It belongs to one goroutine.
type backoff struct {
	first, most time.Duration
	failures    int
}

// next returns the length of the next pause: a random time, of which the bound doubles with each call.
func (b *backoff) next() time.Duration {
	bound := b.most
	if b.failures < 32 && b.first<<b.failures > 0 {
		bound = min(b.most, b.first<<b.failures)
	}
	b.failures++
	return rand.N(bound)
}

// pause waits for the next pause, or until ctx is done.
func (b *backoff) pause(ctx context.Context) {
	timer := time.NewTimer(b.next())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pause is the sender's, after a failure.
func (s *sending) pause() {
	s.progress()
	s.backoff.pause(s.ctx)
}

// progress begins the count of failures anew if something was acknowledged since it was asked last.
func (s *sending) progress() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ledger.Acknowledged != s.acked {
		s.acked = s.ledger.Acknowledged
		s.backoff.failures, s.gaps = 0, 0
	}
}
