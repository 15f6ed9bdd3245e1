package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

// got collects what a query emits.
type got struct {
	ids      []uint64
	messages []string
}

func (g *got) emit(id uint64, b []byte) error {
	var v logwire.View
	if err := logwire.ParseRecord(b, &v); err != nil {
		return err
	}
	g.ids, g.messages = append(g.ids, id), append(g.messages, string(v.Message))
	return nil
}

// fill appends 30 batches of 3 to 5 records of three producers, and seals the first two thirds in two files.
func fill(t testing.TB, s *Store) (messages []string) {
	for i := range 30 {
		p, sequence, count := byte(1+i%3), uint64(1+i/3), 3+i%3
		mustAppend(t, s, batch(p, 1, sequence, count))
		for n := range count {
			messages = append(messages, fmt.Sprintf("%d/1/%d/%d", p, sequence, n))
		}
		if i == 9 || i == 19 {
			require.NoError(t, s.Seal(context.Background()))
		}
	}
	return messages
}

func parse(t testing.TB, text string) *query.Filter {
	f, err := query.Parse(text, epochTime)
	require.NoError(t, err)
	return f
}

func TestPagesOfEverySizeAndBothDirectionsGiveEveryRecordOnce(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	messages := fill(t, s)
	require.Equal(t, int64(41), s.Stats().Unsealed)
	require.Positive(t, s.Stats().Blocks)
	for limit := 1; limit <= len(messages)+1; limit++ {
		for _, back := range []bool{false, true} {
			var all got
			req := logwire.QueryRequest{NewestFirst: back, Limit: limit}
			for pages := 0; ; pages++ {
				n := len(all.ids)
				end := s.Query(context.Background(), nil, req, all.emit)
				require.Empty(t, end.Error)
				require.LessOrEqual(t, len(all.ids)-n, limit)
				if end.Reason == "end" {
					require.Zero(t, end.Cursor)
					break
				}
				require.Equal(t, "limit", end.Reason)
				req.Cursor = end.Cursor
			}
			require.Len(t, all.ids, len(messages))
			for i, id := range all.ids {
				want := i
				if back {
					want = len(messages) - 1 - i
				}
				require.Equal(t, uint64(want+1), id)
				require.Equal(t, messages[want], all.messages[i])
			}
		}
	}
}

func TestThePlanSaysWhatWasSkipped(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	messages := fill(t, s)
	ask := func(text string) (logwire.End, got) {
		var g got
		return s.Query(context.Background(), parse(t, text), logwire.QueryRequest{Limit: 1000}, g.emit), g
	}
	blocks := int(s.Stats().Blocks)

	end, g := ask("")
	require.Len(t, g.ids, len(messages))
	require.Equal(t, blocks, end.Plan.Blocks)
	require.Equal(t, blocks, end.Plan.Read)
	require.Equal(t, s.Stats().BlockBytes, end.Plan.ReadBytes)
	require.Equal(t, int64(len(messages)), end.Plan.Scanned)
	require.Equal(t, int64(41), end.Plan.Unsealed)

	end, g = ask("service:nobody")
	require.Empty(t, g.ids)
	require.Equal(t, blocks, end.Plan.SkippedService)
	require.Zero(t, end.Plan.Read)

	end, g = ask("quokka")
	require.Empty(t, g.ids)
	require.Positive(t, end.Plan.SkippedTokens)

	end, g = ask("since:2030-01-01")
	require.Empty(t, g.ids)
	require.Equal(t, blocks, end.Plan.SkippedTime)

	_, g = ask("service:service2 n=2")
	for _, m := range g.messages {
		require.Regexp(t, `^2/1/\d+/2$`, m)
	}
	require.Len(t, g.messages, 10)
}

func TestALimitThatIsReachedEndsTheScan(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	fill(t, s)
	var g got
	end := s.Query(context.Background(), parse(t, `n=0 service:service1`), logwire.QueryRequest{Limit: 1}, g.emit)
	require.Equal(t, logwire.End{Cursor: 2, Reason: "limit", Plan: end.Plan}, end)
	require.Equal(t, int64(1), end.Plan.Scanned)
	require.Equal(t, 1, end.Plan.Blocks)
}

