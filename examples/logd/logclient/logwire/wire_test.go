package logwire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

func sample() logwire.Record {
	return logwire.Record{
		Time: 1_700_000_000_123_456_789, Level: logwire.Warn, Service: "api", Host: "h1", Message: "line\nbreak",
		Fields: []logwire.Field{
			{Key: "user", Kind: logwire.Number, Value: "42"}, {Key: "ok", Kind: logwire.Bool, Value: "true"},
			{Key: "why", Value: "é"}, {Key: "more", Kind: logwire.JSON, Value: `{"a":[1, 2]}`}, {Key: "user", Value: ""},
		},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for _, r := range []logwire.Record{sample(), {Level: logwire.Trace, Service: "s"}, {Time: -1, Level: logwire.Fatal, Service: "s"}} {
		require.NoError(t, r.Check())
		b := logwire.AppendRecord(nil, &r)
		require.Len(t, b, r.Size())
		var v logwire.View
		require.NoError(t, logwire.ParseRecord(b, &v))
		require.Equal(t, r, v.Record())
		require.Equal(t, len(r.Fields), v.NumFields())
		require.True(t, logwire.TrustRecord(b, &v))
	}
}

// The limits: the largest value is accepted, one more is not, by Check and by ParseRecord alike.
func TestRecordLimits(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	value := func(key, value int) []logwire.Field { return []logwire.Field{{Key: x(key), Value: x(value)}} }
	full := func(n int) (fields []logwire.Field) { // fields that make a record of n bytes
		n -= 16 + 1
		for ; n > 7+logwire.MaxValue; n -= 7 + logwire.MaxValue {
			fields = append(fields, value(1, logwire.MaxValue)...)
		}
		return append(fields, value(1, n-7)...)
	}
	for _, test := range []struct {
		field string
		limit int
		kind  error
		set   func(r *logwire.Record, n int)
	}{
		{"service", logwire.MaxService, logwire.ErrTooLarge, func(r *logwire.Record, n int) { r.Service = x(n) }},
		{"host", logwire.MaxHost, logwire.ErrTooLarge, func(r *logwire.Record, n int) { r.Host = x(n) }},
		{"message", logwire.MaxMessage, logwire.ErrTooLarge, func(r *logwire.Record, n int) { r.Message = x(n) }},
		{"fields", logwire.MaxFields, logwire.ErrTooLarge, func(r *logwire.Record, n int) {
			for range n {
				r.Fields = append(r.Fields, logwire.Field{Key: "k"})
			}
		}},
		{"fields[0].key", logwire.MaxKey, logwire.ErrTooLarge, func(r *logwire.Record, n int) { r.Fields = value(n, 0) }},
		{"fields[0].value", logwire.MaxValue, logwire.ErrTooLarge, func(r *logwire.Record, n int) { r.Fields = value(1, n) }},
		{"record", logwire.MaxRecord, logwire.ErrTooLarge, func(r *logwire.Record, n int) { r.Fields = full(n) }},
		{"level", int(logwire.Fatal), logwire.ErrMalformed, func(r *logwire.Record, n int) { r.Level = logwire.Level(n) }},
	} {
		for _, over := range []int{0, 1} {
			r := logwire.Record{Level: logwire.Info, Service: "s"}
			test.set(&r, test.limit+over)
			if test.field == "record" {
				require.Equal(t, test.limit+over, r.Size())
			}
			var v logwire.View
			parsed := logwire.ParseRecord(logwire.AppendRecord(nil, &r), &v)
			if over == 0 {
				require.NoError(t, r.Check(), test.field)
				require.NoError(t, parsed, test.field)
				continue
			}
			requireField(t, r.Check(), test.kind, test.field)
			if test.limit < 255 || test.field == "message" || test.field == "record" { // Otherwise it does not fit in its length.
				requireField(t, parsed, test.kind, test.field)
			}
			require.Error(t, parsed, test.field)
		}
	}
}

func requireField(t *testing.T, err, kind error, field string) {
	var e *logwire.FieldError
	require.ErrorAs(t, err, &e, field)
	require.Equal(t, field, e.Field)
	require.ErrorIs(t, err, kind)
}

func TestRecordRefusals(t *testing.T) {
	for field, change := range map[string]func(r *logwire.Record){
		"service":         func(r *logwire.Record) { r.Service = "" },
		"host":            func(r *logwire.Record) { r.Host = "\xff" },
		"message":         func(r *logwire.Record) { r.Message = "a\xc3" },
		"level":           func(r *logwire.Record) { r.Level = 0 },
		"fields[1].key":   func(r *logwire.Record) { r.Fields[1].Key = "" },
		"fields[0].value": func(r *logwire.Record) { r.Fields[0].Value = "1 " },
		"fields[3].value": func(r *logwire.Record) { r.Fields[3].Value = "{" },
		"fields[2].kind":  func(r *logwire.Record) { r.Fields[2].Kind = 4 },
		"fields[4].value": func(r *logwire.Record) { r.Fields[4].Value = "\xff" },
	} {
		r := sample()
		change(&r)
		var v logwire.View
		for _, err := range []error{r.Check(), logwire.ParseRecord(logwire.AppendRecord(nil, &r), &v)} {
			var e *logwire.FieldError
			require.ErrorAs(t, err, &e, field)
			require.Equal(t, field, e.Field)
		}
	}
}

func sampleBatch() []byte {
	r := sample()
	b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: logwire.ProducerID{1, 15: 16}, Epoch: 2, Sequence: 3, Count: 2})
	b = logwire.AppendBatchRecord(b, &r)
	return logwire.AppendBatchRecord(b, &r)
}

