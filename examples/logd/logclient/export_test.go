package logclient

import "github.com/serialkit/serialkit/examples/logd/logclient/internal/files"

// WithFS returns the options with another file system for the spool.
func WithFS(o Options, fs files.FS) Options {
	o.fs = fs
	return o
}

// WithPeeked returns the options with a function that is called between the look at a batch and its sending.
func WithPeeked(o Options, f func()) Options {
	o.peeked = f
	return o
}

// WithWorked returns the options with a function that is called when the keeper has done what there was to do.
func WithWorked(o Options, f func()) Options {
	o.worked = f
	return o
}
