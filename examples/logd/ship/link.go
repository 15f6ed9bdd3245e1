package ship

import (
	"context"
	"encoding/binary"
	"net"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialclient"
)

// Link is a Sender over one connection at a time, which it makes when it needs it. It belongs to one goroutine.
type Link struct {
	dial   func(ctx context.Context) (net.Conn, error)
	client *serialclient.Client
	buf    []byte
}

// NewLink returns a Link that connects with dial.
func NewLink(dial func(ctx context.Context) (net.Conn, error)) *Link { return &Link{dial: dial} }

// DialError is the error of Send where there was no connection.
type DialError struct{ Err error }

// Error names the cause.
func (e *DialError) Error() string { return "ship: cannot connect: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

// Close ends the connection.
func (l *Link) Close() error {
	if l.client == nil {
		return nil
	}
	err := l.client.Close()
	l.client = nil
	return err
}

// Send pipelines the batches. A *DialError says that nothing was sent.
func (l *Link) Send(ctx context.Context, batches [][]byte) ([]logwire.AppendAnswer, error) {
	if l.client == nil || l.client.Err() != nil {
		if err := l.connect(ctx); err != nil {
			return nil, &DialError{err}
		}
	}
	p, err := l.client.Pipeline(ctx)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for _, b := range batches {
		if err := p.Send(logwire.TaskAppend, b); err != nil {
			break // Receive says how far it came.
		}
	}
	if err := p.CloseSend(); err != nil {
		return nil, err
	}
	var answers []logwire.AppendAnswer
	for range batches {
		if l.buf, err = p.Receive(l.buf[:0]); err != nil {
			return answers, err
		}
		a, err := logwire.ParseAppendAnswer(l.buf)
		if err != nil {
			return answers, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

func (l *Link) connect(ctx context.Context) error {
	if l.client != nil {
		_ = l.client.Close() // It is broken already; its error was returned by the Send before.
		l.client = nil
	}
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	l.client = serialclient.New(conn, binary.BigEndian)
	return nil
}
