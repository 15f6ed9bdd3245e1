package e2e_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
)

var (
	poolRestarts = flag.Int("pool.restarts", 20, "restarts of each server of TestPoolOverRestarts")
	poolSeed     = flag.Uint64("pool.seed", 0, "seed of TestPoolOverRestarts; 0: another one each time")
)

// fleet are servers that are restarted, each at its address.
type fleet struct {
	testing.TB
	servers  [3]*fleetServer
	ran      sync.Map // the numbers of the tasks that have run
	twice    atomic.Int64
	answers  atomic.Int64  // that callers have received
	answered chan struct{} // one for each, as far as there is room
	idle     atomic.Int64  // clients that a stop has told Goodbye
	drained  atomic.Int64  // and those that it has answered first
	again    atomic.Int64  // streams that certainly did not run, and were started again by their callers
}

type fleetServer struct {
	address string
	server  *serialserver.Server
	served  chan error
}

// task answers the number that it was sent, once for each, whatever it takes.
func (f *fleet) task(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	number, _ := in.ReadUint64()
	if err := in.Finish(); err != nil {
		return nil, err
	}
	if _, again := f.ran.LoadOrStore(number, true); again {
		f.twice.Add(1)
	}
	if number%8 == 0 {
		<-time.After(time.Duration(number % 1_000_000)) // up to a millisecond
	}
	out := binaryutil.NewBuffer(in.ByteOrder(), nil)
	out.WriteUint64(number)
	return out, nil
}

// start starts a server, at its address if it has one.
func (f *fleet) start(s *fleetServer) {
	address := s.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	require.NoError(f, err)
	s.address = l.Addr().String()
	s.server = serialserver.New(nil)
	s.server.Register(1, f.task, "number")
	s.served = make(chan error, 1)
	go func(srv *serialserver.Server) { s.served <- srv.Serve(context.Background(), l) }(s.server)
}

// stop stops a server, and reports what became of its connections.
func (f *fleet) stop(s *fleetServer) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	report, err := s.server.Shutdown(ctx)
	require.NoError(f, err)
	require.Zero(f, report.Cut)
	require.Equal(f, serialserver.ErrServerClosed, <-s.served)
	f.idle.Add(int64(report.Idle))
	f.drained.Add(int64(report.Drained))
}

// progress waits until so many more calls were answered.
func (f *fleet) progress(calls int) {
	for len(f.answered) > 0 { // those before
		<-f.answered
	}
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for range calls {
		select {
		case <-f.answered:
		case <-deadline.C:
			f.Fatal("no progress within a minute")
		}
	}
}

// count counts a call that was answered.
func (f *fleet) count() {
	f.answers.Add(1)
	select {
	case f.answered <- struct{}{}:
	default: // it is full: nobody waits for progress
	}
}

// call calls a task in one of the ways, and checks that the answer is its own.
func (f *fleet) call(p *serialclient.Pool, number uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request := binary.BigEndian.AppendUint64(nil, number)
	var answer []byte
	var err error
	if number%16 != 1 {
		answer, err = p.Call(ctx, 1, request)
	} else {
		for answer, err = stream(ctx, p, request); serialclient.SafeToRetry(err) && ctx.Err() == nil; {
			f.again.Add(1)
			answer, err = stream(ctx, p, request)
		}
	}
	if err == nil && string(answer) != string(request) {
		err = fmt.Errorf("%x was answered %x", request, answer)
	}
	return err
}

// stream makes a call as a stream.
func stream(ctx context.Context, p *serialclient.Pool, request []byte) ([]byte, error) {
	s, err := p.Stream(ctx, 1, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return io.ReadAll(s)
}

// TestPoolOverRestarts: three servers are stopped and started again and again, one at a time, under load.
// No caller sees an error, and each task has run once.
func TestPoolOverRestarts(t *testing.T) {
	const callers = 24
	seed := *poolSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	rnd := rand.New(rand.NewPCG(seed, 0))
	f := &fleet{TB: t, answered: make(chan struct{}, 300)}
	var addresses []string
	for i := range f.servers {
		f.servers[i] = new(fleetServer)
		f.start(f.servers[i])
		addresses = append(addresses, f.servers[i].address)
	}
	p, err := serialclient.NewPool("tcp", addresses, nil)
	require.NoError(t, err)

	stopped := make(chan struct{})
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for k := uint64(0); ; k++ {
				select {
				case <-stopped:
					return
				default:
				}
				if err := f.call(p, uint64(i)<<40|k); err != nil {
					t.Errorf("seed %d: caller %d, call %d: %v", seed, i, k, err)
					return
				}
				f.count()
			}
		})
	}
	f.restart(rnd, *poolRestarts)
	close(stopped)
	all.Wait()
	f.finish(p, seed)
}

// restart stops and starts each server so often, in a random order.
func (f *fleet) restart(rnd *rand.Rand, times int) {
	var order []int
	for i := range times * len(f.servers) {
		order = append(order, i%len(f.servers))
	}
	rnd.Shuffle(len(order), func(i, k int) { order[i], order[k] = order[k], order[i] })
	for _, i := range order {
		if f.Failed() {
			return
		}
		f.progress(rnd.IntN(300))
		f.stop(f.servers[i])
		f.progress(rnd.IntN(300))
		f.start(f.servers[i])
	}
}

// finish ends the pool and the servers, and fails if nothing has happened that a caller could have seen.
func (f *fleet) finish(p *serialclient.Pool, seed uint64) {
	require.NoError(f, p.Shutdown(context.Background()))
	for _, s := range f.servers {
		f.stop(s)
	}
	s := p.Stats()
	f.Logf("seed %d: %d calls, %d dials, %d failed; %d Goodbyes, %d ends; %d moves, %d retries, %d denied; "+
		"%d streams started again; the servers' stops found %d connections idle and %d at work", seed, s.Calls, s.Dials, s.DialFailures,
		s.Evicted.Goodbye, s.Evicted.Gone, s.Moves, s.Retries, s.RetriesDenied, f.again.Load(), f.idle.Load(), f.drained.Load())
	require.Zero(f, f.twice.Load(), "seed %d: a task ran twice", seed)
	require.NotZero(f, f.answers.Load())
	require.NotZero(f, s.Evicted.Goodbye, "seed %d: no server has said Goodbye", seed)
	require.NotZero(f, s.Moves, "seed %d: no call was moved", seed)
	require.NotZero(f, s.DialFailures, "seed %d: no server was found down", seed)
}
