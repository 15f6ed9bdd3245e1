package main

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// errorMalformed answers a message that is shorter or longer than its task allows, and a sum that
// overflows.
const errorMalformed serial.ErrorCode = 10

// brokenAfter is how many bytes the task broken answers before it fails.
const brokenAfter = 1000

// tasks are all that the daemon does; the command's documentation describes them.
var tasks = []struct {
	code serial.TaskCode
	name string
	run  taskFunc
}{
	{1, "echo", echo},
	{2, "sum", sum},
	{3, "sleep", sleep},
	{4, "fail", fail},
	{5, "drop", drop},
	{6, "panic", panics},
	{7, "source", source},
	{8, "sink", sink},
	{9, "partial", partial},
	{10, "broken", broken},
	{11, "tick", tick},
}

// taskFunc is a serialserver.TaskFunc with what these tasks need of its arguments.
type taskFunc func(ctx context.Context, in binaryutil.BinaryReader) (io.Reader, error)

// register registers the tasks.
func register(server *serialserver.Server) {
	for _, t := range tasks {
		server.Register(t.code, answerMalformed(t.run), t.name)
	}
}

// answerMalformed makes run a TaskFunc that answers a message of the wrong length with
// errorMalformed. Every other error is as run returned it: a message that comes too late, for
// instance, drops the connection.
func answerMalformed(run taskFunc) serialserver.TaskFunc {
	return func(ctx context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
		out, err := run(ctx, in)
		for _, wrong := range []error{io.EOF, io.ErrUnexpectedEOF, binaryutil.ErrTrailingBytes} {
			if errors.Is(err, wrong) {
				return nil, serial.Errorf(errorMalformed, "malformed message: %w", err)
			}
		}
		return out, err
	}
}

// echo answers with the message itself, while it arrives.
func echo(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	return in, nil
}

// sum adds as it reads, so that n, which anybody may claim, costs no memory.
func sum(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	n, err := in.ReadUint32()
	if err != nil {
		return nil, err
	}
	var total int64
	for range n {
		v, err := in.ReadInt64()
		if err != nil {
			return nil, err
		}
		before := total
		total += v
		if (total > before) != (v > 0) {
			return nil, serial.Errorf(errorMalformed, "overflow: %d + %d", before, v)
		}
	}
	if err := in.Finish(); err != nil {
		return nil, err
	}
	answer := binaryutil.NewBuffer(in.ByteOrder(), nil)
	return answer, answer.WriteInt64(total)
}

// sleep answers after some time.
func sleep(ctx context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	ms, _ := in.ReadUint32()
	if err := in.Finish(); err != nil { // of the read, too: it sticks
		return nil, err
	}
	return nil, wait(ctx, ms)
}

// wait returns nil after ms milliseconds, or before that ErrorCancelled when ctx is done.
func wait(ctx context.Context, ms uint32) error {
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return serial.Errorf(serial.ErrorCancelled, "cancelled: %w", context.Cause(ctx))
	}
}

// fail answers with the error code that it was told.
func fail(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	code, _ := in.ReadUint8()
	if err := in.Finish(); err != nil {
		return nil, err
	}
	return nil, serial.Errorf(serial.ErrorCode(code), "failed as it was told")
}

// drop fails with an error that has no code.
func drop(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	if err := in.Finish(); err != nil {
		return nil, err
	}
	return nil, errors.New("dropped as it was told")
}

// panics panics.
func panics(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	if err := in.Finish(); err != nil {
		return nil, err
	}
	panic("panicked as it was told")
}

// source answers with n bytes.
func source(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	n, _ := in.ReadUint64()
	if err := in.Finish(); err != nil {
		return nil, err
	}
	return &sizedPattern{pattern{left: n}}, nil
}

// sink reads everything and keeps nothing.
func sink(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	crc := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(crc, in)
	if err != nil {
		return nil, err
	}
	answer := binaryutil.NewBuffer(in.ByteOrder(), nil)
	answer.WriteUint64(uint64(n))
	answer.WriteUint32(crc.Sum32())
	return answer, answer.Err()
}

// partial reads the first k bytes and leaves the rest to the server.
func partial(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	k, err := in.ReadUint32()
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, in, int64(k)); err != nil {
		return nil, err
	}
	answer := binaryutil.NewBuffer(in.ByteOrder(), nil)
	_, err = answer.Write([]byte("ok"))
	return answer, err
}

// broken answers with some bytes and then fails, when it is too late for an error code.
func broken(_ context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	if err := in.Finish(); err != nil {
		return nil, err
	}
	return io.MultiReader(&pattern{left: brokenAfter}, failing{}), nil
}

// tick answers with n bytes, each some time after the one before.
func tick(ctx context.Context, in binaryutil.BinaryReader) (io.Reader, error) {
	n, _ := in.ReadUint32()
	ms, _ := in.ReadUint32()
	if err := in.Finish(); err != nil {
		return nil, err
	}
	return &ticking{ctx: ctx, ms: ms, bytes: pattern{left: uint64(n)}}, nil
}
