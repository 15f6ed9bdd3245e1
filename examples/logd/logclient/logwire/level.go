package logwire

import (
	"strconv"
	"strings"
)

// Level is the severity of a record, from Trace to Fatal.
type Level uint8

// The levels, in their order.
const (
	Trace Level = 1 + iota
	Debug
	Info
	Warn
	Error
	Fatal
)

var levelNames = [...]string{Trace: "trace", Debug: "debug", Info: "info", Warn: "warn", Error: "error", Fatal: "fatal"}

// Valid reports whether l is one of the levels.
func (l Level) Valid() bool { return l >= Trace && l <= Fatal }

// String returns the level's name in lower case, such as "warn".
func (l Level) String() string {
	if l.Valid() {
		return levelNames[l]
	}
	return "level(" + strconv.Itoa(int(l)) + ")"
}

// ParseLevel returns the level of a name in any case. It also knows "warning", "err", "critical", "panic" and "notice".
func ParseLevel(s string) (Level, bool) {
	s = strings.ToLower(s)
	for l := Trace; l <= Fatal; l++ {
		if levelNames[l] == s {
			return l, true
		}
	}
	switch s {
	case "warning":
		return Warn, true
	case "err":
		return Error, true
	case "critical", "panic", "emergency", "alert":
		return Fatal, true
	case "notice":
		return Info, true
	}
	return 0, false
}
