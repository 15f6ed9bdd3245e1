package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tinyPlan is a run of three peers that takes next to no time.
func tinyPlan() plan {
	p := fullPlan()
	p.Peers = []string{bareName, serialkitName, bytesName}
	p.Rounds, p.Sizes, p.Latency = 2, []int{64}, time.Millisecond
	p.Conns, p.Throughput = []int{2}, time.Millisecond
	p.Windows, p.Pipelined = []int{4}, time.Millisecond
	p.StreamBytes = 1 << 19
	p.Idle, p.IdleRounds, p.Settle, p.IdleWindow = 3, 1, 0, time.Millisecond
	return p
}

// TestRun runs everything, with real processes: they are this test binary, see TestMain.
func TestRun(t *testing.T) {
	p := tinyPlan()
	r, err := measure(p, "a test")
	require.NoError(t, err)
	require.Empty(t, r.Notes)
	for _, m := range []string{measureRoundTrip, measureThroughput, measurePipelined, measureUp, measureDown} {
		found := scenes(r.Records, m)
		require.Len(t, found, 1, m)
		figure := "rate"
		if m == measureRoundTrip {
			figure = "p50"
		}
		for _, s := range summarize(r.Records, found[0], figure) {
			require.Equal(t, p.Rounds, s.Value.N, s.Peer)
			require.Equal(t, p.Rounds, s.Ratio.N, s.Peer)
			require.Positive(t, s.Value.Min, s.Peer)
		}
		require.Len(t, summarize(r.Records, found[0], "server cpu"), 3)
		require.Len(t, summarize(r.Records, found[0], "client mallocs"), 3)
	}
	require.Len(t, scenes(r.Records, measureIdle), 2)
}

func TestWhatIsLateIsLeftOut(t *testing.T) {
	p := tinyPlan()
	p.Limit = 0
	r, err := measure(p, "a test")
	require.NoError(t, err)
	require.Empty(t, r.Records)
	require.Len(t, r.Notes, 6, "one for each measure, and streams have two directions")
}

func TestAPeerThatFailsIsDismissed(t *testing.T) {
	var log bytes.Buffer
	b := &bench{run: new(run), plan: tinyPlan(), log: &log, start: time.Now()}
	c := b.assemble(-1, serialkitName)
	defer c.end()
	b.each(c, "a test", order{Do: "dance"})
	require.Empty(t, c)
	require.Len(t, b.run.Notes, 2)
	require.Contains(t, b.run.Notes[0], `bare TCP failed: dance: unknown order "dance"`)
}

func TestAChildThatHangsIsKilled(t *testing.T) {
	c, _, err := startServer(peers[0], -1)
	require.NoError(t, err)
	defer c.end()
	_, err = c.result(time.Millisecond) // it has nothing to say
	require.ErrorContains(t, err, "no result within 1ms")
}
