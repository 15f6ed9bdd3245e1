package logclient

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// CoreOptions says how NewCore makes records. The zero value works.
type CoreOptions struct {
	// Service is that of the records; empty: that of the Client, or the program's file name.
	Service string
	// Host is that of the records; empty: that of the Client, or the machine's name.
	Host string
	// Level says which entries are taken; nil: Info and above.
	Level zapcore.LevelEnabler
	// SyncTimeout bounds Sync; 0: DefaultSyncTimeout.
	SyncTimeout time.Duration
}

// core is immutable, but for what the sink does.
type core struct {
	zapcore.LevelEnabler
	sink    Sink
	origin  origin
	timeout time.Duration
	fields  []logwire.Field // of With; never changed, its capacity is its length
	prefix  string          // behind the namespaces of With
}

// NewCore returns a core of zap whose entries go to sink, which is a *Client, so that a program ships its logs in addition to what it
// does with them by one line:
//
//	logger = zap.New(zapcore.NewTee(logger.Core(), logclient.NewCore(client, logclient.CoreOptions{})))
//
// A field keeps its kind: numbers and booleans are such, times are strings in RFC 3339, durations strings such as "1.5s", binary is
// base64. Objects and namespaces are flattened to dotted keys ("request.id"), arrays and reflected values are JSON. The name of
// the logger, the caller and the stack are the fields "logger", "caller" and "stack". What is over a limit is cut, with a
// mark, see Fit. Levels below Debug are Trace, those above Error are Fatal.
//
// Write never blocks, but for entries that end the program, Panic and Fatal: after these it syncs. Sync waits for CoreOptions.SyncTimeout at
// most. A panic of a field's marshalling becomes that field's value, "!PANIC: ...".
func NewCore(sink Sink, o CoreOptions) zapcore.Core {
	c := &core{LevelEnabler: o.Level, sink: sink, origin: newOrigin(sink, o.Service, o.Host), timeout: o.SyncTimeout}
	if c.LevelEnabler == nil {
		c.LevelEnabler = zapcore.InfoLevel
	}
	if c.timeout <= 0 {
		c.timeout = DefaultSyncTimeout
	}
	return c
}

// Level returns the lowest level that is taken.
func (c *core) Level() zapcore.Level { return zapcore.LevelOf(c.LevelEnabler) }

// With returns a core whose records have the fields too. They are evaluated now.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	l := newFieldList()
	defer l.free()
	l.start(c.fields, c.prefix)
	for i := range fields {
		l.addZap(&fields[i])
	}
	with := *c
	with.fields, with.prefix = slices.Clip(slices.Clone(l.finish())), l.prefix
	return &with
}

// Check adds the core if the level is enabled.
func (c *core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write gives the entry to the sink. The error is the sink's.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	l := newFieldList()
	defer l.free()
	l.start(c.fields, "")
	if e.LoggerName != "" {
		l.addText("logger", logwire.String, e.LoggerName)
	}
	if e.Caller.Defined {
		l.addText("caller", logwire.String, e.Caller.TrimmedPath())
	}
	l.prefix = c.prefix
	for i := range fields {
		l.addZap(&fields[i])
	}
	if e.Stack != "" {
		l.prefix = ""
		l.addText("stack", logwire.String, e.Stack)
	}
	r := logwire.Record{
		Time: unixNano(e.Time, time.Now), Level: zapLevel(e.Level), Service: c.origin.service, Host: c.origin.host,
		Message: e.Message, Fields: l.finish(),
	}
	Fit(&r)
	err := c.sink.Log(r)
	if e.Level > zapcore.DPanicLevel {
		_ = c.Sync() // The program is about to end; there is nobody left to tell.
	}
	return err
}

// Sync waits until what was written has been acknowledged, for the time-out at most.
func (c *core) Sync() error {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	return c.sink.Sync(ctx)
}

// unixNano returns the record time of t: now if t is zero or cannot be expressed.
func unixNano(t time.Time, now func() time.Time) int64 {
	if year := t.Year(); year < 1678 || year > 2261 {
		t = now()
	}
	return t.UnixNano()
}

func zapLevel(l zapcore.Level) logwire.Level {
	switch {
	case l < zapcore.DebugLevel:
		return logwire.Trace
	case l > zapcore.ErrorLevel:
		return logwire.Fatal
	default:
		return logwire.Debug + logwire.Level(l-zapcore.DebugLevel)
	}
}
