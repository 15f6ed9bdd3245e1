package logwire_test

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// transcripts are the messages that docs/protocol.md shows.
func transcripts(t *testing.T) map[string][]byte {
	record := logwire.Record{
		Time: 1_700_000_000_000_000_000, Level: logwire.Warn, Service: "api", Host: "h1", Message: "slow",
		Fields: []logwire.Field{{Key: "ms", Kind: logwire.Number, Value: "250"}},
	}
	encoded := logwire.AppendRecord(nil, &record)
	producer := logwire.ProducerID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	batch := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer, Epoch: 1, Sequence: 2, Count: 1})
	refusal := func(err error) []byte {
		b, ok := logwire.AppendError(nil, err)
		require.True(t, ok)
		return b
	}
	return map[string][]byte{
		"record":       encoded,
		"batch":        logwire.AppendBatchRecord(batch, &record),
		"ok":           logwire.AppendAnswer{Stored: true, Mark: 2, FirstID: 1001}.AppendTo(nil),
		"repeat":       logwire.AppendAnswer{Mark: 2}.AppendTo(nil),
		"invalid":      refusal(&logwire.FieldError{Record: 0, Field: "time", Kind: logwire.ErrTime, Detail: "late"}),
		"gap":          refusal(&logwire.GapError{Expected: 2}),
		"fenced":       refusal(&logwire.FencedError{Epoch: 3}),
		"read-only":    refusal(&logwire.ReadOnlyError{Reason: "disk full"}),
		"query":        logwire.AppendQueryRequest(nil, logwire.QueryRequest{NewestFirst: true, Limit: 10, Text: "level>=warn"}),
		"tail":         logwire.AppendTailRequest(nil, logwire.TailRequest{Cursor: 1001, Text: "service:api"}),
		"record-frame": logwire.AppendRecordFrame(nil, 1001, encoded),
		"missed":       logwire.AppendMissedFrame(nil, 40, 1042),
		"position":     logwire.AppendPositionFrame(nil, 1002),
	}
}

var block = regexp.MustCompile("(?s)```hex ([a-z-]+)\n(.*?)```")

// Each transcript of the document is what this package writes, and each that this test knows is in the document.
func TestTranscripts(t *testing.T) {
	document, err := os.ReadFile("../../docs/protocol.md")
	require.NoError(t, err)
	want := transcripts(t)
	for _, m := range block.FindAllStringSubmatch(string(document), -1) {
		var digits strings.Builder
		for line := range strings.Lines(m[2]) {
			text, _, _ := strings.Cut(line, "|")
			digits.WriteString(strings.Join(strings.Fields(text), ""))
		}
		got, err := hex.DecodeString(digits.String())
		require.NoError(t, err, m[1])
		require.Equal(t, want[m[1]], got, m[1])
		delete(want, m[1])
	}
	require.Empty(t, want)
}
