package service_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// A tail without a cursor begins with what comes next, and is told where that is.
func TestTailFromNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{}, nil)
		r.store.add(lines(3, "a", 1)...)
		f := r.tail(0, "service:a")
		f.wants(logwire.FramePosition, 4)
		r.store.add(line("a", 1), line("b", 1), line("a", 1))
		f.wants(logwire.FrameRecord, 4, 6)
	})
}

// A tail with a cursor is first told what is stored, from the store or from the ring.
func TestTailFromCursor(t *testing.T) {
	for name, ring := range map[string]int64{"ring": 1 << 20, "store": 2000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, ring, service.Options{}, nil)
				for range 30 {
					r.store.add(line("a", 1000))
				}
				f := r.tail(11, "")
				f.wants(logwire.FramePosition, 11)
				for id := uint64(11); id <= 30; id++ {
					f.wants(logwire.FrameRecord, id)
				}
				if name == "store" {
					f.wants(logwire.FramePosition, 31) // It has caught up.
				}
				r.store.add(line("a", 1))
				f.wants(logwire.FrameRecord, 31)
			})
		})
	}
}

// A tail hears its position every 3 s, at the latest, whether or not records come, and whether or not they match.
func TestTailIsToldItsPosition(t *testing.T) {
	for name, from := range map[string]string{"nothing comes": "", "others come": "b", "much comes": "a"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 0, service.Options{}, nil)
				f := r.tail(0, "service:a")
				f.wants(logwire.FramePosition, 1)
				begun := time.Now()
				go func() {
					for i := 0; from != "" && i < 20; i++ {
						r.store.add(line(from, 1))
						time.Sleep(999 * time.Millisecond)
					}
				}()
				for told := 1; told <= 4; {
					if f.next().Kind == logwire.FramePosition {
						late := time.Since(begun) - time.Duration(told)*service.DefaultPosition
						require.GreaterOrEqual(t, late, time.Duration(0))
						require.LessOrEqual(t, late, time.Duration(told)*time.Second)
						told++
					}
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// While a tail catches up with what does not match, it hears of its position too.
func TestTailIsToldItsPositionWhileItCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(service.NewSmallHub(1))
		for range 12 {
			m.add(lines(10_000, "b", 1)...)
		}
		m.scanned = func(from, to uint64) { time.Sleep(2 * time.Second) }
		r := rigOf(t, m, service.Options{}, nil)
		f := r.tail(1, "service:a")
		f.wants(logwire.FramePosition, 1, 100_001, 120_001)
	})
}

// A tail that takes nothing makes nobody wait. It is told how many records it has missed, exactly, and goes on.
func TestSlowTailIsToldWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 100_000, service.Options{}, &serialserver.Timeout{Write: -1})
		f := r.tail(0, "")
		f.wants(logwire.FramePosition, 1)
		synctest.Wait()
		begun := time.Now()
		for range 1000 {
			r.store.add(line("a", 1000))
			synctest.Wait()
		}
		require.Equal(t, begun, time.Now(), "the appends have waited")
		next := uint64(1)
		for next <= 1000 {
			switch frame := f.next(); frame.Kind {
			case logwire.FrameRecord:
				require.Equal(t, next, frame.ID)
				next++
			case logwire.FrameMissed:
				require.Equal(t, next+frame.Missed, frame.ID)
				require.Greater(t, frame.Missed, uint64(500))
				require.EqualValues(t, frame.Missed, statsOf(t, r.dial()).Missed)
				next = frame.ID
			default:
				t.Fatal(frame.Kind)
			}
		}
		r.store.add(line("a", 1))
		f.wants(logwire.FrameRecord, 1001)
	})
}

// A client that stops for less than the write timeout goes on, whatever came meanwhile, and a tail may last for days.
func TestTailThatPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{}, &serialserver.Timeout{Write: 30 * time.Second})
		f := r.tail(0, "", serialtest.Buffer(1000))
		next := uint64(1)
		for range 200 {
			for range 20 {
				r.store.add(line("a", 1000))
			}
			time.Sleep(29 * time.Second)
			for until := time.Now().Add(23 * time.Minute); next < r.store.Head() || time.Now().Before(until); {
				frame := f.next()
				require.Equal(t, next, frame.ID-frame.Missed)
				if next = frame.ID; frame.Kind == logwire.FrameRecord {
					next++
				}
			}
		}
	})
}

// Records that have expired were missed.
func TestTailFromExpiredCursor(t *testing.T) {
	r := newRig(t, 1, service.Options{}, nil)
	r.store.add(lines(10, "a", 1)...)
	r.store.expire(8)
	f := r.tail(3, "")
	f.wants(logwire.FramePosition, 3)
	frame := f.next()
	require.Equal(t, logwire.FrameMissed, frame.Kind)
	require.EqualValues(t, 5, frame.Missed)
	require.EqualValues(t, 8, frame.ID)
	f.wants(logwire.FrameRecord, 8, 9, 10)
	f.wants(logwire.FramePosition, 11)
}

