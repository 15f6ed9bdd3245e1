package logclient_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

var someTime = time.Date(2026, 3, 4, 5, 6, 7, 89, time.FixedZone("", 3600))

type user struct{ name string }

func (u user) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddString("name", u.name)
	return e.AddObject("address", zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error {
		e.AddInt("number", 7)
		return nil
	}))
}

type stringer struct{ f func() string }

func (s *stringer) String() string { return s.f() }

func TestEachKindOfZapFieldKeepsItsKind(t *testing.T) {
	tests := map[string]struct {
		field zap.Field
		want  []logwire.Field
	}{
		"string":         {zap.String("k", "v"), []logwire.Field{str("k", "v")}},
		"empty string":   {zap.String("k", ""), []logwire.Field{str("k", "")}},
		"bool":           {zap.Bool("k", true), []logwire.Field{boolean("k", "true")}},
		"int":            {zap.Int("k", -5), []logwire.Field{num("k", "-5")}},
		"int8":           {zap.Int8("k", -128), []logwire.Field{num("k", "-128")}},
		"int16":          {zap.Int16("k", 5), []logwire.Field{num("k", "5")}},
		"int32":          {zap.Int32("k", 5), []logwire.Field{num("k", "5")}},
		"int64":          {zap.Int64("k", math.MinInt64), []logwire.Field{num("k", "-9223372036854775808")}},
		"uint":           {zap.Uint("k", 5), []logwire.Field{num("k", "5")}},
		"uint8":          {zap.Uint8("k", 255), []logwire.Field{num("k", "255")}},
		"uint16":         {zap.Uint16("k", 5), []logwire.Field{num("k", "5")}},
		"uint32":         {zap.Uint32("k", 5), []logwire.Field{num("k", "5")}},
		"uint64":         {zap.Uint64("k", math.MaxUint64), []logwire.Field{num("k", "18446744073709551615")}},
		"uintptr":        {zap.Uintptr("k", 5), []logwire.Field{num("k", "5")}},
		"float64":        {zap.Float64("k", 0.1), []logwire.Field{num("k", "0.1")}},
		"float32":        {zap.Float32("k", 0.1), []logwire.Field{num("k", "0.1")}},
		"large float":    {zap.Float64("k", 1e300), []logwire.Field{num("k", "1e+300")}},
		"NaN":            {zap.Float64("k", math.NaN()), []logwire.Field{str("k", "NaN")}},
		"infinity":       {zap.Float64("k", math.Inf(-1)), []logwire.Field{str("k", "-Inf")}},
		"complex128":     {zap.Complex128("k", 1+2i), []logwire.Field{str("k", "1+2i")}},
		"complex64":      {zap.Complex64("k", 1-2i), []logwire.Field{str("k", "1-2i")}},
		"duration":       {zap.Duration("k", 1500*time.Millisecond), []logwire.Field{str("k", "1.5s")}},
		"time":           {zap.Time("k", someTime), []logwire.Field{str("k", "2026-03-04T05:06:07.000000089+01:00")}},
		"binary":         {zap.Binary("k", []byte{0, 255}), []logwire.Field{str("k", "AP8=")}},
		"byte string":    {zap.ByteString("k", []byte("v")), []logwire.Field{str("k", "v")}},
		"error":          {zap.Error(errors.New("failed")), []logwire.Field{str("error", "failed")}},
		"nil error":      {zap.Error(nil), nil},
		"stringer":       {zap.Stringer("k", time.Second), []logwire.Field{str("k", "1s")}},
		"nil stringer":   {zap.Stringer("k", (*stringer)(nil)), []logwire.Field{str("k", "<nil>")}},
		"nil reflected":  {zap.Reflect("k", nil), []logwire.Field{jsonValue("k", "null")}},
		"reflected":      {zap.Reflect("k", map[string]any{"a": "<b>"}), []logwire.Field{jsonValue("k", `{"a":"<b>"}`)}},
		"reflected text": {zap.Reflect("k", someTime), []logwire.Field{str("k", "2026-03-04T05:06:07.000000089+01:00")}},
		"reflected number": {
			zap.Reflect("k", struct{ A int }{1}.A), []logwire.Field{num("k", "1")},
		},
		"no JSON":      {zap.Reflect("k", make(chan int)), []logwire.Field{str("kError", "json: unsupported type: chan int")}},
		"array":        {zap.Durations("k", []time.Duration{time.Second}), []logwire.Field{jsonValue("k", `["1s"]`)}},
		"empty array":  {zap.Ints("k", nil), []logwire.Field{jsonValue("k", `[]`)}},
		"objects":      {zap.Objects("k", []user{{"a"}}), []logwire.Field{jsonValue("k", `[{"name":"a","address":{"number":7}}]`)}},
		"object":       {zap.Object("k", user{"a"}), []logwire.Field{str("k.name", "a"), num("k.address.number", "7")}},
		"inline":       {zap.Inline(user{"a"}), []logwire.Field{str("name", "a"), num("address.number", "7")}},
		"empty object": {zap.Dict("k"), []logwire.Field{jsonValue("k", "{}")}},
		"skip":         {zap.Skip(), nil},
		"empty key":    {zap.Int("", 1), []logwire.Field{num("_", "1")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var sink memorySink
			lg := zap.New(logclient.NewCore(&sink, logclient.CoreOptions{}))
			lg.Info("m", test.field)
			require.ElementsMatch(t, test.want, sink.last())
			lg.With(test.field).Info("m")
			require.ElementsMatch(t, test.want, sink.last(), "with With")
			lg.With(zap.Namespace("ns"), zap.Int("n", 1)).Info("m", test.field)
			for i := range test.want {
				want := test.want[i]
				if want.Key == "_" {
					want.Key = ""
				}
				want.Key = "ns." + want.Key
				require.Contains(t, sink.last(), want, "in a namespace")
			}
		})
	}
}

