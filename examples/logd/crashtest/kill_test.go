package crashtest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/stretchr/testify/require"
)

// patience is for how long an answer is waited for.
var patience = serialclient.Timeout{Wait: 20 * time.Second}

// TestKilledAtAnyInstant kills the collector with SIGKILL, again and again, while producers send, while it starts, and
// while it seals. After each time every record that was acknowledged is there, once, as it was sent, and in its order.
func TestKilledAtAnyInstant(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	run := &killing{t: t, collector: newCollector(t), random: rand.New(rand.NewPCG(*seed, 1))}
	run.oracle = &oracle{seed: *seed, epoch: time.Now().Add(-time.Hour).UnixNano()}
	for p := range producers {
		run.oracle.stored[p].sequence = 1
	}
	for range *cycles {
		run.cycle()
	}
	run.collector.ready()
	run.verify([producers]position{{1, 0}, {1, 0}, {1, 0}, {1, 0}}, 1) // everything once more, from the first record
	stats := run.collector.stats()
	run.collector.stop()
	t.Logf("seed %d: %d kills, %d of them during the start, %d in the middle of an append; %d batches acknowledged, %d found though never acknowledged, "+
		"%d records read and compared at the end, %d of them in %d sealed blocks: 0 lost, 0 duplicated, 0 corrupted",
		*seed, run.kills, run.early, run.unknown, run.acknowledged(), run.surplus, stats.Records, stats.Records-stats.Unsealed, stats.Blocks)
	require.NotZero(t, run.kills)
	require.NotZero(t, run.unknown, "no kill hit an append: nothing was tested")
	require.NotZero(t, stats.Blocks, "nothing was sealed")
}

type killing struct {
	t         *testing.T
	collector *collector
	oracle    *oracle
	random    *rand.Rand
	cursor    uint64 // the id up to which everything was compared

	kills, early     int
	unknown, surplus int
	mu               sync.Mutex // guards unknown while producers run
}

// cycle lets the producers send for a random time, kills the collector, by chance once more while it starts, and compares what
// came since the cycle before.
func (k *killing) cycle() {
	k.collector.ready()
	var wait sync.WaitGroup
	for p := range producers {
		wait.Go(func() { k.produce(p) })
	}
	life := 200 * time.Millisecond
	if k.random.IntN(4) == 0 {
		life *= 6 // Sealing takes a few syncs.
	}
	instant := time.NewTimer(time.Duration(k.random.Int64N(int64(life))))
	<-instant.C
	k.collector.kill()
	wait.Wait()
	k.kills++
	for k.random.IntN(4) == 0 {
		k.collector.start()
		instant.Reset(time.Duration(k.random.Int64N(int64(60 * time.Millisecond))))
		<-instant.C
		k.collector.kill()
		k.kills++
		k.early++
	}
	k.collector.ready()
	k.oracle.stored, k.cursor = k.verify(k.oracle.stored, max(k.cursor, 1))
	k.collector.kill()
	k.kills++
}

// produce sends batches until the connection breaks. The first one may have been stored before: then it was sent without an
// answer.
func (k *killing) produce(p int) {
	ctx := context.Background()
	c, err := k.collector.dial(ctx)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		sequence := k.oracle.acknowledged[p] + 1
		b, err := c.Call(ctx, logwire.TaskAppend, k.oracle.batch(p, sequence))
		if err != nil {
			var e *serialclient.Error
			if errors.As(err, &e) && e.Outcome == serialclient.Unknown {
				k.mu.Lock()
				k.unknown++
				k.mu.Unlock()
			}
			return
		}
		answer, err := logwire.ParseAppendAnswer(b)
		if err != nil || answer.Mark != sequence {
			k.t.Errorf("producer %d, batch %d: %+v, %v", p, sequence, answer, err)
			return
		}
		k.oracle.acknowledged[p] = sequence
	}
}

// verify reads everything from the cursor on and compares it with what was sent.
func (k *killing) verify(from [producers]position, cursor uint64) ([producers]position, uint64) {
	ctx := context.Background()
	c, err := k.collector.dial(ctx)
	require.NoError(k.t, err)
	defer c.Close()
	j := k.oracle.judge(from)
	for next := cursor; next != 0; {
		cursor, next = k.page(ctx, c, j, next)
	}
	require.NoError(k.t, j.verdict(), "seed %d after %d kills", *seed, k.kills)
	for p := range producers {
		if found := j.at[p].sequence - 1; found > k.oracle.acknowledged[p] {
			k.surplus++
			k.oracle.acknowledged[p] = found // It is there from now on.
		}
	}
	return j.at, cursor
}

// page reads one page, and returns the id after the last record and the cursor of the next page.
func (k *killing) page(ctx context.Context, c *serialclient.Client, j *judge, from uint64) (after, next uint64) {
	request := logwire.AppendQueryRequest(nil, logwire.QueryRequest{Limit: logwire.MaxLimit, Cursor: from})
	s, err := c.Stream(ctx, logwire.TaskQuery, readerOf(request))
	require.NoError(k.t, err)
	defer s.Close()
	in := bufio.NewReaderSize(s, 64<<10)
	status, err := in.ReadByte()
	require.NoError(k.t, err)
	require.Equal(k.t, logwire.StatusOK, logwire.Status(status))
	frames := logwire.NewFrameReader(in)
	var v logwire.View
	for after = from; ; {
		f, err := frames.Next()
		require.NoError(k.t, err)
		if f.Kind == logwire.FrameEnd {
			require.Empty(k.t, f.End.Error)
			require.Zero(k.t, f.End.Plan.Corrupt)
			_, err = frames.Next()
			require.ErrorIs(k.t, err, io.EOF)
			return after, f.End.Cursor
		}
		require.Equal(k.t, after, f.ID, "the ids have no gap")
		require.NoError(k.t, logwire.ParseRecord(f.Record, &v))
		require.NoError(k.t, j.see(f.ID, &v), "seed %d after %d kills", *seed, k.kills)
		after = f.ID + 1
	}
}

func (k *killing) acknowledged() (n uint64) {
	for _, a := range k.oracle.acknowledged {
		n += a
	}
	return n
}
