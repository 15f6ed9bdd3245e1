package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/serialkit/serialkit/examples/logd/logclient"
)

// errUsage: a flag or an argument is wrong.
var errUsage = errors.New("logd: usage")

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
	address := os.Getenv("LOGD_ADDR")
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
	if late, found := lateFlag(fs, args); found {
		return fail(std.err, fmt.Errorf("%w: %s stands behind the first argument, where it is no flag: put it before; or, if it is meant as it is, "+
			"in quotes with the rest, or all behind --", errUsage, late)), false
	}
	return 0, true
}

// lateFlag returns an argument that is the name of a flag. A query would take it for a word that is not wanted, and ship for a file.
func lateFlag(fs *flag.FlagSet, args []string) (string, bool) {
	if slices.Contains(args, "--") {
		return "", false
	}
	for _, arg := range fs.Args() {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if strings.HasPrefix(arg, "-") && fs.Lookup(name) != nil {
			return arg, true
		}
	}
	return "", false
}

// options returns those of a logclient.Reader.
func (r *remote) options() (o logclient.Options, err error) {
	address := r.address
	if !strings.Contains(address, "://") {
		address = "tcp://" + address
	}
	if rest, ok := strings.CutPrefix(address, "tls://"); ok {
		address = "tcp://" + rest
		if o.TLS, err = r.tls(rest); err != nil {
			return o, err
		}
	} else if r.ca != "" || r.cert != "" || r.key != "" {
		return o, fmt.Errorf("%w: -ca, -cert and -key are for tls:// addresses", errUsage)
	}
	o.Address = address
	return o, nil
}

func (r *remote) tls(hostPort string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: host}
	if r.ca != "" {
		pem, err := os.ReadFile(r.ca)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: %s has no certificate", errUsage, r.ca)
		}
	}
	if r.cert != "" || r.key != "" {
		pair, err := tls.LoadX509KeyPair(r.cert, r.key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// dialer returns what connects to the collector.
func (r *remote) dialer() (func(ctx context.Context) (net.Conn, error), error) {
	o, err := r.options()
	if err != nil {
		return nil, err
	}
	if _, err := logclient.NewReader(o); err != nil { // It checks the address.
		return nil, err
	}
	network, address, _ := strings.Cut(o.Address, "://")
	return func(ctx context.Context) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, logclient.DefaultDialTimeout)
		defer cancel()
		if o.TLS != nil {
			return (&tls.Dialer{Config: o.TLS}).DialContext(ctx, network, address)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}, nil
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
