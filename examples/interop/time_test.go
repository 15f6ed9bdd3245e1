package main

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
)

func TestSleepTakesItsTime(t *testing.T) {
	for _, ms := range []uint32{0, 1, 1234, 1_799_999} {
		synctest.Test(t, func(t *testing.T) {
			s := pipeSession(t)
			start := time.Now()
			_, err := s.call(3, u32(ms))
			require.NoError(t, err)
			require.Equal(t, time.Duration(ms)*time.Millisecond, time.Since(start))
		})
	}
}

func TestSleepIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pipeSession(t)
		start := time.Now()
		time.AfterFunc(77*time.Millisecond, func() { s.server.Clients()[0].Cancel() })
		_, err := s.call(3, u32(1000))
		requireCode(t, serial.ErrorCancelled, err)
		require.Equal(t, 77*time.Millisecond, time.Since(start))
		requireInStep(t, s)
	})
}

// A tick that is cancelled has begun to answer, so that no error code can be.
func TestTickIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pipeSession(t)
		time.AfterFunc(77*time.Millisecond, func() { s.server.Clients()[0].Cancel() })
		_, err := s.call(11, u32(10, 10))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

// Each byte of tick is sent at once.
func TestTickIsSentByteByByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pipeSession(t)
		start := time.Now()
		stream := s.stream(t, 11, encode(s.ByteOrder(), u32(300, 10)))
		for i, want := range patternOf(300) {
			got, err := stream.ReadUint8()
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, time.Duration(i+1)*10*time.Millisecond, time.Since(start))
		}
		require.NoError(t, stream.Finish())
	})
}

// Each piece is echoed before the next one is sent.
func TestEchoIsStreamed(t *testing.T) {
	eachSession(t, func(t *testing.T, s *session) {
		pieces, request := io.Pipe()
		stream, err := s.Stream(context.Background(), 1, pieces)
		require.NoError(t, err)
		defer stream.Close()
		for _, piece := range []string{"a", "bc", string(patternOf(1000)), "d"} {
			_, err := request.Write([]byte(piece))
			require.NoError(t, err)
			got := make([]byte, len(piece))
			_, err = io.ReadFull(stream, got)
			require.NoError(t, err)
			require.Equal(t, piece, string(got))
		}
		request.Close()
		require.NoError(t, stream.Finish())
	})
}
