package logclient

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

var _ zapcore.ObjectEncoder = (*fieldList)(nil)

// arrays makes JSON of arrays, with times and durations as in fields.
var arrays = zapcore.NewJSONEncoder(zapcore.EncoderConfig{
	SkipLineEnding: true,
	EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
	EncodeDuration: zapcore.StringDurationEncoder,
})

// addZap adds a field of zap. A panic in the application's marshalling becomes the field's value.
func (l *fieldList) addZap(f *zapcore.Field) {
	prefix, depth := l.prefix, l.depth
	defer func() {
		if cause := recover(); cause != nil {
			l.prefix, l.depth = prefix, depth
			l.addPanic(f.Key, cause)
		}
	}()
	f.AddTo(l)
}

// AddObject flattens the object: its fields have keys with "key." before them. An empty one is the JSON value {}.
func (l *fieldList) AddObject(key string, v zapcore.ObjectMarshaler) error {
	if l.depth == maxDepth {
		return l.addZapJSON(key, zap.Object("v", v))
	}
	prefix, n := l.prefix, len(l.fields)
	l.prefix += key + "."
	l.depth++
	err := v.MarshalLogObject(l)
	l.depth--
	l.prefix = prefix
	if len(l.fields) == n {
		l.addText(key, logwire.JSON, "{}")
	}
	return err
}

// AddArray adds the array as JSON.
func (l *fieldList) AddArray(key string, v zapcore.ArrayMarshaler) error {
	return l.addZapJSON(key, zap.Array("v", v))
}

// addZapJSON adds what zap's JSON encoder makes of a field with the key "v".
func (l *fieldList) addZapJSON(key string, f zapcore.Field) error {
	b, err := arrays.EncodeEntry(zapcore.Entry{}, []zapcore.Field{f})
	if err != nil {
		return err
	}
	defer b.Free()
	var made struct {
		V      json.RawMessage
		VError string
	}
	if err := json.Unmarshal(b.Bytes(), &made); err != nil {
		return err
	}
	if len(made.V) > 0 {
		l.addJSONText(key, made.V)
	}
	if made.VError != "" {
		return errors.New(made.VError)
	}
	return nil
}

// AddBinary adds a string in base64.
func (l *fieldList) AddBinary(key string, v []byte) {
	m := l.begin(key)
	l.text = base64.StdEncoding.AppendEncode(l.text, v)
	l.endMade(key, logwire.String, m)
}

// AddByteString adds a string.
func (l *fieldList) AddByteString(key string, v []byte) {
	m := l.begin(key)
	l.text = append(l.text, v...)
	l.endMade(key, logwire.String, m)
}

// AddComplex128 adds a string such as "1+2i".
func (l *fieldList) AddComplex128(key string, v complex128) { l.addComplex(key, v, 128) }

// AddComplex64 adds a string such as "1+2i".
func (l *fieldList) AddComplex64(key string, v complex64) { l.addComplex(key, complex128(v), 64) }

func (l *fieldList) addComplex(key string, v complex128, bits int) {
	s := strconv.FormatComplex(v, 'f', -1, bits)
	l.addText(key, logwire.String, s[1:len(s)-1])
}

// AddReflected adds what encoding/json makes of v.
func (l *fieldList) AddReflected(key string, v any) error { return l.addJSON(key, v) }

// OpenNamespace puts "key." before all later keys.
func (l *fieldList) OpenNamespace(key string) { l.prefix += key + "." }

// AddString adds a string.
func (l *fieldList) AddString(key, v string) { l.addText(key, logwire.String, v) }

// AddBool adds a boolean.
func (l *fieldList) AddBool(key string, v bool) { l.addBool(key, v) }

// AddDuration adds a string such as "1.5s".
func (l *fieldList) AddDuration(key string, v time.Duration) {
	l.addText(key, logwire.String, v.String())
}

// AddTime adds a string: RFC 3339 with nanoseconds.
func (l *fieldList) AddTime(key string, v time.Time) { l.addTime(key, v) }

// AddFloat64 adds a number.
func (l *fieldList) AddFloat64(key string, v float64) { l.addFloat(key, v, 64) }

// AddFloat32 adds a number.
func (l *fieldList) AddFloat32(key string, v float32) { l.addFloat(key, float64(v), 32) }

// AddInt adds a number.
func (l *fieldList) AddInt(key string, v int) { l.addInt(key, int64(v)) }

// AddInt64 adds a number.
func (l *fieldList) AddInt64(key string, v int64) { l.addInt(key, v) }

// AddInt32 adds a number.
func (l *fieldList) AddInt32(key string, v int32) { l.addInt(key, int64(v)) }

// AddInt16 adds a number.
func (l *fieldList) AddInt16(key string, v int16) { l.addInt(key, int64(v)) }

// AddInt8 adds a number.
func (l *fieldList) AddInt8(key string, v int8) { l.addInt(key, int64(v)) }

// AddUint adds a number.
func (l *fieldList) AddUint(key string, v uint) { l.addUint(key, uint64(v)) }

// AddUint64 adds a number.
func (l *fieldList) AddUint64(key string, v uint64) { l.addUint(key, v) }

// AddUint32 adds a number.
func (l *fieldList) AddUint32(key string, v uint32) { l.addUint(key, uint64(v)) }

// AddUint16 adds a number.
func (l *fieldList) AddUint16(key string, v uint16) { l.addUint(key, uint64(v)) }

// AddUint8 adds a number.
func (l *fieldList) AddUint8(key string, v uint8) { l.addUint(key, uint64(v)) }

// AddUintptr adds a number.
func (l *fieldList) AddUintptr(key string, v uintptr) { l.addUint(key, uint64(v)) }
