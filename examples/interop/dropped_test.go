package main

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

func TestDroppedConnections(t *testing.T) {
	for task, name := range map[serial.TaskCode]string{5: "drop", 6: "panic", 10: "broken"} {
		t.Run(name, func(t *testing.T) {
			eachSession(t, func(t *testing.T, s *session) {
				answer, err := s.call(task, raw(""))
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(err))
				require.Empty(t, answer)
				_, err = s.call(1, raw("again"))
				require.True(t, serialclient.SafeToRetry(err), "%v", err)
			})
		})
	}
}

// What arrived of a broken answer can be read, and then the reader fails: no end is made up.
func TestBrokenAnswerIsNotEnded(t *testing.T) {
	eachSession(t, func(t *testing.T, s *session) {
		stream, err := s.Stream(context.Background(), 10, nil)
		require.NoError(t, err)
		defer stream.Close()
		answer, err := io.ReadAll(stream)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, patternOf(brokenAfter), answer)
	})
}

// More is left unread than the server discards, so the answer is the last one.
func TestPartialLeavesTooMuch(t *testing.T) {
	const discarded = 256 << 10
	for left, goesOn := range map[int]bool{discarded: true, discarded + 1: false} {
		eachSession(t, func(t *testing.T, s *session) {
			answer, err := s.call(9, withRest(string(patternOf(10+left)), 10))
			require.NoError(t, err)
			require.Equal(t, "ok", string(answer))
			if goesOn {
				requireInStep(t, s)
				return
			}
			_, err = s.call(1, raw("again"))
			require.True(t, serialclient.SafeToRetry(err), "%v", err)
		})
	}
}
