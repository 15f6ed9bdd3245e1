package logclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/logclient/spool"
)

// The defaults of Options.
const (
	// DefaultAddress is where a collector listens unless it is told otherwise.
	DefaultAddress = "tcp://127.0.0.1:7600"
	// DefaultQueueRecords and DefaultQueueBytes bound what waits in memory: 65,536 records, 16 MiB.
	DefaultQueueRecords = 1 << 16
	DefaultQueueBytes   = 16 << 20
	// DefaultBatchRecords and DefaultBatchBytes are how large a batch becomes: 1,000 records, 256 KiB.
	DefaultBatchRecords = 1000
	DefaultBatchBytes   = 256 << 10
	// DefaultLinger is how long a batch waits for more records.
	DefaultLinger = 100 * time.Millisecond
	// DefaultWindow is how many batches are on their way at a time.
	DefaultWindow = 8
	// DefaultDialTimeout bounds an attempt to connect.
	DefaultDialTimeout = 5 * time.Second
	// DefaultAnswerTimeout is how long an answer may take.
	DefaultAnswerTimeout = 30 * time.Second
	// DefaultPause and DefaultMaxPause bound the pause after a failure: a random part of 100 ms, 200 ms, ... 10 s.
	DefaultPause    = 100 * time.Millisecond
	DefaultMaxPause = 10 * time.Second
	// DefaultSilence is how long a tail or a query may say nothing. A collector tells a tail its position
	// every 10 s.
	DefaultSilence = time.Minute
	// DefaultReportEvery is how often OnError is told of one kind of trouble.
	DefaultReportEvery = 10 * time.Second
)

// minQueueBytes lets the largest record into the queue beside another one.
const minQueueBytes = 2 * (logwire.RecordPrefix + logwire.MaxRecord)

// Policy says which records are dropped when there is no room.
type Policy uint8

const (
	// DropNewest drops the record that is logged.
	DropNewest Policy = iota
	// DropOldest drops the oldest batch in memory that was never sent, and the oldest segment of the
	// spool in which none was. Where there is none it does as DropNewest.
	DropOldest
)

// Options are for New and NewReader. The zero value is a client of a collector on this machine, without a
// spool. In each field zero means the default.
type Options struct {
	// Address is the collector's: "tcp://host:port", "tls://host:port" or "unix:///path"; empty is DefaultAddress. There is
	// one: the numbers of a producer's batches, by which they are stored once, are known to one collector.
	Address string
	// TLS makes connections TLS, if it is not nil. Its ServerName is the host of Address unless it is set. Where it is nil
	// and Address begins with tls:// it is TLS 1.3 with the system's authorities.
	TLS *tls.Config
	// Dialer connects, instead of a net.Dialer and TLS, for daemons that want another handshake. It must
	// return soon after ctx is done.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
	// DialTimeout bounds an attempt to connect; 0 is DefaultDialTimeout.
	DialTimeout time.Duration
	// Silence is how long the answer to a query or a tail may bring nothing; 0 is DefaultSilence.
	Silence time.Duration
	// Pause and MaxPause bound the pause after a failure: a random part of Pause, which doubles with each
	// further failure up to MaxPause. 0 are DefaultPause and DefaultMaxPause.
	Pause, MaxPause time.Duration

	// Service is that of records that have none; empty leaves such records invalid. Host likewise,
	// but it may stay empty. NewCore and NewHandler take the program's file name and the machine's name where these are empty.
	Service, Host string

	// QueueRecords and QueueBytes bound what waits in memory; 0 are DefaultQueueRecords and DefaultQueueBytes.
	// Less than 256 KiB is 256 KiB: the largest records must fit.
	QueueRecords, QueueBytes int
	// BatchRecords and BatchBytes are how large a batch becomes; 0 are DefaultBatchRecords and
	// DefaultBatchBytes. They are at most logwire.MaxBatchRecords and logwire.MaxBatch. A record that is larger
	// than BatchBytes is a batch of its own.
	BatchRecords, BatchBytes int
	// Linger is how long a batch waits for more records before it is sent; 0 is DefaultLinger.
	Linger time.Duration
	// Window is how many batches are sent before the first of them is acknowledged; 0 is DefaultWindow.
	Window int
	// AnswerTimeout is how long the collector may take to answer before it is taken to be gone; 0 is
	// DefaultAnswerTimeout.
	AnswerTimeout time.Duration
	// Policy says what is dropped when there is no room.
	Policy Policy

	// SpoolDir is the directory in which batches wait while the collector is away; empty means none. It is
	// made if it is not there, belongs to one Client at a time, and to one collector for ever.
	SpoolDir string
	// SpoolBytes bounds its size; 0 is spool.DefaultMaxBytes, 256 MiB.
	SpoolBytes int64

	// OnError is told of the Client's own trouble, in a goroutine of its own, one after the other; nil
	// means nobody. It must not log through the Client.
	OnError func(t Trouble)
	// ReportEvery is how often it is told of one kind of trouble at most; 0 is DefaultReportEvery.
	ReportEvery time.Duration

	fs               files.FS // nil: the system's
	peeked           func()   // a test's, or nil: called when the sender has looked at a batch and not taken it yet
	worked           func()   // likewise: called when the keeper has done what there was to do
	network, address string   // of Address
}

// ErrAddress: Options.Address is none.
var ErrAddress = errors.New("logclient: bad address")

func setDefault[T ~int | ~int64](v *T, value, least T) {
	if *v <= 0 {
		*v = value
	}
	*v = max(*v, least)
}

// complete fills in the defaults.
func (o *Options) complete() error {
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	var ok bool
	o.network, o.address, ok = strings.Cut(o.Address, "://")
	if o.network == "tls" {
		o.network = "tcp"
		if o.TLS == nil {
			o.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
		}
	}
	if !ok || o.address == "" || o.network != "tcp" && o.network != "unix" {
		return fmt.Errorf("%w: %q is not tcp://host:port, tls://host:port or unix:///path", ErrAddress, o.Address)
	}
	if o.network == "tcp" {
		if _, _, err := net.SplitHostPort(o.address); err != nil {
			return fmt.Errorf("%w: %w", ErrAddress, err)
		}
	}
	setDefault(&o.DialTimeout, DefaultDialTimeout, 0)
	setDefault(&o.Silence, DefaultSilence, 0)
	setDefault(&o.Pause, DefaultPause, 0)
	setDefault(&o.MaxPause, DefaultMaxPause, o.Pause)
	setDefault(&o.QueueRecords, DefaultQueueRecords, 0)
	setDefault(&o.QueueBytes, DefaultQueueBytes, minQueueBytes)
	setDefault(&o.BatchRecords, DefaultBatchRecords, 0)
	setDefault(&o.BatchBytes, DefaultBatchBytes, 0)
	o.BatchRecords = min(o.BatchRecords, logwire.MaxBatchRecords)
	o.BatchBytes = min(o.BatchBytes, logwire.MaxBatch)
	setDefault(&o.Linger, DefaultLinger, 0)
	setDefault(&o.Window, DefaultWindow, 0)
	setDefault(&o.AnswerTimeout, DefaultAnswerTimeout, 0)
	setDefault(&o.SpoolBytes, spool.DefaultMaxBytes, 0)
	setDefault(&o.ReportEvery, DefaultReportEvery, 0)
	return nil
}
