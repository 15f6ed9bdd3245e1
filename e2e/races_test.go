package e2e_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

var (
	races    = flag.Int("races", 1000, "stops of TestShutdownRaces")
	raceSeed = flag.Uint64("races.seed", 0, "seed of TestShutdownRaces; 0 draws one")
)

// shutdownLate is how much later than its deadline a Shutdown may return (the contract says 50 ms).
const shutdownLate = 100 * time.Millisecond

// race is one stop under load: clients in every state while Shutdown, Disconnect and Close run.
type race struct {
	t   *testing.T
	rnd *rand.Rand // the main goroutine's
	srv *serialserver.Server
	l   *memoryListener

	cut bool // the stop may cut tasks off: a call may be Unknown

	mu   sync.Mutex     // guards what follows
	runs map[uint64]int // of each call's task
	sums *raceSums
}

// raceSums is what was seen in all races.
type raceSums struct {
	calls, ok, failed, notRun, unknown, dialled int
	stops                                       map[string]int
	reported                                    serialserver.Report
}

// TestShutdownRaces: each request is answered, refused or cleanly Unknown, never lost silently, and Unknown only
// where the stop was told to cut off; NotRun is true. Shutdown is never late.
func TestShutdownRaces(t *testing.T) {
	seed := *raceSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	sums := &raceSums{stops: make(map[string]int)}
	for i := range *races {
		synctest.Test(t, func(t *testing.T) {
			r := &race{t: t, rnd: rand.New(rand.NewPCG(seed, uint64(i))), runs: make(map[uint64]int), sums: sums}
			r.run()
		})
		if t.Failed() {
			t.Fatalf("-races.seed %d, race %d", seed, i)
		}
	}
	t.Logf("seed %d: %d stops %v; %d connections, %d calls: %d answered, %d errors, %d not run, %d unknown; reported %+v",
		seed, *races, sums.stops, sums.dialled, sums.calls, sums.ok, sums.failed, sums.notRun, sums.unknown, sums.reported)
	require.NotZero(t, sums.notRun)
	require.NotZero(t, sums.unknown)
}

// chance is true once in n.
func (r *race) chance(n int) bool { return r.rnd.IntN(n) == 0 }

// within is a random time up to d.
func (r *race) within(d time.Duration) time.Duration { return time.Duration(r.rnd.Int64N(int64(d))) }

func (r *race) run() {
	r.srv = serialserver.New(nil, serialserver.WithHandshake(slowHandshake, 0))
	r.srv.Register(1, r.task, "task")
	r.l = newMemoryListener()
	served := make(chan error, 1)
	go func() { served <- r.srv.Serve(context.Background(), r.l) }()

	var all sync.WaitGroup
	for range 1 + r.rnd.IntN(6) {
		rnd := rand.New(rand.NewPCG(r.rnd.Uint64(), 0))
		all.Go(func() { r.client(rnd) })
	}
	<-time.After(r.within(20 * time.Millisecond))
	r.stop(&all)
	r.srv.Wait()
	require.Equal(r.t, serialserver.ErrServerClosed, <-served)
	all.Wait()
	<-time.After(time.Second) // a stream does not wait for the reader of its request
	report, err := r.srv.Shutdown(context.Background())
	require.NoError(r.t, err)
	require.Empty(r.t, report.Running)
	r.sums.reported.Idle += report.Idle
	r.sums.reported.Drained += report.Drained
	r.sums.reported.Failed += report.Failed
	r.sums.reported.Cut += report.Cut
}

// stop stops the server in one to three ways at the same time.
func (r *race) stop(all *sync.WaitGroup) {
	deadline := time.Duration(0)
	if r.chance(2) {
		deadline = 1 + r.within(30*time.Millisecond)
	}
	closes, disconnects := r.chance(4), r.chance(3)
	r.mu.Lock()
	r.cut = deadline > 0 || closes || disconnects
	r.mu.Unlock()
	for name, done := range map[string]bool{"Shutdown": true, "with a deadline": deadline > 0, "Close": closes, "Disconnect": disconnects} {
		if done {
			r.sums.stops[name]++
		}
	}
	pause, d := r.within(10*time.Millisecond), r.within(10*time.Millisecond)
	all.Go(func() {
		<-time.After(pause)
		if disconnects {
			r.srv.Disconnect(d)
		}
		if closes {
			r.srv.Close()
		}
	})
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, deadline)
	}
	defer cancel()
	begin := time.Now()
	_, err := r.srv.Shutdown(ctx)
	took := time.Since(begin)
	if deadline > 0 && took > deadline+shutdownLate {
		r.t.Errorf("Shutdown within %v took %v", deadline, took)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		r.t.Errorf("Shutdown: %v", err)
	}
}

// slowHandshake reads a byte that says how long it takes, in milliseconds.
func slowHandshake(ctx context.Context, conn net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
	var ms [1]byte
	if _, err := io.ReadFull(conn, ms[:]); err != nil {
		return nil, nil, nil, nil, err
	}
	<-time.After(time.Duration(ms[0]) * time.Millisecond)
	return ctx, conn, nil, nil, nil
}

