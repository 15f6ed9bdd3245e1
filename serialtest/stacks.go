package serialtest

import (
	"runtime"
	"strings"
)

// goroutine is one paragraph of runtime.Stack.
type goroutine struct {
	id      string // never used twice
	bubble  string // number of its testing/synctest bubble, "" outside
	creator string // function that started it, "" for the main goroutine
	stack   string
}

// snapshot is what was running at one moment, without whoever took it.
type snapshot struct {
	bubble     string // of whoever took it
	goroutines []goroutine
}

func running() snapshot {
	all := strings.Split(strings.TrimSpace(allStacks()), "\n\n")
	taken := snapshot{bubble: parseGoroutine(all[0]).bubble} // runtime.Stack begins with its caller
	for _, stack := range all[1:] {
		taken.goroutines = append(taken.goroutines, parseGoroutine(stack))
	}
	return taken
}

func (s snapshot) ids() map[string]bool {
	ids := make(map[string]bool, len(s.goroutines))
	for _, g := range s.goroutines {
		ids[g.id] = true
	}
	return ids
}

// since returns the goroutines that were not running before and count: those of
// the same bubble, or of none, that nobody else looks after.
func (s snapshot) since(before map[string]bool) []goroutine {
	var since []goroutine
	for _, g := range s.goroutines {
		if !before[g.id] && g.bubble == s.bubble && !g.foreign() {
			since = append(since, g)
		}
	}
	return since
}

func allStacks() string {
	for size := 64 << 10; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return string(buf[:n])
		}
	}
}

// foreign tells whether the goroutine was started by the runtime or by package
// testing, which look after their own, or is the main one.
func (g goroutine) foreign() bool {
	for _, prefix := range []string{"runtime.", "runtime/", "testing.", "testing/", "os/signal."} {
		if strings.HasPrefix(g.creator, prefix) {
			return true
		}
	}
	return g.creator == ""
}

// parseGoroutine reads a paragraph such as
//
//	goroutine 7 [chan receive (durable), 2 minutes, synctest bubble 3]:
//	main.work(0x1)
//		/src/main.go:12 +0x1d
//	created by main.start in goroutine 1
//		/src/main.go:9 +0x25
func parseGoroutine(stack string) goroutine {
	header, _, _ := strings.Cut(stack, "\n")
	id, _, _ := strings.Cut(strings.TrimPrefix(header, "goroutine "), " ")
	_, bubble, _ := strings.Cut(header, "synctest bubble ")
	bubble, _, _ = strings.Cut(bubble, " ") // labels may follow
	_, creator, _ := strings.Cut(stack, "\ncreated by ")
	return goroutine{
		id:      id,
		bubble:  strings.TrimRight(bubble, "]:"),
		creator: firstField(creator),
		stack:   stack,
	}
}

func firstField(s string) string {
	if fields := strings.Fields(s); len(fields) > 0 {
		return fields[0]
	}
	return ""
}
