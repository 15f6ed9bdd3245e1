package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDigits(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 0.001: "0", 0.016: "0.02", 1: "1", 1.256: "1.26", 9.5: "9.5", 10: "10", 12.34: "12.3",
		99.96: "100", 123.4: "123", 1234: "1,234", 1234567: "1,234,567", -3.25: "-3.25", -1234: "-1,234",
	} {
		require.Equal(t, want, digits(f), f)
	}
}

func TestSceneForPeople(t *testing.T) {
	require.Equal(t, "throughput, 4 KiB, 1,000 connections", scene{Measure: measureThroughput, Size: 4096, Conns: 1000}.String())
	require.Equal(t, "pipelined, 64 B, window 16", scene{Measure: measurePipelined, Size: 64, Window: 16}.String())
	require.Equal(t, "idle, 9,000 connections, after a deep stack", scene{Measure: measureIdle, Conns: 9000, After: "a deep stack"}.String())
}
