package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// batchName says which batch it is; what is in it follows from that.
type batchName struct {
	p               byte
	epoch, sequence uint64
}

func (n batchName) count() int { return 1 + int(n.sequence*7+n.epoch+uint64(n.p))%9 }

// bytes are between 100 bytes and 60 KB, mostly a few KB.
func (n batchName) bytes() []byte {
	b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: producer(n.p), Epoch: n.epoch, Sequence: n.sequence, Count: n.count()})
	for i := range n.count() {
		r := n.record(i)
		b = logwire.AppendBatchRecord(b, &r)
	}
	return b
}

func (n batchName) record(i int) logwire.Record {
	r := record(n.p, n.epoch, n.sequence, i)
	size := int(n.sequence*131+uint64(i)*17) % 600
	if n.sequence%11 == 0 {
		size *= 12
	}
	r.Message += " " + string(bytes.Repeat([]byte{'a' + n.p}, size))
	return r
}

// seen is a batch that was acknowledged or shown, with its first id.
type seen struct {
	batchName
	first uint64
}

// oracle knows, beside the store, what must be in it.
type oracle struct {
	keep time.Duration

	mu    sync.Mutex
	now   time.Time          // guarded by mu, as are the following
	begun map[batchName]day  // the day on which it was first sent
	acked []seen             // only appended to
	shown []seen             // only appended to
	fresh map[batchName]bool // sent, and not acknowledged yet
}

func newOracle() *oracle {
	return &oracle{keep: 24 * time.Hour, now: epochTime, begun: map[batchName]day{}, fresh: map[batchName]bool{}}
}

func (o *oracle) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *oracle) advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *oracle) sending(n batchName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.begun[n]; !ok {
		o.begun[n] = dayOf(o.now.UnixNano())
	}
	o.fresh[n] = true
}

func (o *oracle) acknowledged(s seen) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acked = append(o.acked, s)
	delete(o.fresh, s.batchName)
}

func (o *oracle) show(s seen) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shown = append(o.shown, s)
}

// snapshot is what the oracle knew before a cut.
type snapshot struct {
	acked, shown []seen
	open         []batchName
}

func (o *oracle) snapshot() snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := snapshot{acked: o.acked[:len(o.acked):len(o.acked)], shown: o.shown[:len(o.shown):len(o.shown)]}
	for n := range o.fresh {
		s.open = append(s.open, n)
	}
	return s
}

// may reports whether the batch may have expired.
func (o *oracle) may(expired batchName) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now.Sub(o.begun[expired].end()) > o.keep
}

// errLost is the kind of what verify returns for records that were acknowledged or shown, and are not there any more.
var errLost = errors.New("lost")

// content reads the whole store and checks that it is made of whole batches.
func content(s *Store) (map[batchName]uint64, error) {
	var v logwire.View
	var current batchName
	found, index, expected := map[batchName]uint64{}, 0, s.First()
	end := s.Query(context.Background(), nil, logwire.QueryRequest{Limit: 1 << 40}, func(id uint64, b []byte) error {
		if err := logwire.ParseRecord(b, &v); err != nil {
			return err
		}
		var n batchName
		i := 0
		if _, err := fmt.Sscanf(string(v.Message), "%d/%d/%d/%d", &n.p, &n.epoch, &n.sequence, &i); err != nil {
			return err
		}
		if index == 0 {
			if _, twice := found[n]; twice {
				return fmt.Errorf("%v is there twice", n)
			}
			current, found[n] = n, id
		}
		want := current.record(index)
		if n != current || i != index || id != expected || !bytes.Equal(b, logwire.AppendRecord(nil, &want)) {
			return fmt.Errorf("%v/%d with the id %d instead of %v/%d with %d", n, i, id, current, index, expected)
		}
		if expected, index = id+1, index+1; index == current.count() {
			index = 0
		}
		return nil
	})
	switch {
	case end.Reason != reasonEnd || end.Plan.Corrupt+int(end.Plan.Lost) > 0:
		return nil, fmt.Errorf("%+v", end)
	case expected != s.Head() || index != 0:
		return nil, fmt.Errorf("the records end with the id %d, record %d of %v, and the head is %d", expected, index, current, s.Head())
	}
	return found, nil
}

// verify opens what a cut has left and compares it with what the oracle knew. It returns the store's batches.
func (o *oracle) verify(fs vfs.FS, was snapshot) (found map[batchName]uint64, err error) {
	s, err := Open("data", o.options(fs))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if found, err = content(s); err != nil {
		return nil, err
	}
	for kind, list := range map[string][]seen{"acknowledged": was.acked, "shown": was.shown} {
		for _, n := range list {
			first, ok := found[n.batchName]
			if !ok && !o.may(n.batchName) {
				return nil, fmt.Errorf("%w: %v was %s as %d; the store has %d to %d, begun %v, now %v", errLost, n.batchName, kind, n.first, s.First(), s.Head(), o.begun[n.batchName], o.clock())
			}
			if ok && n.first != 0 && first != n.first {
				return nil, fmt.Errorf("%v was %s as %d and is %d", n.batchName, kind, n.first, first)
			}
		}
	}
	return found, o.verifyMarks(s, found, was)
}

func (o *oracle) verifyMarks(s *Store, found map[batchName]uint64, was snapshot) error {
	for n := range found {
		m := s.marks.of[producer(n.p)]
		if m.epoch < n.epoch || m.epoch == n.epoch && m.sequence < n.sequence {
			return fmt.Errorf("the mark of %d is %d/%d and %v is there", n.p, m.epoch, m.sequence, n)
		}
	}
	for _, n := range was.acked {
		m := s.marks.of[producer(n.p)]
		if m.epoch < n.epoch || m.epoch == n.epoch && m.sequence < n.sequence {
			return fmt.Errorf("the mark of %d is %d/%d and %v was acknowledged", n.p, m.epoch, m.sequence, n)
		}
	}
	for id, m := range s.marks.of {
		last := batchName{id[0], m.epoch, m.sequence}
		if _, ok := found[last]; !ok && !o.may(last) {
			return fmt.Errorf("the mark of %d is %d/%d, and that batch is not there", id[0], m.epoch, m.sequence)
		}
	}
	return nil
}

func (o *oracle) options(fs vfs.FS) Options {
	options := small(fs)
	options.MemTable = 64 << 10
	options.Now, options.KeepAge, options.MarkAge, options.MaxRecordAhead = o.clock, o.keep, -1, -1
	options.QueryTime = -1
	options.OnFatal = func(err error) { panic(err) }
	return options
}
