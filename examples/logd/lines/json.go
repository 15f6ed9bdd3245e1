package lines

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// maxDepth is how deep objects are flattened to dotted keys; what is deeper stays JSON.
const maxDepth = 8

// The keys, in lower case, that are not fields. Of several the first one counts whose value is of use.
var (
	timeKeys    = [...]string{"time", "ts", "timestamp", "@timestamp", "datetime"}
	levelKeys   = [...]string{"level", "lvl", "severity", "loglevel", "log.level", "levelname"}
	messageKeys = [...]string{"message", "msg", "@message", "log"}
	serviceKeys = [...]string{"service", "service.name", "app", "application"}
	hostKeys    = [...]string{"host", "hostname", "host.name"}
)

// parseJSON makes a record of a line that is one JSON object, and reports false for any other.
func (p *Parser) parseJSON(line string, r *logwire.Record) (hasTime, ok bool) {
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' || !json.Valid([]byte(line)) {
		return false, false
	}
	fields := flatten(r.Fields[:0], line, "", maxDepth)
	if len(fields) > logwire.MaxFields {
		fields = flatten(fields[:0], line, "", 1)
	}
	r.Fields = fields[:0]
	var done taken
	for _, f := range fields {
		if !p.take(f, r, &done) {
			r.Fields = append(r.Fields, f)
		}
	}
	return done.time, true
}

// taken says which parts of the record have been set.
type taken struct{ time, level, message, service, host bool }

// take uses the field for a part of the record, if it is one.
func (p *Parser) take(f logwire.Field, r *logwire.Record, done *taken) bool {
	if f.Kind == logwire.JSON || f.Kind == logwire.Bool {
		return false
	}
	key := f.Key
	for i := range len(key) {
		if c := key[i]; c >= 'A' && c <= 'Z' {
			key = strings.ToLower(key)
			break
		}
	}
	switch {
	case !done.message && f.Kind == logwire.String && oneOf(key, messageKeys[:]):
		r.Message, done.message = f.Value, true
		return true
	case !done.time && oneOf(key, timeKeys[:]):
		r.Time, done.time = p.jsonTime(f.Value)
		return done.time
	case !done.level && oneOf(key, levelKeys[:]):
		var level logwire.Level
		if level, done.level = jsonLevel(f); done.level {
			r.Level = level
		}
		return done.level
	case !done.service && f.Kind == logwire.String && f.Value != "" && oneOf(key, serviceKeys[:]):
		r.Service, done.service = f.Value, true
		return true
	case !done.host && f.Kind == logwire.String && oneOf(key, hostKeys[:]):
		r.Host, done.host = f.Value, true
		return true
	}
	return false
}

func oneOf(key string, keys []string) bool {
	for _, k := range keys {
		if k == key {
			return true
		}
	}
	return false
}

// jsonTime reads a time stamp that the value consists of.
func (p *Parser) jsonTime(value string) (int64, bool) {
	t, n, ok := dateTime(value, p.location())
	if !ok || n < len(value) {
		if t, ok = epochTime(value); !ok {
			return 0, false
		}
	}
	return nanos(t)
}

// nanos reports false for times that a record cannot have.
func nanos(t time.Time) (int64, bool) {
	if year := t.Year(); year < 1678 || year > 2261 {
		return 0, false
	}
	return t.UnixNano(), true
}

// jsonLevel knows the levels' names, and the numbers 10 to 60 of bunyan and pino.
func jsonLevel(f logwire.Field) (logwire.Level, bool) {
	if f.Kind == logwire.Number {
		n, ok := digits(f.Value)
		if !ok || n < 10 || n > 60 || n%10 != 0 {
			return 0, false
		}
		return logwire.Level(n / 10), true
	}
	return logwire.ParseLevel(f.Value)
}