func TestAPanicOfAFieldBecomesItsValue(t *testing.T) {
	var sink memorySink
	lg := zap.New(logclient.NewCore(&sink, logclient.CoreOptions{}))
	lg.Info("m",
		zap.Int("before", 1),
		zap.Object("object", zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error {
			e.AddInt("part", 2)
			e.OpenNamespace("lost")
			panic("no object")
		})),
		zap.Array("array", zapcore.ArrayMarshalerFunc(func(zapcore.ArrayEncoder) error { panic("no array") })),
		zap.Stringer("stringer", &stringer{func() string { panic("no string") }}),
		zap.Reflect("json", panickingJSON{}),
		zap.Int("after", 3),
	)
	require.Equal(t, []logwire.Field{
		num("before", "1"), num("object.part", "2"), str("object", "!PANIC: no object"), str("array", "!PANIC: no array"),
		str("stringerError", "PANIC=no string"), str("json", "!PANIC: no JSON"), num("after", "3"),
	}, sink.last())
}

type panickingJSON struct{}

func (panickingJSON) MarshalJSON() ([]byte, error) { panic("no JSON") }

// endless contains itself.
type endless struct{}

func (e endless) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return enc.AddObject("e", bounded(20))
}

type bounded int

func (b bounded) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	if b == 0 {
		return nil
	}
	return enc.AddObject("b", b-1)
}

func TestDeepObjectsBecomeJSON(t *testing.T) {
	var sink memorySink
	zap.New(logclient.NewCore(&sink, logclient.CoreOptions{})).Info("m", zap.Object("k", endless{}))
	require.Len(t, sink.last(), 1)
	f := sink.last()[0]
	require.Equal(t, "k.e.b.b.b.b.b.b.b", f.Key)
	require.Equal(t, logwire.JSON, f.Kind)
}

func TestWhatAnEntrySaysOfItself(t *testing.T) {
	var sink memorySink
	core := logclient.NewCore(&sink, logclient.CoreOptions{Service: "api", Host: "h1", Level: zapcore.DebugLevel})
	entry := zapcore.Entry{
		Time: someTime, Level: zapcore.WarnLevel, LoggerName: "db", Message: "slow", Stack: "here",
		Caller: zapcore.EntryCaller{Defined: true, File: "/a/b/c.go", Line: 7},
	}
	require.NoError(t, core.With([]zapcore.Field{zap.Namespace("n"), zap.Int("a", 1)}).Write(entry, []zapcore.Field{zap.Int("b", 2)}))
	require.Equal(t, []logwire.Record{{
		Time: someTime.UnixNano(), Level: logwire.Warn, Service: "api", Host: "h1", Message: "slow",
		Fields: []logwire.Field{num("n.a", "1"), str("logger", "db"), str("caller", "b/c.go:7"), num("n.b", "2"), str("stack", "here")},
	}}, sink.all())
}

func TestZapLevels(t *testing.T) {
	want := map[zapcore.Level]logwire.Level{
		-5: logwire.Trace, zap.DebugLevel: logwire.Debug, zap.InfoLevel: logwire.Info, zap.WarnLevel: logwire.Warn,
		zap.ErrorLevel: logwire.Error, zap.DPanicLevel: logwire.Fatal, zap.PanicLevel: logwire.Fatal, zap.FatalLevel: logwire.Fatal, 9: logwire.Fatal,
	}
	for level, want := range want {
		var sink memorySink
		core := logclient.NewCore(&sink, logclient.CoreOptions{Level: zapcore.Level(-10)})
		core.Check(zapcore.Entry{Level: level}, nil).Write()
		require.Equal(t, want, sink.all()[0].Level, level)
		require.Equal(t, level > zap.DPanicLevel, sink.syncs == 1, "entries that end the program are synced: %v", level)
	}
}

