package logclient_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// serve registers a task that is answered by answer.
func (f *fake) serve(task serial.TaskCode, answer func(ctx context.Context, request []byte) (io.Reader, error)) {
	f.server.Register(task, func(ctx context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
		b, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		out, err := answer(ctx, b)
		if refusal, ok := logwire.AppendError(nil, err); ok {
			return binaryutil.NewBuffer(binary.BigEndian, refusal), nil
		}
		return out, err
	}, "")
}

// live is an answer that is written while it is sent. It ends with its task.
func live(ctx context.Context, write func(w io.Writer) error) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { _ = w.CloseWithError(context.Cause(ctx)) })
	go func() { _ = w.CloseWithError(write(w)) }()
	return r
}

func encoded(message string) []byte {
	r := record(message)
	return logwire.AppendRecord(nil, &r)
}

func newReader(t *testing.T, f *fake) *logclient.Reader {
	r, err := logclient.NewReader(logclient.Options{Dialer: f.dial})
	require.NoError(t, err)
	return r
}

func TestQuery(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.serve(logwire.TaskQuery, func(_ context.Context, b []byte) (io.Reader, error) {
			q, err := logwire.ParseQueryRequest(b)
			if err != nil {
				return nil, err
			}
			answer := []byte{byte(logwire.StatusOK)}
			for i := range uint64(3) {
				answer = logwire.AppendRecordFrame(answer, 10+i, encoded(q.Text))
			}
			answer = logwire.AppendEndFrame(answer, logwire.End{Cursor: 13, Reason: "limit"})
			return binaryutil.NewBuffer(binary.BigEndian, answer), nil
		})
		c := newClient(t, f, logclient.Options{})
		rows, err := c.Query(context.Background(), logwire.QueryRequest{Text: "x", Limit: 3})
		require.NoError(t, err)
		_, ended := rows.End()
		require.False(t, ended)
		for i := range uint64(3) {
			require.True(t, rows.Next())
			require.Equal(t, 10+i, rows.ID())
			require.Equal(t, "x", string(rows.Record().Message))
		}
		require.False(t, rows.Next())
		require.NoError(t, rows.Err())
		end, ended := rows.End()
		require.True(t, ended)
		require.EqualValues(t, 13, end.Cursor)
		require.NoError(t, rows.Close())
		require.NoError(t, rows.Close())
		require.False(t, rows.Next())

		_, err = c.Query(context.Background(), logwire.QueryRequest{Limit: logwire.MaxLimit + 1})
		var field *logwire.FieldError
		require.ErrorAs(t, err, &field)
		require.Equal(t, "limit", field.Field)
		finish(t, c)
	})
}

// An answer that breaks off is never taken for a complete one, wherever it does.
func TestQueryCut(t *testing.T) {
	whole := logwire.AppendRecordFrame([]byte{byte(logwire.StatusOK)}, 1, encoded("m"))
	whole = logwire.AppendEndFrame(whole, logwire.End{Reason: "end"})
	for n := range len(whole) {
		for _, broken := range []bool{false, true} {
			run(t, func(t *testing.T, f *fake) {
				f.serve(logwire.TaskQuery, func(ctx context.Context, _ []byte) (io.Reader, error) {
					return live(ctx, func(w io.Writer) error {
						_, _ = w.Write(whole[:n])
						if broken {
							return errDie
						}
						return nil
					}), nil
				})
				rows, err := newReader(t, f).Query(context.Background(), logwire.QueryRequest{})
				if err != nil {
					require.Zero(t, n)
					return
				}
				for rows.Next() {
				}
				require.Error(t, rows.Err())
				_, ended := rows.End()
				require.False(t, ended)
				require.NoError(t, rows.Close())
			})
		}
	}
}

// Closing the rows cancels the query.
func TestQueryCancel(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		cancelled := make(chan struct{})
		f.serve(logwire.TaskQuery, func(ctx context.Context, _ []byte) (io.Reader, error) {
			return live(ctx, func(w io.Writer) error {
				_, _ = w.Write(logwire.AppendRecordFrame([]byte{byte(logwire.StatusOK)}, 1, encoded("m")))
				<-ctx.Done()
				close(cancelled)
				return ctx.Err()
			}), nil
		})
		rows, err := newReader(t, f).Query(context.Background(), logwire.QueryRequest{})
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.NoError(t, rows.Close())
		require.ErrorIs(t, rows.Err(), logclient.ErrClosed)
		<-cancelled
	})
}

