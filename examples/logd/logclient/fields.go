package logclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// maxDepth is how deep objects and groups are flattened to dotted keys; what is deeper becomes JSON.
const maxDepth = 8

// fieldList collects the fields of a record. It belongs to one goroutine. Texts that have to be made, keys with a
// prefix and numbers, are collected in one buffer, so that finish makes one string of them all.
type fieldList struct {
	fields []logwire.Field
	made   []made // of the fields from base on
	base   int    // the fields before were finished by another list
	text   []byte
	prefix string // of the keys: ends with a dot, or is empty
	depth  int    // of the objects that are being flattened
}

// made says which part of the text is the key and which the value of a field: empty where it has a string already.
type made struct{ key, keyEnd, value, end int }

var fieldLists = sync.Pool{New: func() any { return new(fieldList) }}

// newFieldList returns an empty list. Give it back with free.
func newFieldList() *fieldList { return fieldLists.Get().(*fieldList) }

// free makes the list and its fields another's. Large ones are left to the collector.
func (l *fieldList) free() {
	if cap(l.text) > 64<<10 || cap(l.fields) > 4*logwire.MaxFields {
		return
	}
	clear(l.fields)
	*l = fieldList{fields: l.fields[:0], made: l.made[:0], text: l.text[:0]}
	fieldLists.Put(l)
}

// start begins with fields that another list has finished, and the prefix behind them.
func (l *fieldList) start(fields []logwire.Field, prefix string) {
	l.fields = append(l.fields, fields...)
	l.base = len(l.fields)
	l.prefix = prefix
}

// finish returns all fields, in their order: valid until free, their strings for ever.
func (l *fieldList) finish() []logwire.Field {
	if len(l.text) == 0 {
		return l.fields
	}
	text := string(l.text)
	for i, m := range l.made {
		f := &l.fields[l.base+i]
		if m.keyEnd > m.key {
			f.Key = text[m.key:m.keyEnd]
		}
		if m.end > m.value {
			f.Value = text[m.value:m.end]
		}
	}
	return l.fields
}

// addText adds a field whose value is there already.
func (l *fieldList) addText(key string, kind logwire.Kind, value string) {
	m := l.begin(key)
	m.value, m.end = len(l.text), len(l.text)
	l.end(key, kind, value, m)
}

// begin makes the key. What is appended to l.text until endMade is the value.
func (l *fieldList) begin(key string) made {
	m := made{key: len(l.text)}
	if l.prefix != "" {
		l.text = append(append(l.text, l.prefix...), key...)
	}
	m.keyEnd = len(l.text)
	m.value = m.keyEnd
	return m
}

func (l *fieldList) endMade(key string, kind logwire.Kind, m made) {
	m.end = len(l.text)
	l.end(key, kind, "", m)
}

func (l *fieldList) end(key string, kind logwire.Kind, value string, m made) {
	l.fields = append(l.fields, logwire.Field{Key: key, Kind: kind, Value: value})
	l.made = append(l.made, m)
}

func (l *fieldList) addInt(key string, v int64) {
	m := l.begin(key)
	l.text = strconv.AppendInt(l.text, v, 10)
	l.endMade(key, logwire.Number, m)
}

func (l *fieldList) addUint(key string, v uint64) {
	m := l.begin(key)
	l.text = strconv.AppendUint(l.text, v, 10)
	l.endMade(key, logwire.Number, m)
}

// addFloat adds a number; NaN and the infinities, which are none in JSON, as strings.
func (l *fieldList) addFloat(key string, v float64, bits int) {
	kind := logwire.Number
	format := byte('g')
	if math.IsNaN(v) || math.IsInf(v, 0) {
		kind = logwire.String
	} else if a := math.Abs(v); a >= 1e-6 && a < 1e21 {
		format = 'f'
	}
	m := l.begin(key)
	l.text = strconv.AppendFloat(l.text, v, format, -1, bits)
	l.endMade(key, kind, m)
}

func (l *fieldList) addBool(key string, v bool) {
	l.addText(key, logwire.Bool, strconv.FormatBool(v))
}

// addTime adds a string: RFC 3339 with nanoseconds, in the time's own zone.
func (l *fieldList) addTime(key string, t time.Time) {
	m := l.begin(key)
	l.text = t.AppendFormat(l.text, time.RFC3339Nano)
	l.endMade(key, logwire.String, m)
}

// addJSON adds what encoding/json makes of v: strings, numbers and booleans as such, everything else as JSON.
func (l *fieldList) addJSON(key string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	l.addJSONText(key, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return nil
}

// addJSONText adds a valid JSON value without white space around it.
func (l *fieldList) addJSONText(key string, value []byte) {
	m := l.begin(key)
	kind := logwire.JSON
	switch c := value[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(value, &s); err == nil {
			l.text = append(l.text, s...)
			l.endMade(key, logwire.String, m)
			return
		}
	case c == 't' || c == 'f':
		kind = logwire.Bool
	case c == '-' || isDigit(c):
		kind = logwire.Number
	}
	l.text = append(l.text, value...)
	l.endMade(key, kind, m)
}

// addPanic says that making the value of a field has panicked.
func (l *fieldList) addPanic(key string, cause any) {
	l.addText(key, logwire.String, fmt.Sprintf("!PANIC: %v", cause))
}