func parseBatch(b []byte) error {
	h, records, err := logwire.ParseBatchHead(b)
	if err != nil {
		return err
	}
	return logwire.CheckRecords(records, h.Count, nil)
}

// Every cut of an input, and a byte more, is an error.
func TestCuts(t *testing.T) {
	r := sample()
	field := &logwire.FieldError{Record: 7, Field: "time", Kind: logwire.ErrTime, Detail: "late"}
	refusal := func(err error) []byte {
		b, ok := logwire.AppendError(nil, err)
		require.True(t, ok)
		return b
	}
	answer := func(b []byte) error {
		_, err := logwire.ParseAppendAnswer(b)
		if e := (*logwire.FieldError)(nil); errors.As(err, &e) && e.Field == "answer" {
			return err
		}
		return nil // It is an answer, if not a good one.
	}
	for name, test := range map[string]struct {
		whole []byte
		parse func(b []byte) error
	}{
		"record":    {logwire.AppendRecord(nil, &r), func(b []byte) error { return logwire.ParseRecord(b, new(logwire.View)) }},
		"batch":     {sampleBatch(), parseBatch},
		"ok":        {logwire.AppendAnswer{Stored: true, Mark: 1, FirstID: 2}.AppendTo(nil), answer},
		"invalid":   {refusal(field), answer},
		"gap":       {refusal(&logwire.GapError{Expected: 9}), answer},
		"fenced":    {refusal(&logwire.FencedError{Epoch: 9}), answer},
		"read-only": {refusal(&logwire.ReadOnlyError{Reason: "full"}), answer},
		"query": {logwire.AppendQueryRequest(nil, logwire.QueryRequest{Text: "a b"}), func(b []byte) error {
			_, err := logwire.ParseQueryRequest(b)
			return err
		}},
		"tail": {logwire.AppendTailRequest(nil, logwire.TailRequest{Cursor: 4, Text: "a b"}), func(b []byte) error {
			_, err := logwire.ParseTailRequest(b)
			return err
		}},
	} {
		require.NoError(t, test.parse(test.whole), name)
		require.Error(t, test.parse(append(bytes.Clone(test.whole), 0)), name)
		for n := range test.whole {
			require.Error(t, test.parse(test.whole[:n:n]), "%s cut at %d", name, n)
		}
	}
}

