package main

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"sync"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialserver"
)

// A protocol is a byte order, some task codes and some error codes. Both ends know them.
var order = binary.LittleEndian

const (
	taskSurvey serial.TaskCode = 1 // uint32 n, then n times string name, uint64 size -> string largest, uint64 total
	taskDigest serial.TaskCode = 2 // anything -> uint64 size, uint32 CRC-32C, uint64 words
	taskWords  serial.TaskCode = 3 // anything -> uint64 words
	taskWait   serial.TaskCode = 4 // nothing -> nothing, and only when it is cancelled

	errorNoFiles   serial.ErrorCode = 1 // of taskSurvey
	errorMalformed serial.ErrorCode = 2 // a message that is not what its task reads
)

// daemon is a server and its listener. The toolkit leaves the listening to you.
type daemon struct {
	server   *serialserver.Server
	metrics  serialserver.MemoryMetrics
	listener net.Listener
	cancel   context.CancelFunc
	running  sync.WaitGroup

	waiting   chan struct{} // taskWait has begun
	cancelled chan error    // and why it was cancelled
}

// startDaemon listens on loopback and serves in the background, until stop is called or ctx is done.
func startDaemon(ctx context.Context) (*daemon, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &daemon{
		server:    serialserver.New(nil), // nil: the default timeouts
		listener:  listener,
		cancel:    cancel,
		waiting:   make(chan struct{}, 1),
		cancelled: make(chan error, 1),
	}
	d.server.SetMetrics(&d.metrics)
	d.server.Register(taskSurvey, survey, "survey")
	d.server.Register(taskDigest, digest, "digest")
	d.server.Register(taskWords, words, "words")
	d.server.Register(taskWait, d.wait, "wait")
	d.running.Go(func() { d.serve(ctx) })
	return d, nil
}

// addr returns where the daemon listens.
func (d *daemon) addr() string { return d.listener.Addr().String() }

// stop stops listening, says Goodbye to the clients and waits until all have been left.
func (d *daemon) stop() {
	d.listener.Close()
	d.cancel() // a task that runs is cancelled; see examples/interop for how to let it finish
	d.running.Wait()
}

// serve accepts connections until the listener is closed, and serves each in a goroutine.
func (d *daemon) serve(ctx context.Context) {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		// A handshake of your own, TLS for instance, would be here. The error says how the
		// connection ended; the server has logged it, if it was given a logger.
		d.running.Go(func() { _ = d.server.HandleConnection(ctx, conn, order) })
	}
}

// survey is a typed task: it reads values, one after the other, and answers with values.
func survey(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	n, _ := in.ReadUint32()
	if n == 0 {
		return nil, serial.Errorf(errorNoFiles, "survey of no files") // the code is for the client, the text for our debug log
	}
	var largest string
	var most, total uint64
	for range n {
		name, _ := in.ReadString()
		size, err := in.ReadUint64() // after the first error every read fails: one check is enough
		if err != nil {
			return nil, serial.Errorf(errorMalformed, "malformed survey: %w", err)
		}
		if total += size; size >= most {
			largest, most = name, size
		}
	}
	if err := in.Finish(); err != nil { // the message is longer than it should be
		return nil, serial.Errorf(errorMalformed, "malformed survey: %w", err)
	}
	answer := binaryutil.NewBuffer(in.ByteOrder(), nil)
	answer.WriteString(largest)
	answer.WriteUint64(total)
	return answer, nil
}

// digest is a streamed task: a file of any size passes through a small buffer.
func digest(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	crc := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	var words wordCounter
	size, err := io.Copy(io.MultiWriter(crc, &words), in)
	answer := binaryutil.NewBuffer(in.ByteOrder(), nil)
	answer.WriteUint64(uint64(size))
	answer.WriteUint32(crc.Sum32())
	answer.WriteUint64(words.n)
	return answer, err
}

// words is a small task.
func words(_ context.Context, _ *serialserver.Client, in binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	var words wordCounter
	_, err := io.CopyBuffer(&words, in, make([]byte, 512)) // io.Copy would take 32 KiB for a line
	answer := binaryutil.NewBuffer(in.ByteOrder(), nil)
	answer.WriteUint64(words.n)
	return answer, err
}

// wait is a task that ends only when its context does.
func (d *daemon) wait(ctx context.Context, _ *serialserver.Client, _ binaryutil.BinaryReader, _ *zap.Logger, _ ...any) (io.Reader, error) {
	d.waiting <- struct{}{}
	<-ctx.Done()
	cause := context.Cause(ctx)
	d.cancelled <- cause
	return nil, cause // an error without a code drops the connection
}

// wordCounter counts the words that are written to it, as wc does: what white space separates.
type wordCounter struct {
	n      uint64
	inWord bool
}

func (w *wordCounter) Write(p []byte) (int, error) {
	for _, b := range p {
		space := b == ' ' || '\t' <= b && b <= '\r'
		if !space && !w.inWord {
			w.n++
		}
		w.inWord = !space
	}
	return len(p), nil
}
