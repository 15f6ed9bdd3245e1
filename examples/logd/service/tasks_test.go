package service_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/examples/logd/store"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

func TestAppend(t *testing.T) {
	r := newRig(t, 0, service.Options{}, nil)
	b, err := r.call(logwire.TaskAppend, batch(1, lines(3, "a", 10)...))
	require.NoError(t, err)
	answer, err := logwire.ParseAppendAnswer(b)
	require.NoError(t, err)
	require.Equal(t, logwire.AppendAnswer{Stored: true, Mark: 1, FirstID: 1}, answer)
	require.EqualValues(t, 4, r.store.Head())
}

// Whatever is wrong with a request, its field is named, nothing is stored, and the session goes on.
func TestBadRequests(t *testing.T) {
	bad := func(change func(r *logwire.Record)) []byte {
		records := lines(3, "a", 10)
		change(&records[1])
		return batch(1, records...)
	}
	query := func(text string) []byte {
		return logwire.AppendQueryRequest(nil, logwire.QueryRequest{Text: text})
	}
	for name, test := range map[string]struct {
		task    serial.TaskCode
		message []byte
		record  int
		field   string
		kind    error
	}{
		"empty":         {logwire.TaskAppend, nil, logwire.NoRecord, "batch", logwire.ErrMalformed},
		"version":       {logwire.TaskAppend, make([]byte, 100), logwire.NoRecord, "version", logwire.ErrMalformed},
		"no record":     {logwire.TaskAppend, batch(1), logwire.NoRecord, "count", logwire.ErrMalformed},
		"sequence":      {logwire.TaskAppend, batch(0, lines(1, "a", 1)...), logwire.NoRecord, "sequence", logwire.ErrMalformed},
		"cut":           {logwire.TaskAppend, batch(1, lines(3, "a", 10)...)[:100], 1, "length", logwire.ErrMalformed},
		"UTF-8":         {logwire.TaskAppend, bad(func(r *logwire.Record) { r.Message = "\xff" }), 1, "message", logwire.ErrUTF8},
		"no service":    {logwire.TaskAppend, bad(func(r *logwire.Record) { r.Service = "" }), 1, "service", logwire.ErrMalformed},
		"oversize":      {logwire.TaskAppend, bad(func(r *logwire.Record) { r.Message = string(make([]byte, logwire.MaxMessage+1)) }), 1, "message", logwire.ErrTooLarge},
		"level":         {logwire.TaskAppend, bad(func(r *logwire.Record) { r.Level = 9 }), 1, "level", logwire.ErrMalformed},
		"future":        {logwire.TaskAppend, bad(func(r *logwire.Record) { r.Time += int64(25 * time.Hour) }), 1, "time", logwire.ErrTime},
		"ancient":       {logwire.TaskAppend, bad(func(r *logwire.Record) { r.Time = 0 }), 1, "time", logwire.ErrTime},
		"query":         {logwire.TaskQuery, []byte{1}, logwire.NoRecord, "query", logwire.ErrMalformed},
		"query text":    {logwire.TaskQuery, query(`level>=`), logwire.NoRecord, "query", logwire.ErrQuery},
		"query UTF-8":   {logwire.TaskQuery, query("\xff"), logwire.NoRecord, "text", logwire.ErrUTF8},
		"query long":    {logwire.TaskQuery, query(string(make([]byte, logwire.MaxQuery+1))), logwire.NoRecord, "text", logwire.ErrTooLarge},
		"query longest": {logwire.TaskQuery, append(query(""), make([]byte, 128<<10-len(query("")))...), logwire.NoRecord, "text", logwire.ErrMalformed},
		"limit": {logwire.TaskQuery, logwire.AppendQueryRequest(nil, logwire.QueryRequest{Limit: logwire.MaxLimit + 1}),
			logwire.NoRecord, "limit", logwire.ErrTooLarge},
		"tail": {logwire.TaskTail, nil, logwire.NoRecord, "tail", logwire.ErrMalformed},
		"tail text": {logwire.TaskTail, logwire.AppendTailRequest(nil, logwire.TailRequest{Text: `level>=`}),
			logwire.NoRecord, "query", logwire.ErrQuery},
		"tail cursor": {logwire.TaskTail, logwire.AppendTailRequest(nil, logwire.TailRequest{Cursor: 7}),
			logwire.NoRecord, "cursor", logwire.ErrMalformed},
		"stats": {logwire.TaskStats, []byte{1}, logwire.NoRecord, "stats", logwire.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 0, service.Options{}, nil)
			r.store.add(lines(5, "a", 10)...)
			c := r.dial()
			answer, err := c.Call(t.Context(), test.task, test.message)
			require.NoError(t, err)
			var field *logwire.FieldError
			require.ErrorAs(t, logwire.ParseError(answer), &field)
			require.Equal(t, test.field, field.Field, field)
			require.Equal(t, test.record, field.Record)
			require.ErrorIs(t, field, test.kind)
			require.EqualValues(t, 6, r.store.Head())
			_, err = c.Call(t.Context(), logwire.TaskAppend, batch(1, line("a", 1)))
			require.NoError(t, err)
		})
	}
}

