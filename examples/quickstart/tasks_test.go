package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// connect starts a daemon and returns it with a client. Both end with t.
func connect(t *testing.T) (*daemon, client) {
	t.Helper()
	serialtest.CheckLeaks(t)
	d, err := startDaemon(context.Background())
	require.NoError(t, err)
	t.Cleanup(d.stop)
	c, err := dial(context.Background(), d.addr())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return d, c
}

// A survey that is not what survey writes is answered so.
func TestMalformedSurveys(t *testing.T) {
	for name, message := range map[string]string{
		"no size":        "\x01\x00\x00\x00\x00\x00\x00\x00",
		"no second":      "\x02\x00\x00\x00\x00\x00\x00\x0012345678",
		"no such number": "\xff\xff\xff\xff\x00\x00\x00\x0012345678",
		"trailing byte":  "\x01\x00\x00\x00\x00\x00\x00\x0012345678x",
	} {
		t.Run(name, func(t *testing.T) {
			_, c := connect(t)
			_, err := c.Call(context.Background(), taskSurvey, []byte(message))
			require.Equal(t, serialclient.Failed, serialclient.OutcomeOf(err))
			var coder serial.ErrorCoder
			require.ErrorAs(t, err, &coder)
			require.Equal(t, errorMalformed, coder.ErrorCode())
		})
	}
}

// endless yields lines for ever, and calls do before one of them.
func endless(before int, do func() error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for i := 0; ; i++ {
			var err error
			if i == before {
				err = do()
			}
			if !yield([]byte("two words"), err) {
				return
			}
		}
	}
}

// Lines that cannot be read end the counting, and the connection can be used further.
func TestWordsOfUnreadableLines(t *testing.T) {
	_, c := connect(t)
	broken := errors.New("broken")
	_, _, err := c.words(context.Background(), endless(5000, func() error { return broken }))
	require.ErrorIs(t, err, broken)
	require.NoError(t, c.KeepAlive(context.Background()))
}

// When the daemon ends, neither side of the pipeline waits for the other.
func TestWordsWhenTheDaemonEnds(t *testing.T) {
	d, c := connect(t)
	_, _, err := c.words(context.Background(), endless(5000, func() error {
		d.stop()
		return nil
	}))
	var known *serialclient.Error
	require.ErrorAs(t, err, &known)
}

// A server that does not answer: the sender waits for the receiver, who waits for the server.
func TestInterruptedWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, server := serialtest.Pipe()
		defer server.Close()
		c := client{serialclient.New(conn, order)}
		defer c.Close()
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() {
			_, _, err := c.words(ctx, endless(-1, nil))
			result <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
	})
}

// A step says so when something is not as it should be.
func TestStepsFail(t *testing.T) {
	d, c := connect(t)
	step := tour{account: account{io.Discard}, daemon: d, client: c}
	step.words = 1
	require.EqualError(t, step.pipelined(context.Background()), "the lines have 0 words, the files 1")

	d.server.Register(taskWait, survey, "not wait")
	require.Equal(t, serialclient.Failed, serialclient.OutcomeOf(step.cancelled(context.Background())))

	d.server.Register(taskSurvey, words, "not survey")
	require.ErrorContains(t, step.failed(context.Background()), "survey of no files")
}
