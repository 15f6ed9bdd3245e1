package lines

import (
	"strings"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// What may stand before a time stamp: the logs of apt, and of update-alternatives. Those that open a block have a time that holds for
// the lines up to the one that ends it.
var leads = [...]struct {
	text        string
	opens, ends bool
}{
	{"Start-Date: ", true, false},
	{"End-Date: ", false, true},
	{"Log started: ", true, false},
	{"Log ended: ", false, true},
	{"update-alternatives ", false, false},
}

// parseText makes a record of any line. The message is the whole line.
func (p *Parser) parseText(line string, read time.Time, r *logwire.Record) (hasTime bool) {
	r.Message = line
	rest := line
	known := anyHead
	pri, n := priority(rest)
	rest = rest[n:]
	if n > 0 {
		r.Level, known = pri, ietfHead
		rest = strings.TrimPrefix(rest, "1 ") // the version of RFC 5424
	}
	t, rest, ok := p.stamp(rest, read, r, known)
	if ok {
		r.Time, ok = nanos(t)
	}
	if n == 0 {
		if level, found := textLevel(rest); found {
			r.Level = level
		}
	}
	if !ok {
		return false
	}
	p.carry.Time = r.Time
	return true
}

// stamp reads the time stamp that s begins with, and returns what is behind it.
func (p *Parser) stamp(s string, read time.Time, r *logwire.Record, known head) (t time.Time, rest string, ok bool) {
	if s == "" {
		return t, s, false
	}
	if c := s[0]; c >= 'A' && c <= 'Z' || c == 'u' {
		if t, n, ok := syslogTime(s, read, p.location()); ok {
			rest = p.syslogHead(s[n:], r, bsdHead)
			return t, rest, true
		}
		for _, lead := range leads {
			if behind, found := strings.CutPrefix(s, lead.text); found {
				t, n, ok := dateTime(behind, p.location())
				if ok {
					p.carry.Block = (p.carry.Block || lead.opens) && !lead.ends
				}
				return t, behind[n:], ok
			}
		}
		return t, s, false
	}
	s = strings.TrimPrefix(s, "[")
	t, n, ok := dateTime(s, p.location())
	if rest = s[n:]; ok {
		rest = p.syslogHead(rest, r, known)
	}
	return t, rest, ok
}

// head says what is known of what stands behind a time stamp.
type head uint8

const (
	anyHead  head = iota // anything: two words and "[123]:" are taken for syslog, since fewer could be any two words
	bsdHead              // "host tag: " or "host tag[123]: "
	ietfHead             // "host app 123 ", RFC 5424
)

// syslogHead reads the head that s begins with, and returns what is behind it: s where there is none.
func (p *Parser) syslogHead(s string, r *logwire.Record, known head) string {
	host, behind, ok := strings.Cut(strings.TrimPrefix(s, " "), " ")
	if !ok || host == "" || host == "-" {
		return s
	}
	tag, behind, ok := strings.Cut(behind, " ")
	if !ok {
		return s
	}
	tag, colon := strings.CutSuffix(tag, ":")
	name, pid, _ := strings.Cut(tag, "[")
	switch {
	case name == "" || name == "-":
		return s
	case known != ietfHead && !colon, known == anyHead && !strings.HasSuffix(pid, "]"):
		return s
	}
	r.Host, r.Service = host, name
	return behind
}

// priority reads "<34>", whose last three bits are the severity.
func priority(s string) (logwire.Level, int) {
	end := strings.IndexByte(s[:min(len(s), 5)], '>')
	if end < 2 || s[0] != '<' {
		return 0, 0
	}
	v, ok := digits(s[1:end])
	if !ok || v > 191 {
		return 0, 0
	}
	severities := [8]logwire.Level{logwire.Fatal, logwire.Fatal, logwire.Fatal, logwire.Error, logwire.Warn, logwire.Info, logwire.Info, logwire.Debug}
	return severities[v&7], end + 1
}

// textLevel looks for a level where logs have it: behind the time stamp, within the first five words, in capitals or
// in brackets; or as level=warn in the first 256 bytes.
func textLevel(s string) (logwire.Level, bool) {
	s = s[:min(len(s), 256)]
	for _, key := range [...]string{"level=", "lvl=", "severity="} {
		if i := strings.Index(s, key); i == 0 || i > 0 && s[i-1] == ' ' {
			word, _, _ := strings.Cut(s[i+len(key):], " ")
			if level, ok := logwire.ParseLevel(strings.Trim(word, `"`)); ok {
				return level, true
			}
		}
	}
	for range 5 {
		s = strings.TrimLeft(s, " \t")
		word, rest, more := strings.Cut(s, " ")
		bare := strings.Trim(word, "[]()<>|:,")
		if bare != "" && len(bare) <= len("emergency") && (strings.ToUpper(bare) == bare || word[0] == '[') {
			if level, ok := logwire.ParseLevel(bare); ok {
				return level, true
			}
		}
		if !more {
			break
		}
		s = rest
	}
	return 0, false
}
