// Interop is the reference daemon: a server with one task for each thing that a client must be
// able to deal with. Clients in any language are tested against it, see docs/protocol.md,
// "Conformance".
//
//	go run ./examples/interop -addr 127.0.0.1:0 -order big -wait 30m -read 5s -write 5s
//
// Its first and only line on standard output is "ready HOST:PORT"; it logs to standard error. It
// needs no handshake. SIGINT and SIGTERM end it: it stops accepting, lets running tasks finish
// within -grace, says Goodbye and exits 0. A second signal ends it at once. Bad flags exit 2.
//
// Numbers are in the byte order of -order. Strings and rests run to the end of the message.
//
//	code  name     request                 answer
//	   1  echo     anything                the same, streamed as it arrives
//	   2  sum      uint32 n, then n int64  int64
//	   3  sleep    uint32 ms               empty, after ms milliseconds; error 253 if cancelled
//	   4  fail     uint8 code              that error code
//	   5  drop     -                       none: the connection is dropped
//	   6  panic    -                       none: the connection is dropped
//	   7  source   uint64 n                n bytes, byte i is i mod 251
//	   8  sink     anything                uint64 length, uint32 CRC-32C (Castagnoli)
//	   9  partial  uint32 k, then a rest   "ok"; reads k bytes of the rest and no more
//	  10  broken   -                       1000 bytes as of source; then the connection is dropped
//	  11  tick     uint32 n, uint32 ms     n bytes as of source, each sent at once, ms milliseconds
//	                                       after the one before
//
// Error 10 answers a malformed message: one that ends within a number or before it, a rest of
// partial shorter than k, or bytes where nothing may follow. It answers a sum, too, as soon as the
// running total, in the order in which the numbers are written, leaves the range of int64, even if
// later numbers would bring it back. A client that closes within a message is answered the same, if
// it still listens. A tick that is cancelled drops the connection, for its answer has begun.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/serialserver"
)

// The exit codes.
const (
	exitFailed = 1 // could not listen or accept
	exitUsage  = 2 // bad flags
)

func main() {
	signalled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(signalled, func() {
		stop() // from now on a signal ends the process
		cancel()
	})
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the process between its signals, of which ctx tells, and its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	lg := newLogger(stderr)
	listener, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		lg.Error("cannot listen", zap.Error(err))
		return exitFailed
	}
	fmt.Fprintln(stdout, "ready", listener.Addr())
	if err := newDaemon(cfg, lg).serve(ctx, listener); err != nil {
		lg.Error("cannot accept", zap.Error(err))
		return exitFailed
	}
	return 0
}

// config is what the flags say.
type config struct {
	addr    string
	order   binary.ByteOrder
	timeout serialserver.Timeout
	grace   time.Duration // for running tasks when the daemon ends
	verbose bool
}

// parseFlags says on stderr what is wrong with args.
func parseFlags(args []string, stderr io.Writer) (config, error) {
	cfg := config{order: binary.BigEndian}
	flags := flag.NewFlagSet("interop", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.addr, "addr", "127.0.0.1:0", "`HOST:PORT` to listen on")
	flags.Func("order", "byte order of numbers, `big|little` (default big)", cfg.setOrder)
	flags.DurationVar(&cfg.timeout.Wait, "wait", serialserver.DefaultWait, "how long a client may be idle; negative: for ever")
	flags.DurationVar(&cfg.timeout.Read, "read", serialserver.DefaultRead, "how long the next byte of a message may take; negative: for ever")
	flags.DurationVar(&cfg.timeout.Write, "write", serialserver.DefaultWrite, "how long a client may take no byte of an answer; negative: for ever")
	flags.DurationVar(&cfg.grace, "grace", 5*time.Second, "how long running tasks may go on after a signal")
	flags.BoolVar(&cfg.verbose, "v", false, "log each task as it begins")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	_, _, err := net.SplitHostPort(cfg.addr)
	if flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		flags.Usage()
	}
	return cfg, err
}

// setOrder sets the byte order by its name.
func (c *config) setOrder(name string) error {
	switch name {
	case "big":
		c.order = binary.BigEndian
	case "little":
		c.order = binary.LittleEndian
	default:
		return errors.New("neither big nor little")
	}
	return nil
}

// newLogger returns a logger for people.
func newLogger(w io.Writer) *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), zap.InfoLevel))
}