func TestQueriesAreBoundedAndGoOnWithTheirCursor(t *testing.T) {
	now := epochTime
	s := open(t, vfs.NewMem(), func(o *Options) {
		o.QueryBytes = 1
		o.Now = func() time.Time { return now }
	})
	messages := fill(t, s)
	var g got
	req := logwire.QueryRequest{Limit: 1000}
	end := s.Query(context.Background(), nil, req, g.emit)
	require.Equal(t, "bytes", end.Reason)
	require.Equal(t, 1, end.Plan.Read, "one block, since the bound is looked at between blocks")
	for end.Reason == "bytes" {
		req.Cursor = end.Cursor
		end = s.Query(context.Background(), nil, req, g.emit)
	}
	require.Equal(t, messages, g.messages)

	s.o.QueryBytes = DefaultQueryBytes
	end = s.Query(context.Background(), nil, logwire.QueryRequest{Limit: 1000}, func(uint64, []byte) error {
		now = now.Add(s.o.QueryTime)
		return nil
	})
	require.Equal(t, "time", end.Reason)
	require.Equal(t, uint64(8), end.Cursor, "after the first block")
}

func TestACancelledQuerySaysWhereItWas(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	fill(t, s)
	ctx, cancel := context.WithCancelCause(context.Background())
	gone := errors.New("gone")
	end := s.Query(ctx, nil, logwire.QueryRequest{Limit: 1000}, func(id uint64, _ []byte) error {
		if id == 3 {
			cancel(gone)
		}
		return nil
	})
	require.Equal(t, "error", end.Reason)
	require.Equal(t, "gone", end.Error)
	require.Equal(t, uint64(8), end.Cursor)
	end = s.Query(context.Background(), nil, logwire.QueryRequest{Limit: 1000}, func(id uint64, _ []byte) error {
		if id == 3 {
			return gone
		}
		return nil
	})
	require.Equal(t, uint64(3), end.Cursor, "the record that emit refused comes again")
}

// TestLargeRecordsAreCheckedBetween: the time that a query takes for a record depends on its length, so fewer large ones are looked at before
// the context is.
func TestLargeRecordsAreCheckedBetween(t *testing.T) {
	s := open(t, vfs.NewMem(), func(o *Options) { o.MemTable = 16 << 20 })
	b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(1), Epoch: 1, Sequence: 1, Count: 20})
	r := record(1, 1, 1, 0)
	r.Message = strings.Repeat("x", logwire.MaxMessage)
	for range 20 {
		b = logwire.AppendBatchRecord(b, &r)
	}
	mustAppend(t, s, b)
	ctx, cancel := context.WithCancel(context.Background())
	end := s.Query(ctx, nil, logwire.QueryRequest{Limit: 1000}, func(uint64, []byte) error {
		cancel()
		return nil
	})
	require.Equal(t, "error", end.Reason)
	require.EqualValues(t, 2, end.Cursor)
}

func TestScanGoesUpToTheHead(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	messages := fill(t, s)
	var g got
	next, err := s.Scan(context.Background(), nil, 0, ^uint64(0), g.emit)
	require.NoError(t, err)
	require.Equal(t, s.Head(), next)
	require.Equal(t, messages, g.messages)
	g = got{}
	next, err = s.Scan(context.Background(), nil, 50, 60, g.emit)
	require.NoError(t, err)
	require.Equal(t, uint64(60), next)
	require.Equal(t, messages[49:59], g.messages)
	next, err = s.Scan(context.Background(), nil, s.Head(), s.Head()+5, g.emit)
	require.NoError(t, err)
	require.Equal(t, s.Head(), next)
}

func TestVerifyLooksAtEverything(t *testing.T) {
	s := open(t, vfs.NewMem(), nil)
	messages := fill(t, s)
	next, blocks := uint64(1), 0
	require.NoError(t, s.Verify(context.Background(), func(r BlockReport) {
		require.NoError(t, r.Err)
		require.Equal(t, next, r.IDs.First)
		require.Positive(t, r.Size)
		if next = r.IDs.End; r.File != "" {
			blocks++
		}
	}))
	require.Equal(t, uint64(len(messages)+1), next)
	require.Equal(t, s.Stats().Blocks, int64(blocks))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, s.Verify(ctx, func(BlockReport) { t.Error("after the cancellation") }), context.Canceled)
}
