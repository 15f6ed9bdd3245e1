package ship_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/ship"
)

func TestFileStoreKeepsWhatWasSavedLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "state.json")
	s, err := ship.OpenFileStore(path)
	require.NoError(t, err)
	_, ok, err := s.Load()
	require.NoError(t, err)
	require.False(t, ok)
	st := ship.State{
		Version: 1, Path: "p", Collector: "c", Producer: logwire.ProducerID{1}.String(), Epoch: 2, Sequence: 3,
		File: ship.Identity{Device: 1, Inode: 2, Head: 3, Sum: "s"}, Position: 4, Planned: []int64{5, 9},
	}
	st.Carry.Block = true
	require.NoError(t, s.Save(ship.State{}))
	require.NoError(t, s.Save(st))
	_, err = ship.OpenFileStore(path)
	require.ErrorIs(t, err, ship.ErrLocked)
	require.NoError(t, s.Close())
	s, err = ship.OpenFileStore(path)
	require.NoError(t, err)
	defer s.Close()
	got, ok, err := s.Load()
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, st, got)
	for name, damage := range map[string]func(*ship.State){
		"version": func(st *ship.State) { st.Version = 2 }, "producer": func(st *ship.State) { st.Producer = "xy" },
		"epoch": func(st *ship.State) { st.Epoch = 0 }, "sequence": func(st *ship.State) { st.Sequence = 0 },
		"position": func(st *ship.State) { st.Position = -1; st.Planned = nil }, "planned": func(st *ship.State) { st.Planned = []int64{9, 9} },
	} {
		bad := st
		damage(&bad)
		require.NoError(t, s.Save(bad))
		_, _, err = s.Load()
		require.Error(t, err, name)
	}
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	_, _, err = s.Load()
	require.Error(t, err, "a damaged state is not no state")
}

// wipe makes the collector forget what it has stored.
func wipe(o *oracle) { o.marks = nil }

func TestACollectorThatHasLostItsMarksGetsANewEpoch(t *testing.T) {
	path := logPath(t)
	text, want := numbered("a", 0, 30)
	write(t, path, text)
	for left := range 12 { // The process before has ended anywhere, also with batches on their way.
		var o oracle
		var saved savedState
		life(t, &o, &saved, path, left, true, options())
		before := len(o.stored)
		known := len(o.marks) > 0
		wipe(&o)
		report, _ := life(t, &o, &saved, path, forever, false, options())
		if !known {
			continue
		}
		require.Equal(t, saved.st.Epoch == 2, len(report.Warnings) == 1)
		require.Equal(t, want[len(want)-1], o.stored[len(o.stored)-1])
		require.Equal(t, want[before:], o.stored[len(o.stored)-(len(want)-before):], "nothing that had not been acknowledged is missing")
	}
}

func TestAnOldCopyOfTheStateIsFoundOut(t *testing.T) {
	path := logPath(t)
	text, _ := numbered("a", 0, 9)
	write(t, path, text)
	var o oracle
	var saved savedState
	life(t, &o, &saved, path, forever, false, options())
	old := saved
	more, _ := numbered("a", 9, 30)
	extend(t, path, more)
	life(t, &o, &saved, path, forever, false, options())
	p := &process{o: &o, saved: &old, left: forever}
	_, err := ship.File(t.Context(), path, "c", p, p, options())
	require.ErrorIs(t, err, ship.ErrState)
	require.Len(t, o.stored, 30)
}

func TestAFencedProducerStops(t *testing.T) {
	path := logPath(t)
	write(t, path, "a\n")
	var o oracle
	var saved savedState
	life(t, &o, &saved, path, forever, false, options())
	for id := range o.marks {
		o.marks[id] = mark{epoch: 7}
	}
	extend(t, path, "b\n")
	p := &process{o: &o, saved: &saved, left: forever}
	_, err := ship.File(t.Context(), path, "c", p, p, options())
	require.ErrorIs(t, err, ship.ErrState)
	var fenced *logwire.FencedError
	require.ErrorAs(t, err, &fenced)
}

