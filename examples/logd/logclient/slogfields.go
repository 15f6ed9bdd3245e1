package logclient

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// addAttr adds an attribute by the rules of slog.Handler: one that is empty and groups without attributes are left out, a group
// without a key is part of the one around it.
func (l *fieldList) addAttr(a slog.Attr) {
	v := a.Value.Resolve()
	if a.Key == "" && v.Equal(slog.Value{}) {
		return
	}
	switch v.Kind() {
	case slog.KindString:
		l.addText(a.Key, logwire.String, v.String())
	case slog.KindInt64:
		l.addInt(a.Key, v.Int64())
	case slog.KindUint64:
		l.addUint(a.Key, v.Uint64())
	case slog.KindFloat64:
		l.addFloat(a.Key, v.Float64(), 64)
	case slog.KindBool:
		l.addBool(a.Key, v.Bool())
	case slog.KindDuration:
		l.addText(a.Key, logwire.String, v.Duration().String())
	case slog.KindTime:
		l.addTime(a.Key, v.Time())
	case slog.KindGroup:
		l.addGroup(a.Key, v.Group())
	default:
		l.addAny(a.Key, v.Any())
	}
}

// addGroup flattens the group. One that is nested deeper than maxDepth is a string: a LogValuer that is its own
// group has no end.
func (l *fieldList) addGroup(key string, attrs []slog.Attr) {
	if l.depth == maxDepth {
		l.addText(key, logwire.String, fmt.Sprintf("!ERROR: groups nested deeper than %d", maxDepth))
		return
	}
	prefix := l.prefix
	if key != "" {
		l.prefix += key + "."
	}
	l.depth++
	for _, a := range attrs {
		l.addAttr(a)
	}
	l.depth--
	l.prefix = prefix
}

// addAny adds a value of any type. A panic of its methods becomes the value; a nil pointer whose method
// panics is "<nil>".
func (l *fieldList) addAny(key string, v any) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() {
			l.addText(key, logwire.String, "<nil>")
			return
		}
		l.addPanic(key, cause)
	}()
	switch v := v.(type) {
	case error:
		l.addText(key, logwire.String, v.Error())
		return
	case json.Marshaler, encoding.TextMarshaler:
	case fmt.Stringer:
		l.addText(key, logwire.String, v.String())
		return
	}
	if err := l.addJSON(key, v); err != nil {
		l.addText(key, logwire.String, "!ERROR: "+err.Error())
	}
}
