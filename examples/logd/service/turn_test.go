package service_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/service"
)

// A tail whose query takes long for each of many stored records has its turns, and no more: the others live on, and it gets to its end.
func TestTailThatCatchesUpSlowlyLeavesOthersTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(service.NewSmallHub(1000))
		m.slow = 100 * time.Millisecond
		r := rigOf(t, m, service.Options{Filtering: 1}, nil)
		m.add(lines(1000, "b", 1)...)
		live := r.tail(0, "")
		live.wants(logwire.FramePosition, 1001)
		slow := r.tail(1, "service:a")
		slow.wants(logwire.FramePosition, 1)
		added := make(chan struct{})
		go func() {
			defer close(added)
			time.Sleep(3500 * time.Millisecond)
			m.add(line("a", 1))
		}()
		begun := time.Now()
		for frame := live.next(); frame.Kind != logwire.FrameRecord; {
			frame = live.next()
		}
		require.Less(t, time.Since(begun), 5*time.Second)
		<-added
		for frame := slow.next(); frame.Kind != logwire.FrameRecord; {
			frame = slow.next()
		}
	})
}
