package main

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrderedKeepsToItsWindow(t *testing.T) {
	const size, total = 8, 100
	var stop atomic.Bool
	var under, most, received int
	answers := make(chan int, total+size)
	lock := make(chan struct{}, 1)
	count := func(by int) {
		lock <- struct{}{}
		defer func() { <-lock }()
		under += by
		most = max(most, under)
	}
	send := func() error { count(1); answers <- 1; return nil }
	receive := func() error {
		<-answers
		count(-1)
		if received++; received == total {
			stop.Store(true)
		}
		return nil
	}
	answered, err := ordered(size, &stop, send, receive)
	require.NoError(t, err)
	require.EqualValues(t, total+size-1, answered, "what was under way is received")
	require.LessOrEqual(t, most, size)
	require.Zero(t, under)
}

func TestOrderedReturnsTheSendersError(t *testing.T) {
	broken := errors.New("broken")
	failed := make(chan struct{})
	send := func() error { close(failed); return broken }
	receive := func() error { <-failed; return errors.New("closed") }
	_, err := ordered(4, new(atomic.Bool), send, receive)
	require.Equal(t, broken, err)
}

func TestConcurrently(t *testing.T) {
	var stop atomic.Bool
	var calls atomic.Int64
	n, err := concurrently(4, &stop, func(int) error {
		if calls.Add(1) >= 100 {
			stop.Store(true)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, calls.Load(), n)
	require.GreaterOrEqual(t, n, int64(100))
}

func TestConcurrentlyStopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	n, err := concurrently(4, new(atomic.Bool), func(int) error { return broken })
	require.Equal(t, broken, err)
	require.Zero(t, n)
}