// A batch of exactly the limit is stored, and one with a byte more is too large.
func TestLargestBatch(t *testing.T) {
	r := newRig(t, 0, service.Options{}, nil)
	records := lines(16, "a", logwire.MaxMessage)
	records = append(records, lines(15, "a", logwire.MaxMessage)...)
	whole := func(last int) []byte { return batch(1, append(records, line("a", last))...) }
	fits := logwire.MaxBatch - len(whole(1)) + 1
	for more, want := range map[int]serial.ErrorCode{0: 0, 1: serial.ErrorTooLarge} {
		_, err := r.call(logwire.TaskAppend, whole(fits+more))
		if want == 0 {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, want, codeOf(t, err))
	}
	require.EqualValues(t, 33, r.store.Head())
}

// A request that is too long even to be told what is wrong with it.
func TestEndlessRequest(t *testing.T) {
	for _, task := range []serial.TaskCode{logwire.TaskQuery, logwire.TaskTail, logwire.TaskStats} {
		r := newRig(t, 0, service.Options{}, nil)
		_, err := r.call(task, make([]byte, 128<<10+1))
		require.Equal(t, serial.ErrorTooLarge, codeOf(t, err))
	}
}

// What the store says of a batch is what the client is told.
func TestRefusals(t *testing.T) {
	for name, want := range map[string]error{
		"gap":       &logwire.GapError{Expected: 7},
		"fenced":    &logwire.FencedError{Epoch: 9},
		"read-only": &logwire.ReadOnlyError{Reason: "disk space below 512 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 0, service.Options{}, nil)
			r.store.fail = want
			b, err := r.call(logwire.TaskAppend, batch(1, line("a", 1)))
			require.NoError(t, err)
			_, err = logwire.ParseAppendAnswer(b)
			require.Equal(t, want, err)
		})
	}
}

func TestBusyStore(t *testing.T) {
	r := newRig(t, 0, service.Options{}, nil)
	r.store.fail = store.ErrBusy
	c := r.dial()
	_, err := c.Call(t.Context(), logwire.TaskAppend, batch(1, line("a", 1)))
	require.Equal(t, serial.ErrorBusy, codeOf(t, err))
	require.EqualValues(t, 1, statsOf(t, c).Busy)
}

// Where the store has failed nobody knows what became of the batch, and nobody says anything.
func TestFailedStoreAnswersNothing(t *testing.T) {
	r := newRig(t, 0, service.Options{}, nil)
	r.store.fail = errors.New("disk on fire")
	_, err := r.call(logwire.TaskAppend, batch(1, line("a", 1)))
	var failed *serialclient.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, serialclient.Unknown, failed.Outcome)
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{}, nil)
		r.store.add(lines(3, "a", 1)...)
		r.tail(0, "").wants(logwire.FramePosition, 4)
		f := r.query(logwire.QueryRequest{})
		f.wants(logwire.FrameRecord, 1, 2, 3)
		time.Sleep(90 * time.Second)
		require.Equal(t, logwire.Stats{NextID: 4, FirstID: 1, Queries: 1, Tails: 1, UptimeSeconds: 90}, statsOf(t, r.dial()))
	})
}

// statsOf asks for the stats.
func statsOf(t *testing.T, c *serialclient.Client) (stats logwire.Stats) {
	b, err := c.Call(t.Context(), logwire.TaskStats, nil)
	require.NoError(t, err)
	require.EqualValues(t, logwire.StatusOK, b[0])
	d := json.NewDecoder(bytes.NewReader(b[1:]))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&stats))
	return stats
}

func TestTasksHaveNames(t *testing.T) {
	r := newRig(t, 0, service.Options{}, nil)
	d, err := r.dial().Describe(t.Context())
	require.NoError(t, err)
	names := map[serial.TaskCode]string{}
	for _, task := range d.Tasks {
		names[task.Code] = task.Name
	}
	require.Equal(t, map[serial.TaskCode]string{1: "append", 2: "query", 3: "tail", 4: "stats"}, names)
}
