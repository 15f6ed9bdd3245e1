package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/examples/logd/store"
	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
)

// How serve ends beside what serialdaemon knows.
var (
	errStoreOpen   = errors.New("logd: the store cannot be opened")
	errStoreFailed = errors.New("logd: the store has failed")
	errExposed     = errors.New("logd: others than this machine could connect without TLS; say -insecure if they may")
)

// cmdServe collects records until a signal, or the end of ctx.
func cmdServe(ctx context.Context, args []string, std stdio) int {
	c := defaultConfig()
	if err := loadServe(&c, args, std); err != nil {
		return serialdaemon.ExitCode(err)
	}
	if c.Limit.Memory > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(c.Limit.Memory))
	}
	lg := newLogger(std, c.Log)
	err := serve(ctx, &c, lg, func(addrs []net.Addr) {
		for _, a := range addrs {
			fmt.Fprintf(std.out, "ready %s %s\n", a.Network(), a)
		}
	})
	if err != nil {
		lg.Error("stopped", zap.Error(err))
	}
	return serveCode(err)
}

// loadServe loads the configuration, and says what is wrong with it. It returns flag.ErrHelp after help or -print-config, when
// nothing is to be served.
func loadServe(c *config, args []string, std stdio) error {
	var out bytes.Buffer
	_, err := loader(args, &out).Load(c)
	help := slices.ContainsFunc(args, func(arg string) bool {
		return slices.Contains([]string{"h", "help"}, strings.TrimLeft(arg, "-")) && arg[0] == '-'
	})
	switch {
	case errors.Is(err, flag.ErrHelp) && help: // It is the same error after -print-config.
		helpHead(std.out, "serve", "-data DIR", "Collects records, and answers queries, until INT or TERM. A flag -retention.age is also LOGD_RETENTION_AGE in the\n"+
			"environment and retention.age in the file of -config. Sizes are 512MiB or 20GiB, ages 30d or 36h.")
		std.out.Write(out.Bytes())
		helpFoot(std.out, "  logd serve -data /tmp/logs\n  logd serve -data /var/lib/logd -retention.age 30d -retention.size 200GiB\n",
			"0 stopped, 1 failed, 3 an address is taken, 4 and 5 tasks were cut off, 6 usage, 7 the store failed,\n8 the store cannot be opened; docs/operations.md says what to do")
	case errors.Is(err, flag.ErrHelp):
		std.out.Write(out.Bytes())
	case err != nil:
		fmt.Fprintf(std.err, "%v\nlogd: the flags are explained by logd serve -h\n", err)
	}
	return err
}

// serveCode returns the exit code for what serve returned.
func serveCode(err error) int {
	switch {
	case errors.Is(err, errStoreFailed):
		return exitStore
	case errors.Is(err, errStoreOpen):
		return exitOpen
	case errors.Is(err, errExposed):
		return exitUsage
	}
	return serialdaemon.ExitCode(err)
}

// newLogger returns a logger of JSON lines on standard error.
func newLogger(std stdio, level zapcore.Level) *zap.Logger {
	encoder := zap.NewProductionEncoderConfig()
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), zapcore.Lock(zapcore.AddSync(std.err)), level))
}

// serve opens the store, serves it until a signal or the end of ctx, drains and closes it. ready is called when it
// listens.
func serve(ctx context.Context, c *config, lg *zap.Logger, ready func([]net.Addr)) error {
	endpoints, err := serialdaemon.ParseEndpoints(c.Endpoints...)
	if err != nil {
		return err
	}
	failed := &failure{done: make(chan struct{})}
	hub := service.NewHub(int64(c.Limit.Ring))
	options := c.store()
	options.Logger, options.OnCommit, options.OnFatal = lg, hub.Publish, failed.set
	st, err := store.Open(c.Data, options)
	if err != nil {
		return fmt.Errorf("%w: %w", errStoreOpen, err)
	}
	err = serveStore(ctx, c, lg, ready, service.New(st, hub, c.service()), endpoints, failed)
	err = errors.Join(err, st.Close()) // It may fail here, too.
	return errors.Join(failed.get(), err)
}

// failure is that of the store.
type failure struct {
	done chan struct{} // closed by set
	err  error         // set before done is closed
}

// set is the store's OnFatal, which is called once.
func (f *failure) set(err error) {
	f.err = fmt.Errorf("%w: %w", errStoreFailed, err)
	close(f.done)
}

// get returns nil while the store has not failed.
func (f *failure) get() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// serveStore serves until a stop, or until the store fails, and returns when no task runs any more.
func serveStore(ctx context.Context, c *config, lg *zap.Logger, ready func([]net.Addr), svc *service.Service,
	endpoints []*serialdaemon.Endpoint, failed *failure) error {
	server := serialserver.New(c.ServerTimeout(), c.server()...)
	server.SetLogger(lg)
	svc.Register(server)

	group := &serialdaemon.Group{Log: lg, OnReady: ready, Healthy: failed.get}
	c.Set(group)
	group.OnStop(func(context.Context) error { svc.StopTails(); return nil })

	for _, e := range endpoints {
		if !c.Insecure && e.TLS == nil {
			e.Check = refuseExposed
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, _, err := group.Start(ctx, server, endpoints...); err != nil {
		return err
	}
	defer server.Wait() // The contexts of all tasks are done then, and they end soon.
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-failed.done:
			server.Close() // At once, so that nobody is told anything that is not true.
			cancel()
		case <-ctx.Done():
		}
	}()
	err := group.Wait(ctx)
	cancel()
	<-watched
	return err
}

// refuseExposed refuses listeners without TLS that others than this machine could reach.
func refuseExposed(addr net.Addr) error {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		return fmt.Errorf("%w: %v", errExposed, tcp)
	}
	return nil
}
