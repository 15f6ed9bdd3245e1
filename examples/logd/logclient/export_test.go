package logclient

import "github.com/serialkit/serialkit/examples/logd/logclient/internal/files"

// WithFS returns the options with another file system for the spool.
func WithFS(o Options, fs files.FS) Options {
	o.fs = fs
	return o
}
