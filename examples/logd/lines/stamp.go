package lines

import (
	"strconv"
	"strings"
	"time"
)

// dateTime reads a time such as 2006-01-02T15:04:05.999+01:00 that s begins with. Between date and time there may be a T or
// up to two blanks, the fraction may have a comma, and the zone may be missing: then it is loc. It returns the length.
func dateTime(s string, loc *time.Location) (t time.Time, n int, ok bool) {
	if len(s) < len("2006-01-02T15:04:05") || s[4] != '-' || s[7] != '-' {
		return t, 0, false
	}
	clock := 11
	switch {
	case s[10] == ' ' && s[11] == ' ':
		clock = 12
	case s[10] != ' ' && s[10] != 'T' && s[10] != 't':
		return t, 0, false
	}
	if len(s) < clock+8 || s[clock+2] != ':' || s[clock+5] != ':' {
		return t, 0, false
	}
	var v [6]int
	for i, part := range [6]string{s[:4], s[5:7], s[8:10], s[clock : clock+2], s[clock+3 : clock+5], s[clock+6 : clock+8]} {
		if v[i], ok = digits(part); !ok {
			return t, 0, false
		}
	}
	if v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 || v[4] > 59 || v[5] > 60 {
		return t, 0, false
	}
	n = clock + 8
	nanos, size := fraction(s[n:])
	n += size
	if in, size := zone(s[n:]); size > 0 {
		loc, n = in, n+size
	}
	return time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], nanos, loc), n, true
}

// digits returns the number that s consists of.
func digits(s string) (v int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		v = v*10 + int(s[i]-'0')
	}
	return v, len(s) > 0
}

// fraction reads the fraction of a second, of which it uses nine digits.
func fraction(s string) (nanos, n int) {
	if len(s) < 2 || s[0] != '.' && s[0] != ',' || s[1] < '0' || s[1] > '9' {
		return 0, 0
	}
	for n = 1; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		if n <= 9 {
			nanos = nanos*10 + int(s[n]-'0')
		}
	}
	for i := n; i <= 9; i++ {
		nanos *= 10
	}
	return nanos, n
}

// zone reads Z, +01:00 or +0100, the latter two also behind a blank.
func zone(s string) (*time.Location, int) {
	if s != "" && (s[0] == 'Z' || s[0] == 'z') {
		return time.UTC, 1
	}
	n := 0
	if strings.HasPrefix(s, " ") {
		n = 1
	}
	if len(s) < n+5 || s[n] != '+' && s[n] != '-' {
		return nil, 0
	}
	minutes := n + 3
	if s[minutes] == ':' {
		minutes++
	}
	if len(s) < minutes+2 {
		return nil, 0
	}
	h, ok1 := digits(s[n+1 : n+3])
	m, ok2 := digits(s[minutes : minutes+2])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return nil, 0
	}
	offset := (h*60 + m) * 60
	if s[n] == '-' {
		offset = -offset
	}
	if offset == 0 {
		return time.UTC, minutes + 2
	}
	return time.FixedZone("", offset), minutes + 2
}

// syslogTime reads a time such as "Jan  2 15:04:05" that s begins with. It has no year: it is that of now, or the one before
// if the time would be more than a day after now.
func syslogTime(s string, now time.Time, loc *time.Location) (t time.Time, n int, ok bool) {
	n = len(time.Stamp)
	if len(s) < n {
		return t, 0, false
	}
	t, err := time.ParseInLocation(time.Stamp, s[:n], loc)
	if err != nil {
		return t, 0, false
	}
	t = t.AddDate(now.In(loc).Year(), 0, 0)
	if t.After(now.Add(24 * time.Hour)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t, n, true
}

// epochTime reads the seconds, or milli-, micro- or nanoseconds, since 1970 that s consists of. What it is follows from its size: seconds
// have up to eleven digits before the point, which lasts until the year 5138.
func epochTime(s string) (t time.Time, ok bool) {
	whole, part, _ := strings.Cut(s, ".")
	v, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || v <= 0 {
		return t, false
	}
	unit := int64(time.Second)
	for _, limit := range [...]int64{1e11, 1e14, 1e17} {
		if v < limit {
			break
		}
		unit /= 1000
	}
	var nanos int64
	if part != "" {
		f, err := strconv.ParseFloat("0."+part, 64)
		if err != nil {
			return t, false
		}
		nanos = int64(f * float64(unit))
	}
	perSecond := int64(time.Second) / unit
	return time.Unix(v/perSecond, v%perSecond*unit+nanos), true
}
