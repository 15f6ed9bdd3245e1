package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/store"
)

// A store is verified as a whole; one byte that is wrong is found, and named with its ids, and nothing is removed for it.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	const count = 20 // of batches, the last of which are in no block
	st, err := store.Open(dir, store.Options{SealAge: -1})
	require.NoError(t, err)
	batches := loadBatches(8)
	head := logwire.BatchHead{Producer: logwire.ProducerID{1}, Epoch: 1, Count: loadRecords}
	for i := range count {
		head.Sequence++
		_, err := st.Append(t.Context(), append(logwire.AppendBatchHead(nil, head), batches[i%len(batches)]...))
		require.NoError(t, err)
		if i == count-3 {
			require.NoError(t, st.Seal(t.Context()))
		}
	}
	exit, _, stderr := runToEnd(t, "verify", "-data", dir)
	require.Equal(t, exitOpen, exit, "somebody uses it")
	require.Contains(t, stderr, "in use")
	require.NoError(t, st.Close())

	exit, stdout, stderr := runToEnd(t, "verify", "-data", dir)
	require.Equal(t, exitOK, exit, stderr)
	require.Contains(t, stdout, "20000 records in")
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
	require.Contains(t, stdout, "not in a block")
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