// task counts its run and does what its message says: how long it takes, and how it ends.
func (r *race) task(ctx context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	id, _ := in.ReadUint64()
	lasts, _ := in.ReadDuration()
	how, err := in.ReadUint8()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.runs[id]++
	r.mu.Unlock()
	if how == raceDeaf {
		<-time.After(lasts)
	} else {
		select {
		case <-time.After(lasts):
		case <-ctx.Done():
		}
	}
	switch how {
	case raceFails:
		return nil, serial.Errorf(7, "told to")
	case raceDrops:
		return nil, errors.New("told to")
	}
	return in, nil // the rest, as it comes
}

// How a task is.
const (
	raceDeaf = iota // to its context
	raceFails
	raceDrops
	raceHows = 6 // the others are patient
)

var raceCall atomic.Uint64

// client connects, and calls until it cannot any more.
func (r *race) client(rnd *rand.Rand) {
	<-time.After(time.Duration(rnd.Int64N(int64(10 * time.Millisecond))))
	conn, ok := r.l.dial()
	if !ok {
		return
	}
	r.mu.Lock()
	r.sums.dialled++
	r.mu.Unlock()
	if _, err := conn.Write([]byte{byte(rnd.IntN(5))}); err != nil {
		conn.Close()
		return
	}
	c := serialclient.New(conn, nil)
	defer c.Close()
	for c.Err() == nil {
		<-time.After(time.Duration(rnd.Int64N(int64(4 * time.Millisecond))))
		if rnd.IntN(3) == 0 {
			r.stream(c, rnd)
		} else {
			r.call(c, rnd)
		}
	}
}

// raceMessage is the message of a task.
type raceMessage struct {
	id      uint64
	how     int
	request *binaryutil.Buffer
	answer  int // its length
}

func message(rnd *rand.Rand) raceMessage {
	m := raceMessage{raceCall.Add(1), rnd.IntN(raceHows), binaryutil.NewBuffer(binary.BigEndian, nil), rnd.IntN(2000)}
	lasts := 8 * time.Millisecond
	if rnd.IntN(20) == 0 {
		lasts = 4 * shutdownLate
	}
	m.request.WriteUint64(m.id)
	m.request.WriteDuration(time.Duration(rnd.Int64N(int64(lasts))))
	m.request.WriteUint8(uint8(m.how))
	m.request.Write(make([]byte, m.answer))
	return m
}

func (r *race) call(c *serialclient.Client, rnd *rand.Rand) {
	m := message(rnd)
	answer, err := c.Call(context.Background(), 1, m.request.Bytes())
	r.judge(m, len(answer), err)
}

// stream is a call whose request comes in pieces, with pauses.
func (r *race) stream(c *serialclient.Client, rnd *rand.Rand) {
	m := message(rnd)
	s, err := c.Stream(context.Background(), 1, &pieces{rest: m.request.Bytes(), rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0))})
	if err != nil {
		r.judge(m, 0, err)
		return
	}
	defer s.Close()
	n, err := io.Copy(io.Discard, s)
	r.judge(m, int(n), err)
}

// pieces gives its bytes with pauses.
type pieces struct {
	rest []byte
	rnd  *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	<-time.After(time.Duration(p.rnd.Int64N(int64(time.Millisecond))))
	n := copy(b, p.rest[:min(len(p.rest), 1+p.rnd.IntN(700))])
	p.rest = p.rest[n:]
	return n, nil
}

// judge compares what a call says with what has happened.
func (r *race) judge(m raceMessage, answered int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ran := r.runs[m.id]
	r.sums.calls++
	var failure *serialclient.Error
	switch {
	case err == nil:
		r.sums.ok++
		if ran != 1 || answered != m.answer {
			r.t.Errorf("an answered task ran %d times, with %d of %d bytes", ran, answered, m.answer)
		}
	case !errors.As(err, &failure):
		r.t.Errorf("an error without an outcome: %v", err)
	case failure.Outcome == serialclient.Failed:
		r.sums.failed++
		if ran != 1 {
			r.t.Errorf("a failed task ran %d times", ran)
		}
	case failure.Outcome == serialclient.NotRun:
		r.sums.notRun++
		if ran != 0 {
			r.t.Errorf("NotRun, and it ran: %v", err)
		}
	default:
		r.sums.unknown++
		if !r.cut && m.how != raceDrops {
			r.t.Errorf("Unknown, although the stop cuts nothing off: %v", err)
		}
	}
}

// memoryListener is a net.Listener in memory, without a backlog: who has dialled is accepted.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *memoryListener) Addr() net.Addr { return serialtest.Addr("memory") }

// dial reports false when nobody accepts any more.
func (l *memoryListener) dial() (net.Conn, bool) {
	client, server := serialtest.Pipe()
	select {
	case l.conns <- server:
		return client, true
	case <-l.closed:
		return nil, false
	}
}
