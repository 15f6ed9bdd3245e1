package serialdaemon

import (
	"os"
	"os/signal"
)

// meaning is what a signal wants.
type meaning int

const (
	meansNothing meaning = iota
	meansStop
	meansReload
	meansDrain
)

// signalsRoom is how many signals may come while the loop that reads them is elsewhere, which it is for
// moments: more than a person sends.
const signalsRoom = 16

// meaningOf returns what a signal wants.
func meaningOf(s os.Signal) meaning { return meanings[s] }

// notifySignals subscribes to the process's signals, until the returned function is called.
func notifySignals() (<-chan os.Signal, func()) {
	signals := make(chan os.Signal, signalsRoom)
	for s := range meanings {
		signal.Notify(signals, s)
	}
	return signals, func() { signal.Stop(signals) }
}
