package main

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// An hour's outage is told when it begins, once in a minute, and when it ends.
func TestTroublesAreNotToldForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		troubles := newTroubles(func(text string) { told = append(told, text) })
		for range 24 {
			troubles.tell(errors.New("away"))
			time.Sleep(5 * time.Second)
		}
		troubles.tell(nil)
		require.Equal(t, []string{"not taken, it is tried again: away", "not taken for 1m0s: away", "taken again after 2m0s"}, told)
		troubles.tell(errors.New("busy"))
		require.Equal(t, "not taken, it is tried again: busy", told[3], "it begins anew")
	})
}
