package ship

import (
	"context"
	"errors"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// The defaults of Options.
const (
	// DefaultBatchRecords and DefaultBatchBytes are what a batch has at most: 1,000 records, as many as a sealed block has, and 512 KiB,
	// beyond which no further record is added.
	DefaultBatchRecords = 1000
	DefaultBatchBytes   = 512 << 10
	// DefaultWindow is how many batches are in flight, and planned with one write of the state.
	DefaultWindow = 16
	// DefaultPoll is how often a file that is followed is looked at: every 250 ms.
	DefaultPoll = 250 * time.Millisecond
	// DefaultPatience is for how long sending is tried again without success: a minute.
	DefaultPatience = time.Minute
)

// The pauses before sending is tried again: a random part of the first, doubled with each failure up to the second.
const (
	minPause = 100 * time.Millisecond
	maxPause = 5 * time.Second
)

// ErrState: the state and the collector contradict each other, for instance because the state is an old copy, or
// is used by another process too. Going on could lose or repeat lines.
var ErrState = errors.New("ship: the state does not agree with the collector")

// ErrLocked: another process ships the file.
var ErrLocked = errors.New("ship: the state is in use by another process")

// ErrPatience: sending has failed for longer than Options.Patience. It wraps the last failure.
var ErrPatience = errors.New("ship: the collector has taken nothing for too long")

// Sender sends batches to a collector. It belongs to one goroutine.
type Sender interface {
	// Send sends encoded batches and returns the answers of those that were acknowledged, which are the first ones. The error
	// says why the next one was not: an error of logwire if the collector has refused it, and any other if it may
	// be sent again.
	Send(ctx context.Context, batches [][]byte) ([]logwire.AppendAnswer, error)
}

// Options says how lines are shipped. The zero value works, but for Service.
type Options struct {
	// Service and Host are those of records whose lines do not say. An empty Service is the name of the file, see ServiceOf.
	Service, Host string
	// ForceService and ForceHost make them those of all records.
	ForceService, ForceHost bool
	// Location is the zone of time stamps without one; nil: time.Local.
	Location *time.Location
	// MaxLine is how many bytes of a line are kept; 0: lines.DefaultMaxLine.
	MaxLine int
	// Follow goes on at the end of the file, until the context is done, and heeds rotation.
	Follow bool
	// Poll is how often a file that is followed is looked at; 0: DefaultPoll.
	Poll time.Duration
	// Patience is for how long sending is tried again; 0: DefaultPatience, negative: for ever.
	Patience time.Duration
	// BatchRecords, BatchBytes and Window bound what is in flight; 0: the defaults.
	BatchRecords, BatchBytes, Window int
	// Progress is called now and then with what has been done so far; nil: never.
	Progress func(Report)
	// Trouble is called with the reason, before the pause, whenever sending is to be tried again, and with nil when batches are
	// taken after that. It is called by the goroutine that ships; nil: never.
	Trouble func(reason error)
	// Now is the clock for lines without a time; nil: time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&o.BatchRecords, DefaultBatchRecords)
	o.BatchRecords = min(o.BatchRecords, logwire.MaxBatchRecords)
	def(&o.BatchBytes, DefaultBatchBytes)
	o.BatchBytes = min(o.BatchBytes, logwire.MaxBatch-logwire.BatchHeadSize-logwire.RecordPrefix-logwire.MaxRecord)
	def(&o.Window, DefaultWindow)
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Trouble == nil {
		o.Trouble = func(error) {}
	}
	if o.Progress == nil {
		o.Progress = func(Report) {}
	}
	return o
}
