package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A store is verified as a whole; one byte that is wrong is found, and named with its ids, and nothing is removed for it.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	c := serving(t, dir)
	batches := loadBatches(8)
	p := newProducer(c.dial(), 0)
	const count = 150 // of batches: more than are sealed at once
	for i := range count {
		_, err := p.send(t.Context(), batches[i%len(batches)], loadRecords)
		require.NoError(t, err)
	}
	exit, _, stderr := runToEnd(t, "verify", "-data", dir)
	require.Equal(t, exitOpen, exit, "a collector uses it")
	require.Contains(t, stderr, "in use")
	require.Equal(t, 0, c.stop())

	exit, stdout, stderr := runToEnd(t, "verify", "-data", dir)
	require.Equal(t, exitOK, exit, stderr)
	require.Contains(t, stdout, "150000 records")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, files)

	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(files[0], content, 0o600))
	exit, stdout, stderr = runToEnd(t, "verify", "-data", dir, "-json")
	require.Equal(t, exitFailure, exit, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 2)
	var damaged part
	var sum summary
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &damaged))
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &sum))
	require.Equal(t, files[0], damaged.File)
	require.NotEmpty(t, damaged.Error)
	require.Equal(t, 1, sum.Damaged)
	require.Equal(t, damaged.LastID-damaged.FirstID+1, sum.Lost)
	require.EqualValues(t, count*loadRecords, sum.Records+sum.Lost)
	still, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, still))

	exit, stdout, _ = runToEnd(t, "verify", "-data", dir, "-all")
	require.Equal(t, exitFailure, exit)
	require.Equal(t, sum.Parts+1, strings.Count(stdout, "\n"))
}

func TestVerifyMakesNoStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	exit, _, stderr := runToEnd(t, "verify", "-data", dir)
	require.Equal(t, exitOpen, exit)
	require.Contains(t, stderr, dir)
	require.NoDirExists(t, dir)
}

func TestVerifyUsage(t *testing.T) {
	for _, args := range [][]string{{"verify"}, {"verify", "-data", "x", "y"}, {"verify", "-dta", "x"}} {
		exit, _, stderr := runToEnd(t, args...)
		require.Equal(t, exitUsage, exit)
		require.NotEmpty(t, stderr)
	}
}
