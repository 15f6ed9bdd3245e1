package store

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// How often the upkeep goroutine looks at things.
const (
	// tickEvery is for the free space and the age of unsealed records.
	tickEvery = time.Second
	// expireEvery is for retention by age; by size it follows each sealing.
	expireEvery = time.Minute
	// marksEvery is for marks.
	marksEvery = time.Hour
)

// task is what another goroutine asks the upkeep goroutine to do.
type task struct {
	do   func() error
	err  error
	done chan struct{}
}

// ask lets the upkeep goroutine do something, so that there is one sealer and one retention, and waits for it.
func (s *Store) ask(ctx context.Context, do func() error) error {
	t := &task{do: do, done: make(chan struct{})}
	select {
	case s.tasks <- t:
	case <-s.stopping.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// upkeep seals, expires and watches the disk until the store is closed.
func (s *Store) upkeep() {
	var ticks <-chan time.Time
	if !s.o.hooks.manual {
		ticker := time.NewTicker(tickEvery)
		defer ticker.Stop()
		ticks = ticker.C
	}
	var u upkeepState
	for {
		select {
		case <-s.stopping.Done():
			return
		case t := <-s.tasks:
			t.err = t.do()
			close(t.done)
		case <-ticks:
			u.sealFailed = false
			s.tick(&u, s.o.Now())
		case <-s.wake:
			if !s.o.hooks.manual && !u.sealFailed {
				s.sealDue(&u, s.o.Now())
			}
		}
	}
}

// upkeepState is what upkeep remembers.
type upkeepState struct {
	sealFailed    bool // nothing is sealed before the next tick
	expired       time.Time
	marks         time.Time
	unsealedSince time.Time // not before the oldest unsealed record; zero: not known
	unsealedFirst uint64
}

func (s *Store) tick(u *upkeepState, now time.Time) {
	s.space.look()
	s.sealDue(u, now)
	if now.Sub(u.expired) >= expireEvery {
		u.expired = now
		s.report(s.expire(now))
	}
	if now.Sub(u.marks) >= marksEvery {
		u.marks = now
		s.report(s.expireMarks(s.stopping))
	}
}

// sealDue seals while there is enough, or something old enough, or of another day.
func (s *Store) sealDue(u *upkeepState, now time.Time) {
	for s.stopping.Err() == nil {
		end := s.head.Load()
		if u.unsealedFirst != s.sealer.next || u.unsealedSince.IsZero() {
			u.unsealedFirst, u.unsealedSince = s.sealer.next, now
		}
		if s.sealer.next == end {
			u.unsealedSince = time.Time{}
			return
		}
		old := now.Sub(u.unsealedSince) >= s.o.SealAge || dayOf(now.UnixNano()) != dayOf(u.unsealedSince.UnixNano())
		if !old && s.unsealed.bytes.Load() < s.o.SealBytes {
			return
		}
		if err := s.sealFile(end); err != nil {
			u.sealFailed = true
			s.report(err)
			return
		}
		s.report(s.expire(now))
	}
}

// report logs what upkeep will try again.
func (s *Store) report(err error) {
	if err != nil && s.stopping.Err() == nil {
		s.log.Error("upkeep", zap.Error(err))
	}
}
