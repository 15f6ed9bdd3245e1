//go:build !linux

package serialdaemon

import "syscall"

// bindPrivately does nothing: the file has, for a moment, the mode that the process's umask leaves it. Put
// sockets into a directory of their own.
func bindPrivately(_, _ string, _ syscall.RawConn) error { return nil }
