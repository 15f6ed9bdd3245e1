package service_test

import (
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

var (
	schedules = flag.Int("tail.schedules", 200, "how many random schedules of tails and appends there are")
	firstSeed = flag.Uint64("tail.seed", 1, "the seed of the first one")
)

// Whatever the schedule: a tail is told of each record that matches from its cursor on, once and in order, but for those
// that it is told that it has missed. It is told its position truly, and no position is passed over in silence.
func TestTailsUnderRandomSchedules(t *testing.T) {
	var told, missed, switched int
	for seed := *firstSeed; seed < *firstSeed+uint64(*schedules); seed++ {
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("-tail.seed=%d -tail.schedules=1", seed)
				}
			}()
			s := &schedule{rnd: rand.New(rand.NewPCG(seed, 0))}
			s.run(t)
			told, missed, switched = told+s.told, missed+s.missed, switched+s.caughtUp
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d schedules: %d records told, %d missed, %d tails caught up from the store", *schedules, told, missed, switched)
	require.NotZero(t, told)
	require.NotZero(t, missed)
	require.NotZero(t, switched)
}

// schedule is a random one of producers and tails.
type schedule struct {
	rnd *rand.Rand // one goroutine at a time runs: the main one draws all

	told, missed, caughtUp int
}

func (s *schedule) run(t *testing.T) {
	rnd := s.rnd
	ring := []int64{1, 3000, 30_000, 1 << 20}[rnd.IntN(4)]
	m := newModel(service.NewSmallHub(ring))
	scans := 0
	m.scanned = func(uint64, uint64) { scans++ } // by one tail at a time: Filtering is 1
	before := rnd.IntN(300)
	s.append(m, before)
	if before > 0 && rnd.IntN(3) == 0 {
		m.expire(uint64(rnd.IntN(before)) + 1)
	}
	m.lost = map[uint64]bool{}
	for range rnd.IntN(5) * before / 300 {
		m.lost[uint64(rnd.IntN(before))+1] = true
	}
	r := rigOf(t, m, service.Options{Filtering: 1}, &serialserver.Timeout{Write: -1})

	var readers sync.WaitGroup
	var tails []*checkedTail
	for range 1 + rnd.IntN(4) {
		tail := &checkedTail{t: t, pause: time.Duration(rnd.IntN(20)) * time.Millisecond, text: []string{"", "service:a", "service:none"}[rnd.IntN(3)]}
		cursor := uint64(0)
		if rnd.IntN(4) > 0 {
			cursor = uint64(rnd.IntN(before+1)) + 1
		}
		tail.frames = r.tail(cursor, tail.text, serialtest.Buffer(1+rnd.IntN(4000)))
		first := tail.frames.next()
		require.Equal(t, logwire.FramePosition, first.Kind)
		if tail.next = first.ID; cursor > 0 {
			require.Equal(t, cursor, tail.next)
		}
		tail.filter, _ = query.Parse(tail.text, time.Now())
		tail.model = m
		tails = append(tails, tail)
		readers.Go(tail.read)
	}
	for range rnd.IntN(60) {
		s.append(m, 1+rnd.IntN(40))
		time.Sleep(time.Duration(rnd.IntN(8)) * time.Millisecond)
	}
	for range 20_000 { // the slowest tail comes to the end
		time.Sleep(time.Second)
		if !s.behind(tails, m.Head()) {
			break
		}
	}
	r.service.StopTails()
	readers.Wait()
	for _, tail := range tails {
		require.Equal(t, m.Head(), tail.next)
		s.told += tail.told
		s.missed += tail.missed
	}
	s.caughtUp += min(scans, 1)
}

// behind reports whether a tail has not come to the end.
func (s *schedule) behind(tails []*checkedTail, head uint64) bool {
	for _, tail := range tails {
		tail.mu.Lock()
		next := tail.next
		tail.mu.Unlock()
		if next < head {
			return true
		}
	}
	return false
}

// append appends n records in some batches.
func (s *schedule) append(m *model, n int) {
	for n > 0 {
		var records []logwire.Record
		for range min(n, 1+s.rnd.IntN(10)) {
			records = append(records, line([]string{"a", "b"}[s.rnd.IntN(2)], 1+s.rnd.IntN(800)))
		}
		m.add(records...)
		n -= len(records)
	}
}

// checkedTail is a tail whose every frame is compared with the model.
type checkedTail struct {
	t      *testing.T
	frames *frames
	model  *model
	filter *query.Filter
	text   string
	pause  time.Duration // between frames, now and then

	mu           sync.Mutex
	next         uint64 // guarded by mu: the id that it was told it will look at next
	told, missed int    // used by read, and after it
}

// read reads all frames, to the end.
func (c *checkedTail) read() {
	for n := 0; ; n++ {
		frame, err := c.frames.Next()
		if err != nil {
			require.Equal(c.t, "EOF", err.Error())
			return
		}
		c.mu.Lock()
		next := c.next
		c.mu.Unlock()
		switch frame.Kind {
		case logwire.FrameRecord:
			c.silent(next, frame.ID)
			require.Equal(c.t, []uint64{frame.ID}, c.model.matching(c.filter, frame.ID, frame.ID+1))
			require.Equal(c.t, c.model.record(frame.ID), frame.Record)
			next = frame.ID + 1
			c.told++
		case logwire.FrameMissed:
			require.NotZero(c.t, frame.Missed)
			c.silent(next, frame.ID-frame.Missed)
			next = frame.ID
			c.missed += int(frame.Missed)
		case logwire.FramePosition:
			c.silent(next, frame.ID)
			next = frame.ID
		default:
			require.Fail(c.t, "unexpected frame")
		}
		c.mu.Lock()
		c.next = next
		c.mu.Unlock()
		if n%7 == 0 {
			time.Sleep(c.pause)
		}
	}
}

// silent wants that nothing matches from next to before to, of which nothing was told.
func (c *checkedTail) silent(next, to uint64) {
	require.LessOrEqual(c.t, next, to)
	require.Empty(c.t, c.model.matching(c.filter, next, to))
}
