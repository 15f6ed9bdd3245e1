package logclient_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serial"
)

// tailing is a collector whose first tail is busy, and whose others send a record each and break off.
func tailing(f *fake) {
	calls := uint64(0)
	f.serve(logwire.TaskTail, func(ctx context.Context, _ []byte) (io.Reader, error) {
		if calls++; calls == 1 {
			return nil, serial.Errorf(serial.ErrorBusy, "busy")
		}
		id := calls
		return live(ctx, func(w io.Writer) error {
			_, _ = w.Write(logwire.AppendRecordFrame([]byte{byte(logwire.StatusOK)}, id, encoded("m")))
			return errDie
		}), nil
	})
}

// Connect tries once, and says what has failed; Next goes on whatever that was, and tells OnFailure.
func TestTailTellsOfFailures(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		tailing(f)
		tail := newReader(t, f).Tail(context.Background(), logwire.TailRequest{})
		defer tail.Close()
		var failures []error
		tail.OnFailure = func(err error) {
			require.Equal(t, tail.Err(), err)
			failures = append(failures, err)
		}
		err := tail.Connect()
		var code serial.ErrorCoder
		require.ErrorAs(t, err, &code)
		require.Equal(t, serial.ErrorBusy, code.ErrorCode())
		require.Equal(t, err, tail.Err())
		require.NoError(t, tail.Connect())
		require.NoError(t, tail.Connect(), "there is one")
		for id := uint64(2); id < 5; id++ {
			event, err := tail.Next()
			require.NoError(t, err)
			require.Equal(t, id, event.ID)
			require.Len(t, failures, int(id-2), "before it connects again, and not for what Connect has returned")
		}
		require.NoError(t, tail.Err())
	})
}

// Connect ends as Next does.
func TestTailConnectEnds(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		tail := newReader(t, f).Tail(context.Background(), logwire.TailRequest{})
		tail.Close()
		require.Equal(t, logclient.ErrClosed, tail.Connect())
		ctx, cancel := context.WithCancel(context.Background())
		r, err := logclient.NewReader(logclient.Options{Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		require.NoError(t, err)
		require.Equal(t, context.Canceled, r.Tail(ctx, logwire.TailRequest{}).Connect())
	})
}
