package logclient_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// ignored is the time of records that have none.
var ignored = time.Unix(1, 0)

// asMap makes of a record what slogtest wants: groups are maps again.
func asMap(r logwire.Record) map[string]any {
	m := map[string]any{slog.LevelKey: r.Level.String(), slog.MessageKey: r.Message}
	if r.Time != ignored.UnixNano() {
		m[slog.TimeKey] = time.Unix(0, r.Time)
	}
	for _, f := range r.Fields {
		in, parts := m, strings.Split(f.Key, ".")
		for _, group := range parts[:len(parts)-1] {
			if in[group] == nil {
				in[group] = map[string]any{}
			}
			in = in[group].(map[string]any)
		}
		in[parts[len(parts)-1]] = f.Value
	}
	return m
}

func TestSlogtest(t *testing.T) {
	var sink memorySink
	h := logclient.NewHandlerAt(&sink, logclient.HandlerOptions{}, func() time.Time { return ignored })
	require.NoError(t, slogtest.TestHandler(h, func() (all []map[string]any) {
		for _, r := range sink.all() {
			all = append(all, asMap(r))
		}
		return all
	}))
}

func TestSlogtestRun(t *testing.T) {
	var sink *memorySink
	slogtest.Run(t, func(*testing.T) slog.Handler {
		sink = new(memorySink)
		return logclient.NewHandlerAt(sink, logclient.HandlerOptions{}, func() time.Time { return ignored })
	}, func(*testing.T) map[string]any {
		all := sink.all()
		return asMap(all[len(all)-1])
	})
}

type valuer struct{ f func() slog.Value }

func (v valuer) LogValue() slog.Value { return v.f() }

// nested is a group in itself, without end.
type nested struct{}

func (nested) LogValue() slog.Value { return slog.GroupValue(slog.Any("n", nested{})) }

type failing struct{}

func (*failing) Error() string { panic("no error") }

func TestEachKindOfAttributeKeepsItsKind(t *testing.T) {
	address := &url.URL{Scheme: "tcp", Host: "h:1"}
	cycle := map[string]any{}
	cycle["c"] = cycle
	tests := map[string]struct {
		value any
		want  logwire.Field
	}{
		"string":           {"v", str("k", "v")},
		"int":              {-5, num("k", "-5")},
		"uint64":           {uint64(math.MaxUint64), num("k", "18446744073709551615")},
		"float":            {0.25, num("k", "0.25")},
		"NaN":              {math.NaN(), str("k", "NaN")},
		"bool":             {false, boolean("k", "false")},
		"duration":         {90 * time.Second, str("k", "1m30s")},
		"time":             {someTime, str("k", "2026-03-04T05:06:07.000000089+01:00")},
		"error":            {errors.New("failed"), str("k", "failed")},
		"stringer":         {address, str("k", "tcp://h:1")},
		"nil stringer":     {(*stringer)(nil), str("k", "<nil>")},
		"nil":              {nil, jsonValue("k", "null")},
		"object":           {map[string]int{"a": 1}, jsonValue("k", `{"a":1}`)},
		"array":            {[]string{"<a>"}, jsonValue("k", `["<a>"]`)},
		"bytes":            {[]byte{0, 255}, str("k", "AP8=")},
		"no JSON":          {make(chan int), str("k", "!ERROR: json: unsupported type: chan int")},
		"valuer":           {valuer{func() slog.Value { return slog.IntValue(3) }}, num("k", "3")},
		"panicking string": {&stringer{func() string { panic("no string") }}, str("k", "!PANIC: no string")},
		"panicking JSON":   {panickingJSON{}, str("k", "!PANIC: no JSON")},
		"panicking error":  {new(failing), str("k", "!PANIC: no error")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var sink memorySink
			lg := slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{}))
			lg.Info("m", "k", test.value)
			require.Equal(t, []logwire.Field{test.want}, sink.last())
			lg.With("k", test.value).WithGroup("g").Info("m", "k", test.value)
			inGroup := test.want
			inGroup.Key = "g.k"
			require.Equal(t, []logwire.Field{test.want, inGroup}, sink.last())
		})
	}
	t.Run("cycle", func(t *testing.T) {
		var sink memorySink
		slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{})).Info("m", "k", cycle)
		require.Contains(t, sink.last()[0].Value, "!ERROR: json: unsupported value: encountered a cycle")
	})
	t.Run("panicking valuer", func(t *testing.T) {
		var sink memorySink
		v := valuer{func() slog.Value { panic("no value") }}
		slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{})).Info("m", "k", v, "after", 1)
		require.Contains(t, sink.last()[0].Value, "LogValue panicked")
		require.Equal(t, num("after", "1"), sink.last()[1])
	})
	t.Run("endless groups", func(t *testing.T) {
		var sink memorySink
		slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{})).Info("m", "k", nested{}, "after", 1)
		require.Equal(t, []logwire.Field{str("k.n.n.n.n.n.n.n.n", "!ERROR: groups nested deeper than 8"), num("after", "1")}, sink.last())
	})
}

