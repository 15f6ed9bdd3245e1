//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package files

import "os"

func lock(*os.File) error { return ErrNoLocks }
