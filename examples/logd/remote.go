package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/serialkit/serialkit/examples/logd/logclient"
)

// errUsage: a flag or an argument is wrong.
var errUsage = errors.New("logd: usage")

// addressVariable is the environment variable with the collector's address.
const addressVariable = "LOGD_ADDR"

// remote are the flags of the commands that ask a collector.
type remote struct {
	address, ca, cert, key string
}

// newFlags returns the flags of a command, with its help text.
func newFlags(name, arguments, about, examples string, std stdio) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(std.err)
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "usage: logd %s [flags] %s\n\n%s\n\n", name, arguments, about)
		fs.PrintDefaults()
		fmt.Fprintf(fs.Output(), "\nexamples:\n%s\nexit codes: 0 done, 1 failed, 3 no connection, 4 something is missing, 6 usage\n", examples)
	}
	return fs
}

func (r *remote) register(fs *flag.FlagSet) {
	address := os.Getenv(addressVariable)
	if address == "" {
		address = logclient.DefaultAddress
	}
	fs.StringVar(&r.address, "addr", address, "`address` of the collector: tcp://, tls:// or unix://; also LOGD_ADDR")
	fs.StringVar(&r.ca, "ca", "", "`file` with the authorities that the collector's certificate may be of (tls://)")
	fs.StringVar(&r.cert, "cert", "", "`file` with this client's certificate (tls://)")
	fs.StringVar(&r.key, "key", "", "`file` with the key of -cert")
}

// parse parses the flags. It reports false, and the exit code, if that was all.
func parse(fs *flag.FlagSet, args []string, std stdio) (exit int, ok bool) {
	for _, arg := range args { // Help that was asked for is output, help after an error is not.
		if arg == "--" {
			break
		}
		if arg == "-h" || arg == "-help" || arg == "--help" {
			fs.SetOutput(std.out)
		}
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	case err != nil:
		return exitUsage, false
	}
	return 0, true
}

// reader returns what asks the collector.
func (r *remote) reader() (*logclient.Reader, error) {
	o := logclient.Options{Address: r.address}
	if !strings.Contains(o.Address, "://") {
		o.Address = "tcp://" + o.Address
	}
	if strings.HasPrefix(o.Address, "tls://") {
		var err error
		if o.TLS, err = r.tls(); err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
	} else if r.ca != "" || r.cert != "" || r.key != "" {
		return nil, fmt.Errorf("%w: -ca, -cert and -key are for tls:// addresses", errUsage)
	}
	return logclient.NewReader(o)
}

func (r *remote) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS13}
	if r.ca != "" {
		pem, err := os.ReadFile(r.ca)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", r.ca)
		}
	}
	if r.cert != "" || r.key != "" {
		pair, err := tls.LoadX509KeyPair(r.cert, r.key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// interruptible returns a context that the first INT or TERM ends; a second one ends the process.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, cancel)
	return ctx, cancel
}

// fail writes why a command has failed, and returns its exit code.
func fail(w io.Writer, err error) int {
	fmt.Fprintf(w, "logd: %s\n", escape(err.Error()))
	return exitOf(err)
}
