package serialclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// outcomeOf makes a call that is answered with b and then the end, and returns what came of it in words.
func outcomeOf(t testing.TB, b []byte) string {
	conn, server := serialtest.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(server, make([]byte, 2))
		server.Write(b)
		server.Close()
		done <- err
	}()
	c := serialclient.New(conn, nil)
	answer, err := c.Call(context.Background(), 1, nil)
	c.Close()
	require.NoError(t, <-done)
	var failure *serialclient.Error
	var coder serial.ErrorCoder
	switch {
	case err == nil:
		return fmt.Sprintf("ok %x", answer)
	case !errors.As(err, &failure):
		return "untyped"
	case errors.As(err, &coder):
		return fmt.Sprintf("%v %v", failure.Outcome, coder.ErrorCode())
	case errors.Is(err, serialclient.ErrGoodbye):
		return fmt.Sprint(failure.Outcome, " goodbye")
	case errors.Is(err, serialclient.ErrProtocol):
		return fmt.Sprint(failure.Outcome, " malformed")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprint(failure.Outcome, " cut")
	}
	return fmt.Sprint(failure.Outcome, " ", err)
}

// expectedOutcome is the naive oracle. What follows the response is not looked at.
func expectedOutcome(b []byte) string {
	cut := fmt.Sprint(serialclient.Unknown, " cut")
	if len(b) == 0 {
		return cut
	}
	switch serial.ResponseCode(b[0]) {
	case serial.ResponseOK:
		var message []byte
		for b = b[1:]; len(b) > 0; {
			n := int(b[0])
			if n == 0 {
				return fmt.Sprintf("ok %x", message)
			}
			n = min(n, len(b)-1)
			message, b = append(message, b[1:1+n]...), b[1+n:]
		}
		return cut
	case serial.ResponseError:
		if len(b) == 1 {
			return cut
		}
		return fmt.Sprintf("%v %v", serialclient.Failed, serial.ErrorCode(b[1]))
	case serial.ResponseGoodbye:
		return fmt.Sprint(serialclient.NotRun, " goodbye")
	}
	return fmt.Sprint(serialclient.Unknown, " malformed")
}

func checkAnswer(t testing.TB, b []byte) {
	if got, want := outcomeOf(t, b), expectedOutcome(b); got != want {
		t.Fatalf("answered %x: %s, want %s", b, got, want)
	}
}

// TestResponsesOfEveryShortInput answers calls with each input of up to two bytes, and then the end.
func TestResponsesOfEveryShortInput(t *testing.T) {
	n, longest := 0, 2
	if raceDetector { // a call is one goroutine at a time
		longest = 1
	}
	for size := range longest + 1 {
		for v := range 1 << (8 * size) {
			checkAnswer(t, []byte{byte(v >> 8), byte(v)}[2-size:])
			n++
		}
	}
	t.Logf("%d calls", n)
}

// FuzzResponses does the same with whatever up to 4 KiB.
func FuzzResponses(f *testing.F) {
	for _, b := range [][]byte{{}, okResponse("hello"), {errorCode, 7}, {goodbyeCode}, {3}, {0, 2, 1}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkAnswer(t, b[:min(len(b), 4096)]) })
}
