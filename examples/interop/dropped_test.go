package main

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
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

// As much as the server discards is left unread, and then a byte more, so that the answer is the
// last one. The client of serialclient may stop sending when it has its answer; this one does not.
func TestPartialLeavesMuch(t *testing.T) {
	const discarded = 256 << 10
	for left, next := range map[int]serial.ResponseCode{
		discarded:     serial.ResponseOK,
		discarded + 1: serial.ResponseGoodbye,
	} {
		client, server := serialtest.Pipe(serialtest.Buffer(1 << 20))
		newSession(t, client, server, nil)
		message := encode(nil, withRest(string(patternOf(10+left)), 10))
		requests := append(serial.AppendStream([]byte{9}, message), byte(serial.TaskKeepAlive), 0)
		_, err := client.Write(requests)
		require.NoError(t, err)
		want := append(serial.AppendStream([]byte{byte(serial.ResponseOK)}, []byte("ok")), byte(next))
		got := make([]byte, len(want))
		_, err = io.ReadFull(client, got)
		require.NoError(t, err)
		require.Equal(t, want, got, "%d left", left)
	}
}
