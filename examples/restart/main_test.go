package main

import (
	"os"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

// daemonEnv makes the test's program the daemon.
const daemonEnv = "RESTART_TEST_DAEMON"

func TestMain(m *testing.M) {
	if os.Getenv(daemonEnv) != "" {
		main()
		os.Exit(0)
	}
	serialtest.Main(m)
}
