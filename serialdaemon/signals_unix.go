//go:build unix

package serialdaemon

import (
	"os"
	"syscall"
)

// meanings are the signals that mean something; it never changes. SIGQUIT is the runtime's: it ends the
// process with the stacks of all goroutines.
var meanings = map[os.Signal]meaning{
	syscall.SIGINT:  meansStop,
	syscall.SIGTERM: meansStop,
	syscall.SIGHUP:  meansReload,
	syscall.SIGUSR2: meansDrain,
}