// A tail goes on where it was after its connection has failed, and tells what it has missed.
func TestTail(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		var cursors []uint64
		f.serve(logwire.TaskTail, func(ctx context.Context, b []byte) (io.Reader, error) {
			request, err := logwire.ParseTailRequest(b)
			if err != nil {
				return nil, err
			}
			cursors = append(cursors, request.Cursor)
			next := max(request.Cursor, 5)
			return live(ctx, func(w io.Writer) error {
				answer := logwire.AppendPositionFrame([]byte{byte(logwire.StatusOK)}, next)
				switch len(cursors) {
				case 1: // cut within the second record
					answer = logwire.AppendRecordFrame(answer, next, encoded("a"))
					answer = logwire.AppendRecordFrame(answer, next+1, encoded("b"))
					answer = answer[:len(answer)-1]
				case 2: // one that was told already, and one that is new
					answer = logwire.AppendRecordFrame(answer, next-1, encoded("a"))
					answer = logwire.AppendRecordFrame(answer, next, encoded("b"))
					answer = logwire.AppendMissedFrame(answer, 4, next+5)
				case 3: // silence
					_, _ = w.Write(answer)
					<-ctx.Done()
					return ctx.Err()
				default:
					answer = logwire.AppendRecordFrame(answer, next, encoded("c"))
					answer = logwire.AppendPositionFrame(answer, next+100)
				}
				_, _ = w.Write(answer)
				return errDie
			}), nil
		})
		tail := newReader(t, f).Tail(context.Background(), logwire.TailRequest{Text: "x"})
		var got []string
		var ids []uint64
		start := time.Now()
		for len(got) < 3 {
			e, err := tail.Next()
			require.NoError(t, err)
			if e.Record == nil {
				require.EqualValues(t, 4, e.Missed)
				require.EqualValues(t, 11, tail.Cursor())
				continue
			}
			got, ids = append(got, string(e.Record.Message)), append(ids, e.ID)
		}
		require.Equal(t, []string{"a", "b", "c"}, got)
		require.Equal(t, []uint64{5, 6, 11}, ids)
		require.GreaterOrEqual(t, time.Since(start), logclient.DefaultSilence)
		require.Equal(t, []uint64{0, 6, 11, 11}, cursors)
		go func() {
			time.Sleep(time.Minute)
			tail.Close()
		}()
		for {
			if _, err := tail.Next(); err != nil {
				require.ErrorIs(t, err, logclient.ErrClosed)
				break
			}
		}
		synctest.Wait()
	})
}

// What the collector refuses for what it says is not asked again.
func TestTailRefused(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.serve(logwire.TaskTail, func(context.Context, []byte) (io.Reader, error) {
			return nil, &logwire.FieldError{Record: logwire.NoRecord, Field: "query", Kind: logwire.ErrQuery}
		})
		tail := newReader(t, f).Tail(context.Background(), logwire.TailRequest{})
		_, err := tail.Next()
		require.ErrorIs(t, err, logwire.ErrQuery)
		require.Equal(t, 1, f.dials)

		f.set(func() { f.away = true })
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Hour, errors.New("that is enough"))
		defer cancel()
		_, err = newReader(t, f).Tail(ctx, logwire.TailRequest{}).Next()
		require.EqualError(t, err, "that is enough")
		require.Greater(t, f.dials, 100, "it must try again")
	})
}

func TestServerStats(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.serve(logwire.TaskStats, func(context.Context, []byte) (io.Reader, error) {
			b, err := json.Marshal(logwire.Stats{NextID: 42})
			return binaryutil.NewBuffer(binary.BigEndian, append([]byte{byte(logwire.StatusOK)}, b...)), err
		})
		c := newClient(t, f, logclient.Options{})
		s, err := c.ServerStats(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 42, s.NextID)
		f.serve(logwire.TaskStats, func(context.Context, []byte) (io.Reader, error) { return nil, errBusy })
		_, err = c.ServerStats(context.Background())
		var code serial.ErrorCoder
		require.ErrorAs(t, err, &code)
		finish(t, c)
	})
}

func TestBadAddress(t *testing.T) {
	for _, address := range []string{"localhost:1", "tcp://", "tcp://nowhere", "udp://h:1", "unix://"} {
		_, err := logclient.NewReader(logclient.Options{Address: address})
		require.ErrorIs(t, err, logclient.ErrAddress, address)
	}
	for _, address := range []string{"", "tcp://[::1]:1", "unix:///x"} {
		_, err := logclient.NewReader(logclient.Options{Address: address})
		require.NoError(t, err, address)
	}
}