// Records that cannot be read were missed, too, and are told of in their place.
func TestTailOverDamage(t *testing.T) {
	r := newRig(t, 1, service.Options{}, nil)
	r.store.add(lines(4, "b", 1)...)
	r.store.add(lines(2, "a", 1)...)
	r.store.lost = map[uint64]bool{3: true, 6: true}
	f := r.tail(1, "service:a")
	f.wants(logwire.FramePosition, 1)
	for _, next := range []uint64{4, 7} {
		frame := f.next()
		if next == 7 {
			require.EqualValues(t, 5, frame.ID)
			frame = f.next()
		}
		require.Equal(t, logwire.FrameMissed, frame.Kind)
		require.EqualValues(t, 1, frame.Missed)
		require.Equal(t, next, frame.ID)
	}
	f.wants(logwire.FramePosition, 7)
}

// A cursor may be the next id, and no more.
func TestTailFromNextID(t *testing.T) {
	r := newRig(t, 0, service.Options{}, nil)
	r.store.add(lines(3, "a", 1)...)
	r.tail(4, "").wants(logwire.FramePosition, 4)
	answer, err := r.call(logwire.TaskTail, logwire.AppendTailRequest(nil, logwire.TailRequest{Cursor: 5}))
	require.NoError(t, err)
	var field *logwire.FieldError
	require.ErrorAs(t, logwire.ParseError(answer), &field)
	require.Equal(t, "cursor", field.Field)
}

// A tail takes memory for little more than what is sent at once, however much there is for a client that takes nothing.
func TestTailBuffersLittle(t *testing.T) {
	const count = 1500 // of records of 1 KiB
	most := (service.Chunk + 2*serialtest.DefaultBuffer + 64<<10) / 1000
	t.Run("from the store", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 1, service.Options{}, &serialserver.Timeout{Write: -1})
			r.store.add(lines(count, "a", 1000)...)
			f := r.tail(1, "")
			synctest.Wait()
			require.LessOrEqual(t, r.store.emitted, most)
			f.wants(logwire.FramePosition, 1)
			for id := uint64(1); id <= count; id++ {
				f.wants(logwire.FrameRecord, id)
			}
		})
	})
	t.Run("from the ring", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 2_000_000, service.Options{}, &serialserver.Timeout{Write: -1})
			f := r.tail(0, "")
			f.wants(logwire.FramePosition, 1)
			for range 2 {
				r.store.add(lines(count, "a", 1000)...)
				synctest.Wait()
			}
			told := 0
			for f.next().Kind == logwire.FrameRecord {
				told++
			}
			require.LessOrEqual(t, told, most, "before it was told that it missed the others")
		})
	})
}

// So many tails there are, and one more is busy, until one has gone.
func TestTailsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 0, service.Options{Tails: 2}, nil)
		first := r.dial()
		r.stream(first, logwire.TaskTail, logwire.AppendTailRequest(nil, logwire.TailRequest{}))
		r.tail(0, "")
		_, err := r.call(logwire.TaskTail, logwire.AppendTailRequest(nil, logwire.TailRequest{}))
		require.Equal(t, serial.ErrorBusy, codeOf(t, err))
		require.EqualValues(t, 2, statsOf(t, r.dial()).Tails)
		require.EqualValues(t, 1, statsOf(t, r.dial()).Busy)
		first.Close()
		time.Sleep(time.Second) // A client that vanishes is noticed within it.
		require.EqualValues(t, 1, statsOf(t, r.dial()).Tails)
		r.tail(0, "").wants(logwire.FramePosition, 1)
	})
}

// When the service stops, tails that wait and tails that catch up end, with their position, and new ones are busy.
func TestStopTails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(service.NewSmallHub(1))
		m.add(lines(3, "a", 1)...)
		r := rigOf(t, m, service.Options{}, nil)
		waits, slow := r.tail(0, ""), r.tail(1, "", serialtest.Buffer(1))
		waits.wants(logwire.FramePosition, 4)
		synctest.Wait()
		stopped := time.Now()
		r.service.StopTails()
		r.service.StopTails()
		waits.wants(logwire.FramePosition, 4)
		waits.ends()
		require.Equal(t, stopped, time.Now())
		slow.wants(logwire.FramePosition, 1)
		var last logwire.Frame
		for {
			frame, err := slow.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			last = frame
		}
		require.Equal(t, logwire.FramePosition, last.Kind)
		_, err := r.call(logwire.TaskTail, logwire.AppendTailRequest(nil, logwire.TailRequest{}))
		require.Equal(t, serial.ErrorBusy, codeOf(t, err))
		require.EqualValues(t, 0, statsOf(t, r.dial()).Tails)
	})
}
