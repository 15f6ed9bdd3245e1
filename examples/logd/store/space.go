package store

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"go.uber.org/zap"
)

// spaceStride is after how many written bytes the free space is looked at again, whatever the ticker does.
const spaceStride = 64 << 20

// space watches the free space of the file system, and says whether records may be appended.
type space struct {
	free func() (uint64, error)
	min  int64
	log  *zap.Logger

	refusal atomic.Pointer[logwire.ReadOnlyError]
	last    atomic.Int64 // free bytes at the last look
	written atomic.Int64 // since then
	mu      sync.Mutex   // held during a look
}

// readOnly returns the *logwire.ReadOnlyError with which appends are refused now, or nil.
func (s *space) readOnly() error {
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	return nil
}

// wrote counts what was written, and looks when it is much.
func (s *space) wrote(n int64) {
	if s.written.Add(n) >= spaceStride {
		s.look()
	}
}

// look asks for the free space. Below min the store becomes read-only; with a tenth more it takes records again.
func (s *space) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written.Store(0)
	free, err := s.free()
	if err != nil {
		if s.last.Swap(-1) != -1 {
			s.log.Warn("the free space of the disk is not known, and taken as enough", zap.Error(err))
		}
		s.refusal.Store(nil)
		return
	}
	s.last.Store(int64(min(free, 1<<62)))
	before, enough := s.refusal.Load() != nil, uint64(s.min+s.min/10)
	switch {
	case free < uint64(s.min), before && free < enough:
		s.refusal.Store(&logwire.ReadOnlyError{Reason: fmt.Sprintf("the disk has %s free, and %s are needed", bytesText(free), bytesText(enough))})
		if !before {
			s.log.Error("the disk is nearly full: no records are taken", zap.Uint64("free", free), zap.Uint64("needed", enough))
		}
	default:
		s.refusal.Store(nil)
		if before {
			s.log.Info("the disk has space again: records are taken", zap.Uint64("free", free))
		}
	}
}

func bytesText(n uint64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
