package crashtest_test

import (
	"flag"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

var (
	cycles = flag.Int("kill.cycles", 12, "how often the collector is killed")
	seed   = flag.Uint64("kill.seed", 0, "the seed of the batches and of the instants; 0 is a random one")
)

func TestMain(m *testing.M) { serialtest.Main(m) }
