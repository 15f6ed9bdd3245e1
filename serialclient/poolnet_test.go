package serialclient_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// hosts are the servers that a pool's Dialer finds, by address.
type hosts struct {
	testing.TB
	all    map[string]*host
	played sync.WaitGroup
}

// host is a server of a few lines. Its fields but the counters are set before it is used, or under mu.
type host struct {
	mu      sync.Mutex
	refuse  error                                         // what dialling gives; nil: a connection
	hang    bool                                          // dialling takes as long as it may
	wait    int64                                         // the wait timeout that it describes, in ms
	greet   script                                        // what it does instead of answering the Describe
	answer  func(p *peer, task serial.TaskCode, m []byte) // nil: echo
	dials   []time.Time
	dialing int // attempts that hang now
	tasks   []string
	peers   []*peer // the connections, in order
	ended   int     // of these, how many have
	polite  int     // how many by Disconnect
}

// newHosts returns servers with these addresses, which echo.
func newHosts(t testing.TB, addresses ...string) *hosts {
	h := &hosts{TB: t, all: make(map[string]*host)}
	for _, a := range addresses {
		h.all[a] = new(host)
	}
	return h
}

// pool returns a Pool over the servers; both end with the test.
func (h *hosts) pool(addresses []string, opts ...serialclient.PoolOption) *serialclient.Pool {
	h.Helper()
	opts = append([]serialclient.PoolOption{serialclient.WithDialer(h.dial), serialclient.WithPatience(-1)}, opts...)
	p, err := serialclient.NewPool("pipe", addresses, nil, opts...)
	require.NoError(h, err)
	h.Cleanup(func() {
		p.Close()
		for _, s := range h.all {
			for _, peer := range s.peers {
				close(peer.ended)
			}
		}
		h.played.Wait()
	})
	return p
}

// onePool returns a Pool over one server with the address "a".
func onePool(t testing.TB, opts ...serialclient.PoolOption) (*serialclient.Pool, *host) {
	h := newHosts(t, "a")
	return h.pool([]string{"a"}, opts...), h.all["a"]
}

func (h *hosts) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s := h.all[address]
	s.mu.Lock()
	s.dials = append(s.dials, time.Now())
	refuse, hang := s.refuse, s.hang
	s.dialing++
	s.mu.Unlock()
	defer s.set(func() { s.dialing-- })
	if hang {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	if refuse != nil {
		return nil, refuse
	}
	conn, other := serialtest.Pipe()
	h.played.Add(1)
	s.mu.Lock()
	s.peers = append(s.peers, play(h, other, func(p *peer) {
		defer h.played.Done()
		defer s.set(func() { s.ended++ })
		s.serve(p)
	}))
	s.mu.Unlock()
	return conn, nil
}

// serve is the script of each connection.
func (s *host) serve(p *peer) {
	for {
		task, err := p.in.ReadByte()
		if err != nil {
			return
		}
		message, err := io.ReadAll(serial.NewReader(p.in))
		if err != nil {
			return
		}
		s.mu.Lock()
		greet, answer, wait := s.greet, s.answer, s.wait
		s.mu.Unlock()
		switch task := serial.TaskCode(task); {
		case task == serial.TaskDisconnect:
			s.set(func() { s.polite++ })
			p.goodbye()
			return
		case task == serial.TaskDescribe && greet != nil:
			greet(p)
		case task == serial.TaskDescribe:
			p.ok(describe(wait))
		default:
			s.set(func() { s.tasks = append(s.tasks, string(message)) })
			if answer == nil {
				p.ok(string(message))
				continue
			}
			answer(p, task, message)
		}
	}
}

// describe is a Describe document with a wait timeout in milliseconds.
func describe(wait int64) string {
	document, err := json.Marshal(serial.Description{Limits: serial.Limits{WaitMillis: wait}})
	if err != nil {
		panic(err)
	}
	return string(document)
}

// set changes the host.
func (s *host) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// seen returns how often the host was dialled and which messages it was sent.
func (s *host) seen() (dials int, tasks []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dials), append([]string(nil), s.tasks...)
}

// errRefused is what dialling a server that is down gives.
var errRefused error = &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}

// saysGoodbye answers everything with Goodbye.
func saysGoodbye(p *peer, _ serial.TaskCode, _ []byte) {
	p.goodbye()
	p.Close()
}

// hangsUp answers nothing.
func hangsUp(p *peer, _ serial.TaskCode, _ []byte) { p.Close() }

// gate is an answer that waits until it is opened.
type gate chan struct{}

func (g gate) answer(p *peer, _ serial.TaskCode, m []byte) {
	select {
	case <-g:
	case <-p.ended:
	}
	p.ok(string(m))
}

// hold makes a call in the background, and returns a channel with its error.
func hold(ctx context.Context, p *serialclient.Pool, message string, opts ...serialclient.CallOption) <-chan error {
	done := make(chan error, 1)
	go func() {
		answer, err := p.Call(ctx, 1, []byte(message), opts...)
		if err == nil && string(answer) != message {
			err = io.ErrShortWrite
		}
		done <- err
	}()
	return done
}

// poolCall makes a call that succeeds.
func poolCall(t testing.TB, p *serialclient.Pool, message string) {
	t.Helper()
	answer, err := p.Call(background, 1, []byte(message))
	require.NoError(t, err)
	require.Equal(t, message, string(answer))
}
