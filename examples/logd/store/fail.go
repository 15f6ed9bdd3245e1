package store

import (
	"fmt"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
)

// failure is the state of a store that has failed; see Options.OnFatal.
type failure struct {
	once    sync.Once
	err     atomic.Pointer[error]
	fence   fence
	log     *zap.Logger
	onFatal func(error)
}

// fail makes the store a failed one. Only the first error counts.
func (f *failure) fail(err error) {
	f.once.Do(func() {
		err = fmt.Errorf("%w: %w", ErrFailed, err)
		f.err.Store(&err)
		f.fence.shut.Store(true)
		f.log.Error("the store has failed, and takes nothing more", zap.Error(err))
		f.onFatal(err)
	})
}

// failed returns what the store failed with, or nil.
func (f *failure) failed() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

// pebbleLogger brings Pebble's messages to ours. Pebble expects Fatalf not to return; here it does, behind a shut fence,
// and what called it is asked by failed.
type pebbleLogger struct {
	*failure
}

// Infof drops the message: Pebble tells of every flush and compaction.
func (l pebbleLogger) Infof(string, ...any) {}

// Errorf logs what Pebble goes on after.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("pebble", zap.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf makes the store fail.
func (l pebbleLogger) Fatalf(format string, args ...any) { l.fail(fmt.Errorf(format, args...)) }
