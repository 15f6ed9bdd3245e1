package e2e_test

import (
	"os"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

// TestMain runs the tests, or as a child of one of them the part that it has asked for.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVar); name != "" {
		children[name]()
		return
	}
	serialtest.Main(m)
}
