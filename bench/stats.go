package main

import (
	"cmp"
	"math"
	"slices"
)

// spread is what became of a figure in the rounds: the median, and how far the others are from it.
type spread struct {
	Median, Min, Max float64
	N                int // of rounds
}

// quantile returns the value of sorted, which is not empty, that at least the share q does not exceed.
func quantile[T any](sorted []T, q float64) T {
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[max(i, 0)]
}

// spreadOf returns the spread of at least one figure.
func spreadOf(figures []float64) spread {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1], N: n}
}

// summary is a figure of one peer in one scene.
type summary struct {
	Peer  string
	Value spread
	Ratio spread // to bare TCP in the same slot of the same round; N is 0 if there was none
}

// slotKey is where a record finds its bare TCP.
type slotKey struct {
	scene
	round, slot int
}

// byRound is figures by peer and round.
type byRound map[string]map[int][]float64

func (f byRound) add(r record, figure float64) {
	if f[r.Peer] == nil {
		f[r.Peer] = make(map[int][]float64)
	}
	f[r.Peer][r.Round] = append(f[r.Peer][r.Round], figure)
}

// spread is that of the rounds. A round in which there are several figures counts as their median, so
// that those who are measured more often do not have the wider spread for it.
func (f byRound) spread(peer string) spread {
	var medians []float64
	for _, figures := range f[peer] {
		medians = append(medians, spreadOf(figures).Median)
	}
	if len(medians) == 0 {
		return spread{}
	}
	return spreadOf(medians)
}

// summarize returns the named figure of each peer in a scene, in the order of the tables. Peers
// without it are left out.
func summarize(records []record, s scene, figure string) []summary {
	bare := make(map[slotKey]float64)
	for _, r := range records {
		if v, ok := r.Values[figure]; ok && r.scene == s && r.Peer == bareName {
			bare[slotKey{s, r.Round, r.Slot}] = v
		}
	}
	figures, ratios := make(byRound), make(byRound)
	for _, r := range records {
		v, ok := r.Values[figure]
		if !ok || r.scene != s {
			continue
		}
		figures.add(r, v)
		if b := bare[slotKey{s, r.Round, r.Slot}]; b > 0 {
			ratios.add(r, v/b)
		}
	}
	var all []summary
	for _, l := range peers {
		if v := figures.spread(l.name); v.N > 0 {
			all = append(all, summary{Peer: l.name, Value: v, Ratio: ratios.spread(l.name)})
		}
	}
	return all
}

// scenes returns the scenes of a measure, ascending.
func scenes(records []record, measure string) []scene {
	var found []scene
	for _, r := range records {
		if r.Measure == measure && !slices.Contains(found, r.scene) {
			found = append(found, r.scene)
		}
	}
	slices.SortStableFunc(found, func(a, b scene) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Conns, b.Conns), cmp.Compare(a.Window, b.Window))
	})
	return found
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }
