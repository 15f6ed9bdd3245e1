package serialserver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
)

// script is a connection that gives its requests without waiting and swallows the answers.
type script struct {
	net.Conn
	requests *bytes.Reader
}

func (s script) Read(p []byte) (int, error)       { return s.requests.Read(p) }
func (s script) Write(p []byte) (int, error)      { return len(p), nil }
func (s script) Close() error                     { return nil }
func (s script) SetReadDeadline(time.Time) error  { return nil }
func (s script) SetWriteDeadline(time.Time) error { return nil }
func (s script) RemoteAddr() net.Addr             { return nil }
func (s script) LocalAddr() net.Addr              { return nil }

// A task costs one allocation, and none more for being coded, large or unread. One that asks for
// its context costs that context too.
func TestAllocationsOfATask(t *testing.T) {
	answer := bytes.NewReader(make([]byte, 10_000))
	for name, test := range map[string]struct {
		f     task
		limit float64
	}{
		"empty":      {empty, 1},
		"echo":       {echo, 1},
		"error":      {fails(coded(7)), 1},
		"wrapped":    {fails(fmt.Errorf("wrapped: %w", coded(7))), 2}, // errors.As
		"large":      {func(ctx, client, reader) (io.Reader, error) { answer.Seek(0, io.SeekStart); return answer, nil }, 1},
		"looks":      {func(c ctx, _ client, _ reader) (io.Reader, error) { _ = c.Err(); return nil, nil }, 1},
		"is stopped": {func(c ctx, _ client, _ reader) (io.Reader, error) { c.Done(); return nil, nil }, 10},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(nil, test.f)
			// The race detector makes a sync.Pool forget every fourth buffer.
			require.LessOrEqual(t, perTask(t, srv), test.limit+0.5)
		})
	}
}

// perTask returns how much more a connection of 1100 tasks allocates than one of 100.
func perTask(t *testing.T, srv *serialserver.Server) float64 {
	allocs := func(tasks int) float64 {
		requests := bytes.Repeat(request(testTask, "message"), tasks)
		return testing.AllocsPerRun(10, func() {
			if err := srv.HandleConnection(context.Background(), script{requests: bytes.NewReader(requests)}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	return (allocs(1100) - allocs(100)) / 1000
}
