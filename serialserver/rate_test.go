package serialserver_test

import (
	"bytes"
	"cmp"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

const tooSlow = "minimum rate"

// A byte every 4 s keeps to the read timeout, but not to the minimum rate.
func TestMinRateOfASendingClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, done := timedRead()
		s := connect(t, newServer(nil, f))
		s.send([]byte{testTask})
		for range 10 {
			sleep(4 * time.Second)
			s.Write([]byte{1})
		}
		got := <-done
		require.ErrorContains(t, got.err, tooSlow)
		require.ErrorIs(t, got.err, errTimeout)
		require.Equal(t, serialserver.DefaultMinRateWindow, got.after)
		s.Close()
		require.ErrorContains(t, s.result(), tooSlow)
	})
}

// The same in the other direction, whatever the write timeout.
func TestMinRateOfATakingClient(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"default": 0, "long": time.Hour, "none": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(&serialserver.Timeout{Write: timeout}, returns(bytes.NewReader(make([]byte, 1<<20))))
				s := connect(t, srv, serialtest.Buffer(0))
				s.send(request(testTask, ""))
				for gone := false; !gone; {
					select {
					case <-time.After(4 * time.Second):
						s.Read(make([]byte, 1))
					case <-s.returned:
						gone = true
					}
				}
				require.ErrorContains(t, s.err, tooSlow)
				require.Equal(t, serialserver.DefaultMinRateWindow, s.lasted)
			})
		})
	}
}

// windows sends so many bytes of a message in each window of 10 s.
func windows(s *session, bytesPerWindow, n int) {
	stream := bytes.Repeat([]byte{1}, bytesPerWindow)
	for range n {
		sleep(serialserver.DefaultMinRateWindow - 1)
		s.Write(stream)
		sleep(1)
	}
}

// 640 bytes in ten seconds are enough, 639 are not.
func TestMinRateAtItsLimit(t *testing.T) {
	for _, test := range []struct {
		opts  []serialserver.Option
		bytes int
		fine  bool
	}{
		{nil, 640, true},
		{nil, 639, false},
		{nil, 641, true},
		{[]serialserver.Option{serialserver.WithLimits(serialserver.Limits{MinRate: 10, MinRateWindow: 10 * time.Second})}, 100, true},
		{[]serialserver.Option{serialserver.WithLimits(serialserver.Limits{MinRate: 10, MinRateWindow: 10 * time.Second})}, 99, false},
		{[]serialserver.Option{serialserver.WithLimits(serialserver.Limits{})}, 639, false},
		{[]serialserver.Option{serialserver.WithLimits(serialserver.Limits{MinRateWindow: -1})}, 639, false},
		{[]serialserver.Option{serialserver.WithLimits(serialserver.Limits{MinRate: -1, MinRateWindow: time.Second})}, 1, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, done := timedRead()
			s := connect(t, newServer(&serialserver.Timeout{Read: -1}, f, test.opts...))
			s.send([]byte{testTask})
			windows(s, test.bytes, 5)
			if test.fine {
				s.closeWrite()
				require.ErrorIs(t, (<-done).err, io.ErrUnexpectedEOF)
				return
			}
			got := <-done
			require.ErrorContains(t, got.err, tooSlow)
			require.Equal(t, serialserver.DefaultMinRateWindow, got.after)
		})
	}
}

// A slow task is never held against its client, nor is a client that is idle between tasks.
func TestMinRateCountsOnlyBlockedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(&serialserver.Timeout{Wait: -1}, func(_ ctx, _ client, in reader) (io.Reader, error) {
			for range 3 {
				sleep(time.Hour)
				if _, err := in.ReadUint8(); err != nil {
					return nil, err
				}
			}
			return &patient{reads: 3}, nil
		}))
		for range 3 {
			sleep(time.Hour)
			s.send(request(testTask, "abc"))
			s.wants(ok("xxx"))
		}
	})
}

// patient is an answer that gives a byte now and then, by default every hour.
type patient struct {
	reads int
	every time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if p.reads == 0 {
		return 0, io.EOF
	}
	p.reads--
	sleep(cmp.Or(p.every, time.Hour))
	b[0] = 'x'
	return 1, nil
}