func TestSendingIsTriedAgainUntilPatienceIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := logPath(t)
		text, want := numbered("a", 0, 30)
		write(t, path, text)
		var o oracle
		n := 0
		p := &process{o: &o, saved: new(savedState), left: forever, busy: func() bool { n++; return n%3 != 0 }}
		opt := options()
		opt.Patience = time.Minute
		var reasons []error
		opt.Trouble = func(reason error) { reasons = append(reasons, reason) }
		_, err := ship.File(t.Context(), path, "c", p, p, opt)
		require.NoError(t, err)
		require.Equal(t, want, o.stored)
		require.Equal(t, []error{errBusy, errBusy, nil}, reasons[:3], "each failure is told, and that it is over")
		require.NoError(t, reasons[len(reasons)-1])

		reasons = nil
		o.refuse = func(*logwire.View) error { return &logwire.FieldError{Record: 0, Field: "time", Kind: logwire.ErrTime} }
		extend(t, path, "refused\n")
		_, err = ship.File(t.Context(), path, "c", p, p, opt)
		require.NoError(t, err)
		require.Equal(t, []error{errBusy, errBusy, nil}, reasons, "it is over, too, when the rest is refused for ever")
		o.refuse, opt.Trouble = nil, nil

		extend(t, path, "more\n")
		p.busy = func() bool { return true }
		begin := time.Now()
		_, err = ship.File(t.Context(), path, "c", p, p, opt)
		require.ErrorIs(t, err, ship.ErrPatience)
		require.ErrorIs(t, err, errBusy)
		require.GreaterOrEqual(t, time.Since(begin), time.Minute)
		require.Less(t, time.Since(begin), time.Minute+5*time.Second)
		p.busy = nil
		_, err = ship.File(t.Context(), path, "c", p, p, opt)
		require.NoError(t, err)
		require.Equal(t, append(want, "more"), o.stored)
	})
}

func TestAFileThatIsGoneIsReported(t *testing.T) {
	for _, left := range []int{3, forever} {
		path := logPath(t)
		text, _ := numbered("a", 0, 9)
		write(t, path, text)
		var o oracle
		var saved savedState
		life(t, &o, &saved, path, left, false, options())
		before := len(o.stored)
		require.NoError(t, os.Remove(path))
		write(t, path, "new\n")
		report, _ := life(t, &o, &saved, path, forever, false, options())
		require.Equal(t, "new", o.stored[len(o.stored)-1])
		require.Len(t, o.stored, before+1)
		require.Len(t, report.Warnings, 1)
		require.Equal(t, left != forever, saved.st.Epoch == 2, "numbers that may have been used are not used again")
	}
}

func TestAPartThatWasChangedIsReported(t *testing.T) {
	path := logPath(t)
	text, _ := numbered("a", 0, 60)
	write(t, path, text)
	var o oracle
	var saved savedState
	life(t, &o, &saved, path, 3, false, options())
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	blank := make([]byte, saved.st.Planned[2]-saved.st.Position)
	for i := range blank {
		blank[i] = '\n'
	}
	saved.st.File.Head = 0
	saved.st.File.Sum = "e3b0c44298fc1c149afbf4c8996fb924" // of nothing
	_, err = f.WriteAt(blank, saved.st.Position)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	before := len(o.stored)
	report, _ := life(t, &o, &saved, path, forever, false, options())
	require.Len(t, report.Warnings, 1)
	require.Equal(t, uint64(2), saved.st.Epoch)
	require.Greater(t, len(o.stored), before)
}

func TestRecordsWithATimeThatIsRefusedAreDroppedTogether(t *testing.T) {
	path := logPath(t)
	var text string
	for i := range 40 {
		text += fmt.Sprintf("%d-01-02 00:00:00 line\n", []int{1930 + i, 2026, 2099 - i, 2026}[i%4])
	}
	write(t, path, text)
	now := options().Now()
	asked := 0
	o := oracle{refuse: func(v *logwire.View) error {
		asked++
		return logwire.CheckTime(v.Time, now, logwire.DefaultMaxAge, logwire.DefaultMaxAhead)
	}}
	opt := options()
	opt.BatchRecords = 1000
	p := &process{o: &o, saved: new(savedState), left: forever}
	report, err := ship.File(t.Context(), path, "c", p, p, opt)
	require.NoError(t, err)
	require.Len(t, o.stored, 20)
	require.Equal(t, map[string]int64{"time: logwire: time out of range": 20}, report.Refused)
	require.Equal(t, report.Lines, report.Acknowledged+report.RefusedTotal())
	require.Less(t, asked, 60, "not one question for each record")
}

// TestOldRecordsAreNotDroppedForNewOnes: a collector that takes records of any age refuses those of the future alone.
func TestOldRecordsAreNotDroppedForNewOnes(t *testing.T) {
	path := logPath(t)
	write(t, path, "2099-01-02 00:00:00 line\n1930-01-02 00:00:00 line\n2026-01-02 00:00:00 line\n")
	now := options().Now()
	o := oracle{refuse: func(v *logwire.View) error {
		return logwire.CheckTime(v.Time, now, 200*365*24*time.Hour, logwire.DefaultMaxAhead)
	}}
	p := &process{o: &o, saved: new(savedState), left: forever}
	report, err := ship.File(t.Context(), path, "c", p, p, options())
	require.NoError(t, err)
	require.Len(t, o.stored, 2)
	require.EqualValues(t, 1, report.RefusedTotal())
}
