package crashtest_test

import (
	"flag"
	"testing"

	"github.com/serialkit/serialkit/serialtest"
)

var (
	cycles  = flag.Int("kill.cycles", 8, "how often the collector is killed")
	outages = flag.Int("outage.rounds", 2, "how often the application lives, with four outages each time")

	seed = flag.Uint64("kill.seed", 0, "the seed of the batches and of the instants; 0 is a random one")
)

func TestMain(m *testing.M) { serialtest.Main(m) }
