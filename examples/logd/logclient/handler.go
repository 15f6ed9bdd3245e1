package logclient

import (
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// HandlerOptions says how NewHandler makes records. The zero value works.
type HandlerOptions struct {
	// Service is that of the records; empty: that of the Client, or the program's file name.
	Service string
	// Host is that of the records; empty: that of the Client, or the machine's name.
	Host string
	// Level is the lowest one that is taken; nil: slog.LevelInfo.
	Level slog.Leveler
	// AddSource adds the field "caller" with file and line.
	AddSource bool
}

// handler is immutable, but for what the sink does.
type handler struct {
	sink      Sink
	origin    origin
	level     slog.Leveler
	addSource bool
	fields    []logwire.Field // of WithAttrs; never changed, its capacity is its length
	prefix    string          // of WithGroup
	now       func() time.Time
}

// NewHandler returns a handler of slog whose records go to sink, which is a *Client, so that a program ships its logs by one line:
//
//	slog.SetDefault(slog.New(logclient.NewHandler(client, logclient.HandlerOptions{})))
//
// An attribute keeps its kind: numbers and booleans are such, times are strings in RFC 3339, durations strings such as "1.5s".
// Groups are flattened to dotted keys ("request.id"). Of other values errors and fmt.Stringers are strings, all else is JSON; what cannot be
// JSON is "!ERROR: ...". What is over a limit is cut, with a mark, see Fit. A record without a time has that of Handle.
//
// Levels from Debug to Error are those of the same name, and up to the next one; below Debug is Trace, 4 above Error is Fatal. A
// level between those of slog, such as INFO+2, has its name in the field "slog.level".
//
// Handle never blocks. A panic of a value's own methods becomes the attribute's value, "!PANIC: ...".
func NewHandler(sink Sink, o HandlerOptions) slog.Handler {
	h := &handler{sink: sink, origin: newOrigin(sink, o.Service, o.Host), level: o.Level, addSource: o.AddSource, now: time.Now}
	if h.level == nil {
		h.level = slog.LevelInfo
	}
	return h
}

// Enabled reports whether the level is taken.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// WithAttrs returns a handler whose records have the attributes too. They are evaluated now.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	l := newFieldList()
	defer l.free()
	l.start(h.fields, h.prefix)
	for _, a := range attrs {
		l.addAttr(a)
	}
	with := *h
	with.fields = slices.Clip(slices.Clone(l.finish()))
	return &with
}

// WithGroup returns a handler that puts "name." before the keys of all later attributes.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.prefix += name + "."
	return &with
}

// Handle gives the record to the sink. The error is the sink's.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	l := newFieldList()
	defer l.free()
	l.start(h.fields, "")
	level, exact := slogLevel(r.Level)
	if !exact {
		l.addText("slog.level", logwire.String, r.Level.String())
	}
	if h.addSource && r.PC != 0 {
		l.addText("caller", logwire.String, caller(r.PC))
	}
	l.prefix = h.prefix
	r.Attrs(func(a slog.Attr) bool {
		l.addAttr(a)
		return true
	})
	record := logwire.Record{
		Time: unixNano(r.Time, h.now), Level: level, Service: h.origin.service, Host: h.origin.host,
		Message: r.Message, Fields: l.finish(),
	}
	Fit(&record)
	return h.sink.Log(record)
}

// slogLevel reports also whether l is just that level.
func slogLevel(l slog.Level) (level logwire.Level, exact bool) {
	const step = slog.LevelInfo - slog.LevelDebug // between two levels of slog, and to those at both ends
	switch {
	case l < slog.LevelDebug:
		return logwire.Trace, l == slog.LevelDebug-step
	case l >= slog.LevelError+step:
		return logwire.Fatal, l == slog.LevelError+step
	}
	above := l - slog.LevelDebug
	return logwire.Debug + logwire.Level(above/step), above%step == 0
}

// caller returns directory, file and line, as zap does.
func caller(pc uintptr) string {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	dir, file := filepath.Split(frame.File)
	return filepath.Join(filepath.Base(dir), file) + ":" + strconv.Itoa(frame.Line)
}
