package spool

import (
	"fmt"
	"io"
	"path/filepath"
)

// Next returns the next batch that lies behind the position after and ends at until at most, past damaged ones. Its
// records are valid until the next call of Next, Rewind or Skip. The error is io.EOF where there is none; or the file
// system's, and then another call may succeed.
func (s *Spool) Next(after, until uint64) (Frame, error) {
	for {
		if s.reading != nil {
			for {
				f, end, ok := next(s.data, s.reading.marker, s.offset)
				if !ok {
					break
				}
				if f.End > until {
					return Frame{}, io.EOF
				}
				s.offset = end
				if f.End > after && !s.before(f.Key) {
					return f, nil
				}
			}
		}
		if !s.choose(after) {
			return Frame{}, io.EOF
		}
		if err := s.fill(); err != nil {
			return Frame{}, fmt.Errorf("spool: read: %w", err)
		}
	}
}

// before reports whether a key is one of those that were given up when the batches were numbered anew.
func (s *Spool) before(k Key) bool {
	base := s.Identity().Base
	return k.Epoch < base.Epoch || k.Epoch == base.Epoch && k.Sequence < base.Sequence
}

// choose sees to it that there is something to read: more of the segment that is being read, or the one behind it. It
// reports false if there is nothing.
func (s *Spool) choose(after uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.reading; g != nil {
		if int64(len(s.data)) < g.size && g.end > after {
			return true
		}
		s.at = g.end
	}
	for _, g := range s.segments {
		if g.end > max(after, s.at) && (s.reading == nil || g != s.reading) {
			s.reading, s.data, s.offset = g, s.data[:0], 0
			return true
		}
	}
	return false
}

// fill reads what was appended to the segment since it was read last.
func (s *Spool) fill() (err error) {
	s.mu.Lock()
	g, n := s.reading, s.reading.size
	s.mu.Unlock()
	have := int64(len(s.data))
	s.data, err = s.fs.ReadFrom(filepath.Join(s.dir, g.name), s.data, have, n-have)
	if err == nil && int64(len(s.data)) < n {
		s.data = append(s.data, make([]byte, n-int64(len(s.data)))...) // It was cut: damage like any other.
	}
	return err
}

// Rewind makes Next begin at the oldest batch again.
func (s *Spool) Rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading, s.data, s.offset, s.at = nil, s.data[:0], 0, 0
}

// Skip gives up what is left of the segment in which Next has failed.
func (s *Spool) Skip() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.reading; g != nil {
		s.data = append(s.data, make([]byte, max(0, g.size-int64(len(s.data))))...)
		s.offset = len(s.data)
	}
}
