package serialclient

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// PoolStream is a Stream on a connection of a Pool, which has it back after Close. What is said of Stream
// holds for it.
type PoolStream struct {
	binaryutil.BinaryReader

	lease  lease
	stream *Stream
}

// Stream starts a call, as Client.Stream does, on a connection of the Pool. While nothing of the
// request was read it moves on to another connection, as Call does; afterwards the stream fails with its
// outcome, and where that is NotRun the caller may start it again. The error is as Call's.
func (p *Pool) Stream(ctx context.Context, task serial.TaskCode, request io.Reader) (*PoolStream, error) {
	if task.IsReserved() {
		return nil, notRun(task, ErrReservedCode)
	}
	call := poolCall{pool: p, ctx: ctx, task: task}
	for {
		c, err := call.connection()
		if err != nil {
			return nil, err
		}
		s, err := c.client.Stream(ctx, task, request)
		if err == nil {
			return &PoolStream{BinaryReader: s.BinaryReader, lease: lease{pool: p, conn: c}, stream: s}, nil
		}
		if err := call.lost(c, err); err != nil {
			return nil, err
		}
	}
}

// Close ends the call, as Stream.Close does, and gives the connection back to the Pool, once a response that
// was not read to its end has been thrown away. Closing again does nothing.
func (s *PoolStream) Close() error {
	err := s.stream.Close()
	ended := s.stream.body.err // nobody reads any more
	s.lease.end(ended == io.EOF || ended != nil && OutcomeOf(ended) == Failed)
	return err
}

// PoolPipeline is a Pipeline on a connection of a Pool, which has it back after Close. Each method is that
// of Pipeline.
type PoolPipeline struct {
	lease    lease
	pipeline *Pipeline
	answered atomic.Bool // a call was
}

// Pipeline returns a Pipeline on a connection of the Pool. Its calls are not made again by the Pool: where
// Receive returns an error whose outcome is NotRun the caller may send it in another pipeline. The error is
// as Call's, and names no task.
func (p *Pool) Pipeline(ctx context.Context) (*PoolPipeline, error) {
	call := poolCall{pool: p, ctx: ctx, noTask: true}
	for {
		c, err := call.connection()
		if err != nil {
			return nil, err
		}
		pipeline, err := c.client.Pipeline(ctx)
		if err == nil {
			return &PoolPipeline{lease: lease{pool: p, conn: c}, pipeline: pipeline}, nil
		}
		if err := call.lost(c, err); err != nil {
			return nil, err
		}
	}
}

// Send starts a call, see Pipeline.Send.
func (p *PoolPipeline) Send(task serial.TaskCode, request []byte) error {
	return p.pipeline.Send(task, request)
}

// Receive waits for the oldest response that has not been received and appends it to dst, see Pipeline.Receive.
func (p *PoolPipeline) Receive(dst []byte) ([]byte, error) {
	response, err := p.pipeline.Receive(dst)
	if err == nil {
		p.answered.Store(true)
	}
	return response, err
}

// CloseSend says that no more calls are sent, see Pipeline.CloseSend.
func (p *PoolPipeline) CloseSend() error { return p.pipeline.CloseSend() }

// Close ends the pipeline, as Pipeline.Close does, and gives the connection back to the Pool, once the
// responses that were not received have been thrown away. Closing again does nothing.
func (p *PoolPipeline) Close() error {
	err := p.pipeline.Close()
	p.lease.end(p.answered.Load())
	return err
}

// lease is a connection that is given back once.
type lease struct {
	pool *Pool
	conn *poolConn
	once sync.Once
}

func (l *lease) end(answered bool) {
	l.once.Do(func() {
		if answered {
			l.conn.used = true
			l.pool.release(l.conn, callAnswered)
			return
		}
		l.pool.release(l.conn, callEnded)
	})
}
