package logclient

import (
	"encoding/binary"
	"net"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialclient"
)

// maxAnswer bounds an answer: a FieldError with the longest texts.
const maxAnswer = 256 << 10

// sending is what the sender knows. It belongs to its goroutine alone.
type sending struct {
	*Client
	backoff  backoff
	renumber bool   // the next batch gets a new epoch
	replace  bool   // and the producer a new id
	gaps     int    // how often in a row the first batch was refused for a gap
	epoch    uint64 // on the wire, of the last batch that was sent
	failures int    // how often in a row the spool could not be read
	acked    uint64 // how many records were acknowledged at the last pause
}

// maxReads is how often the reading of a segment is tried before its rest is given up.
const maxReads = 5

// send is the sender: it connects when there is something to send, and sends it, until Close stops it.
func (c *Client) send() {
	defer close(c.sender)
	s := &sending{Client: c, backoff: backoff{first: c.options.Pause, most: c.options.MaxPause}}
	for s.waitForWork() {
		conn, err := c.reader.Dial(c.ctx)
		if err != nil {
			s.lost(err)
			continue
		}
		s.serve(conn)
	}
}

// waitForWork reports false when the sender is to end.
func (s *sending) waitForWork() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.readyLocked() && !s.stopping {
		s.wake.Wait()
	}
	return !s.stopping
}

// lost says that the collector could not be reached, and pauses.
func (s *sending) lost(err error) {
	s.mu.Lock()
	stopping := s.stopping
	s.ledger.Away = s.ledger.Away || !stopping
	s.idle.Broadcast()
	s.mu.Unlock()
	if stopping {
		return
	}
	s.signal()
	s.trouble.report(Unreachable, err)
	s.pause()
}

// serve sends on a connection until it ends.
func (s *sending) serve(conn net.Conn) {
	client := serialclient.New(conn, binary.BigEndian, serialclient.WithMaxResponse(maxAnswer),
		serialclient.WithTimeout(serialclient.Timeout{Wait: s.options.AnswerTimeout}))
	p, err := client.Pipeline(s.ctx)
	if err != nil {
		_ = client.Close()
		s.lost(err)
		return
	}
	s.connected(true)
	received := make(chan struct{})
	go func() {
		defer close(received)
		s.receive(p)
	}()
	for s.step(p) {
	}
	_ = p.Close()
	_ = client.Close()
	<-received
	if err := s.connected(false); err != nil {
		s.lost(err)
	}
}

// connected takes note of a new connection, and of its end. It returns why that is a failure, and nil if it is none, because
// something was acknowledged.
func (s *sending) connected(now bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.flight
	s.rewindLocked()
	s.ledger.Connected = now
	if now {
		s.ledger.Connections++
		f.broken, f.answered = nil, false
		return nil
	}
	if f.answered {
		return nil
	}
	return f.broken
}

// step waits for something to do, and does it. It reports false at the end of the connection.
func (s *sending) step(p *serialclient.Pipeline) bool {
	s.mu.Lock()
	f := &s.flight
	if f.sending != nil {
		f.sending = nil
	}
	for !s.stopping && f.broken == nil && !(f.refusal != nil && len(f.batches) == 0) &&
		!(f.refusal == nil && len(f.batches) < s.options.Window && s.readyLocked()) {
		s.resolveTailLocked()
		s.wake.Wait()
	}
	refusal, end := f.refusal, s.stopping || f.broken != nil
	s.mu.Unlock()
	if end {
		return false
	}
	if refusal != nil {
		return s.recover(refusal)
	}
	return s.sendNext(p)
}

// sendNext sends the next batch. It reports false if the connection has failed.
func (s *sending) sendNext(p *serialclient.Pipeline) bool {
	b, err := s.peek()
	if err != nil {
		s.readFailed(err)
		return true
	}
	if b == nil {
		return true
	}
	s.failures = 0
	if s.options.peeked != nil {
		s.options.peeked()
	}
	message, ok := s.takeOff(b)
	if !ok {
		return true
	}
	if err := p.Send(logwire.TaskAppend, message); err != nil {
		s.takeBack(err)
		return false
	}
	return true
}

// takeOff puts the batch into the flight and returns its message. It reports false if it is not to be sent now.
func (s *sending) takeOff(b *batch) (message []byte, ok bool) {
	if !s.enterEpoch(b) {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.flight
	if f.refusal != nil || f.broken != nil {
		return nil, false // What follows rewinds.
	}
	if !s.waitsLocked(b) {
		return nil, false // Room was made meanwhile, and it is counted as dropped.
	}
	head := s.identity.Head(b.key)
	b.fresh = !b.tried && b.key.Epoch == s.Client.epoch && !(b.spooled && b.end <= f.tried)
	f.epoch, s.epoch = head.Epoch, head.Epoch
	f.batches, f.sending, b.tried = append(f.batches, b), b, true
	s.ledger.Batches++
	switch {
	case b == f.held:
		f.heldSent = true
		fallthrough
	case b.spooled:
		f.position, f.tried = max(f.position, b.end), max(f.tried, b.end)
	default:
		s.queue.next++
	}
	return b.message(head), true
}

// takeBack takes the batch out of the flight that Send has refused.
func (s *sending) takeBack(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.flight
	if n := len(f.batches); n > 0 {
		f.batches = f.batches[:n-1]
	}
	if f.broken == nil {
		f.broken = err
	}
}

// readFailed pauses after the spool could not be read, and gives the segment up after some attempts.
func (s *sending) readFailed(err error) {
	s.trouble.report(SpoolFailed, err)
	if s.failures++; s.failures >= maxReads {
		s.failures = 0
		s.spool.Skip()
		return
	}
	s.pause()
}
