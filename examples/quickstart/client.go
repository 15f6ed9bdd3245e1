package main

import (
	"context"
	"io"
	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialclient"
)

// client is the daemon's client library: one method for each task.
type client struct{ *serialclient.Client }

// dial connects to the daemon.
func dial(ctx context.Context, addr string) (client, error) {
	c, err := serialclient.Dial(ctx, "tcp", addr, order)
	return client{c}, err
}

// survey returns the largest of the files and the size of all, in bytes.
func (c client) survey(ctx context.Context, files []file) (largest string, total uint64, err error) {
	request := binaryutil.NewBuffer(c.ByteOrder(), nil)
	request.WriteUint32(uint32(len(files)))
	for _, f := range files {
		request.WriteString(f.name)
		request.WriteUint64(f.size)
	}
	response, err := c.Call(ctx, taskSurvey, request.Bytes())
	if err != nil {
		return "", 0, err
	}
	answer := binaryutil.NewBuffer(c.ByteOrder(), response)
	largest, _ = answer.ReadString()
	total, _ = answer.ReadUint64()
	return largest, total, answer.Finish() // the first error of them all
}

// sums is what digest finds out about a file.
type sums struct {
	size  uint64 // bytes
	crc   uint32 // CRC-32C
	words uint64
}

// digest sends everything that r has, while it reads it.
func (c client) digest(ctx context.Context, r io.Reader) (s sums, err error) {
	answer, err := c.Stream(ctx, taskDigest, r)
	if err != nil {
		return sums{}, err
	}
	defer answer.Close() // gives the connection to the next call
	s.size, _ = answer.ReadUint64()
	s.crc, _ = answer.ReadUint32()
	s.words, _ = answer.ReadUint64()
	return s, answer.Finish()
}

// words counts the words of each line by a task of its own, without waiting for the response of one
// before the request of the next. The responses come in the order of the requests.
func (c client) words(ctx context.Context, lines iter.Seq2[[]byte, error]) (tasks, words uint64, err error) {
	group, ctx := errgroup.WithContext(ctx) // when one of the two fails, the other is interrupted
	pipeline, err := c.Pipeline(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer pipeline.Close()            // gives the connection to the next call
	sent := make(chan struct{}, 1000) // one for each response to receive
	group.Go(func() error {
		defer close(sent)
		return sendLines(ctx, pipeline, lines, sent)
	})
	group.Go(func() (err error) {
		tasks, words, err = c.receiveWords(pipeline, sent)
		return err
	})
	err = group.Wait()
	return tasks, words, err
}

func sendLines(ctx context.Context, pipeline *serialclient.Pipeline, lines iter.Seq2[[]byte, error], sent chan<- struct{}) error {
	for line, err := range lines {
		if err != nil {
			return err
		}
		if err := pipeline.Send(taskWords, line); err != nil {
			return err
		}
		select {
		case sent <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (c client) receiveWords(pipeline *serialclient.Pipeline, sent <-chan struct{}) (tasks, words uint64, err error) {
	var response []byte // its memory is used again and again
	for range sent {
		if response, err = pipeline.Receive(response[:0]); err != nil {
			return tasks, words, err
		}
		n, err := binaryutil.NewBuffer(c.ByteOrder(), response).ReadUint64()
		if err != nil {
			return tasks, words, err
		}
		tasks, words = tasks+1, words+n
	}
	return tasks, words, nil
}

// wait calls the task that never ends by itself.
func (c client) wait(ctx context.Context) error {
	_, err := c.Call(ctx, taskWait, nil)
	return err
}
