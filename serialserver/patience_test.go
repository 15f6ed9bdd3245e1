package serialserver_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// A client that moves nothing is dropped at the end of the window of the minimum rate, however long the timeouts
// are: the window is to be set with them.
func TestTimeoutsBeyondTheWindow(t *testing.T) {
	for name, test := range map[string]struct {
		timeout time.Duration
		limits  serialserver.Limits
		lasts   time.Duration
	}{
		"timeout alone": {time.Minute, serialserver.Limits{}, serialserver.DefaultMinRateWindow},
		"no timeout":    {-1, serialserver.Limits{}, serialserver.DefaultMinRateWindow},
		"both":          {30 * time.Second, serialserver.Limits{MinRateWindow: 30 * time.Second}, 30 * time.Second},
		"window alone":  {0, serialserver.Limits{MinRateWindow: 30 * time.Second}, serialserver.DefaultWrite},
		"no rate":       {time.Minute, serialserver.Limits{MinRate: -1}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := &serialserver.Timeout{Read: test.timeout, Write: test.timeout}
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(timeout, returns(bytes.NewReader(make([]byte, 1<<20))), serialserver.WithLimits(test.limits))
				s := connect(t, srv, serialtest.Buffer(0))
				s.send(request(testTask, ""))
				<-s.returned
				require.ErrorIs(t, s.err, errTimeout)
				require.Equal(t, test.lasts, s.lasted, "a client that takes nothing")
			})
			synctest.Test(t, func(t *testing.T) {
				f, done := timedRead()
				s := connect(t, newServer(timeout, f, serialserver.WithLimits(test.limits)))
				s.send([]byte{testTask})
				got := <-done
				require.ErrorIs(t, got.err, errTimeout)
				require.Equal(t, test.lasts, got.after, "a client that sends nothing")
			})
		})
	}
}

// One that has moved its share at the beginning of a window has the next one, too.
func TestTheWindowAfterAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, done := timedRead()
		s := connect(t, newServer(&serialserver.Timeout{Read: time.Minute}, f))
		s.send([]byte{testTask})
		sleep(time.Second)
		s.send(beginning(0, string(make([]byte, 640)))[1:])
		got := <-done
		require.ErrorIs(t, got.err, errTimeout)
		require.Equal(t, 2*serialserver.DefaultMinRateWindow, got.after)
	})
}
