package logwire

import (
	"encoding/binary"
	"iter"
	"strconv"
	"time"
	"unicode/utf8"
)

// View is a decoded record whose parts lie in the slice that was decoded: valid as long as that is, and not
// to be changed.
type View struct {
	// Time is in nanoseconds since 1970, UTC.
	Time int64
	// Level is the record's level.
	Level Level
	// Service, Host and Message are valid UTF-8.
	Service, Host, Message []byte

	count  int
	fields []byte
}

// FieldView is a field of a View.
type FieldView struct {
	// Kind says what Value is.
	Kind Kind
	// Key and Value are valid UTF-8.
	Key, Value []byte
}

// ParseRecord decodes an encoded record into v. It accepts what AppendRecord makes of a record within the
// limits, and nothing else; the error is a *FieldError.
func ParseRecord(b []byte, v *View) error {
	if len(b) > MaxRecord {
		return tooLarge("record", len(b), MaxRecord)
	}
	if err := v.split(b); err != nil {
		return err
	}
	ascii := isASCII(b[recordHead:])
	switch {
	case ascii:
	case !utf8.Valid(v.Service):
		return fail(ErrUTF8, "service", "")
	case !utf8.Valid(v.Host):
		return fail(ErrUTF8, "host", "")
	case !utf8.Valid(v.Message):
		return fail(ErrUTF8, "message", "")
	}
	rest := v.fields
	for i := range v.count {
		if len(rest) < fieldHead {
			return fail(ErrMalformed, fieldName(i, "key"), "the record ends too early")
		}
		k, n := int(rest[0]), int(binary.BigEndian.Uint32(rest[2:]))
		if n > MaxValue {
			return tooLarge(fieldName(i, "value"), n, MaxValue)
		}
		if len(rest) < fieldHead+k+n {
			return fail(ErrMalformed, fieldName(i, "value"), "the record ends too early")
		}
		if err := checkField(i, Kind(rest[1]), rest[fieldHead:fieldHead+k], rest[fieldHead+k:fieldHead+k+n], ascii); err != nil {
			return err
		}
		rest = rest[fieldHead+k+n:]
	}
	if len(rest) > 0 {
		return fail(ErrMalformed, "record", "%d bytes too many", len(rest))
	}
	return nil
}

// split sets everything but the fields' parts, unread.
func (v *View) split(b []byte) error {
	if len(b) < recordHead {
		return fail(ErrMalformed, "record", "%d bytes", len(b))
	}
	s, h, m := int(b[9]), int(b[10]), int(binary.BigEndian.Uint32(b[12:]))
	if err := checkHead(Level(b[8]), s, h, m); err != nil {
		return err
	}
	if b[11] > MaxFields {
		return tooLarge("fields", int(b[11]), MaxFields)
	}
	rest := b[recordHead:]
	if len(rest) < s+h+m {
		return fail(ErrMalformed, "message", "the record ends too early")
	}
	*v = View{
		Time: int64(binary.BigEndian.Uint64(b)), Level: Level(b[8]),
		Service: rest[:s:s], Host: rest[s : s+h : s+h], Message: rest[s+h : s+h+m : s+h+m],
		count: int(b[11]), fields: rest[s+h+m:],
	}
	return nil
}

// TrustRecord decodes a record that ParseRecord has accepted before, and was kept safe since: it looks at the head
// alone. It reports false for what cannot be such a record.
func TrustRecord(b []byte, v *View) bool { return v.split(b) == nil }

// NumFields returns the number of fields.
func (v *View) NumFields() int { return v.count }

// Fields returns the fields, in their order. It ends early where they are malformed, which after ParseRecord they
// are not.
func (v *View) Fields() iter.Seq[FieldView] {
	return func(yield func(FieldView) bool) {
		rest := v.fields
		for range v.count {
			if len(rest) < fieldHead {
				return
			}
			k, n := int(rest[0]), int(binary.BigEndian.Uint32(rest[2:]))
			if n > MaxValue || len(rest) < fieldHead+k+n {
				return
			}
			f := FieldView{Kind(rest[1]), rest[fieldHead : fieldHead+k], rest[fieldHead+k : fieldHead+k+n]}
			if !yield(f) {
				return
			}
			rest = rest[fieldHead+k+n:]
		}
	}
}

// Record returns a copy of the record, which shares nothing with the decoded slice.
func (v *View) Record() Record {
	r := Record{Time: v.Time, Level: v.Level, Service: string(v.Service), Host: string(v.Host), Message: string(v.Message)}
	for f := range v.Fields() {
		r.Fields = append(r.Fields, Field{string(f.Key), f.Kind, string(f.Value)})
	}
	return r
}

// CheckTime returns a *FieldError with ErrTime for a record time before now-maxAge or after now+maxAhead.
func CheckTime(t int64, now time.Time, maxAge, maxAhead time.Duration) error {
	at := time.Unix(0, t)
	switch {
	case at.Before(now.Add(-maxAge)):
		return fail(ErrTime, "time", "%s is older than %s", at.UTC().Format(time.RFC3339), maxAge)
	case at.After(now.Add(maxAhead)):
		return fail(ErrTime, "time", "%s is more than %s ahead", at.UTC().Format(time.RFC3339), maxAhead)
	}
	return nil
}

func fieldName(i int, part string) string { return "fields[" + strconv.Itoa(i) + "]." + part }
