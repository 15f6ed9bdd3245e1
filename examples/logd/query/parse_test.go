package query_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/query"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)

// TestCanonical: what is written in many ways has one canonical form.
func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		``:       ``,
		"  \t\n": ``,
		`service:api level>=warn "connection reset" user=42 since:1h`: `service:api level>=warn "connection reset" user=42 since:2026-03-01T11:00:00.000000005Z`,
		`Connection-Reset`:                       `"connection reset"`,
		`"ERROR"`:                                `error`,
		`"OR" -"And"`:                            `or -and`,
		`10.0.0.1`:                               `"10 0 0 1"`,
		`ÜBER Жук`:                               `"über" "жук"`,
		`service:"a b"* -host:web*`:              `service:"a b"* -host:web*`,
		`host:""`:                                `host:""`,
		`service:"a*"`:                           `service:"a*"`,
		`level=WARNING level:err`:                ``,
		`level!=trace -level<info`:               `level!=trace -level<info`,
		`since:90s`:                              `since:2026-03-01T11:58:30.000000005Z`,
		`since:2w`:                               `since:2026-02-15T12:00:00.000000005Z`,
		`since:1h30m until:1m`:                   `since:2026-03-01T10:30:00.000000005Z until:2026-03-01T11:59:00.000000005Z`,
		`until:2026-02-01`:                       `until:2026-02-01T00:00:00Z`,
		`since:2026-02-01T10:00:00+02:00`:        `since:2026-02-01T08:00:00Z`,
		`-since:"2026-02-01"`:                    `-since:2026-02-01T00:00:00Z`,
		`user!=42 -user=43`:                      `user!=42 -user=43`,
		`took>10 took<=2e+3 took>=-1.5 took<"4"`: `took>10 took<=2e+3 took>=-1.5 took<4`,
		`"odd key"="a\"b\\\n\r\t\x00\xc3\xa9"`:   `"odd key"="a\"b\\\n\r\t\x00é"`,
		`"level"=5 "Since"=6`:                    `"level"=5 "Since"=6`,
		`message~"sub string"`:                   `message~"sub string"`,
		`path~/api/ "message"~x`:                 `path~/api/ "message"~x`,
		`url=http://a?b=c`:                       `url="http://a?b=c"`,
		`"-k"=v -"-k"=v`:                         `"-k"=v -"-k"=v`,
		`key=""`:                                 `key=""`,
	} {
		f, err := query.Parse(text, now)
		if text == `level=WARNING level:err` {
			require.ErrorIs(t, err, logwire.ErrQuery)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want, f.String(), text)
		again, err := query.Parse(want, now.Add(time.Hour))
		require.NoError(t, err, want)
		require.Equal(t, f, again, text)
	}
}

