package main

import (
	"os"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

// TestMain lets the test binary be the children of a run, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		main()
		return
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each child otherwise
	serialtest.Main(m)
}
