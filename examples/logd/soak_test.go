package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialclient"
)

var (
	soakProducers = flag.Int("soak.producers", 50, "how many producers there are in the soak")
	soakTails     = flag.Int("soak.tails", 10, "how many tails, half of which read nothing for most of the time")
	soakTime      = flag.Duration("soak.time", 2*time.Second, "how long it takes")
)

// soakMemory is what a collector with its default bounds takes at most, as operations.md says: -limit.memory, and beside it
// Pebble's memory tables and cache, and the program itself.
const soakMemory = defaultMemory + 4*64<<20 + 64<<20

// Many producers and many tails, slow ones among them: the collector's memory stays within its bound, every record is
// stored once, and each tail can account for every record: it was told it, or that it missed it.
func TestManyProducersAndTails(t *testing.T) {
	dir := t.TempDir()
	c := serving(t, dir)
	batches := loadBatches(16)
	ctx, stop := context.WithTimeout(t.Context(), *soakTime)
	defer stop()

	var producing, tailing sync.WaitGroup
	var told, missed atomic.Int64
	for n := range *soakTails {
		tail := &soakTail{t: t, slow: n%2 == 1, told: &told, missed: &missed}
		tail.begin(c)
		tailing.Go(func() { tail.run(ctx) })
	}
	var sent, busy atomic.Int64
	for n := range *soakProducers {
		p := newProducer(c.dial(patient), uint16(n))
		producing.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				_, err := p.send(context.Background(), batches[i%len(batches)], loadRecords)
				var failed *serialclient.Error
				switch {
				case err == nil:
					sent.Add(loadRecords)
				case errors.As(err, &failed) && failed.Outcome == serialclient.Failed: // busy
					p.head.Sequence--
					busy.Add(1)
					pause(ctx, 10*time.Millisecond)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	producing.Wait()
	stats := c.stats()
	require.Equal(t, sent.Load()+1, int64(stats.NextID))
	require.Equal(t, busy.Load(), stats.Busy)
	peak := peakMemory(t, c.cmd.Process.Pid)
	require.Equal(t, 0, c.stop())
	tailing.Wait()
	t.Logf("%d producers, %d tails, %v: %d records stored, %d batches refused as busy; tails were told %d records and missed %d; the collector took %d MiB at most, and its bound is %d MiB",
		*soakProducers, *soakTails, *soakTime, sent.Load(), busy.Load(), told.Load(), missed.Load(), peak>>20, soakMemory>>20)
	require.LessOrEqual(t, peak, int64(soakMemory))
	require.NotZero(t, told.Load())
}

// soakTail is a tail of everything, whose ids have to follow each other.
type soakTail struct {
	t            *testing.T
	slow         bool
	frames       *logwire.FrameReader
	stream       *serialclient.Stream
	told, missed *atomic.Int64
}

func (s *soakTail) begin(c *collector) {
	stream, err := c.dial(patient).Stream(context.Background(), logwire.TaskTail, bytes.NewReader(logwire.AppendTailRequest(nil, logwire.TailRequest{Cursor: 1})))
	require.NoError(s.t, err)
	in := bufio.NewReader(stream)
	_, err = in.ReadByte()
	require.NoError(s.t, err)
	s.stream, s.frames = stream, logwire.NewFrameReader(in)
}

// run reads frames to the end of the answer; a slow one, while ctx lasts, one at a time.
func (s *soakTail) run(ctx context.Context) {
	defer s.stream.Close()
	next := uint64(1)
	for n := 0; ; n++ {
		frame, err := s.frames.Next()
		if err != nil {
			if err.Error() != "EOF" {
				s.t.Errorf("a tail ended with %v", err)
			}
			return
		}
		first := frame.ID - frame.Missed
		if first != next {
			s.t.Errorf("%d came after %d", first, next)
			return
		}
		next = frame.ID
		if frame.Kind == logwire.FrameRecord {
			next++
			s.told.Add(1)
		}
		s.missed.Add(int64(frame.Missed))
		if s.slow && n%100 == 99 {
			pause(ctx, 500*time.Millisecond)
		}
	}
}

// patient makes a client wait as long as a machine on which all of this runs may need.
var patient = serialclient.WithTimeout(serialclient.Timeout{Read: time.Minute, Write: time.Minute})

// pause passes d, or less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// peakMemory returns the most memory that the process has had, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no /proc")
	}
	require.NoError(t, err)
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(line)[0], 10, 64)
	require.NoError(t, err)
	return kib << 10
}
