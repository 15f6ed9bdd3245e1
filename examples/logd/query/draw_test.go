package query_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// What is drawn is from few things, so that terms and records meet often.
var (
	drawWord = rapid.SampledFrom([]string{
		"a", "b", "reset", "Reset", "connection", "CONNECTION", "res", "x_1", "42", "жук", "ЖУК", "über", "ÜBER", "日本", "ab",
	})
	drawGap = rapid.SampledFrom([]string{" ", " ", " ", "-", ": ", "", "—", "\n", "\x00", `\`, `"`, "*", "、"})

	drawText = rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "words") {
			b.WriteString(drawGap.Draw(t, "gap"))
			b.WriteString(drawWord.Draw(t, "word"))
		}
		b.WriteString(drawGap.Draw(t, "gap"))
		return b.String()
	})
	drawNumber = rapid.SampledFrom([]string{
		"0", "-0", "0.0", "1", "-1", "10", "1e1", "1E+1", "0.1e2", "100e-1", "9.99", "10.001", "9007199254740992", "9007199254740993",
		"9007199254740993.0", "1e30", "-1e30", "1e-30", "0.00012", "1.2e-4", "123456789012345678901234567890",
	})
	drawValue = rapid.OneOf(drawText, drawNumber, drawWord,
		rapid.SampledFrom([]string{"", "1.", "01", "+1", "1e", "e1", "-", ".5", "1 ", "0x1", "1_0", "true"}))
	drawKey     = rapid.SampledFrom([]string{"user", "took", "odd key", "service", `q"`})
	drawService = rapid.SampledFrom([]string{"api", "api2", "web", "w e b", "ж"})
	drawHost    = rapid.SampledFrom([]string{"", "h1", "h12", "h2"})
	drawLevel   = rapid.Custom(func(t *rapid.T) logwire.Level {
		return logwire.Level(rapid.IntRange(int(logwire.Trace), int(logwire.Fatal)).Draw(t, "level"))
	})
	drawTime = rapid.Custom(func(t *rapid.T) time.Time {
		return now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "ns")))
	})
)

var drawRecord = rapid.Custom(func(t *rapid.T) logwire.Record {
	r := logwire.Record{
		Time: drawTime.Draw(t, "time").UnixNano(), Level: drawLevel.Draw(t, "level"), Service: drawService.Draw(t, "service"),
		Host: drawHost.Draw(t, "host"), Message: drawText.Draw(t, "message"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "fields") {
		r.Fields = append(r.Fields, logwire.Field{Key: drawKey.Draw(t, "key"), Value: drawValue.Draw(t, "value")})
	}
	return r
})

var drawCondition = rapid.Custom(func(t *rapid.T) condition {
	c := condition{
		kind: rapid.SampledFrom([]string{
			"phrase", "phrase", "phrase", "service", "host", "level", "since", "until", "message", "message", "=", "=", "!=", "~", ">", ">=", "<", "<=",
		}).Draw(t, "kind"),
		negated: rapid.IntRange(0, 3).Draw(t, "negated") == 0,
	}
	switch c.kind {
	case "phrase":
		c.value = drawText.Filter(func(s string) bool { return len(naiveWords(s)) > 0 }).Draw(t, "phrase")
	case "service":
		c.value = drawService.Draw(t, "service")
		c.prefix = rapid.Bool().Draw(t, "prefix")
	case "host":
		c.value = drawHost.Draw(t, "host")
		c.prefix = c.value != "" && rapid.Bool().Draw(t, "prefix")
	case "level":
		c.level = drawLevel.Draw(t, "level")
		c.op = rapid.SampledFrom([]string{":", "=", "!=", ">", ">=", "<", "<="}).Draw(t, "op")
	case "since", "until":
		c.at = drawTime.Draw(t, "at")
	case "message", "~":
		c.key = drawKey.Draw(t, "key")
		c.value = drawText.Filter(func(s string) bool { return s != "" }).Draw(t, "part")
	case "=", "!=":
		c.key, c.value = drawKey.Draw(t, "key"), drawValue.Draw(t, "value")
	default:
		c.key, c.value = drawKey.Draw(t, "key"), drawNumber.Draw(t, "number")
	}
	return c
})

// metBy reports whether a record meets all conditions.
func metBy(conditions []condition, r logwire.Record) bool {
	return !slices.ContainsFunc(conditions, func(c condition) bool { return !c.met(r) })
}

// write writes conditions as a query.
func write(t *rapid.T, conditions []condition) string {
	var texts []string
	for _, c := range conditions {
		texts = append(texts, c.text(rapid.Bool().Draw(t, "quoted")))
	}
	return strings.Join(texts, rapid.SampledFrom([]string{" ", "\n\t "}).Draw(t, "space"))
}
