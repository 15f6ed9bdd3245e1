package logwire

import (
	"encoding/binary"
	"encoding/json"
	"unicode/utf8"
)

// Kind says how the text of a field's value is to be read.
type Kind uint8

// The kinds of values.
const (
	// String is any text.
	String Kind = iota
	// Number is a JSON number.
	Number
	// Bool is "true" or "false".
	Bool
	// JSON is a JSON value, such as an object or null.
	JSON
)

// Field is one structured field of a record.
type Field struct {
	// Key names it: 1 to MaxKey bytes. A key may occur twice.
	Key string
	// Kind says what Value is.
	Kind Kind
	// Value is its text, at most MaxValue bytes.
	Value string
}

// Record is what is logged.
type Record struct {
	// Time is in nanoseconds since 1970, UTC.
	Time int64
	// Level is its severity.
	Level Level
	// Service names the program that logged it: 1 to MaxService bytes.
	Service string
	// Host names the machine: at most MaxHost bytes.
	Host string
	// Message is its text, at most MaxMessage bytes. Line feeds and control characters are data.
	Message string
	// Fields are at most MaxFields.
	Fields []Field
}

// An encoded record:
//
//	 0..7   time, nanoseconds since 1970 (signed)
//	 8      level
//	 9      length S of the service
//	10      length H of the host
//	11      number F of fields
//	12..15  length M of the message
//	16..    service, host, message, and F times
//	        length K of the key (1), kind (1), length V of the value (4), key, value
const recordHead = 8 + 1 + 1 + 1 + 1 + 4

// fieldHead is the length of its key (1), its kind (1), and the length of its value (4).
const fieldHead = 1 + 1 + 4

// Size returns the length of the encoded record.
func (r *Record) Size() int {
	n := recordHead + len(r.Service) + len(r.Host) + len(r.Message)
	for i := range r.Fields {
		n += fieldHead + len(r.Fields[i].Key) + len(r.Fields[i].Value)
	}
	return n
}

// AppendRecord appends the encoded record, without its length. A record over the limits is encoded to something that
// ParseRecord refuses, or wrongly: Check it first.
func AppendRecord(dst []byte, r *Record) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Time))
	dst = append(dst, byte(r.Level), byte(len(r.Service)), byte(len(r.Host)), byte(len(r.Fields)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Message)))
	dst = append(dst, r.Service...)
	dst = append(dst, r.Host...)
	dst = append(dst, r.Message...)
	for i := range r.Fields {
		f := &r.Fields[i]
		dst = append(dst, byte(len(f.Key)), byte(f.Kind))
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Value)))
		dst = append(dst, f.Key...)
		dst = append(dst, f.Value...)
	}
	return dst
}

// Check returns a *FieldError for what ParseRecord would refuse, and nil for everything else.
func (r *Record) Check() error {
	if err := checkHead(r.Level, len(r.Service), len(r.Host), len(r.Message)); err != nil {
		return err
	}
	for _, t := range [...]struct{ name, text string }{{"service", r.Service}, {"host", r.Host}, {"message", r.Message}} {
		if !utf8.ValidString(t.text) {
			return fail(ErrUTF8, t.name, "")
		}
	}
	if len(r.Fields) > MaxFields {
		return tooLarge("fields", len(r.Fields), MaxFields)
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		if err := checkField(i, f.Kind, []byte(f.Key), []byte(f.Value), false); err != nil {
			return err
		}
	}
	if n := r.Size(); n > MaxRecord {
		return tooLarge("record", n, MaxRecord)
	}
	return nil
}

func checkHead(level Level, service, host, message int) error {
	switch {
	case !level.Valid():
		return fail(ErrMalformed, "level", "%d", level)
	case service == 0:
		return fail(ErrMalformed, "service", "empty")
	case service > MaxService:
		return tooLarge("service", service, MaxService)
	case host > MaxHost:
		return tooLarge("host", host, MaxHost)
	case message > MaxMessage:
		return tooLarge("message", message, MaxMessage)
	}
	return nil
}

// checkField does not look for bytes that are not UTF-8 if it is known that there are none but ASCII.
func checkField(i int, kind Kind, key, value []byte, ascii bool) error {
	name := func(part string) string { return fieldName(i, part) }
	switch {
	case len(key) == 0:
		return fail(ErrMalformed, name("key"), "empty")
	case len(key) > MaxKey:
		return tooLarge(name("key"), len(key), MaxKey)
	case len(value) > MaxValue:
		return tooLarge(name("value"), len(value), MaxValue)
	case !ascii && !utf8.Valid(key):
		return fail(ErrUTF8, name("key"), "")
	case !ascii && !utf8.Valid(value):
		return fail(ErrUTF8, name("value"), "")
	case kind > JSON:
		return fail(ErrMalformed, name("kind"), "%d", kind)
	case !validValue(kind, value):
		return fail(ErrMalformed, name("value"), "%.40q is not of its kind", string(value))
	}
	return nil
}

func validValue(kind Kind, value []byte) bool {
	switch kind {
	case Number:
		return validNumber(value)
	case Bool:
		return string(value) == "true" || string(value) == "false"
	case JSON:
		return json.Valid(value)
	default:
		return true
	}
}