func TestTheLevelEnablerDecides(t *testing.T) {
	var sink memorySink
	level := zap.NewAtomicLevelAt(zap.WarnLevel)
	core := logclient.NewCore(&sink, logclient.CoreOptions{Level: level})
	lg := zap.New(core)
	lg.Info("no")
	lg.Warn("yes")
	require.Equal(t, zap.WarnLevel, zapcore.LevelOf(core))
	require.Nil(t, core.Check(zapcore.Entry{Level: zap.InfoLevel}, nil))
	level.SetLevel(zap.InfoLevel)
	lg.With(zap.Int("a", 1)).Info("now")
	require.Len(t, sink.all(), 2)
	require.Equal(t, zap.InfoLevel, zapcore.LevelOf(logclient.NewCore(&sink, logclient.CoreOptions{})), "the default")
}

func TestWithLeavesTheCoreBeforeAsItWas(t *testing.T) {
	var sink memorySink
	parent := zap.New(logclient.NewCore(&sink, logclient.CoreOptions{})).With(zap.Int("p", 0))
	a, b := parent.With(zap.Int("a", 1)), parent.With(zap.Int("b", 2))
	a.Info("a")
	require.Equal(t, []logwire.Field{num("p", "0"), num("a", "1")}, sink.last())
	b.Info("b")
	require.Equal(t, []logwire.Field{num("p", "0"), num("b", "2")}, sink.last())
	parent.Info("parent")
	require.Equal(t, []logwire.Field{num("p", "0")}, sink.last())
}

func TestSyncIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := memorySink{sync: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		begin := time.Now()
		require.ErrorIs(t, logclient.NewCore(&sink, logclient.CoreOptions{}).Sync(), context.DeadlineExceeded)
		require.Equal(t, logclient.DefaultSyncTimeout, time.Since(begin))
		require.Error(t, logclient.NewCore(&sink, logclient.CoreOptions{SyncTimeout: time.Minute}).Sync())
		require.Equal(t, logclient.DefaultSyncTimeout+time.Minute, time.Since(begin))
	})
}

func TestWriteReturnsTheErrorOfTheSink(t *testing.T) {
	sink := memorySink{err: errors.New("full")}
	require.ErrorIs(t, logclient.NewCore(&sink, logclient.CoreOptions{}).Write(zapcore.Entry{}, nil), sink.err)
	var reported zaptest.Buffer
	zap.New(logclient.NewCore(&sink, logclient.CoreOptions{}), zap.ErrorOutput(&reported)).Info("m")
	require.Contains(t, reported.String(), "full")
}

func TestConcurrentUseOfACore(t *testing.T) {
	var sink memorySink
	lg := zap.New(logclient.NewCore(&sink, logclient.CoreOptions{})).With(zap.Int("common", 1))
	const writers, each = 8, 200
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			own := lg.With(zap.Int("w", w))
			for i := range each {
				own.Info("m", zap.Int("i", i), zap.Object("user", user{fmt.Sprint(w, i)}))
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, r := range sink.all() {
		require.Len(t, r.Fields, 5)
		w, i := r.Fields[1].Value, r.Fields[2].Value
		require.Equal(t, []logwire.Field{num("common", "1"), num("w", w), num("i", i), str("user.name", w+" "+i), num("user.address.number", "7")}, r.Fields)
		seen[w+" "+i] = true
	}
	require.Len(t, seen, writers*each)
}

func TestAZapRecordIsMadeToFit(t *testing.T) {
	var sink memorySink
	lg := zap.New(logclient.NewCore(&sink, logclient.CoreOptions{}))
	fields := make([]zap.Field, 100)
	for i := range fields {
		fields[i] = zap.String(fmt.Sprint(i), "a\xffb")
	}
	lg.Info(strings.Repeat("é", 40000), fields...)
	r := sink.all()[0]
	require.LessOrEqual(t, len(r.Message), logwire.MaxMessage)
	require.True(t, strings.HasSuffix(r.Message, " bytes]"))
	require.Len(t, r.Fields, logwire.MaxFields)
	require.Equal(t, str("0", "a\uFFFDb"), r.Fields[0])
	require.Equal(t, num(logclient.LeftOutKey, "37"), r.Fields[63])
}
