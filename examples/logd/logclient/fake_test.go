package logclient_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

var (
	errAway = errors.New("the collector is away")
	errDie  = errors.New("the collector dies")
	errBusy = serial.Errorf(serial.ErrorBusy, "busy")
)

// fake is a collector that keeps its records in memory, and has the faults that it is told to have.
type fake struct {
	server *serialserver.Server
	wg     sync.WaitGroup

	mu     sync.Mutex
	marks  map[logwire.ProducerID]*mark
	stored []string // messages, in the order of their ids
	away   bool
	dials  int
	heads  []logwire.BatchHead // of the batches, as they came
	conns  []net.Conn
	// before and after are asked before a batch is looked at and after it was stored; record is asked for each record. An error is
	// the task's: one without a code breaks the connection, one of logwire is the answer.
	before, after func(h logwire.BatchHead) error
	record        func(v *logwire.View) error
}

type mark struct{ epoch, sequence uint64 }

func newFake(t testing.TB) *fake {
	f := &fake{marks: map[logwire.ProducerID]*mark{}, server: serialserver.New(nil)}
	f.server.SetLogger(zap.NewNop())
	f.server.Register(logwire.TaskAppend, f.append, "append")
	t.Cleanup(f.stop)
	return f
}

// stop ends all connections and waits for them.
func (f *fake) stop() {
	_ = f.server.Close()
	f.wg.Wait()
}

// dial is an Options.Dialer.
func (f *fake) dial(context.Context, string, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	if f.away {
		return nil, errAway
	}
	client, server := serialtest.Pipe()
	f.conns = append(f.conns, server)
	f.wg.Go(func() { _ = f.server.HandleConnection(context.Background(), server, binary.BigEndian) })
	return client, nil
}

// set changes the fake.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// goAway cuts all connections and lets no new one be made.
func (f *fake) goAway() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = true
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
}

// messages returns the messages stored.
func (f *fake) messages() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.stored...)
}

func (f *fake) append(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	answer, err := f.store(b)
	if err != nil {
		if refusal, ok := logwire.AppendError(nil, err); ok {
			return binaryutil.NewBuffer(binary.BigEndian, refusal), nil
		}
		return nil, err
	}
	return binaryutil.NewBuffer(binary.BigEndian, answer.AppendTo(nil)), nil
}

// store does what a collector does with a batch.
func (f *fake) store(b []byte) (answer logwire.AppendAnswer, err error) {
	head, records, err := logwire.ParseBatchHead(b)
	if err != nil {
		return answer, err
	}
	f.mu.Lock()
	before, after, record := f.before, f.after, f.record
	f.heads = append(f.heads, head)
	f.mu.Unlock()
	if before != nil {
		if err := before(head); err != nil {
			return answer, err
		}
	}
	var messages []string
	err = logwire.CheckRecords(records, head.Count, func(v *logwire.View) error {
		messages = append(messages, string(v.Message))
		if record != nil {
			return record(v)
		}
		return nil
	})
	if err != nil {
		return answer, err
	}
	if answer, err = f.commit(head, messages); err == nil && after != nil {
		err = after(head)
	}
	return answer, err
}

func (f *fake) commit(head logwire.BatchHead, messages []string) (answer logwire.AppendAnswer, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.marks[head.Producer]
	if m == nil {
		m = &mark{epoch: head.Epoch}
		f.marks[head.Producer] = m
	}
	if head.Epoch < m.epoch {
		return answer, &logwire.FencedError{Epoch: m.epoch}
	}
	last := m.sequence
	if head.Epoch > m.epoch {
		last = 0
	}
	switch {
	case head.Sequence > last+1:
		return answer, &logwire.GapError{Expected: last + 1}
	case head.Sequence <= last:
		return logwire.AppendAnswer{Mark: last}, nil
	}
	*m = mark{head.Epoch, head.Sequence}
	first := uint64(len(f.stored) + 1)
	f.stored = append(f.stored, messages...)
	return logwire.AppendAnswer{Stored: true, Mark: head.Sequence, FirstID: first}, nil
}
