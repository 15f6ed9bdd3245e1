package service_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// rig is a service on a model, and clients of it over connections in memory.
type rig struct {
	t       *testing.T
	store   *model
	hub     *service.Hub
	service *service.Service
	server  *serialserver.Server
	serving sync.WaitGroup
}

// newRig returns a rig whose hub has ring bytes; 0: the default. Everything ends with the test.
func newRig(t *testing.T, ring int64, o service.Options, timeout *serialserver.Timeout) *rig {
	hub := service.NewHub(0)
	if ring > 0 {
		hub = service.NewSmallHub(ring)
	}
	return rigOf(t, newModel(hub), o, timeout)
}

func rigOf(t *testing.T, m *model, o service.Options, timeout *serialserver.Timeout) *rig {
	r := &rig{t: t, store: m, hub: m.hub}
	r.service = service.New(m, m.hub, o)
	r.server = serialserver.New(timeout)
	r.service.Register(r.server)
	t.Cleanup(func() {
		r.server.Close()
		r.serving.Wait()
	})
	return r
}

// dial returns a client, which is closed when the test ends.
func (r *rig) dial(opts ...serialtest.Option) *serialclient.Client {
	client, server := serialtest.Pipe(opts...)
	r.serving.Go(func() { r.server.HandleConnection(context.Background(), server, binary.BigEndian) })
	c := serialclient.New(client, binary.BigEndian)
	r.t.Cleanup(func() { c.Close() })
	return c
}

// call returns the answer of a task.
func (r *rig) call(task serial.TaskCode, request []byte) ([]byte, error) {
	c := r.dial()
	defer c.Close()
	return c.Call(r.t.Context(), task, request)
}

// frames is an answer that is read frame by frame.
type frames struct {
	*logwire.FrameReader
	stream *serialclient.Stream
	t      *testing.T
}

// stream begins a task whose answer is frames; its status is read.
func (r *rig) stream(c *serialclient.Client, task serial.TaskCode, request []byte) *frames {
	s, err := c.Stream(r.t.Context(), task, bytes.NewReader(request))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { s.Close() })
	in := bufio.NewReader(s)
	status, err := in.ReadByte()
	require.NoError(r.t, err)
	require.EqualValues(r.t, logwire.StatusOK, status)
	return &frames{logwire.NewFrameReader(in), s, r.t}
}

// tail begins a tail.
func (r *rig) tail(cursor uint64, text string, opts ...serialtest.Option) *frames {
	return r.stream(r.dial(opts...), logwire.TaskTail, logwire.AppendTailRequest(nil, logwire.TailRequest{Cursor: cursor, Text: text}))
}

// query begins a query.
func (r *rig) query(q logwire.QueryRequest) *frames {
	return r.stream(r.dial(), logwire.TaskQuery, logwire.AppendQueryRequest(nil, q))
}

// next returns the next frame.
func (f *frames) next() logwire.Frame {
	f.t.Helper()
	frame, err := f.Next()
	require.NoError(f.t, err)
	return frame
}

// wants wants frames of these kinds and ids next.
func (f *frames) wants(kind logwire.FrameKind, ids ...uint64) {
	f.t.Helper()
	for _, id := range ids {
		frame := f.next()
		require.Equal(f.t, kind, frame.Kind)
		require.Equal(f.t, id, frame.ID)
	}
}

// ends wants the end of the answer.
func (f *frames) ends() {
	f.t.Helper()
	_, err := f.Next()
	require.Equal(f.t, io.EOF, err)
}

// batch returns an encoded batch.
func batch(sequence uint64, records ...logwire.Record) []byte {
	b := logwire.AppendBatchHead(nil, logwire.BatchHead{Producer: logwire.ProducerID{1}, Epoch: 1, Sequence: sequence, Count: len(records)})
	for i := range records {
		b = logwire.AppendBatchRecord(b, &records[i])
	}
	return b
}

// codeOf returns the error code that a call was answered with.
func codeOf(t *testing.T, err error) serial.ErrorCode {
	var coder serial.ErrorCoder
	require.ErrorAs(t, err, &coder)
	return coder.ErrorCode()
}
