package main

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// inProcess calls f for every peer that can be served in this process, with a connection to it.
func inProcess(t *testing.T, f func(t *testing.T, s session)) {
	for _, l := range peers {
		if l.name == redisName {
			continue // see TestRedis
		}
		t.Run(l.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				l.new().serve(listener)
			}()
			s, err := l.new().dial(listener.Addr().String())
			require.NoError(t, err)
			f(t, s)
			require.NoError(t, s.Close())
			listener.Close()
			<-ended
		})
	}
}

func TestEveryPeerEchoes(t *testing.T) {
	inProcess(t, func(t *testing.T, s session) {
		for _, size := range []int{1, 64, 255, 4096} {
			require.NoError(t, s.roundTrip(newPayload(opEcho, size)), size)
			require.NoError(t, s.roundTrip(newPayload(opDeep, size)), size)
		}
	})
}

func TestEveryPeerPipelines(t *testing.T) {
	for _, size := range []int{64, 4096} {
		inProcess(t, func(t *testing.T, s session) {
			for _, window := range []int{1, 16, 300} {
				answered, err := s.pipeline(newPayload(opEcho, size), window, stopSoon())
				require.NoError(t, err)
				require.Positive(t, answered)
			}
		})
	}
}

// stopSoon returns a stop that another goroutine sets.
func stopSoon() *atomic.Bool {
	var stop atomic.Bool
	go stop.Store(true)
	return &stop
}

func TestEveryPeerStreams(t *testing.T) {
	const n = 1 << 20
	inProcess(t, func(t *testing.T, s session) {
		require.NoError(t, s.up(n))
		require.NoError(t, s.down(n))
		require.NoError(t, s.roundTrip(newPayload(opEcho, 64)), "the connection is in step")
	})
}

func TestWrongEchoIsAnError(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		defer server.Close()
		buf := make([]byte, 64)
		n, _ := server.Read(buf)
		buf[n-1]++
		server.Write(buf[:n])
	}()
	s := newByteSession(client, itself, new(exchanges))
	require.Equal(t, errWrongEcho, s.roundTrip(newPayload(opEcho, 64)))
}

func TestWrongPipelinedEchoIsAnError(t *testing.T) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		buf := make([]byte, chunkSize)
		n, _ := server.Read(buf)
		buf[n-1]++
		server.Write(buf[:n])
	}()
	s := newByteSession(client, itself, new(exchanges))
	_, err := s.pipeline(newPayload(opEcho, 64), 4, new(atomic.Bool))
	require.Equal(t, errWrongEcho, err)
}
