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

// askingCodes are the exit codes of the commands that ask a collector.
const askingCodes = "0 done, 1 failed, 3 no connection, 4 something is missing, 6 usage"

// newFlags returns the flags of a command, with its help text.
func newFlags(name, arguments, about, examples, codes string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.Usage = func() {
		helpHead(fs.Output(), name, arguments, about)
		fs.PrintDefaults()
		helpFoot(fs.Output(), examples, codes)
	}
	return fs
}

func helpHead(w io.Writer, name, arguments, about string) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n\n", strings.TrimSpace("logd "+name+" [flags] "+arguments), about)
}

func helpFoot(w io.Writer, examples, codes string) {
	fmt.Fprintf(w, "\nexamples:\n%s\nexit codes: %s\n", examples, codes)
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

// parse parses the flags. It reports false, and the exit code, if that was all. An error is a line or two: the whole help would
// push it off the screen.
func parse(fs *flag.FlagSet, args []string, std stdio) (exit int, ok bool) {
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	if err == nil {
		err = misplaced(fs, args)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(std.out)
		fs.Usage()
		return exitOK, false
	case err != nil:
		return misused(fs, std.err, err), false
	}
	return 0, true
}

// misplaced is an error if a flag stands behind the first argument, where it would be taken for an argument. Behind "--" everything is one.
func misplaced(fs *flag.FlagSet, args []string) error {
	if first := len(args) - fs.NArg(); first > 0 && args[first-1] == "--" {
		return nil
	}
	for _, arg := range fs.Args() {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && fs.Lookup(name) != nil {
			return fmt.Errorf("%w: the flag %s stands behind an argument, and goes before it", errUsage, arg)
		}
	}
	return nil
}

// misused says what is wrong with the arguments of a command, and where they are explained. It returns the exit code.
func misused(fs *flag.FlagSet, w io.Writer, err error) int {
	fail(w, err)
	fmt.Fprintf(w, "logd: the flags are explained by logd %s -h\n", fs.Name())
	return exitUsage
}

// canonical is the address with its scheme.
func (r *remote) canonical() string {
	if strings.Contains(r.address, "://") {
		return r.address
	}
	return "tcp://" + r.address
}

// reader returns what asks the collector.
func (r *remote) reader() (*logclient.Reader, error) {
	o := logclient.Options{Address: r.canonical()}
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
	fmt.Fprintf(w, "logd: %s\n", escape(strings.TrimPrefix(err.Error(), "logd: "))) // Those of this package begin so.
	return exitOf(err)
}
