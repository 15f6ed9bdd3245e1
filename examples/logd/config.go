package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/service"
	"github.com/serialkit/serialkit/examples/logd/store"
	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
)

// defaultListen is where a collector listens unless it was told otherwise: on loopback.
const defaultListen = "tcp://127.0.0.1:7600"

// defaultPatience is for how long a client may send or take no byte: producers on a machine that is very busy, and a tail whose
// terminal was stopped, have that long to go on.
const defaultPatience = 30 * time.Second

// defaultMemory is the memory limit for the garbage collector: all bounds together leave room for garbage in it, see
// operations.md. Pebble's memory tables are not in it.
const defaultMemory = 768 << 20

// config is what serve is configured with. Each key is a flag, -retention.age 30d, an environment variable,
// LOGD_RETENTION_AGE, and a key of the file.
type config struct {
	serialdaemon.Config // its endpoints are called listen, see loader

	Data     string `koanf:"data" usage:"the directory of the store; it is made if it does not exist"`
	Insecure bool   `koanf:"insecure" usage:"allow others than this machine to connect without TLS"`

	Retention struct {
		Age  age  `koanf:"age" usage:"how long records are kept, 0: for ever"`
		Size size `koanf:"size" usage:"how many bytes of them are kept, the oldest go first; 0: all"`
	} `koanf:"retention"`
	Seal struct {
		Size size          `koanf:"size" usage:"how many bytes of records are sealed at once"`
		Age  time.Duration `koanf:"age" usage:"how long a record stays unsealed when few come"`
	} `koanf:"seal"`
	MinFree size `koanf:"min-free" usage:"the free space of the file system below which no records are taken, 0: none"`
	Accept  struct {
		Age   age `koanf:"age" usage:"how old a record's time may be, 0: any"`
		Ahead age `koanf:"ahead" usage:"how far in the future it may be, 0: any"`
	} `koanf:"accept"`
	Limit struct {
		Clients    int           `koanf:"clients" usage:"how many clients there may be at a time"`
		PerAddress int           `koanf:"per-address" usage:"how many of them from one address"`
		Messages   size          `koanf:"messages" usage:"how many bytes the batches that are arriving may take"`
		Waiting    size          `koanf:"waiting" usage:"how many bytes the batches that wait for a commit may take"`
		Queries    int           `koanf:"queries" usage:"how many queries run at a time"`
		QueryTime  time.Duration `koanf:"query-time" usage:"how long a query may take; then it says where to go on"`
		QueryBytes size          `koanf:"query-bytes" usage:"how many bytes a query may read; then it says where to go on"`
		Producers  int           `koanf:"producers" usage:"how many producers are remembered; beyond, batches of new ones are refused"`
		Tails      int           `koanf:"tails" usage:"how many tails there may be at a time"`
		Memory     size          `koanf:"memory" usage:"what the garbage collector tries to stay below, unless GOMEMLIMIT says otherwise; 0: nothing"`
		Ring       size          `koanf:"ring" usage:"how many bytes of the latest records are kept in memory for all tails together"`
	} `koanf:"limit"`
	AcceptLoss bool          `koanf:"accept-loss" usage:"start although acknowledged records are missing, see docs/operations.md"`
	Log        zapcore.Level `koanf:"log" usage:"the least level of logd's own log: debug, info, warn or error"`

	fs vfs.FS // nil: the operating system's
}

