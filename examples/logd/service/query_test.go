package service_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

func TestQuery(t *testing.T) {
	r := newRig(t, 0, service.Options{}, nil)
	for range 500 {
		r.store.add(line("a", 1000), line("b", 1000))
	}
	f := r.query(logwire.QueryRequest{Text: "service:b", Limit: 300, Cursor: 101})
	for id := range uint64(300) {
		frame := f.next()
		require.Equal(t, 102+2*id, frame.ID)
		require.Equal(t, r.store.record(frame.ID), frame.Record)
	}
	end := f.next()
	require.Equal(t, logwire.FrameEnd, end.Kind)
	require.Equal(t, "limit", end.End.Reason)
	require.EqualValues(t, 702, end.End.Cursor)
	require.EqualValues(t, 300, end.End.Plan.Matched)
	f.ends()
}

// So many queries run at a time; others wait for their turn, and are busy after a while.
func TestQueriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{Queries: 2}, nil)
		r.store.add(line("a", 1))
		r.store.hold = make(chan struct{})
		var answers []*frames
		for range 2 {
			c := r.dial()
			go func() {
				c.Call(t.Context(), logwire.TaskQuery, logwire.AppendQueryRequest(nil, logwire.QueryRequest{}))
			}()
		}
		synctest.Wait()
		begun := time.Now()
		_, err := r.call(logwire.TaskQuery, logwire.AppendQueryRequest(nil, logwire.QueryRequest{}))
		require.Equal(t, serial.ErrorBusy, codeOf(t, err))
		require.Equal(t, service.DefaultQueryWait, time.Since(begun))
		require.EqualValues(t, 1, statsOf(t, r.dial()).Busy)

		close(r.store.hold)
		synctest.Wait()
		answers = append(answers, r.query(logwire.QueryRequest{}))
		answers[0].wants(logwire.FrameRecord, 1)
		require.EqualValues(t, 3, statsOf(t, r.dial()).Queries)
	})
}

// A client that goes away, in the middle of the search or of the answer, ends its query, and its place is free.
func TestQueryIsCancelled(t *testing.T) {
	for name, held := range map[string]bool{"while it searches": true, "while it is sent": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 0, service.Options{Queries: 1, QueryWait: -1}, nil)
				r.store.add(lines(1000, "a", 1000)...)
				r.store.queried = make(chan context.Context, 1)
				if held {
					r.store.hold = make(chan struct{})
				}
				c := r.dial()
				s, err := c.Stream(t.Context(), logwire.TaskQuery, bytesReader(logwire.AppendQueryRequest(nil, logwire.QueryRequest{Limit: 1000})))
				require.NoError(t, err)
				running := <-r.store.queried
				synctest.Wait()
				require.NoError(t, running.Err())
				s.Close()
				c.Close()
				time.Sleep(time.Second)
				synctest.Wait()
				require.ErrorIs(t, running.Err(), context.Canceled)
				if held {
					close(r.store.hold)
				}
				r.query(logwire.QueryRequest{Limit: 1}).wants(logwire.FrameRecord, 1)
				<-r.store.queried
			})
		})
	}
}

// An answer that is broken off never looks like a whole one.
func TestQueryCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{}, nil)
		r.store.add(lines(100, "a", 1000)...)
		r.store.hold = make(chan struct{}, 100)
		for range 70 {
			r.store.hold <- struct{}{}
		}
		f := r.query(logwire.QueryRequest{})
		f.wants(logwire.FrameRecord, 1)
		r.server.Disconnect(time.Second)
		for {
			frame, err := f.Next()
			if err != nil {
				require.NotEqual(t, "EOF", err.Error())
				break
			}
			require.Equal(t, logwire.FrameRecord, frame.Kind)
		}
	})
}

// A client that takes nothing of the answer holds its place for no longer than the write timeout.
func TestSlowQueryIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{Queries: 1, QueryWait: time.Minute}, &serialserver.Timeout{Write: 20 * time.Second})
		r.store.add(lines(1000, "a", 1000)...)
		r.query(logwire.QueryRequest{Limit: 1000}).wants(logwire.FrameRecord, 1)
		synctest.Wait()
		begun := time.Now()
		r.query(logwire.QueryRequest{Limit: 1}).wants(logwire.FrameRecord, 1)
		require.LessOrEqual(t, time.Since(begun), 41*time.Second, "on what is no socket it may be twice as long")
	})
}

// Nor does one that takes its answer bit by bit: it has a minute in all.
func TestDrippingQueryIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{Queries: 1, QueryWait: time.Hour}, &serialserver.Timeout{Write: 30 * time.Second})
		r.store.add(lines(1000, "a", 1000)...)
		f := r.query(logwire.QueryRequest{Limit: 1000})
		go func() {
			for {
				time.Sleep(10 * time.Second)
				for range 20 {
					if _, err := f.Next(); err != nil {
						return
					}
				}
			}
		}()
		synctest.Wait()
		begun := time.Now()
		r.query(logwire.QueryRequest{Limit: 1}).wants(logwire.FrameRecord, 1)
		took := time.Since(begun)
		require.GreaterOrEqual(t, took, 31*time.Second, "it was not the write timeout")
		require.LessOrEqual(t, took, 91*time.Second)
		time.Sleep(30 * time.Minute)
	})
}
