package serialdaemon_test

import (
	"os"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) {
	if rawURLs := os.Getenv(childEnv); rawURLs != "" {
		os.Exit(child(rawURLs))
	}
	serialtest.Main(m)
}