func TestSlogLevels(t *testing.T) {
	want := map[slog.Level]struct {
		level logwire.Level
		name  string
	}{
		-9: {logwire.Trace, "DEBUG-5"}, -8: {logwire.Trace, ""}, -5: {logwire.Trace, "DEBUG-1"}, slog.LevelDebug: {logwire.Debug, ""},
		-3: {logwire.Debug, "DEBUG+1"}, slog.LevelInfo: {logwire.Info, ""}, 2: {logwire.Info, "INFO+2"}, slog.LevelWarn: {logwire.Warn, ""},
		slog.LevelError: {logwire.Error, ""}, 11: {logwire.Error, "ERROR+3"}, 12: {logwire.Fatal, ""}, 40: {logwire.Fatal, "ERROR+32"},
	}
	for level, want := range want {
		var sink memorySink
		h := logclient.NewHandler(&sink, logclient.HandlerOptions{Level: slog.Level(-100)})
		slog.New(h).Log(t.Context(), level, "m")
		r := sink.all()[0]
		require.Equal(t, want.level, r.Level, level)
		if want.name == "" {
			require.Empty(t, r.Fields, level)
		} else {
			require.Equal(t, []logwire.Field{str("slog.level", want.name)}, r.Fields)
		}
	}
}

func TestTheLevelerDecides(t *testing.T) {
	var sink memorySink
	var level slog.LevelVar
	level.Set(slog.LevelError)
	lg := slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{Level: &level})).With("a", 1).WithGroup("g")
	lg.Warn("no")
	level.Set(slog.LevelWarn)
	lg.Warn("yes")
	require.Len(t, sink.all(), 1)
	require.False(t, logclient.NewHandler(&sink, logclient.HandlerOptions{}).Enabled(t.Context(), slog.LevelDebug), "the default is Info")
}

func TestSourceServiceAndHost(t *testing.T) {
	var sink memorySink
	slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{Service: "api", Host: "h1", AddSource: true})).WithGroup("g").Info("m")
	r := sink.all()[0]
	require.Equal(t, "api", r.Service)
	require.Equal(t, "h1", r.Host)
	require.Len(t, r.Fields, 1)
	require.Equal(t, "caller", r.Fields[0].Key)
	require.Regexp(t, `^logclient/handler_test\.go:\d+$`, r.Fields[0].Value)

	slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{})).Info("m")
	r = sink.all()[1]
	require.Contains(t, r.Service, "test", "the program's file name")
}

func TestHandleReturnsTheErrorOfTheSink(t *testing.T) {
	sink := memorySink{err: errors.New("full")}
	h := logclient.NewHandler(&sink, logclient.HandlerOptions{})
	require.ErrorIs(t, h.Handle(context.Background(), slog.NewRecord(someTime, 0, "m", 0)), sink.err)
}

func TestHandlersShareNothing(t *testing.T) {
	var sink memorySink
	parent := slog.New(logclient.NewHandler(&sink, logclient.HandlerOptions{})).With("p", 0)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			own := parent.With("w", w).WithGroup("g")
			for i := range 200 {
				own.Info("m", "i", i)
			}
		})
	}
	wg.Wait()
	for _, r := range sink.all() {
		require.Len(t, r.Fields, 3)
		_, err := strconv.Atoi(r.Fields[2].Value)
		require.NoError(t, err)
		require.Equal(t, []string{"p", "w", "g.i"}, []string{r.Fields[0].Key, r.Fields[1].Key, r.Fields[2].Key})
	}
	require.Len(t, sink.all(), 1600)
}
