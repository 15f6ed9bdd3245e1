package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/serialclient"
)

// process returns logd as a process of its own, whose output goes to the test's log when it fails.
func process(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// runToEnd runs logd and returns its exit code and what it wrote.
func runToEnd(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	cmd := process(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// collector is a process that serves a store.
type collector struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string
	log     bytes.Buffer // once it has ended
	reaped  sync.Once
}

// serving starts logd serve on the directory and a free port, and returns when it is ready.
func serving(t *testing.T, dir string, args ...string) *collector {
	c := &collector{t: t}
	c.cmd = process(append([]string{"serve", "-data", dir, "-listen", "tcp://127.0.0.1:0"}, args...)...)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.cmd.Stderr = &c.log
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() { c.reap(syscall.SIGKILL) })
	ready, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.reap(syscall.SIGKILL)
		require.NoError(t, err, c.log.String())
	}
	c.address = strings.Fields(ready)[2]
	return c
}

// reap sends the process a signal and waits for its end, once.
func (c *collector) reap(signal os.Signal) {
	c.reaped.Do(func() {
		c.cmd.Process.Signal(signal)
		c.cmd.Wait()
		if c.t.Failed() {
			c.t.Log(c.log.String())
		}
	})
}

// stop stops the process as an operator does, and returns its exit code.
func (c *collector) stop() int {
	c.reap(syscall.SIGTERM)
	return c.cmd.ProcessState.ExitCode()
}

// dial returns a client of the process, which is closed when the test ends.
func (c *collector) dial(opts ...serialclient.Option) *serialclient.Client {
	client, err := serialclient.Dial(c.t.Context(), "tcp", c.address, binary.BigEndian, opts...)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { client.Close() })
	return client
}

// stats asks for the stats.
func (c *collector) stats() (stats logwire.Stats) {
	b, err := c.dial().Call(c.t.Context(), logwire.TaskStats, nil)
	require.NoError(c.t, err)
	require.NoError(c.t, json.Unmarshal(b[1:], &stats))
	return stats
}

// find runs a query and returns the ids of what it found, and its end.
func (c *collector) find(ctx context.Context, q logwire.QueryRequest) (ids []uint64, end *logwire.End) {
	s, err := c.dial().Stream(ctx, logwire.TaskQuery, bytes.NewReader(logwire.AppendQueryRequest(nil, q)))
	require.NoError(c.t, err)
	defer s.Close()
	in := bufio.NewReader(s)
	status, err := in.ReadByte()
	require.NoError(c.t, err)
	require.EqualValues(c.t, logwire.StatusOK, status)
	for frames := logwire.NewFrameReader(in); ; {
		frame, err := frames.Next()
		require.NoError(c.t, err)
		if frame.Kind == logwire.FrameEnd {
			return ids, frame.End
		}
		ids = append(ids, frame.ID)
	}
}

// producer sends batches with the numbers that they must have.
type producer struct {
	client *serialclient.Client
	head   logwire.BatchHead
	buf    []byte
}

// newProducer returns one; the number makes its id.
func newProducer(client *serialclient.Client, number uint16) *producer {
	p := &producer{client: client, head: logwire.BatchHead{Epoch: 1}}
	binary.BigEndian.PutUint16(p.head.Producer[:], number+1)
	return p
}

// send sends the next batch: count records as they stand in a batch.
func (p *producer) send(ctx context.Context, records []byte, count int) (logwire.AppendAnswer, error) {
	p.head.Sequence++
	p.head.Count = count
	p.buf = append(logwire.AppendBatchHead(p.buf[:0], p.head), records...)
	b, err := p.client.Call(ctx, logwire.TaskAppend, p.buf)
	if err != nil {
		return logwire.AppendAnswer{}, err
	}
	return logwire.ParseAppendAnswer(b)
}

// sendPatiently sends the next batch again and again while the collector is busy, as a client does.
func (p *producer) sendPatiently(ctx context.Context, records []byte, count int) (logwire.AppendAnswer, error) {
	for {
		answer, err := p.send(ctx, records, count)
		if serialclient.OutcomeOf(err) != serialclient.Failed || err == nil {
			return answer, err
		}
		p.head.Sequence--
		pause(ctx, 10*time.Millisecond)
	}
}

// encoded returns records as they stand in a batch.
func encoded(records ...logwire.Record) (b []byte) {
	for i := range records {
		b = logwire.AppendBatchRecord(b, &records[i])
	}
	return b
}

// said returns a record of now.
func said(message string) logwire.Record {
	return logwire.Record{Time: time.Now().UnixNano(), Level: logwire.Info, Service: "test", Host: "here", Message: message}
}
