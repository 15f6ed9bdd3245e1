package store

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrBusy: more is waiting than Options allow. Nothing was stored; the batch may be sent again.
	ErrBusy = errors.New("store: busy")
	// ErrClosed: the store was closed before the batch was taken.
	ErrClosed = errors.New("store: closed")
	// ErrFailed: a write or a sync failed before; see Options.OnFatal. The batch may be stored.
	ErrFailed = errors.New("store: failed")
	// ErrLocked: another process uses the directory.
	ErrLocked = errors.New("store: the directory is in use by another process")
	// ErrFormat: the directory was written by another version of this package, or is not a store's.
	ErrFormat = errors.New("store: unknown format")
)

// Range is the ids First, First+1, ..., End-1.
type Range struct {
	// First is in the range, End is not.
	First, End uint64
}

// LossError is what Open returns for a directory in which acknowledged records are missing.
type LossError struct {
	// Missing are their ids, in order.
	Missing []Range
}

// Error names the ids.
func (e *LossError) Error() string {
	var ids []string
	for i, r := range e.Missing {
		if i == 10 {
			ids = append(ids, "...")
			break
		}
		ids = append(ids, fmt.Sprintf("%d to %d", r.First, r.End-1))
	}
	return "store: acknowledged records are missing, with the ids " + strings.Join(ids, ", ")
}
