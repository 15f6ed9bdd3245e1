package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// A tail looks at so much before it is asked whether it is to stop, its client is to be told something, and others have their
// turn: a fraction of a second. Queries of many terms take their time for each record.
const (
	// scanned is how many ids one that catches up looks at, and turn for how long it does.
	scanned = 50_000
	turn    = 250 * time.Millisecond
	// stepBytes is how many bytes of records one that lives from the hub looks at, and one record more.
	stepBytes = 256 << 10
)

// errFull is what a tail's emit returns when its buffer is full.
var errFull = errors.New("service: the tail's buffer is full")

// tail streams records as they are stored.
func (s *Service) tail(ctx context.Context, _ *serialserver.Client, message []byte, _ *zap.Logger, _ ...any) (io.Reader, error) {
	request, err := logwire.ParseTailRequest(message)
	if err != nil {
		return refused(err)
	}
	filter, err := parseFilter(request.Text)
	if err != nil {
		return refused(err)
	}
	next, err := s.begin(request.Cursor)
	if err != nil {
		return refused(err)
	}
	select {
	case <-s.stopping:
		return nil, serial.Errorf(serial.ErrorBusy, "service: stopping")
	default:
	}
	s.tails.Add(1)
	t := &tail{service: s, ctx: ctx, filter: filter, next: next, live: s.hub.covers(next)}
	t.buf = append(t.buf, byte(logwire.StatusOK))
	t.tellPosition()
	return t, nil
}

// begin returns the id at which a tail with this cursor begins.
func (s *Service) begin(cursor uint64) (uint64, error) {
	head := max(s.store.Head(), s.hub.nextID())
	switch {
	case cursor == 0:
		return head, nil
	case cursor > head:
		return 0, &logwire.FieldError{Record: logwire.NoRecord, Field: "cursor", Kind: logwire.ErrMalformed,
			Detail: fmt.Sprintf("%d, and the next id is %d", cursor, head)}
	}
	return cursor, nil
}

// tail is the answer of one. All of it happens in Read, in the connection's goroutine.
type tail struct {
	service *Service
	ctx     context.Context
	filter  *query.Filter

	next uint64 // the id of the next record that is looked at
	live bool   // it lives from the hub
	// place is where next is in its entry of the hub, if that is the one that begins with entry.
	entry uint64
	place int

	told time.Time // when the client was told its position
	last bool      // the service is being stopped, and the last frame is in buf or was read
	buf  []byte    // frames; those before sent were read
	sent int
}

// Read returns frames, as soon as there are some.
func (t *tail) Read(p []byte) (int, error) {
	for t.sent == len(t.buf) {
		t.sent, t.buf = 0, t.buf[:0]
		if err := t.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.buf[t.sent:])
	t.sent += n
	return n, nil
}

// Close counts the tail as gone.
func (t *tail) Close() error {
	t.service.tails.Add(-1)
	return nil
}

// fill does one step, which may yield no frame, or waits for there to be one.
func (t *tail) fill() error {
	if t.ended() {
		return io.EOF
	}
	if t.last {
		return nil
	}
	if !t.live && t.service.hub.covers(t.next) {
		t.live = true
		t.tellPosition()
		return nil
	}
	news, err := t.step()
	if err != nil {
		return err
	}
	if rest := time.Until(t.told.Add(t.service.options.Position)); rest <= 0 {
		t.tellPosition()
	} else if news != nil {
		return t.wait(news, rest)
	}
	return nil
}

// ended reports whether the service is being stopped and the client has been told its position for the last time.
func (t *tail) ended() bool {
	if t.last {
		return true
	}
	select {
	case <-t.service.stopping:
		t.last = true
		t.tellPosition()
	default:
	}
	return false
}

// step looks at some records, in its turn. If there are none it returns what is closed when there are.
func (t *tail) step() (news <-chan struct{}, err error) {
	select {
	case t.service.filtering <- struct{}{}:
		defer func() { <-t.service.filtering }()
	case <-t.ctx.Done():
		return nil, context.Cause(t.ctx)
	}
	if !t.live {
		return nil, t.catchUp()
	}
	g := t.service.hub.look(t.next)
	switch {
	case g.found:
		t.follow(g.entry)
	case g.next > t.next:
		t.miss(g.next)
	}
	return g.news, nil
}

// wait waits for news, for at most d.
func (t *tail) wait(news <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
	case <-t.service.stopping:
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
	return nil
}

// catchUp looks at some of the records in the store.
func (t *tail) catchUp() error {
	ctx, cancel := context.WithTimeout(t.ctx, turn)
	defer cancel()
	to := min(t.next+scanned, t.service.store.Head())
	next, err := t.service.store.Follow(ctx, t.filter, t.next, to, t.emit, t.pass)
	switch {
	case err == nil, errors.Is(err, context.DeadlineExceeded) && t.ctx.Err() == nil:
		t.next, err = max(t.next, next), nil
	case errors.Is(err, errFull): // emit has moved next.
		err = nil
	}
	return err
}

// follow looks at the records of an entry of the hub that has the next id, to its end or until the buffer is full or it has looked at much.
func (t *tail) follow(e entry) {
	if t.entry != e.first {
		t.entry, t.place = e.first, 0
		for id := e.first; id < t.next; id++ {
			record, _, _ := logwire.NextRecord(e.records[t.place:])
			t.place += logwire.RecordPrefix + len(record)
		}
	}
	var v logwire.View
	for begin := t.place; t.next < e.end() && len(t.buf) < chunk && t.place-begin < stepBytes; {
		record, _, _ := logwire.NextRecord(e.records[t.place:])
		if logwire.TrustRecord(record, &v) && t.filter.Match(&v) {
			t.buf = logwire.AppendRecordFrame(t.buf, t.next, record)
		}
		t.place += logwire.RecordPrefix + len(record)
		t.next++
	}
}

// emit takes a record of the store that matches.
func (t *tail) emit(id uint64, record []byte) error {
	t.buf = logwire.AppendRecordFrame(t.buf, id, record)
	t.next = id + 1
	if len(t.buf) >= chunk {
		return errFull
	}
	return nil
}

// pass takes a range that has expired or cannot be read.
func (t *tail) pass(first, end uint64) {
	t.next = first
	t.miss(end)
}

// miss passes over the records before next.
func (t *tail) miss(next uint64) {
	t.buf = logwire.AppendMissedFrame(t.buf, next-t.next, next)
	t.service.missed.Add(int64(next - t.next))
	t.next = next
}

func (t *tail) tellPosition() {
	t.buf = logwire.AppendPositionFrame(t.buf, t.next)
	t.told = time.Now()
}
