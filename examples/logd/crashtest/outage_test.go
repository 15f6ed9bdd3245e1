package crashtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/stretchr/testify/require"
)

// application is a program that logs: it numbers what it logs, goes on whatever happens, and looks at the ledger all the time.
type application struct {
	t      *testing.T
	o      logclient.Options
	client *logclient.Client
	stop   chan struct{}
	wait   sync.WaitGroup

	next     int // the number of the next record; the logging goroutine's while it runs
	ledgers  int
	past     logclient.Ledger // the sums of clients that were closed
	lastLeft uint64           // what the last one left in the spool
}

// begin makes a Client and logs with it, until pause.
func (a *application) begin() {
	var err error
	a.client, err = logclient.New(a.o)
	require.NoError(a.t, err)
	require.Equal(a.t, a.lastLeft, a.client.Stats().Recovered, "the spool has what was left in it")
	a.stop = make(chan struct{})
	a.wait.Go(a.log)
	a.wait.Go(a.audit)
}

// log logs in bursts of 100, a thousand or so of them in a second.
func (a *application) log() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		for range 100 {
			err := a.client.Log(logwire.Record{Time: time.Now().UnixNano(), Level: logwire.Info, Service: "application",
				Message: fmt.Sprintf("record %d\nof an application that does not stop", a.next)})
			if err != nil {
				a.t.Errorf("record %d: %v", a.next, err)
			}
			a.next++
		}
		select {
		case <-a.stop:
			return
		case <-tick.C:
		}
	}
}

// audit fails when the ledger does not balance.
func (a *application) audit() {
	for {
		l := a.client.Stats()
		if l.Accepted+l.Recovered != l.Acknowledged+l.Dropped.Total()+l.Pending() {
			a.t.Errorf("the ledger does not balance: %+v", l)
		}
		a.ledgers++
		select {
		case <-a.stop:
			return
		default:
		}
	}
}

// pause stops logging.
func (a *application) pause() {
	close(a.stop)
	a.wait.Wait()
}

// end ends the Client within the time, as a program does that ends, and adds its ledger to those before.
func (a *application) end(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	left, _ := a.client.Close(ctx)
	l := left.Ledger
	require.Zero(a.t, l.Memory)
	a.past.Accepted += l.Accepted
	a.past.Repeated += l.Repeated
	a.past.Connections += l.Connections
	a.past.UnknownLosses += l.UnknownLosses
	a.past.Dropped.Corrupt += l.Dropped.Corrupt
	require.Equal(a.t, l.Dropped.Corrupt, l.Dropped.Total(), "nothing is lost but what was destroyed in the spool: %+v", l.Dropped)
	a.lastLeft = left.Spooled
}

// TestApplicationWhoseCollectorIsAway lets an application log while its collector is stopped, killed in the middle of batches, and
// out of disk space, and destroys bytes of its spool between two of its lives. The application goes on; its ledger balances at every
// moment; in the end each record is in the store once, but those that its ledger counts as lost.
func TestApplicationWhoseCollectorIsAway(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	random := rand.New(rand.NewPCG(*seed, 2))
	c := newCollector(t)
	a := &application{t: t, o: logclient.Options{
		Address: "unix://" + c.socket, SpoolDir: filepath.Join(t.TempDir(), "spool"), MaxPause: 50 * time.Millisecond,
	}}
	for range *outages {
		c.ready()
		a.begin()
		a.live(random)
		c.stop() // in good order, in the middle of everything
		a.live(random)
		c.ready()
		a.live(random)
		c.kill() // in the middle of a batch
		a.live(random)
		c.extra = []string{"-min-free", "8000TiB"}
		c.ready() // and has no space
		a.live(random)
		require.NotEmpty(t, c.stats().ReadOnly)
		c.stop()
		c.extra = nil
		a.pause()
		a.end(0)
		a.damage(random)
	}
	c.ready()
	a.begin()
	a.pause()
	require.NoError(t, a.client.Sync(context.Background()))
	a.end(time.Minute)
	require.Zero(t, a.lastLeft)

	times := c.count(t, "application", a.next)
	var lost uint64
	for n, times := range times {
		require.LessOrEqual(t, times, 1, "record %d is there %d times", n, times)
		if times == 0 {
			lost++
		}
	}
	require.EqualValues(t, a.next, a.past.Accepted)
	require.Equal(t, a.past.Dropped.Corrupt, lost, "the ledger counts what is not there")
	require.Zero(t, a.past.UnknownLosses)
	c.stop()
	t.Logf("seed %d: %d records logged through %d outages; %d ledgers, all of which balanced; %d connections, %d batches were sent again and recognised; "+
		"%d records destroyed in the spool, each of them counted; the others are there, once",
		*seed, a.next, 4**outages, a.ledgers, a.past.Connections, a.past.Repeated, lost)
	require.NotZero(t, lost, "no damage hit a record")
}

// live lets the application go on for a random time.
func (a *application) live(random *rand.Rand) {
	<-time.After(time.Duration(50+random.IntN(250)) * time.Millisecond)
}

// damage changes a byte of the records in the spool.
func (a *application) damage(random *rand.Rand) {
	files, err := filepath.Glob(filepath.Join(a.o.SpoolDir, "*.spool"))
	require.NoError(a.t, err)
	require.NotEmpty(a.t, files)
	path := files[random.IntN(len(files))]
	b, err := os.ReadFile(path)
	require.NoError(a.t, err)
	b[len(b)/2+random.IntN(len(b)/4)] ^= 1 << random.IntN(8)
	require.NoError(a.t, os.WriteFile(path, b, 0o600))
}
