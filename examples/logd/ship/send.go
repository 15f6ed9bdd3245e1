package ship

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// shipment is what sends the batches of one file, or of a stream, and keeps account of it. It belongs to one goroutine.
type shipment struct {
	o      Options
	sender Sender
	store  Store // nil: a stream, of which nothing can be read again
	state  State
	report Report
	// stamp fills in the identity of the file before the state is saved; nil: there is none.
	stamp func(*State) error
}

// save writes the state with the ends of the batches that are about to be sent.
func (s *shipment) save(window []*batch) error {
	s.state.Planned = s.state.Planned[:0]
	for _, b := range window {
		s.state.Planned = append(s.state.Planned, b.end)
	}
	if s.store == nil {
		return nil
	}
	if s.stamp != nil {
		if err := s.stamp(&s.state); err != nil {
			return err
		}
	}
	return s.store.Save(s.state)
}

// ship plans, sends and settles a window. A batch without records ends it: nothing is sent for it.
func (s *shipment) ship(ctx context.Context, window []*batch) error {
	var blank *batch
	if n := len(window); n > 0 && window[n-1].records() == 0 {
		blank, window = window[n-1], window[:n-1]
	}
	if len(window) > 0 {
		if err := s.save(window); err != nil {
			return err
		}
		if err := s.send(ctx, window); err != nil {
			return err
		}
	}
	if blank != nil {
		s.settle(blank)
	}
	return nil
}

// settle moves the position behind a batch that is done with.
func (s *shipment) settle(b *batch) {
	s.report.Bytes += b.end - s.state.Position
	s.state.Position, s.state.Carry = b.end, b.carry
	s.report.add(b.counts)
	s.report.Acknowledged += int64(b.records())
	s.o.Progress(s.report.clone())
}

// send sends a window that has been planned and saved until all of it is settled.
func (s *shipment) send(ctx context.Context, window []*batch) error {
	producer, err := s.state.producer()
	if err != nil {
		return err
	}
	var failing patience
	for len(window) > 0 {
		bodies := make([][]byte, len(window))
		for i, b := range window {
			bodies[i] = b.encoded(logwire.BatchHead{Producer: producer, Epoch: s.state.Epoch, Sequence: s.state.Sequence + uint64(i)})
		}
		answers, sendErr := s.sender.Send(ctx, bodies)
		for i, a := range answers {
			if err := s.acknowledge(window[i], a); err != nil {
				return err
			}
		}
		window = window[len(answers):]
		if len(answers) > 0 {
			if failing.begun() {
				s.o.Trouble(nil)
			}
			failing = patience{}
		}
		if len(window) == 0 {
			break
		}
		for _, b := range window {
			b.resent = true
		}
		if window, err = s.refused(ctx, window, sendErr, &failing); err != nil {
			return err
		}
	}
	if failing.begun() { // What was left has been refused for ever.
		s.o.Trouble(nil)
	}
	return nil
}

// acknowledge settles a batch that the collector has.
func (s *shipment) acknowledge(b *batch, a logwire.AppendAnswer) error {
	if !a.Stored && !b.resent {
		return fmt.Errorf("%w: %s: it has batch %d of producer %s, which was never sent", ErrState, s.state.Path, s.state.Sequence, s.state.Producer)
	}
	if !a.Stored {
		s.report.Repeated += int64(b.records())
	}
	s.state.Sequence++
	s.settle(b)
	return nil
}

// refused decides what is to be sent after the first batch of the window was not taken.
func (s *shipment) refused(ctx context.Context, window []*batch, reason error, failing *patience) ([]*batch, error) {
	var field *logwire.FieldError
	var gap *logwire.GapError
	var fenced *logwire.FencedError
	switch {
	case errors.As(reason, &field):
		return s.dropRefused(window, field)
	case errors.As(reason, &gap):
		return window, s.beginEpoch(window, gap)
	case errors.As(reason, &fenced):
		return nil, fmt.Errorf("%w: %s: %w", ErrState, s.state.Path, fenced)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return window, failing.pause(ctx, &s.o, reason)
}

// dropRefused drops what the collector does not take. If nothing is left of the batch, the later ones get its number. That is saved
// first: the state must never give a number to another part of the file than the one that was stored with it.
func (s *shipment) dropRefused(window []*batch, reason *logwire.FieldError) ([]*batch, error) {
	b := window[0]
	n := b.drop(reason, s.o.Now())
	if n == 0 {
		return nil, fmt.Errorf("ship: %s: the collector refuses a batch: %w", s.state.Path, reason)
	}
	s.report.refuse(fmt.Sprintf("%s: %v", reason.Field, reason.Kind), n)
	if b.records() > 0 {
		return window, nil
	}
	s.settle(b)
	return window[1:], s.save(window[1:])
}

// beginEpoch numbers the window anew where the collector has lost, or forgotten, what this producer has sent. That none of it was
// stored is certain: it would not be a gap.
func (s *shipment) beginEpoch(window []*batch, gap *logwire.GapError) error {
	if gap.Expected >= s.state.Sequence {
		return fmt.Errorf("%w: %s: %w instead of %d", ErrState, s.state.Path, gap, s.state.Sequence)
	}
	s.warn("the collector does not know batch %d of producer %s, which it had acknowledged; what it lost before position %d is not sent again",
		s.state.Sequence-1, s.state.Producer, s.state.Position)
	s.state.Epoch, s.state.Sequence = s.state.Epoch+1, 1
	for _, b := range window {
		b.resent = false
	}
	return s.save(window)
}

func (s *shipment) warn(format string, args ...any) {
	s.report.Warnings = append(s.report.Warnings, fmt.Sprintf(format, args...))
}

// patience says for how long nothing was taken. The zero value is the beginning.
type patience struct {
	since time.Time
	most  time.Duration
}

func (p *patience) begun() bool { return !p.since.IsZero() }

// pause waits before the next attempt, or returns an error when Options.Patience is over.
func (p *patience) pause(ctx context.Context, o *Options, reason error) error {
	if !p.begun() {
		p.since, p.most = time.Now(), minPause
	}
	if o.Patience >= 0 && time.Since(p.since) >= o.Patience {
		return fmt.Errorf("%w: %w", ErrPatience, reason)
	}
	o.Trouble(reason)
	t := time.NewTimer(rand.N(p.most) + 1)
	defer t.Stop()
	p.most = min(2*p.most, maxPause)
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
