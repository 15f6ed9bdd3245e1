package query

import (
	"errors"
	"math"
	"strconv"
	"time"
)

var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
}

var (
	errInstant = errors.New("a time is a duration before now such as 90s, 15m, 1h30m, 7d or 2w, " +
		"2026-03-01, or 2026-03-01T12:00:00Z (RFC 3339, with its zone)")
	errRange = errors.New("the time is not between 1678 and 2262")
)

// instant returns the time that text means, in nanoseconds since 1970: a duration before now, a date at its beginning in
// UTC, or a time of RFC 3339.
func instant(text string, now time.Time) (int64, error) {
	for _, layout := range [...]string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return nanoseconds(t)
		}
	}
	d, err := duration(text)
	if err != nil {
		return 0, err
	}
	return nanoseconds(now.Add(-d))
}

func nanoseconds(t time.Time) (int64, error) {
	if t.Before(time.Unix(0, math.MinInt64+1)) || t.After(time.Unix(0, math.MaxInt64)) {
		return 0, errRange
	}
	return t.UnixNano(), nil
}

// duration returns the sum of numbers with units: 1h30m.
func duration(text string) (sum time.Duration, err error) {
	if text == "" {
		return 0, errInstant
	}
	for text != "" {
		n := 0
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		if n == len(text) || n == 0 {
			return 0, errInstant
		}
		unit, ok := units[text[n]]
		if !ok {
			return 0, errInstant
		}
		count, err := strconv.ParseInt(text[:n], 10, 64)
		if err != nil || count > int64((math.MaxInt64-sum)/unit) {
			return 0, errRange
		}
		sum += time.Duration(count) * unit
		text = text[n+1:]
	}
	return sum, nil
}
