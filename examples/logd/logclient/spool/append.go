package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// Append appends batches, whose keys follow those before, and returns the position behind each that was: all that fit. They
// are on the disk then, and Next returns them. The error is ErrFull if there was no room for the next one, or
// the file system's.
func (s *Spool) Append(batches []Batch) (ends []uint64, err error) {
	for len(batches) > 0 && err == nil {
		var more []uint64
		more, err = s.appendSegment(batches)
		ends, batches = append(ends, more...), batches[len(more):]
	}
	if err != nil && !errors.Is(err, ErrFull) {
		err = fmt.Errorf("spool: append: %w", err)
	}
	return ends, err
}

// appendSegment appends to the current segment until it is large enough, and syncs.
func (s *Spool) appendSegment(batches []Batch) (ends []uint64, err error) {
	if err := s.mend(); err != nil {
		return nil, err
	}
	room := s.maxBytes - s.Bytes()
	if room < frameSize(batches[0]) {
		return nil, ErrFull
	}
	g := s.current
	if g == nil {
		if g, err = s.create(); err != nil {
			return nil, err
		}
	}
	size, position := g.size, s.End()
	for _, b := range batches {
		n := frameSize(b)
		if size+n-g.size > room || size > 0 && size+n > s.segment {
			break
		}
		s.broken = true
		if _, err := s.file.Write(appendFrame(nil, g.marker, position, b)); err != nil {
			return nil, err
		}
		size, position = size+n, position+uint64(b.Count)
		ends = append(ends, position)
	}
	if len(ends) == 0 { // It is large enough.
		return nil, s.finish()
	}
	if err := s.file.Sync(); err != nil {
		return nil, err
	}
	s.broken = false
	s.publish(g, size, position)
	return ends, nil
}

func frameSize(b Batch) int64 { return FrameHead + int64(len(b.Records)) }

// create makes a segment, whose name is on the disk then.
func (s *Spool) create() (*segment, error) {
	var m Marker
	s.random(m[:])
	end := s.End()
	g := &segment{name: segmentName(end, m), marker: m, from: end, end: end}
	f, err := s.fs.Create(filepath.Join(s.dir, g.name))
	if err != nil {
		return nil, err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return nil, errors.Join(err, f.Close(), s.fs.Remove(filepath.Join(s.dir, g.name)))
	}
	s.file, s.current = f, g
	return g, nil
}

// publish lets readers see what was synced.
func (s *Spool) publish(g *segment, size int64, end uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.size, g.end, s.end = size, end, end
	if n := len(s.segments); n == 0 || s.segments[n-1] != g {
		s.segments = append(s.segments, g)
	}
	// All that was in it may have been acknowledged meanwhile.
	s.garbage = slices.DeleteFunc(s.garbage, func(old *segment) bool { return old == g })
}

// mend cuts off what an Append has left that failed. Until that succeeds there is no other one, so that no batch is there
// twice.
func (s *Spool) mend() error {
	if !s.broken {
		return nil
	}
	if err := s.file.Truncate(s.current.size); err != nil {
		return err
	}
	s.broken = false
	return nil
}

// finish ends the current segment.
func (s *Spool) finish() error {
	f := s.file
	s.file, s.current, s.broken = nil, nil, false
	return f.Close()
}

// Clean removes the segments that are not needed any more. What cannot be removed is tried again at the next call.
func (s *Spool) Clean() error {
	s.mu.Lock()
	garbage := slices.Clone(s.garbage)
	s.mu.Unlock()
	var errs []error
	removed := 0
	for _, g := range garbage {
		if g == s.current {
			if err := s.finish(); err != nil {
				errs = append(errs, err)
			}
		}
		if err := s.fs.Remove(filepath.Join(s.dir, g.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("spool: %w", err))
			break
		}
		removed++
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.garbage = s.garbage[removed:]
	return errors.Join(errs...)
}
