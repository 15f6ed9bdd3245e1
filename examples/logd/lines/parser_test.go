package lines_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/lines"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

var (
	berlin = time.FixedZone("", 3600)
	read   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func newParser() *lines.Parser {
	return &lines.Parser{Service: "app", Host: "here", Location: berlin}
}

// show writes a record as one line.
func show(r logwire.Record) string {
	s := fmt.Sprintf("%s %s %s@%s %q", time.Unix(0, r.Time).UTC().Format("06-01-02T15:04:05.999999999"), r.Level, r.Service, r.Host, r.Message)
	for _, f := range r.Fields {
		s += fmt.Sprintf(" %s:%d=%s", f.Key, f.Kind, f.Value)
	}
	return s
}

const readText = "26-01-02T03:04:05"

func TestLines(t *testing.T) {
	// What the record is, after which line. Where the message is %s it is the line.
	tests := map[string]string{
		"plain": readText + " info app@here %s",
		"":      readText + " info app@here %s",
		// dpkg.log, Python, others without a zone.
		"2025-06-24 14:36:25 status unpacked libsystemd0:amd64 252.36-1": "25-06-24T13:36:25 info app@here %s",
		"2025-06-24 14:36:25,123 - root - WARNING - late":                "25-06-24T13:36:25.123 warn app@here %s",
		"2025-06-24  14:36:25":                                      "25-06-24T13:36:25 info app@here %s",
		"[2025-06-24 14:36:25] [error] broken":                      "25-06-24T13:36:25 error app@here %s",
		"update-alternatives 2025-06-24 14:36:53: run with --quiet": "25-06-24T13:36:53 info app@here %s",
		// RFC 3339.
		"2025-06-24T14:36:25Z DEBUG here":                   "25-06-24T14:36:25 debug app@here %s",
		"2025-06-24T14:36:25.123456789+02:00 a":             "25-06-24T12:36:25.123456789 info app@here %s",
		"2025-06-24 14:36:25 -0130 a":                       "25-06-24T16:06:25 info app@here %s",
		"2025-06-24T14:36:25.1234567891234Z a":              "25-06-24T14:36:25.123456789 info app@here %s",
		"2025-06-24T14:36:25Z h1 sshd[12]: error: closed":   "25-06-24T14:36:25 info sshd@h1 %s",
		"2025-06-24T14:36:25Z INFO worker: started":         "25-06-24T14:36:25 info app@here %s",
		"2025-13-24T14:36:25Z no month 13":                  readText + " info app@here %s",
		"2025-06-24T14:36:2":                                readText + " info app@here %s",
		"9999-06-24T14:36:25Z beyond what a record can say": readText + " info app@here %s",
		// syslog.
		"Dec  5 14:36:25 h1 sshd[123]: Accepted publickey":                 "25-12-05T13:36:25 info sshd@h1 %s",
		"Jan  2 04:00:00 h1 kernel: WARN oops":                             "26-01-02T03:00:00 warn kernel@h1 %s",
		"Jan 10 04:00:00 h1 kernel: next week is last year":                "25-01-10T03:00:00 info kernel@h1 %s",
		"Jan 10 04:00:00 no tag here":                                      "25-01-10T03:00:00 info app@here %s",
		"<34>Oct 11 22:14:15 mymachine su: failed":                         "25-10-11T21:14:15 fatal su@mymachine %s",
		"<165>1 2003-10-11T22:14:15.003Z h.example evntslog - ID47 - text": "03-10-11T22:14:15.003 info evntslog@h.example %s",
		"<14>1 2003-10-11T22:14:15.003Z - - - - - text":                    "03-10-11T22:14:15.003 info app@here %s",
		"<999>text": readText + " info app@here %s",
		// Levels.
		"level=warn msg=\"a\"":                 readText + " warn app@here %s",
		"ts=1 level=\"error\"":                 readText + " error app@here %s",
		"mylevel=warn":                         readText + " info app@here %s",
		"an error in a sentence":               readText + " info app@here %s",
		"FATAL: too many":                      readText + " fatal app@here %s",
		"one two three four five ERROR is six": readText + " info app@here %s",
		// JSON lines.
		`{"time":"2025-06-24T14:36:25Z","level":"warn","msg":"m","service":"s","host":"h","n":1.50,"ok":true,"no":null,"a":[1, 2]}`: `25-06-24T14:36:25 warn s@h "m" n:1=1.50 ok:2=true no:3=null a:3=[1, 2]`,
		`{"TS":1750775785,"Severity":"ERROR","Message":"m"}`:                                                                        `25-06-24T14:36:25 error app@here "m"`,
		`{"ts":1750775785.25,"lvl":"dbg"}`:                                                                                          `25-06-24T14:36:25.25 info app@here "" lvl:0=dbg`,
		`{"timestamp":1750775785123}`:                                                                                               `25-06-24T14:36:25.123 info app@here ""`,
		`{"timestamp":"1750775785123456"}`:                                                                                          `25-06-24T14:36:25.123456 info app@here ""`,
		`{"@timestamp":1750775785123456789}`:                                                                                        `25-06-24T14:36:25.123456789 info app@here ""`,
		`{"time":"yesterday","ts":"2025-06-24 14:36:25"}`:                                                                           `25-06-24T13:36:25 info app@here "" time:0=yesterday`,
		`{"level":30,"msg":"pino"}`:                                                                                                 readText + ` info app@here "pino"`,
		`{"level":60,"msg":"pino"}`:                                                                                                 readText + ` fatal app@here "pino"`,
		`{"level":35}`:                                                                                                              readText + ` info app@here "" level:1=35`,
		`{"log.level":"error","service":{"name":"s"},"host":{"name":"h","ip":["::1"]},"user":{"id":7,"tags":{}}}`:                      readText + ` error s@h "" host.ip:3=["::1"] user.id:1=7 user.tags:3={}`,
		`{"message":{"a":1},"msg":"second","message":"third"}`:                                                                         readText + ` info app@here "second" message.a:1=1 message:0=third`,
		`{"log":"docker\n","stream":"stdout","time":"2025-06-24T14:36:25.5Z"}`:                                                         `25-06-24T14:36:25.5 info app@here "docker\n" stream:0=stdout`,
		`{"id":3,"time":"2025-06-24T14:36:25Z","level":"info","service":"s","host":"","message":"m","fields":{"a.b":1,"c":{"d":"e"}}}`: `25-06-24T14:36:25 info s@here "m" id:1=3 a.b:1=1 c.d:0=e`,
		" ": readText + " info app@here %s",
		`{"k\u0041":"\u00e9\ud834\udd1e\\\"", "e":"", "":1}`:      readText + ` info app@here "" kA:0=é𝄞\" e:0= _:1=1`,
		`{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}`: readText + ` info app@here "" a.b.c.d.e.f.g.h:3={"i":1}`,
		"{}":                      readText + ` info app@here ""`,
		`{ "a" : 1 , "b" : [ ] }`: readText + ` info app@here "" a:1=1 b:3=[ ]`,
		// What is no JSON object is plain text.
		`[1]`:           readText + " info app@here %s",
		`{"a":1`:        readText + " info app@here %s",
		`{"a":1} trail`: readText + " info app@here %s",
		`{"a":01}`:      readText + " info app@here %s",
	}
	for line, want := range tests {
		r, note := newParser().Parse([]byte(line), 0, read)
		require.NoError(t, r.Check(), line)
		if strings.HasSuffix(want, " %s") {
			want = strings.TrimSuffix(want, "%s") + fmt.Sprintf("%q", line)
		}
		require.Equal(t, want, show(r), "of %s", line)
		require.Equal(t, strings.Contains(line, `"":1`), note.Cut, line)
	}
}

func TestLinesThatFollowOnOthers(t *testing.T) {
	p := newParser()
	text := strings.Split(`before
2025-06-24 10:00:00 ERROR panic
	at main.go:1
    at main.go:2
not indented
Start-Date: 2025-06-24  14:36:25
Commandline: apt-get -qqy upgrade
Upgrade: a b
End-Date: 2025-06-24  14:36:29
after
Log started: 2025-06-24  15:00:00
(Reading database ... 
2025-06-24 15:00:05 with its own
Unpacking
Log ended: 2025-06-24  15:01:00
after`, "\n")
	want := []string{
		"03:04:05", "09:00:00", "09:00:00", "09:00:00", "03:04:05", "13:36:25", "13:36:25", "13:36:25", "13:36:29", "03:04:05",
		"14:00:00", "14:00:00", "14:00:05", "14:00:05", "14:01:00", "03:04:05",
	}
	var carries []lines.Carry
	for i, line := range text {
		carries = append(carries, p.Carry())
		r, _ := p.Parse([]byte(line), 0, read)
		require.Equal(t, want[i], time.Unix(0, r.Time).UTC().Format(time.TimeOnly), line)
	}
	for i, line := range text { // A parser that begins in the middle with what was carried says the same.
		p := newParser()
		p.SetCarry(carries[i])
		r, _ := p.Parse([]byte(line), 0, read)
		require.Equal(t, want[i], time.Unix(0, r.Time).UTC().Format(time.TimeOnly), line)
	}
}

func TestForcedServiceAndHostKeepTheLinesOwnAsFields(t *testing.T) {
	p := newParser()
	p.ForceService, p.ForceHost = true, true
	r, _ := p.Parse([]byte("Dec  5 14:36:25 h1 sshd[123]: x"), 0, read)
	require.Equal(t, `25-12-05T13:36:25 info app@here "Dec  5 14:36:25 h1 sshd[123]: x" service:0=sshd host:0=h1`, show(r))
	r, _ = p.Parse([]byte(`{"service":"app"}`), 0, read)
	require.Empty(t, r.Fields)
}

func TestWhatIsDoneToALineIsNoted(t *testing.T) {
	r, note := newParser().Parse([]byte("a\xff\xfeb"), 0, read)
	require.Equal(t, lines.Note{Replaced: true}, note)
	require.Equal(t, "a\uFFFDb", r.Message)

	r, note = newParser().Parse([]byte(`{"msg":"a`), 17, read)
	require.Equal(t, lines.Note{Cut: true}, note)
	require.Equal(t, `{"msg":"a…[+17 bytes]`, r.Message)

	long := strings.Repeat("x", logwire.MaxMessage)
	r, note = newParser().Parse([]byte(long), 0, read)
	require.Equal(t, lines.Note{}, note)
	require.Equal(t, long, r.Message)
	r, note = newParser().Parse([]byte(long+"x"), 5, read)
	require.Equal(t, lines.Note{Cut: true}, note)
	kept, mark, _ := strings.Cut(r.Message, "…[+")
	require.Equal(t, fmt.Sprintf("%d bytes]", logwire.MaxMessage+1+5-len(kept)), mark)
}

func TestAnObjectWithTooManyMembersIsNotFlattened(t *testing.T) {
	inner := strings.TrimSuffix(strings.Repeat(`"a":1,`, 40), ",")
	r, note := newParser().Parse([]byte(`{"x":{`+inner+`},"y":{`+inner+`},"msg":"m"}`), 0, read)
	require.Equal(t, lines.Note{}, note)
	require.Equal(t, "m", r.Message)
	require.Equal(t, []logwire.Field{{Key: "x", Kind: logwire.JSON, Value: "{" + inner + "}"}, {Key: "y", Kind: logwire.JSON, Value: "{" + inner + "}"}}, r.Fields)
}

// FuzzParse: whatever the line is, its record is accepted, and of JSON each member is somewhere.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "Dec  5 14:36:25 h s[1]: x", "2025-06-24 14:36:25,1 a", "<34>1 2003-10-11T22:14:15.003Z h a b", `{"a":{"b":[{}]},"time":1e3}`} {
		f.Add([]byte(s), int64(0))
	}
	f.Fuzz(func(t *testing.T, line []byte, missing int64) {
		p := newParser()
		r, _ := p.Parse(line, max(0, missing), read)
		if err := r.Check(); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		var members map[string]json.RawMessage
		if missing > 0 || json.Unmarshal(line, &members) != nil || len(line) == 0 || line[0] != '{' || line[len(line)-1] != '}' {
			return
		}
		if len(members) > 0 && r.Message == "" && len(r.Fields) == 0 && r.Time == read.UnixNano() && r.Level == logwire.Info && r.Service == "app" && r.Host == "here" {
			for key, value := range members {
				if s := string(value); s != `"app"` && s != `"here"` && s != `"info"` && s != `""` && s != "30" {
					t.Fatalf("%q: nothing is left of %q", line, key)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, line := range map[string]string{
		"json": `{"time":"2025-06-24T14:36:25.123Z","level":"info","msg":"request handled","service":"api","user":42,"path":"/v1/items","status":200,"took":0.0123,"cached":true}`,
		"dpkg": "2025-06-24 14:36:25 status half-configured libsystemd0:amd64 252.36-1~deb12u1",
	} {
		b.Run(name, func(b *testing.B) {
			p := newParser()
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				p.Parse([]byte(line), 0, read)
			}
		})
	}
}
