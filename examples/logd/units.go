package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// size is a number of bytes that is configured as 512MiB, 20GiB, 1TiB or 4096.
type size int64

// The units of a size, the largest first.
var units = []struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

var errSize = errors.New("want a size such as 4096, 512MiB, 20GiB or 1TiB")

// UnmarshalText reads a size.
func (s *size) UnmarshalText(text []byte) error {
	number, factor := string(text), int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = n, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return errSize
	}
	*s = size(n * factor)
	return nil
}

// MarshalText writes a size in the largest unit that it is a multiple of.
func (s size) MarshalText() ([]byte, error) {
	for _, u := range units {
		if s > 0 && int64(s)%u.bytes == 0 {
			return append(strconv.AppendInt(nil, int64(s)/u.bytes, 10), u.name...), nil
		}
	}
	return strconv.AppendInt(nil, int64(s), 10), nil
}

// age is a duration that may also be configured in days: 30d, 36h, 90m.
type age time.Duration

const day = 24 * time.Hour

var errAge = errors.New("want a duration such as 30d, 36h or 90m")

// UnmarshalText reads an age.
func (a *age) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseInt(days, 10, 64)
		if err != nil || n < 0 || n > int64(math.MaxInt64/day) {
			return errAge
		}
		*a = age(time.Duration(n) * day)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return errAge
	}
	*a = age(d)
	return nil
}

// MarshalText writes an age in days if it is a number of them.
func (a age) MarshalText() ([]byte, error) {
	if d := time.Duration(a); d%day != 0 || d == 0 {
		return []byte(d.String()), nil
	}
	return append(strconv.AppendInt(nil, int64(time.Duration(a)/day), 10), 'd'), nil
}
