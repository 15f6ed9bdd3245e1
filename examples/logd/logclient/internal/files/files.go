// Package files is what the spool needs of a file system, so that tests can take its power away. OS is the real
// one, Mem one in memory that loses what was not synced.
package files

import (
	"errors"
	"io"
)

// ErrLocked: another process, or another part of this one, holds the lock.
var ErrLocked = errors.New("files: locked")

// ErrNoLocks: this system has no locks that end with their process.
var ErrNoLocks = errors.New("files: no file locks on this system")

// File is a file that is being written, from its beginning on.
type File interface {
	io.WriteCloser
	// Sync returns when everything written is on the disk. The file's name is not: see FS.SyncDir.
	Sync() error
	// Truncate cuts the file to size bytes, and later writes go on there.
	Truncate(size int64) error
}

// FS is a file system. All names are paths.
type FS interface {
	// MkdirAll makes a directory, readable by its owner alone, and those above it.
	MkdirAll(dir string) error
	// Names returns the names of the files in dir, in no order.
	Names(dir string) ([]string, error)
	// ReadFrom appends the file's bytes from offset on, at most limit, to dst.
	ReadFrom(name string, dst []byte, offset, limit int64) ([]byte, error)
	// Create makes a new, empty file, instead of one that is there.
	Create(name string) (File, error)
	// Rename gives a file another name, instead of a file that has it.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// SyncDir returns when the names in dir are on the disk as they are.
	SyncDir(dir string) error
	// Lock takes the lock that is named by a file, until the Closer is closed or the process ends. It fails with
	// ErrLocked where somebody holds it.
	Lock(name string) (io.Closer, error)
}
