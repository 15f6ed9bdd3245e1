package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/ship"
)

func view(t *testing.T, r logwire.Record) *logwire.View {
	t.Helper()
	require.NoError(t, r.Check())
	v := new(logwire.View)
	require.NoError(t, logwire.ParseRecord(logwire.AppendRecord(nil, &r), v))
	return v
}

var sample = logwire.Record{
	Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC).UnixNano(), Level: logwire.Warn, Service: "api", Host: "h1",
	Message: "two\nlines \x1b[31m日本", Fields: []logwire.Field{{Key: "user", Kind: logwire.Number, Value: "42"}, {Key: "e\x1b", Value: "\u009b\u202e"}},
}

// written returns what is written of some records.
func written(t *testing.T, tm terminal, set func(*records), all ...logwire.Record) string {
	var b bytes.Buffer
	o := newRecords(&b, tm)
	o.location = time.UTC
	set(o)
	for i, r := range all {
		require.NoError(t, o.write(uint64(i+1), view(t, r)))
	}
	require.NoError(t, o.flush())
	return b.String()
}

func TestRecordsAreWrittenAs(t *testing.T) {
	other := logwire.Record{Time: sample.Time, Level: logwire.Info, Service: "a-rather-long-service", Message: strings.Repeat("x", 200)}
	keep := func(*records) {}
	t.Run("JSON in a pipe", func(t *testing.T) {
		require.Equal(t, `{"id":1,"time":"2026-01-02T03:04:05.006Z","level":"warn","service":"api","host":"h1","message":"two\nlines \u001b[31m日本","fields":{"user":42,"e\u001b":"\u009b`+"\u202e"+`"}}`+"\n",
			written(t, terminal{}, keep, sample))
	})
	t.Run("JSON on a terminal", func(t *testing.T) {
		require.Equal(t, `{"id":1,"time":"2026-01-02T03:04:05.006Z","level":"warn","service":"api","host":"h1","message":"two\nlines \u001b[31m日本","fields":{"user":42,"e\u001b":"\u009b\u202e"}}`+"\n",
			written(t, terminal{is: true, width: 80}, func(o *records) { o.json = true }, sample))
	})
	t.Run("a table", func(t *testing.T) {
		require.Equal(t, ""+
			"TIME                    LEVEL SERVICE        MESSAGE\n"+
			"2026-01-02 03:04:05.006 warn  api            two\\nlines \\x1b[31m日本  user=42 …\n"+
			"2026-01-02 03:04:05.006 info  a-rather-long… xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\n",
			written(t, terminal{is: true, width: 79}, keep, sample, other))
	})
	t.Run("a wide table", func(t *testing.T) {
		require.Equal(t, ""+
			"TIME                    LEVEL SERVICE        HOST           MESSAGE\n"+
			"2026-01-02 03:04:05.006 warn  api            h1             two\\nlines \\x1b[31m日本  user=42  e\\x1b=\\u009b\\u202e\n",
			written(t, terminal{is: true, width: 120}, keep, sample))
	})
	t.Run("a full table", func(t *testing.T) {
		require.Contains(t, written(t, terminal{is: true, width: 60}, func(o *records) { o.full = true }, other), strings.Repeat("x", 200))
	})
	t.Run("colours", func(t *testing.T) {
		require.Contains(t, written(t, terminal{is: true, width: 100, color: true}, keep, sample), " \x1b[33mwarn \x1b[0m api")
	})
	t.Run("no line is wider than the terminal", func(t *testing.T) {
		for width := 60; width < 140; width++ {
			for line := range strings.Lines(written(t, terminal{is: true, width: width}, keep, sample, other)) {
				require.LessOrEqual(t, columns(strings.TrimSuffix(line, "\n")), width)
			}
		}
	})
}

func TestProgressLine(t *testing.T) {
	reports := []ship.Report{{Size: 4 << 20, Begin: 1 << 20, Bytes: 1 << 20, Lines: 5000}, {Size: 1 << 20}}
	require.Equal(t, "/a\\nb  5000 lines  1 MiB of 4 MiB (25%)  500 lines/s  102 KiB/s  30s left", progressLine("/a\nb", reports, 10*time.Second))
	require.Equal(t, "-  0 lines  0 B  0 lines/s  0 B/s", progressLine("-", []ship.Report{{}}, 0))
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 5 << 30: "5 GiB", 1<<63 - 1: "8 EiB",
		999 << 10: "999 KiB", 1000 << 10: "0.977 MiB", 1023 << 20: "0.999 GiB"} {
		require.Equal(t, want, bytesText(n))
	}
}

func TestSummaryText(t *testing.T) {
	r := shipped{Report: ship.Report{Path: "a", Lines: 10, Bytes: 100, Acknowledged: 7, Blank: 1, Refused: map[string]int64{"time: \x1b": 2}, Cut: 3, Replaced: 4, Repeated: 5}}
	require.Equal(t, "a: 10 lines, 100 B: 7 acknowledged, 5 of them known already, 1 blank, 2 refused, 3 cut, 4 with invalid UTF-8\n  refused 2: time: \\x1b\n", summaryText(&r))
	require.Equal(t, "a: 0 lines, 0 B behind the 2 KiB of earlier runs: 0 acknowledged\n", summaryText(&shipped{Report: ship.Report{Path: "a", Begin: 2048}}))
}

func TestABadQueryIsShownWithACaret(t *testing.T) {
	var b bytes.Buffer
	err := &logwire.FieldError{Record: logwire.NoRecord, Field: "query", Kind: logwire.ErrQuery, Detail: `position 4, "x": no`}
	require.Equal(t, exitUsage, failQuery(&b, "日\x1bé(x", err))
	require.Equal(t, "日\\x1bé(x\n       ^\nlogd: the query: position 4, \"x\": no\n", b.String())

	b.Reset()
	err = &logwire.FieldError{Record: logwire.NoRecord, Field: "text", Kind: logwire.ErrTooLarge, Detail: "5000, and the limit is 4096"}
	require.Equal(t, exitUsage, failQuery(&b, "", err), "the text of a request is its query")
	require.Contains(t, b.String(), "the query")
	require.Equal(t, exitFailure, failQuery(&b, "", &logwire.FieldError{Record: logwire.NoRecord, Field: "cursor", Kind: logwire.ErrMalformed}))
}

func TestStatsTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, writeStats(&b, &logwire.Stats{
		NextID: 11, FirstID: 1, Records: 10, Unsealed: 2, Blocks: 3, BlockBytes: 1024, RawBytes: 4096, ReadOnly: "disk\nfull", UptimeSeconds: 61.5,
	}))
	require.Equal(t, `state      read-only: disk\nfull
up         1m1s
records    10, ids 1 to 10, 0 days, 0 expired
blocks     3, 1 KiB (4 KiB before, ratio 4.0), 0 damaged
unsealed   2 records
free       0 B
appended   0 records, 0 batches, 0 commits, by 0 producers
not taken  0 repeated, 0 refused, 0 gaps, 0 busy
asked      0 queries, 0 tails, 0 records missed
`, b.String())
}

func TestWriteJSON(t *testing.T) {
	v := map[string]string{"read_only": "\u009b31m\u202e"}
	for _, test := range []struct {
		t    terminal
		want string
	}{
		{terminal{is: true}, `{"read_only":"\u009b31m\u202e"}`},
		{terminal{}, `{"read_only":"` + "\u009b31m\u202e" + `"}`},
	} {
		var b bytes.Buffer
		require.NoError(t, writeJSON(&b, test.t, v))
		require.Equal(t, test.want+"\n", b.String())
	}
}
