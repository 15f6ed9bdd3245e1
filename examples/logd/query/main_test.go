package query_test

import (
	"flag"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

// TestMain tries more than the 100 draws that are usual: some guards matter once in a few hundred.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "1500"); err != nil {
		panic(err)
	}
	serialtest.Main(m)
}
