//go:build !unix

package serialdaemon

import (
	"os"
	"syscall"
)

// meanings are the signals that mean something; it never changes.
var meanings = map[os.Signal]meaning{
	os.Interrupt:    meansStop,
	syscall.SIGTERM: meansStop,
}
