package lines

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/serialkit/serialkit/examples/logd/logclient"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Parser makes records of the lines of one file, in their order. It belongs to one goroutine.
type Parser struct {
	// Service and Host are those of records whose line does not say. Service must not be empty.
	Service, Host string
	// ForceService and ForceHost make them those of all records; a line's own becomes a field.
	ForceService, ForceHost bool
	// Location is the zone of time stamps without one; nil: time.Local.
	Location *time.Location

	carry  Carry
	fields []logwire.Field
}

// Carry is what the lines before say of the next one.
type Carry struct {
	// Time is the last time stamp of a line of plain text, 0 if there was none.
	Time int64 `json:"time,omitempty"`
	// Block is true in a block of apt's logs, whose lines have the time of its first one.
	Block bool `json:"block,omitempty"`
}

// Carry returns what the lines so far say of the next one.
func (p *Parser) Carry() Carry { return p.carry }

// SetCarry makes the next line follow on others than those that were parsed.
func (p *Parser) SetCarry(c Carry) { p.carry = c }

func (p *Parser) location() *time.Location {
	if p.Location == nil {
		return time.Local
	}
	return p.Location
}

// Note says what had to be done to a line.
type Note struct {
	// Replaced: bytes that are not UTF-8 were replaced by U+FFFD.
	Replaced bool
	// Cut: something was over a limit, and is marked, see logclient.Fit.
	Cut bool
}

// Parse makes a record of a line; missing is how many bytes of it are not in text. The record's Check accepts it; its fields are valid
// until the next call. A line that is not one JSON object is plain text.
//
// The time is that of the line; without one it is that of the line before if this one is indented or belongs to a block of apt's
// logs, and otherwise read, the time at which it was read. The level is Info if the line does not say.
func (p *Parser) Parse(text []byte, missing int64, read time.Time) (logwire.Record, Note) {
	var note Note
	line := string(text)
	if !utf8.ValidString(line) {
		line, note.Replaced = strings.ToValidUTF8(line, string(utf8.RuneError)), true
	}
	r := logwire.Record{Fields: p.fields[:0]}
	hasTime, isJSON := false, false
	if missing == 0 {
		hasTime, isJSON = p.parseJSON(line, &r)
	}
	if !isJSON {
		hasTime = p.parseText(line, read, &r)
		if !hasTime && p.carry.Time != 0 && (p.carry.Block || line != "" && (line[0] == ' ' || line[0] == '\t')) {
			r.Time, hasTime = p.carry.Time, true
		}
	}
	if !hasTime {
		r.Time = read.UnixNano()
	}
	if r.Level == 0 {
		r.Level = logwire.Info
	}
	r.Service = choose(&r, "service", r.Service, p.Service, p.ForceService)
	r.Host = choose(&r, "host", r.Host, p.Host, p.ForceHost)
	if missing > 0 {
		r.Message, note.Cut = logclient.CutMissing(r.Message, logwire.MaxMessage, missing), true
	}
	if logclient.Fit(&r) {
		note.Cut = true
	}
	p.fields = r.Fields
	return r, note
}

// choose returns the line's own or the other, and keeps as a field what the line says and is not to be used.
func choose(r *logwire.Record, key, own, other string, force bool) string {
	switch {
	case own == "" || own == other:
		return other
	case force:
		r.Fields = append(r.Fields, logwire.Field{Key: key, Value: own})
		return other
	default:
		return own
	}
}