// defaultConfig returns the defaults, which operations.md explains.
func defaultConfig() config {
	c := config{Config: serialdaemon.DefaultConfig(), Log: zapcore.InfoLevel}
	c.Endpoints = []string{defaultListen}
	c.Timeout.Read, c.Timeout.Write = defaultPatience, defaultPatience
	c.Seal.Size, c.Seal.Age, c.MinFree = store.DefaultSealBytes, store.DefaultSealAge, store.DefaultMinFree
	c.Accept.Age, c.Accept.Ahead = age(logwire.DefaultMaxAge), age(logwire.DefaultMaxAhead)
	c.Limit.Clients, c.Limit.PerAddress = serialserver.DefaultMaxClients, serialserver.DefaultMaxClientsPerAddress
	c.Limit.Messages, c.Limit.Waiting = serialserver.DefaultMessageMemory, store.DefaultQueueBytes
	c.Limit.Queries, c.Limit.Tails, c.Limit.Ring = service.DefaultQueries, service.DefaultTails, service.DefaultRing
	c.Limit.Memory, c.Limit.Producers = defaultMemory, store.DefaultMaxProducers
	c.Limit.QueryTime, c.Limit.QueryBytes = store.DefaultQueryTime, store.DefaultQueryBytes
	return c
}

// loader reads the configuration. What is for the commands that ask a collector is no setting of serve.
func loader(args []string, out io.Writer) serialdaemon.Loader {
	return serialdaemon.Loader{Args: args, Prefix: "LOGD_", Ignore: []string{addressVariable}, Output: out,
		Rename: map[string]string{"endpoints": "listen"}}
}

// Validate reports what the Loader cannot know to be wrong.
func (c *config) Validate() error {
	var errs []error
	if c.Data == "" {
		errs = append(errs, errors.New("data: no directory is given, say -data DIR"))
	}
	if len(c.Endpoints) == 0 {
		errs = append(errs, errors.New("listen: no URL is given"))
	}
	if c.Seal.Size <= 0 || c.Seal.Age <= 0 {
		errs = append(errs, errors.New("seal: size and age are more than 0: without them nothing would get into blocks"))
	}
	endpoints, err := serialdaemon.ParseEndpoints(c.Endpoints...)
	errs = append(errs, err)
	for _, e := range endpoints {
		if e != nil && !c.Insecure && !private(e) {
			errs = append(errs, fmt.Errorf("listen: %v: others than this machine could connect and would not be asked who they are: "+
				"listen on loopback, use tls:// with a ca, or say -insecure", e))
		}
	}
	return errors.Join(errs...)
}

// private reports whether what comes over the endpoint comes from this machine, or is encrypted. The sockets of
// systemd are looked at when they are there, see refuseExposed.
func private(e *serialdaemon.Endpoint) bool {
	if e.TLS != nil || e.Network != serialdaemon.NetworkTCP {
		return true
	}
	host, _, err := net.SplitHostPort(e.Address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// service returns the bounds of the tasks.
func (c *config) service() service.Options {
	return service.Options{Queries: c.Limit.Queries, Tails: c.Limit.Tails}
}

// store returns the options of the store.
func (c *config) store() store.Options {
	return store.Options{
		FS:             c.fs,
		KeepAge:        time.Duration(c.Retention.Age),
		KeepBytes:      int64(c.Retention.Size),
		MinFree:        orNone(int64(c.MinFree)),
		MaxRecordAge:   orNone(time.Duration(c.Accept.Age)),
		MaxRecordAhead: orNone(time.Duration(c.Accept.Ahead)),
		SealBytes:      int64(c.Seal.Size),
		SealAge:        c.Seal.Age,
		QueueBytes:     int64(c.Limit.Waiting),
		MaxProducers:   c.Limit.Producers,
		QueryTime:      c.Limit.QueryTime,
		QueryBytes:     int64(c.Limit.QueryBytes),
		AcceptLoss:     c.AcceptLoss,
	}
}

// orNone turns a zero that means no bound into the store's, which is negative.
func orNone[N ~int64](n N) N {
	if n == 0 {
		return -1
	}
	return n
}

// server returns the server's options.
func (c *config) server() []serialserver.Option {
	return []serialserver.Option{
		serialserver.WithName("logd"),
		serialserver.WithMaxClients(c.Limit.Clients),
		serialserver.WithMaxClientsPerAddress(c.Limit.PerAddress),
		serialserver.WithMessageMemory(int64(c.Limit.Messages)),
	}
}