// TestErrors: what is not understood is named, with its place.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`a levl:warn`:                 `position 3, "levl:warn": there is no term "levl:"; did you mean "level"?`,
		`ä levl:warn`:                 `position 3, `,
		`http://x`:                    `there is no term "http:".`,
		`level:wran`:                  `did you mean "warn"?`,
		`level~warn`:                  `did you mean "level:"?`,
		`level:`:                      `there is no value behind :`,
		`service=api`:                 `did you mean "service:"? A field of this name is written "service"=`,
		`Level>=warn`:                 `did you mean "level:"?`,
		`user:42`:                     `Fields are compared with =`,
		`"user":42`:                   `not with :`,
		`user = 42`:                   `there is no name before =`,
		`user==42`:                    `there is no operator "=="`,
		`user=>42`:                    `there is no operator "=>"`,
		`user!42`:                     `a term is negated with -`,
		`!word`:                       `a term is negated with -`,
		`a - b`:                       `- negates the term that follows`,
		`--a`:                         `a term is negated once`,
		`--a=b`:                       `a term is negated once`,
		`a AND b`:                     `all terms must match anyway`,
		`a OR b`:                      `there is no OR`,
		`NOT b`:                       `a term is negated with -`,
		`(a`:                          `"(" has no meaning here`,
		`conn*`:                       `"*" has no meaning here`,
		`"..."`:                       `there is no letter or digit`,
		`...`:                         `there is no letter or digit`,
		`""`:                          `there is no letter or digit`,
		`"abc`:                        `the closing quotes are missing`,
		`"abc\`:                       `the closing quotes are missing`,
		`"a\q"`:                       `the escapes are`,
		`"a\x4"`:                      `the escapes are`,
		`"a\xff"`:                     `not UTF-8`,
		`"a""b"`:                      `a space is missing`,
		`a"b"`:                        `a space is missing`,
		`k="b"c`:                      `a space is missing`,
		`k=a"b"`:                      `a space is missing`,
		`service:*`:                   `let everything pass`,
		`service:a*b`:                 `stands at the end alone`,
		`service:""`:                  `every record has a service`,
		`service:api,`:                `terms are separated by spaces`,
		`user=a*`:                     `a field is compared as a whole`,
		`user="a"*`:                   `goes with service: and host:`,
		`user=a\b`:                    `within quotes alone`,
		`user,=a`:                     `quote it`,
		`""=a`:                        `a field has a name`,
		`took>fast`:                   `compares numbers`,
		`took>01`:                     `compares numbers`,
		`took>"1 "`:                   `compares numbers`,
		`message~""`:                  `in every message`,
		`user~""`:                     `in every value`,
		`since:1`:                     `a time is a duration`,
		`since:h`:                     `a time is a duration`,
		`since:1y`:                    `a time is a duration`,
		`since:-1h`:                   `a time is a duration`,
		`since:1.5h`:                  `a time is a duration`,
		`since:tomorrow`:              `a time is a duration`,
		`since:2026-02-30`:            `a time is a duration`,
		`since:2026-02-01T10:00:00`:   `with its zone`,
		`since:1600-01-01`:            `between 1678 and 2262`,
		`since:2300-01-01`:            `between 1678 and 2262`,
		`since:999999999999w`:         `between 1678 and 2262`,
		`since:99999999999999999999s`: `between 1678 and 2262`,
		`since:1h until:2h`:           `position 10, "until:2h": no time is left`,
		`since:1h -since:1h`:          `no time is left`,
		`level>warn level<error`:      `no level is left`,
		`level>fatal`:                 `no level is left`,
	} {
		_, err := query.Parse(text, now)
		var field *logwire.FieldError
		require.True(t, errors.As(err, &field), "%s: %v", text, err)
		require.ErrorIs(t, err, logwire.ErrQuery)
		require.Equal(t, "query", field.Field)
		require.Equal(t, logwire.NoRecord, field.Record)
		require.Contains(t, field.Detail, want, text)
	}
}

// TestErrorsAreShort: an error shows the beginning of a long token.
func TestErrorsAreShort(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("ä", 1000) + ":x", strings.Repeat("x", 1000) + "*", "k>" + strings.Repeat("x", 1000), "level:" + strings.Repeat("x", 1000),
		"service=" + strings.Repeat("x", 1000), "k=" + strings.Repeat("x", 1000) + ",", strings.Repeat(`"`, 1001),
	} {
		_, err := query.Parse(text, now)
		require.ErrorIs(t, err, logwire.ErrQuery)
		require.Less(t, len(err.Error()), 400, text)
		require.NotContains(t, err.Error(), "\\x", text)
	}
}

// TestBounds: each limit holds, and one less passes.
func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"terms":   strings.Repeat("a ", query.MaxTerms),
		"length":  strings.Repeat(" ", logwire.MaxQuery),
		"key":     strings.Repeat("k", logwire.MaxKey) + "=1",
		"service": "service:" + strings.Repeat("s", logwire.MaxService),
		"words":   "x" + strings.Repeat("-x", query.MaxWords-1),
		"host":    "host:" + strings.Repeat("h", logwire.MaxHost),
	} {
		_, err := query.Parse(text, now)
		require.NoError(t, err, name)
		over := text + "a"
		switch name {
		case "key":
			over = "k" + text
		case "words":
			over = text + "-x"
		}
		_, err = query.Parse(over, now)
		require.ErrorIs(t, err, logwire.ErrQuery, name)
	}
	for text, ok := range map[string]bool{
		"until:1677-09-21T00:12:43.145224193Z": true, "until:1677-09-21T00:12:43.145224192Z": false,
		"since:2262-04-11T23:47:16.854775807Z": true, "since:2262-04-11T23:47:16.854775808Z": false,
		"since:10000w": true, "since:20000w": false, "since:15000w15000w": false,
	} {
		_, err := query.Parse(text, now)
		require.Equal(t, ok, err == nil, "%s: %v", text, err)
	}
	_, err := query.Parse("a\xff", now)
	require.ErrorIs(t, err, logwire.ErrQuery)
}
