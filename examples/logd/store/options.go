package store

import (
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"go.uber.org/zap"
)

// The defaults of Options.
const (
	// DefaultQueueBytes bounds the batches that wait for the committer: 32 MiB.
	DefaultQueueBytes = 32 << 20
	// DefaultUnsealedBytes bounds the records that are not in a block yet: 256 MiB.
	DefaultUnsealedBytes = 256 << 20
	// DefaultSealBytes is how many unsealed bytes are sealed at once: 16 MiB.
	DefaultSealBytes = 16 << 20
	// DefaultSealAge is how long a record may stay unsealed when few come.
	DefaultSealAge = 10 * time.Minute
	// DefaultMarkAge is how long the mark of a silent producer is kept.
	DefaultMarkAge = 90 * 24 * time.Hour
	// DefaultMaxProducers bounds the producers with a mark. Each takes about 100 bytes of memory.
	DefaultMaxProducers = 100_000
	// DefaultMinFree is the free space below which nothing is appended: 512 MiB.
	DefaultMinFree = 512 << 20
	// DefaultQueryTime bounds a query.
	DefaultQueryTime = 30 * time.Second
	// DefaultQueryBytes bounds what a query reads, in bytes on disk: 4 GiB.
	DefaultQueryBytes = 4 << 30
	// DefaultMemTable is how many bytes Pebble holds in memory before it writes a table, four times at most: 64 MiB.
	DefaultMemTable = 64 << 20
)

// Options are the settings of a Store. The zero value works: each field says what zero means. A negative bound is none.
type Options struct {
	// FS is where the directory lies; nil is the file system of the operating system.
	FS vfs.FS
	// Logger gets what an operator has to know; nil is none.
	Logger *zap.Logger
	// Now is the clock for ingest days, ages and the time of queries; nil is time.Now.
	Now func() time.Time
	// FreeSpace returns the bytes that may still be written to the file system of dir; nil asks FS. An error of
	// it is logged, and taken as enough.
	FreeSpace func(dir string) (uint64, error)

	// OnCommit is called for each batch that was stored, after it became durable and before Append returns, in the
	// order of the ids and by one goroutine at a time. Head has moved on before, over all batches that were committed together. records are in the form they have in a batch; they never change and may be
	// kept. It must not block: all appends wait for it.
	OnCommit func(firstID uint64, count int, records []byte)
	// OnFatal is called once, when a write or a sync has failed and nobody knows any more what is on the disk: the store
	// takes and acknowledges nothing from then on, writes nothing more, and the process should end, so that starting again finds out. It
	// may be called by any goroutine, with locks held: it must not call the store. nil panics instead.
	OnFatal func(error)

	// MaxRecordAge and MaxRecordAhead bound the time of a record, relative to Now. Zero are logwire's defaults, negative is any time.
	MaxRecordAge, MaxRecordAhead time.Duration

	// QueueBytes bounds the batches that wait for the committer; over it Append returns ErrBusy.
	QueueBytes int64
	// UnsealedBytes bounds the unsealed records; over it Append returns ErrBusy until the sealer has caught up.
	UnsealedBytes int64
	// SealBytes and SealAge say when unsealed records are sealed: as soon as there are so many bytes, or one is so old.
	SealBytes int64
	// SealAge, see SealBytes.
	SealAge time.Duration

	// KeepAge is how long records are kept after the end of the UTC day on which they were stored; zero is for ever.
	KeepAge time.Duration
	// KeepBytes bounds the block files, the oldest of which are removed; zero is no bound.
	KeepBytes int64
	// MarkAge is how long the mark of a producer that sends nothing is kept. After that the producer has to begin a new epoch.
	MarkAge time.Duration
	// MaxProducers bounds the producers with a mark; over it batches of new ones are refused with a *logwire.ReadOnlyError.
	MaxProducers int
	// MinFree is the free space below which Append returns a *logwire.ReadOnlyError, until there is a tenth more.
	MinFree int64

	// QueryTime bounds a query; so does QueryBytes, by what it reads.
	QueryTime time.Duration
	// QueryBytes is in bytes on disk.
	QueryBytes int64
	// MemTable is the size of Pebble's memory tables.
	MemTable int64

	// AcceptLoss makes Open go on where it found that acknowledged records are missing: what is missing is logged, its ids are
	// not used again, and later calls of Open accept the same loss. Without it Open returns a *LossError.
	AcceptLoss bool

	// hooks are for tests.
	hooks hooks
}

// hooks change a store for tests. The zero value changes nothing.
type hooks struct {
	// ackUnsynced acknowledges before the sync: the seeded bug that the power cuts have to find.
	ackUnsynced bool
	// manual leaves sealing and upkeep to Seal and maintain.
	manual bool
	// blockRecords, if it is not 0, is the number of records at which a block is cut already.
	blockRecords int
}

// withDefaults replaces zeros by defaults and negative bounds by the largest value.
func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FreeSpace == nil {
		o.FreeSpace = func(dir string) (uint64, error) {
			usage, err := o.FS.GetDiskUsage(dir)
			return usage.AvailBytes, err
		}
	}
	if o.OnCommit == nil {
		o.OnCommit = func(uint64, int, []byte) {}
	}
	if o.OnFatal == nil {
		o.OnFatal = func(err error) { panic(err) }
	}
	o.MaxRecordAge = bound(o.MaxRecordAge, logwire.DefaultMaxAge)
	o.MaxRecordAhead = bound(o.MaxRecordAhead, logwire.DefaultMaxAhead)
	o.QueueBytes = bound(o.QueueBytes, DefaultQueueBytes)
	o.UnsealedBytes = bound(o.UnsealedBytes, DefaultUnsealedBytes)
	o.SealBytes = min(bound(o.SealBytes, DefaultSealBytes), o.UnsealedBytes/2)
	o.SealAge = bound(o.SealAge, DefaultSealAge)
	o.KeepAge = bound(o.KeepAge, math.MaxInt64)
	o.KeepBytes = bound(o.KeepBytes, math.MaxInt64)
	o.MarkAge = bound(o.MarkAge, DefaultMarkAge)
	o.MaxProducers = bound(o.MaxProducers, DefaultMaxProducers)
	if o.MinFree = bound(o.MinFree, DefaultMinFree); o.MinFree == math.MaxInt64 {
		o.MinFree = 0
	}
	o.QueryTime = bound(o.QueryTime, DefaultQueryTime)
	o.QueryBytes = bound(o.QueryBytes, DefaultQueryBytes)
	if o.MemTable <= 0 {
		o.MemTable = DefaultMemTable
	}
	return o
}

// bound returns n, or the default for zero, or the largest value for a negative one.
func bound[N ~int | ~int64](n, byDefault N) N {
	switch {
	case n == 0:
		return byDefault
	case n < 0:
		if uint64(^N(0)) == math.MaxUint64 {
			return N(math.MaxInt64)
		}
		return N(math.MaxInt32)
	}
	return n
}
