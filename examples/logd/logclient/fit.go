package logclient

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// LeftOutKey is the key of the field, a number, that says how many fields of a record had no room.
const LeftOutKey = "logd.left_out"

// What a service and a key are called that were empty.
const (
	unknownService = "unknown"
	emptyKey       = "_"
)

// fieldOverhead is what an encoded field takes beside its key and value: lengths (1 and 4) and kind (1).
const fieldOverhead = 1 + 1 + 4

// leftOutRoom is what the field LeftOutKey takes at most.
const leftOutRoom = fieldOverhead + len(LeftOutKey) + 20

// leastValue is the least room for which the value of a field is cut; with less the field is left out.
const leastValue = 64

// Fit makes r a record that its Check accepts, and reports whether something had to be changed. It never loses anything in silence:
//   - each run of bytes that are not UTF-8 becomes one U+FFFD;
//   - a text over its limit is cut and ends with "…[+N bytes]", where N bytes are missing; a value other than a string
//     becomes a string by that;
//   - fields for which there is no room, in number or in size, are left out, the last ones first, and
//     counted in a field LeftOutKey;
//   - a level that is none becomes Info, an empty service "unknown", an empty key "_", a value that is not of its kind a string.
//
// The time is left as it is. Fit changes r.Fields in place.
func Fit(r *logwire.Record) bool {
	f := fitter{}
	if !r.Level.Valid() {
		r.Level, f.changed = logwire.Info, true
	}
	if r.Service == "" {
		r.Service, f.changed = unknownService, true
	}
	r.Service = f.text(r.Service, logwire.MaxService)
	r.Host = f.text(r.Host, logwire.MaxHost)
	r.Message = f.text(r.Message, logwire.MaxMessage)
	for i := range r.Fields {
		f.field(&r.Fields[i])
	}
	if len(r.Fields) > logwire.MaxFields || r.Size() > logwire.MaxRecord {
		leaveOut(r)
		f.changed = true
	}
	return f.changed
}

type fitter struct{ changed bool }

func (f *fitter) text(s string, limit int) string {
	if len(s) <= limit && utf8.ValidString(s) {
		return s
	}
	f.changed = true
	return cutText(strings.ToValidUTF8(s, string(utf8.RuneError)), limit)
}

func (f *fitter) field(field *logwire.Field) {
	if field.Key == "" {
		field.Key, f.changed = emptyKey, true
	}
	field.Key = f.text(field.Key, logwire.MaxKey)
	before := f.changed
	f.changed = false
	field.Value = f.text(field.Value, logwire.MaxValue)
	if f.changed || !ofKind(field.Kind, field.Value) {
		field.Kind, f.changed = logwire.String, f.changed || field.Kind != logwire.String
	}
	f.changed = f.changed || before
}

// ofKind reports whether a value can be read as its kind says.
func ofKind(kind logwire.Kind, value string) bool {
	switch kind {
	case logwire.String:
		return true
	case logwire.Number:
		return value != "" && (value[0] == '-' || isDigit(value[0])) && isDigit(value[len(value)-1]) && json.Valid([]byte(value))
	case logwire.Bool:
		return value == "true" || value == "false"
	case logwire.JSON:
		return json.Valid([]byte(value))
	default:
		return false
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// cutText cuts s if it is over the limit.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return CutMissing(s, limit, 0)
}

// CutMissing cuts s between two characters so that it has at most limit bytes with the mark "…[+N bytes]" at its end, where N is how
// many bytes are missing: those of s that were cut, and as many as were missing before. A limit below 64 is 64.
func CutMissing(s string, limit int, missing int64) string {
	const open, end, room = "…[+", " bytes]", 40 // room: for the mark with any number
	keep := min(len(s), max(limit, leastValue)-room)
	for keep > 0 && keep < len(s) && !utf8.RuneStart(s[keep]) {
		keep--
	}
	return s[:keep] + open + strconv.FormatInt(int64(len(s)-keep)+missing, 10) + end
}

// leaveOut keeps the fields for which there is room, beside the one that counts the others.
func leaveOut(r *logwire.Record) {
	fields := r.Fields
	r.Fields = fields[:0]
	room := logwire.MaxRecord - r.Size() - leftOutRoom
	left := 0
	for _, field := range fields {
		need := fieldOverhead + len(field.Key) + len(field.Value)
		if len(r.Fields) == logwire.MaxFields-1 || need > room && room < fieldOverhead+len(field.Key)+leastValue {
			left++
			continue
		}
		if need > room {
			field.Value = cutText(field.Value, room-fieldOverhead-len(field.Key))
			field.Kind = logwire.String
		}
		room -= fieldOverhead + len(field.Key) + len(field.Value)
		r.Fields = append(r.Fields, field)
	}
	if left > 0 {
		r.Fields = append(r.Fields, logwire.Field{Key: LeftOutKey, Kind: logwire.Number, Value: strconv.Itoa(left)})
	}
}
