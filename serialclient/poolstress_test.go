package serialclient_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// counted is a connection that counts itself until it is closed.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// chaos are servers that do what they like.
type chaos struct {
	*hosts
	seed uint64
	mu   sync.Mutex // guards what follows
	rnd  *rand.Rand
	ran  map[string]int // how often each message's task has run
	most int64
}

const chaosTotal, chaosEach = 6, 3

func (c *chaos) chance(percent int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.IntN(100) < percent
}

func (c *chaos) millis(most int) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.rnd.IntN(most*1000)) * time.Microsecond
}

// answer is what a server does with a call.
func (c *chaos) answer(p *peer, task serial.TaskCode, m []byte) {
	if c.chance(8) {
		saysGoodbye(p, task, m)
		return
	}
	c.mu.Lock()
	c.ran[string(m)]++
	c.mu.Unlock()
	switch {
	case c.chance(5):
		p.Close()
		return
	case c.chance(20):
		<-time.After(c.millis(50))
	}
	if c.chance(5) {
		p.error(17)
		return
	}
	p.ok(string(m))
	if c.chance(5) {
		p.goodbye()
		p.Close()
	}
}

// dialer refuses, hangs, or counts the connection.
func (c *chaos) dialer() serialclient.Dialer {
	var total atomic.Int64
	each := make(map[string]*atomic.Int64)
	for name := range c.all {
		each[name] = new(atomic.Int64)
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		switch {
		case c.chance(15):
			return nil, errRefused
		case c.chance(5):
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		conn, err := c.dial(ctx, network, address)
		n, here := total.Add(1), each[address].Add(1)
		if n > chaosTotal || here > chaosEach {
			c.Errorf("seed %d: %d connections, of which %d to %s", c.seed, n, here, address)
		}
		c.mu.Lock()
		c.most = max(c.most, n)
		c.mu.Unlock()
		both := &counted{Conn: conn, open: &total}
		return &counted{Conn: both, open: each[address]}, err
	}
}

// TestPoolInChaos: whatever the servers do, what each call is told is true, the limits hold, and nothing is
// left over.
func TestPoolInChaos(t *testing.T) {
	most := int64(0)
	for range 8 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { most = max(most, inChaos(t, seed)) })
		})
	}
	require.EqualValues(t, chaosTotal, most, "the limit was reached")
}

// inChaos returns how many connections there were at most.
func inChaos(t *testing.T, seed uint64) int64 {
	c := &chaos{hosts: newHosts(t, "a", "b", "c"), seed: seed, rnd: rand.New(rand.NewPCG(seed, 0)), ran: make(map[string]int)}
	for _, h := range c.all {
		h.answer = c.answer
	}
	p := c.pool([]string{"a", "b", "c"}, serialclient.WithDialer(c.dialer()), serialclient.WithPatience(0),
		serialclient.WithMaxConnections(chaosTotal, chaosEach), serialclient.WithMaxIdle(4), serialclient.WithIdleTimeout(30*time.Millisecond),
		serialclient.WithMaxLifetime(time.Second), serialclient.WithDialTimeout(time.Second))
	var outcomes [4]atomic.Int64
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for k := range 60 {
				outcomes[c.call(p, fmt.Sprint(i, " ", k))].Add(1)
				if c.chance(20) {
					<-time.After(c.millis(60))
				}
			}
		})
	}
	all.Wait()
	synctest.Wait()
	for i := range outcomes {
		require.NotZero(t, outcomes[i].Load(), i)
	}
	pass(time.Minute)
	s := p.Stats()
	require.Equal(t, []int{0, 0, 0, 0, 0}, []int{s.Open, s.Idle, s.InUse, s.Dialing, s.Waiting}, "%+v", s)
	require.Equal(t, s.Dials-s.DialFailures, s.Evicted.Total())
	for _, a := range s.Addresses {
		require.Equal(t, []int{0, 0, 0, 0}, []int{a.Open, a.Idle, a.InUse, a.Dialing})
	}
	require.NoError(t, p.Shutdown(background))
	return c.most
}

// call makes a call, perhaps one that is given up, and checks what it is told.
func (c *chaos) call(p *serialclient.Pool, message string) serialclient.Outcome {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	if c.chance(15) {
		ctx, cancel = context.WithTimeout(ctx, c.millis(40))
		defer cancel()
	}
	answer, err := p.Call(ctx, 1, []byte(message))
	c.mu.Lock()
	ran := c.ran[message]
	c.mu.Unlock()
	switch outcome := serialclient.OutcomeOf(err); {
	case err == nil:
		if string(answer) != message || ran != 1 {
			c.Errorf("seed %d: %q was answered %q, having run %d times", c.seed, message, answer, ran)
		}
		return 3
	case outcome == serialclient.NotRun && ran != 0, outcome == serialclient.Failed && ran != 1, ran > 1:
		c.Errorf("seed %d: %q has run %d times: %v", c.seed, message, ran, err)
		fallthrough
	default:
		return outcome
	}
}
