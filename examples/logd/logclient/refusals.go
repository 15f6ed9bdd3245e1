package logclient

import (
	"errors"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// recover does what a refusal asks for. It reports false if the connection is of no further use.
func (s *sending) recover(refusal error) bool {
	var (
		gap      *logwire.GapError
		fenced   *logwire.FencedError
		rejected *logwire.FieldError
	)
	switch {
	case errors.As(refusal, &rejected):
		s.gaps = 0
	case errors.As(refusal, &fenced):
		s.renumber, s.replace = true, true
		s.trouble.report(Renumbered, refusal)
	case errors.As(refusal, &gap):
		s.refusedForGap(refusal)
	case errors.Is(refusal, errForeign): // enterEpoch does the rest, on the next connection if need be.
		s.trouble.report(Renumbered, refusal)
	default:
		s.trouble.report(Refused, refusal)
		s.pause()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rewindLocked()
	return !s.stopping
}

// refusedForGap numbers the batches anew when the collector has said twice that it does not have the batch before them. The first
// time it may still have it to read, on the connection of a process that has crashed.
func (s *sending) refusedForGap(refusal error) {
	s.progress()
	if s.gaps++; s.gaps >= 2 {
		s.gaps, s.renumber = 0, true
		s.trouble.report(Renumbered, refusal)
		return
	}
	s.pause()
}
