package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGroupsPutBareAndSerialkitBesideEachPeer(t *testing.T) {
	names := []string{bareName, serialkitName, "drpc", "ttrpc", "yamux"}
	for round := range 4 {
		seen := make(map[string]int)
		for _, g := range groups(names, round) {
			require.Len(t, g, 3)
			for _, name := range g {
				seen[name]++
			}
		}
		require.Equal(t, map[string]int{bareName: 3, serialkitName: 3, "drpc": 1, "ttrpc": 1, "yamux": 1}, seen)
	}
}

func TestGroupsDifferFromRoundToRound(t *testing.T) {
	names := []string{bareName, serialkitName, "drpc", "ttrpc"}
	require.Equal(t, []group{{bareName, serialkitName, "drpc"}, {bareName, serialkitName, "ttrpc"}}, groups(names, 0))
	require.Equal(t, []group{{"ttrpc", serialkitName, bareName}, {"drpc", serialkitName, bareName}}, groups(names, 1))
}

func TestGroupsOfTheTwoAlone(t *testing.T) {
	require.Equal(t, []group{{bareName, serialkitName}}, groups([]string{bareName, serialkitName}, 2))
}

func TestChoose(t *testing.T) {
	all := []string{bareName, serialkitName, "gRPC-Go, stream"}
	require.Equal(t, []string{bareName, "gRPC-Go, stream"}, choose(all, "gRPC-Go, stream;bare TCP;nobody"))
}

func TestStreamsAreWholePieces(t *testing.T) {
	for _, p := range []plan{fullPlan(), quickPlan()} {
		require.Zero(t, p.StreamBytes%(netRPCPieces*chunkSize))
		require.GreaterOrEqual(t, p.Rounds, 5)
	}
}
