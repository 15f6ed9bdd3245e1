package main

import (
	"context"
	"os"
	"runtime/pprof"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

// asCommand makes the test binary the command itself, for tests that need a process. It does not begin with LOGD_, for a
// variable of that kind that is not known is refused.
const asCommand = "TEST_AS_LOGD"

// cpuProfile names the file for a CPU profile of the command, if it is set.
const cpuProfile = "TEST_CPUPROFILE"

func profiled(run func() int) int {
	if name := os.Getenv(cpuProfile); name != "" {
		f, err := os.Create(name)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			panic(err)
		}
		defer f.Close()
		defer pprof.StopCPUProfile()
	}
	return run()
}

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(profiled(func() int { return run(context.Background(), os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}) }))
	}
	serialtest.Main(m)
}