func TestAnswersRoundTrip(t *testing.T) {
	for _, want := range []error{
		&logwire.FieldError{Record: 7, Field: "time", Kind: logwire.ErrTime, Detail: "late"},
		&logwire.FieldError{Record: logwire.NoRecord, Field: "batch", Kind: logwire.ErrMalformed},
		&logwire.GapError{Expected: 9}, &logwire.FencedError{Epoch: 1 << 63}, &logwire.ReadOnlyError{Reason: "full"},
	} {
		b, ok := logwire.AppendError(nil, want)
		require.True(t, ok)
		_, err := logwire.ParseAppendAnswer(b)
		require.Equal(t, want, err)
		require.Equal(t, want, logwire.ParseError(b))
	}
	_, ok := logwire.AppendError(nil, io.EOF)
	require.False(t, ok)
	for _, stored := range []bool{false, true} {
		want := logwire.AppendAnswer{Stored: stored, Mark: 1<<64 - 1, FirstID: 3}
		got, err := logwire.ParseAppendAnswer(want.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestBatchLimits(t *testing.T) {
	head := logwire.BatchHead{Epoch: 1, Sequence: 1, Count: logwire.MaxBatchRecords}
	b := logwire.AppendBatchHead(nil, head)
	_, _, err := logwire.ParseBatchHead(append(b, make([]byte, logwire.MaxBatch-len(b))...))
	require.NoError(t, err)
	_, _, err = logwire.ParseBatchHead(append(b, make([]byte, logwire.MaxBatch-len(b)+1)...))
	requireField(t, err, logwire.ErrTooLarge, "batch")
	for field, change := range map[string]func(h *logwire.BatchHead){
		"epoch": func(h *logwire.BatchHead) { h.Epoch = 0 }, "sequence": func(h *logwire.BatchHead) { h.Sequence = 0 },
		"count": func(h *logwire.BatchHead) { h.Count = 0 },
	} {
		h := head
		change(&h)
		_, _, err := logwire.ParseBatchHead(logwire.AppendBatchHead(nil, h))
		requireField(t, err, logwire.ErrMalformed, field)
	}
	head.Count++
	_, _, err = logwire.ParseBatchHead(logwire.AppendBatchHead(nil, head))
	requireField(t, err, logwire.ErrTooLarge, "count")
	b[0]++
	_, _, err = logwire.ParseBatchHead(b)
	requireField(t, err, logwire.ErrMalformed, "version")
}

// The error of a record names it.
func TestCheckRecordsNamesTheRecord(t *testing.T) {
	h, records, err := logwire.ParseBatchHead(sampleBatch())
	require.NoError(t, err)
	seen := 0
	err = logwire.CheckRecords(records, h.Count, func(*logwire.View) error {
		if seen++; seen == 2 {
			return &logwire.FieldError{Field: "time", Kind: logwire.ErrTime}
		}
		return nil
	})
	var e *logwire.FieldError
	require.ErrorAs(t, err, &e)
	require.Equal(t, 1, e.Record)
	require.Error(t, logwire.CheckRecords(records, h.Count+1, nil))
	require.Error(t, logwire.CheckRecords(records, h.Count-1, nil))
}

func TestRequestLimits(t *testing.T) {
	for _, over := range []int{0, 1} {
		text := strings.Repeat("x", logwire.MaxQuery+over)
		_, query := logwire.ParseQueryRequest(logwire.AppendQueryRequest(nil, logwire.QueryRequest{Text: text}))
		_, tail := logwire.ParseTailRequest(logwire.AppendTailRequest(nil, logwire.TailRequest{Text: text}))
		_, limit := logwire.ParseQueryRequest(logwire.AppendQueryRequest(nil, logwire.QueryRequest{Limit: logwire.MaxLimit + over}))
		if over == 0 {
			require.NoError(t, errors.Join(query, tail, limit))
			continue
		}
		requireField(t, query, logwire.ErrTooLarge, "text")
		requireField(t, tail, logwire.ErrTooLarge, "text")
		requireField(t, limit, logwire.ErrTooLarge, "limit")
	}
	q, err := logwire.ParseQueryRequest(logwire.AppendQueryRequest(nil, logwire.QueryRequest{}))
	require.NoError(t, err)
	require.Equal(t, logwire.DefaultLimit, q.Limit)
	_, err = logwire.ParseTailRequest(logwire.AppendTailRequest(nil, logwire.TailRequest{Text: "\xff"}))
	requireField(t, err, logwire.ErrUTF8, "text")
}

func frames() []byte {
	r := sample()
	b := logwire.AppendPositionFrame(nil, 4)
	b = logwire.AppendRecordFrame(b, 5, logwire.AppendRecord(nil, &r))
	b = logwire.AppendMissedFrame(b, 6, 12)
	return logwire.AppendEndFrame(b, logwire.End{Cursor: 13, Reason: "end", Plan: logwire.Plan{Read: 1}})
}

// The frames are the same however the stream is cut into pieces, and every cut of the stream is seen.
func TestFrames(t *testing.T) {
	whole := frames()
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		kinds, err := readFrames(wrap(bytes.NewReader(whole)))
		require.NoError(t, err)
		require.Equal(t, []logwire.FrameKind{logwire.FramePosition, logwire.FrameRecord, logwire.FrameMissed, logwire.FrameEnd}, kinds)
	}
	for n := range whole {
		kinds, err := readFrames(bytes.NewReader(whole[:n]))
		if err == nil {
			require.Less(t, len(kinds), 4) // It ends between two frames, without an end.
		} else {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
}

func readFrames(r io.Reader) (kinds []logwire.FrameKind, err error) {
	f := logwire.NewFrameReader(r)
	for {
		frame, err := f.Next()
		if err == io.EOF {
			return kinds, nil
		}
		if err != nil {
			return kinds, err
		}
		kinds = append(kinds, frame.Kind)
	}
}

func TestFrameLimits(t *testing.T) {
	for _, over := range []int{0, 1} {
		_, record := readFrames(bytes.NewReader(logwire.AppendRecordFrame(nil, 1, make([]byte, logwire.MaxRecord+over))))
		end := binary.BigEndian.AppendUint32([]byte{byte(logwire.FrameEnd)}, uint32(logwire.MaxEnd+over))
		end = append(append(end, "{}"...), bytes.Repeat([]byte(" "), logwire.MaxEnd+over-2)...)
		_, ended := readFrames(bytes.NewReader(end))
		if over == 0 {
			require.NoError(t, errors.Join(record, ended))
			continue
		}
		requireField(t, record, logwire.ErrTooLarge, "frame")
		requireField(t, ended, logwire.ErrTooLarge, "frame")
	}
	_, err := readFrames(bytes.NewReader([]byte{9}))
	requireField(t, err, logwire.ErrMalformed, "frame")
	_, err = readFrames(bytes.NewReader([]byte{byte(logwire.FrameEnd), 0, 0, 0, 1, '{'}))
	requireField(t, err, logwire.ErrMalformed, "frame")
}
