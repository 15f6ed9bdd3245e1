package logclient

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// Reader asks a collector for records. Each call has a connection of its own, which it makes and closes. Its methods
// are safe for concurrent use; there is nothing to close.
type Reader struct {
	options Options
}

// NewReader returns a Reader of the collector at Options.Address. Of the other options it heeds TLS, Dialer, DialTimeout,
// AnswerTimeout, Silence, Pause and MaxPause. The error is ErrAddress.
func NewReader(o Options) (*Reader, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	return newReader(o), nil
}

func newReader(o Options) *Reader { return &Reader{options: o} }

// Dial connects to the collector, within DialTimeout, as every call does: for programs that speak the protocol themselves.
// The connection is the caller's to close.
func (r *Reader) Dial(ctx context.Context) (net.Conn, error) {
	o := &r.options
	ctx, cancel := context.WithTimeout(ctx, o.DialTimeout)
	defer cancel()
	switch {
	case o.Dialer != nil:
		return o.Dialer(ctx, o.network, o.address)
	case o.TLS != nil:
		return (&tls.Dialer{Config: o.TLS}).DialContext(ctx, o.network, o.address)
	default:
		return new(net.Dialer).DialContext(ctx, o.network, o.address)
	}
}

// answer is the answer of a task, as a stream behind its status.
type answer struct {
	client *serialclient.Client
	stream *serialclient.Stream
	body   *bufio.Reader
}

// ask connects, sends a request and reads the status. Another one than StatusOK is returned as the error that it
// encodes. The answer lasts until ctx is done or it is closed.
func (r *Reader) ask(ctx context.Context, task serial.TaskCode, request []byte) (*answer, error) {
	conn, err := r.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("logclient: %w", err)
	}
	client := serialclient.New(conn, binary.BigEndian, serialclient.WithTimeout(serialclient.Timeout{
		Wait: r.options.AnswerTimeout, Read: r.options.Silence,
	}))
	stream, err := client.Stream(ctx, task, bytes.NewReader(request))
	if err != nil {
		return nil, fmt.Errorf("logclient: %w", errors.Join(err, client.Close()))
	}
	a := &answer{client, stream, bufio.NewReader(stream)}
	if err := a.readStatus(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *answer) readStatus() error {
	status, err := a.body.ReadByte()
	if err == io.EOF {
		return logwire.ParseError(nil)
	}
	if err != nil {
		return fmt.Errorf("logclient: %w", err)
	}
	if logwire.Status(status) == logwire.StatusOK {
		return nil
	}
	rest, err := io.ReadAll(io.LimitReader(a.body, maxAnswer))
	if err != nil {
		return fmt.Errorf("logclient: %w", err)
	}
	return logwire.ParseError(append([]byte{status}, rest...))
}

// Close closes the connection, and so cancels what the collector does for it.
func (a *answer) Close() error {
	err := a.client.Close() // First: so that the stream does not wait for the rest of the answer.
	_ = a.stream.Close()    // Its connection is closed.
	return err
}

// maxStats bounds the JSON document of the statistics.
const maxStats = 1 << 20

// ServerStats returns the collector's statistics.
func (r *Reader) ServerStats(ctx context.Context) (logwire.Stats, error) {
	var stats logwire.Stats
	a, err := r.ask(ctx, logwire.TaskStats, nil)
	if err != nil {
		return stats, err
	}
	b, err := io.ReadAll(io.LimitReader(a.body, maxStats))
	if err == nil {
		err = json.Unmarshal(b, &stats)
	}
	if err := errors.Join(err, a.Close()); err != nil {
		return stats, fmt.Errorf("logclient: stats: %w", err)
	}
	return stats, nil
}

// ServerStats is Reader.ServerStats.
func (c *Client) ServerStats(ctx context.Context) (logwire.Stats, error) {
	return c.reader.ServerStats(ctx)
}

// Query is Reader.Query.
func (c *Client) Query(ctx context.Context, q logwire.QueryRequest) (*Rows, error) {
	return c.reader.Query(ctx, q)
}

// Tail is Reader.Tail.
func (c *Client) Tail(ctx context.Context, t logwire.TailRequest) *Tail { return c.reader.Tail(ctx, t) }
