package logwire_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// FuzzParseRecord: what is accepted is what AppendRecord makes of it, byte for byte, and what Check accepts.
func FuzzParseRecord(f *testing.F) {
	r := sample()
	f.Add(logwire.AppendRecord(nil, &r))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v logwire.View
		if err := logwire.ParseRecord(b, &v); err != nil {
			requireFieldError(t, err)
			return
		}
		r := v.Record()
		require.NoError(t, r.Check())
		require.Equal(t, b, logwire.AppendRecord(nil, &r))
	})
}

func requireFieldError(t *testing.T, err error) {
	var e *logwire.FieldError
	require.True(t, errors.As(err, &e), "%T: %v", err, err)
	require.NotEmpty(t, e.Field)
	require.NotNil(t, e.Kind)
}

// FuzzBatch: a batch that is accepted is made anew of its records, byte for byte.
func FuzzBatch(f *testing.F) {
	f.Add(sampleBatch())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, records, err := logwire.ParseBatchHead(b)
		if err != nil {
			requireFieldError(t, err)
			return
		}
		again := logwire.AppendBatchHead(nil, h)
		err = logwire.CheckRecords(records, h.Count, func(v *logwire.View) error {
			r := v.Record()
			again = logwire.AppendBatchRecord(again, &r)
			return nil
		})
		if err != nil {
			requireFieldError(t, err)
			return
		}
		require.Equal(t, b, again)
	})
}

// FuzzRequests: a request that is accepted is encoded as it was, but for a limit of 0.
func FuzzRequests(f *testing.F) {
	f.Add(logwire.AppendQueryRequest(nil, logwire.QueryRequest{Limit: 5, Text: "a"}))
	f.Add(logwire.AppendTailRequest(nil, logwire.TailRequest{Cursor: 5, Text: "a"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := logwire.ParseQueryRequest(b); err != nil {
			requireFieldError(t, err)
		} else {
			again := logwire.AppendQueryRequest(nil, q)
			if bytes.Equal(b[2:6], make([]byte, 4)) {
				copy(again[2:6], b[2:6])
			}
			require.Equal(t, b, again)
		}
		if r, err := logwire.ParseTailRequest(b); err != nil {
			requireFieldError(t, err)
		} else {
			require.Equal(t, b, logwire.AppendTailRequest(nil, r))
		}
	})
}

// FuzzAnswers: an answer is one thing, and encoded as it was.
func FuzzAnswers(f *testing.F) {
	f.Add(logwire.AppendAnswer{Stored: true, Mark: 1, FirstID: 2}.AppendTo(nil))
	for _, err := range []error{&logwire.GapError{}, &logwire.FencedError{}, &logwire.ReadOnlyError{Reason: "r"},
		&logwire.FieldError{Field: "f", Kind: logwire.ErrTime}} {
		b, _ := logwire.AppendError(nil, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := logwire.ParseAppendAnswer(b)
		if err == nil {
			require.Equal(t, b, a.AppendTo(nil))
			return
		}
		var e *logwire.FieldError
		if errors.As(err, &e) && e.Field == "answer" {
			return // It means nothing.
		}
		again, ok := logwire.AppendError(nil, err)
		require.True(t, ok)
		require.Equal(t, b, again)
	})
}

// FuzzFrames: the frames are the same however the stream comes, and no frame takes memory that a limit does not bound.
func FuzzFrames(f *testing.F) {
	f.Add(frames())
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err1 := readFrames(bytes.NewReader(b))
		other, err2 := readFrames(iotest.OneByteReader(bytes.NewReader(b)))
		require.Equal(t, one, other)
		require.Equal(t, err1, err2)
		if err1 != nil && !errors.Is(err1, io.ErrUnexpectedEOF) {
			requireFieldError(t, err1)
		}
	})
}
