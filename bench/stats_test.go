package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		figures []float64
		want    spread
	}{
		{[]float64{7}, spread{7, 7, 7, 1}},
		{[]float64{4, 2}, spread{3, 2, 4, 2}},
		{[]float64{9, 1, 5}, spread{5, 1, 9, 3}},
		{[]float64{4, 1, 3, 2}, spread{2.5, 1, 4, 4}},
	} {
		figures := append([]float64(nil), c.figures...)
		require.Equal(t, c.want, spreadOf(figures))
		require.Equal(t, c.figures, figures, "the argument stays as it is")
	}
}

func TestQuantile(t *testing.T) {
	times := make([]time.Duration, 1000)
	for i := range times {
		times[i] = time.Duration(i + 1)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 500, 0.99: 990, 0.999: 999, 1: 1000} {
		require.Equal(t, want, quantile(times, q), q)
	}
	require.Equal(t, time.Duration(1), quantile(times[:1], 0.999))
}

var someScene = scene{Measure: measureRoundTrip, Size: 64}

// rec is a record of p50 in someScene.
func rec(peer string, round, slot int, figure float64) record {
	return record{scene: someScene, Peer: peer, Round: round, Slot: slot, Values: values{"p50": figure}}
}

func TestRatiosAreOfTheSameSlotAndRound(t *testing.T) {
	records := []record{
		rec(bareName, 0, 0, 10), rec("drpc", 0, 0, 20),
		rec(bareName, 0, 1, 100), rec("ttrpc", 0, 1, 300),
		rec(bareName, 1, 0, 50), rec("drpc", 1, 0, 200),
	}
	got := summarize(records, someScene, "p50")
	require.Equal(t, []summary{
		{bareName, spread{52.5, 50, 55, 2}, spread{1, 1, 1, 2}}, // round 0: the median of 10 and 100
		{"drpc", spread{110, 20, 200, 2}, spread{3, 2, 4, 2}},
		{"ttrpc", spread{300, 300, 300, 1}, spread{3, 3, 3, 1}},
	}, got)
}

func TestNoRatioWithoutABareFigure(t *testing.T) {
	records := []record{rec("drpc", 0, 0, 20), rec(bareName, 0, 1, 10)}
	got := summarize(records, someScene, "p50")
	require.Equal(t, "drpc", got[1].Peer)
	require.Zero(t, got[1].Ratio.N)
}

func TestSummarizeKeepsToTheSceneAndTheFigure(t *testing.T) {
	other := rec("drpc", 0, 0, 1)
	other.Size = 4096
	records := []record{rec("drpc", 0, 0, 20), other}
	require.Len(t, summarize(records, someScene, "p50"), 1)
	require.Equal(t, 20.0, summarize(records, someScene, "p50")[0].Value.Median)
	require.Empty(t, summarize(records, someScene, "p99"))
}

func TestScenesAscend(t *testing.T) {
	var records []record
	for _, s := range []scene{{Size: 4096, Window: 16}, {Size: 64, Window: 256}, {Size: 64, Window: 16}, {Size: 64, Window: 256}} {
		s.Measure = measurePipelined
		records = append(records, record{scene: s})
	}
	records = append(records, record{scene: someScene})
	require.Equal(t, []scene{
		{Measure: measurePipelined, Size: 64, Window: 16},
		{Measure: measurePipelined, Size: 64, Window: 256},
		{Measure: measurePipelined, Size: 4096, Window: 16},
	}, scenes(records, measurePipelined))
}
