package serialclient_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// diary notes when the requests of a connection came.
type diary struct {
	begin time.Time
	mu    sync.Mutex
	notes []note
}

type note struct {
	task serial.TaskCode
	at   time.Duration
}

// serve answers each request after a second for each byte of its message.
func (d *diary) serve(p *peer) {
	for {
		task, err := p.in.ReadByte()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.notes = append(d.notes, note{serial.TaskCode(task), time.Since(d.begin)})
		d.mu.Unlock()
		in := serial.NewReader(p.in)
		n, err := in.Discard(1 << 20)
		if n == 1<<20 || p.in.Buffered() > 0 {
			p.fail("%d bytes, %v", n, err)
		}
		afterDelay(time.Duration(n) * time.Second)
		p.ok("")
	}
}

func (d *diary) read() []note {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]note{}, d.notes...)
}

const keepAlive = serial.TaskKeepAlive

// TestWithKeepAlive: it is sent when the connection was idle for the interval, exactly, and at no other
// time.
func TestWithKeepAlive(t *testing.T) {
	const interval = 10 * time.Second
	call := func(size int) func(t *testing.T, c *serialclient.Client) {
		return func(t *testing.T, c *serialclient.Client) {
			_, err := c.Call(background, 1, make([]byte, size))
			require.NoError(t, err)
		}
	}
	type event struct {
		at time.Duration
		do func(t *testing.T, c *serialclient.Client)
	}
	for name, test := range map[string]struct {
		events []event
		until  time.Duration
		want   []note
	}{
		"never used":   {nil, 10*time.Second - 1, []note{}},
		"at the limit": {nil, 10 * time.Second, []note{{keepAlive, 10 * time.Second}}},
		"again":        {nil, 35 * time.Second, []note{{keepAlive, 10 * time.Second}, {keepAlive, 20 * time.Second}, {keepAlive, 30 * time.Second}}},
		"used": {[]event{{3 * time.Second, call(0)}}, 23 * time.Second,
			[]note{{1, 3 * time.Second}, {keepAlive, 13 * time.Second}, {keepAlive, 23 * time.Second}}},
		"used just before": {[]event{{10*time.Second - 1, call(0)}}, 20 * time.Second,
			[]note{{1, 10*time.Second - 1}, {keepAlive, 20*time.Second - 1}}},
		"busy": {[]event{{9 * time.Second, call(4)}}, 23 * time.Second,
			[]note{{1, 9 * time.Second}, {keepAlive, 23 * time.Second}}},
		"busy for long": {[]event{{9 * time.Second, call(25)}}, 44 * time.Second,
			[]note{{1, 9 * time.Second}, {keepAlive, 44 * time.Second}}},
		"busy twice": {[]event{{9 * time.Second, call(4)}, {14 * time.Second, call(8)}}, 32 * time.Second,
			[]note{{1, 9 * time.Second}, {1, 14 * time.Second}, {keepAlive, 32 * time.Second}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &diary{begin: time.Now()}
				c := start(t, d.serve, serialclient.WithKeepAlive(interval))
				for _, e := range test.events {
					afterDelay(e.at - time.Since(d.begin))
					e.do(t, c)
				}
				afterDelay(test.until - time.Since(d.begin))
				synctest.Wait()
				require.Equal(t, test.want, d.read())
				require.NoError(t, c.Close())
				afterDelay(time.Hour)
				require.Len(t, d.read(), len(test.want), "a closed client says nothing")
			})
		})
	}
}

// TestKeepAliveDuringAPipelineAndAStream: they have the turn, and nothing is sent between.
func TestKeepAliveDuringAPipelineAndAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{begin: time.Now()}
		c := start(t, d.serve, serialclient.WithKeepAlive(time.Second))
		p, err := c.Pipeline(background)
		require.NoError(t, err)
		afterDelay(time.Hour)
		require.NoError(t, p.Close())
		s, err := c.Stream(background, 2, nil)
		require.NoError(t, err)
		afterDelay(time.Hour)
		require.NoError(t, s.Close())
		afterDelay(time.Second)
		synctest.Wait()
		require.Equal(t, []note{{2, time.Hour}, {keepAlive, 2*time.Hour + time.Second}}, d.read())
	})
}

// TestNoKeepAlive: by default, and for 0 and less, none is sent.
func TestNoKeepAlive(t *testing.T) {
	for _, opts := range [][]serialclient.Option{nil, {serialclient.WithKeepAlive(0)}, {serialclient.WithKeepAlive(-1)}} {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, func(p *peer) { p.end() }, opts...)
			afterDelay(1000 * time.Hour)
			require.NoError(t, c.Err())
		})
	}
}

// TestKeepAliveNoticesTheEnd: an idle client learns in the background that the server has gone.
func TestKeepAliveNoticesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) { p.goodbye() }, serialclient.WithKeepAlive(time.Second))
		afterDelay(time.Second - 1)
		require.NoError(t, c.Err())
		afterDelay(1)
		synctest.Wait()
		require.Equal(t, serialclient.ErrGoodbye, c.Err())
	})
}

// TestShortestKeepAlive: the timer may fire while the client is being made.
func TestShortestKeepAlive(t *testing.T) {
	for range 100 {
		c := start(t, echoes, serialclient.WithKeepAlive(1))
		usable(t, c)
		require.NoError(t, c.Close())
	}
}

// TestCloseDuringKeepAlive: it does not wait for the answer.
func TestCloseDuringKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, func(p *peer) { p.gone() }, serialclient.WithKeepAlive(time.Second))
		afterDelay(2 * time.Second)
		begin := time.Now()
		require.NoError(t, c.Close())
		require.Zero(t, time.Since(begin))
	})
}
