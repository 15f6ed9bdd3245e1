package main

import "golang.org/x/sys/unix"

// spareFiles is how many files a process needs beside its connections.
const spareFiles = 64

// raiseFileLimit raises the limit of open files as far as it may be. It returns how many connections
// a process may then have.
func raiseFileLimit() (conns int, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	return int(min(limit.Cur, 1<<20)) - spareFiles, nil
}
