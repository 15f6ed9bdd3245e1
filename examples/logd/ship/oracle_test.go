package ship_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/ship"
)

// errCrash is where a process ends. errBusy is a reason to send again.
var (
	errCrash = errors.New("crash")
	errBusy  = errors.New("busy")
)

// oracle is a collector, without a network, that outlives the processes.
type oracle struct {
	mu      sync.Mutex // held by append and all; other tests read the fields when no process runs
	marks   map[logwire.ProducerID]mark
	stored  []string
	times   []int64
	refuse  func(v *logwire.View) error // of a record
	batches int
	// marksFirst answers for a batch that it has without looking at its records.
	marksFirst bool
}

type mark struct{ epoch, sequence uint64 }

func (o *oracle) append(batch []byte) (logwire.AppendAnswer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h, records, err := logwire.ParseBatchHead(batch)
	if err != nil {
		return logwire.AppendAnswer{}, err
	}
	var messages []string
	var times []int64
	err = logwire.CheckRecords(records, h.Count, func(v *logwire.View) error {
		messages, times = append(messages, string(v.Message)), append(times, v.Time)
		if o.refuse != nil {
			return o.refuse(v)
		}
		return nil
	})
	known := o.marks[h.Producer]
	if err != nil && !(o.marksFirst && h.Epoch == known.epoch && h.Sequence <= known.sequence) {
		return logwire.AppendAnswer{}, err
	}
	if o.marks == nil {
		o.marks = map[logwire.ProducerID]mark{}
	}
	m := o.marks[h.Producer]
	switch {
	case h.Epoch < m.epoch:
		return logwire.AppendAnswer{}, &logwire.FencedError{Epoch: m.epoch}
	case h.Epoch > m.epoch:
		m = mark{h.Epoch, 0}
	}
	switch {
	case h.Sequence <= m.sequence:
		return logwire.AppendAnswer{Mark: m.sequence}, nil
	case h.Sequence > m.sequence+1:
		return logwire.AppendAnswer{}, &logwire.GapError{Expected: m.sequence + 1}
	}
	m.sequence++
	o.marks[h.Producer] = m
	o.stored, o.times = append(o.stored, messages...), append(o.times, times...)
	o.batches++
	return logwire.AppendAnswer{Stored: true, Mark: m.sequence, FirstID: 1}, nil
}

// all returns what was stored so far.
func (o *oracle) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.stored)
}

// process is one life of a shipping process: it ends after a number of steps, each of which is a change of what outlives it: the state is
// saved, or a batch is stored. Of each it is tried whether the process still hears of it.
type process struct {
	o     *oracle
	saved *savedState
	left  int // steps until the end
	deaf  bool
	busy  func() bool
}

type savedState struct {
	st ship.State
	ok bool
}

// step returns errCrash when the process has ended before the step, and true when it ends right behind it.
func (p *process) step() (last bool, err error) {
	if p.left == 0 && !p.deaf || p.left < 0 {
		return false, errCrash
	}
	p.left--
	return p.left < 0, nil
}

func (p *process) Load() (ship.State, bool, error) {
	st := p.saved.st
	st.Planned = slices.Clone(st.Planned)
	return st, p.saved.ok, nil
}

func (p *process) Save(st ship.State) error {
	last, err := p.step()
	if err != nil {
		return err
	}
	st.Planned = slices.Clone(st.Planned)
	*p.saved = savedState{st, true}
	if last {
		return errCrash
	}
	return nil
}

// Send stores one batch after the other, as they are on their way together.
func (p *process) Send(_ context.Context, batches [][]byte) (answers []logwire.AppendAnswer, err error) {
	for _, b := range batches {
		if p.busy != nil && p.busy() {
			return answers, errBusy
		}
		last, err := p.step()
		if err != nil {
			return answers, err
		}
		a, err := p.o.append(b)
		if last {
			return answers, errCrash
		}
		if err != nil {
			return answers, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// forever is more steps than any test has.
const forever = 1 << 30

// options make many small batches.
func options() ship.Options {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return ship.Options{BatchRecords: 3, Window: 3, Host: "h", Patience: time.Nanosecond, Now: func() time.Time { return at }}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func extend(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// numbered returns the lines from..to-1, with a name, so long that a file of them is known by its beginning.
func numbered(name string, from, to int) (text string, all []string) {
	for i := from; i < to; i++ {
		line := fmt.Sprintf("%s line %d %0*d", name, i, i%40, 0)
		all = append(all, line)
		text += line + "\n"
	}
	return text, all
}

func logPath(t testing.TB) string { return filepath.Join(t.TempDir(), "app.log") }
