package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// entry is one seeded bug. A file of the catalogue holds one, and its name, without the .txt, is the
// entry's:
//
//	Which guard is removed, and what would go wrong.
//
//	package: ./internal/transport
//	test: TestLingeringCloseWaitsForThePeer
//
//	-- old internal/transport/linger.go --
//	the text that is replaced
//	-- new --
//	what replaces it
//
// The old text occurs exactly once in its file, so that edits elsewhere do no harm. There may be several
// pairs of old and new. Two more lines may stand below test: "race: yes", where only the race detector
// sees the bug, and "hang: 20s", where the test hangs because of it, and takes much less than so long
// otherwise.
type entry struct {
	name  string
	about string // one sentence
	pkg   string // whose tests catch it, "./" and the directory
	test  string // the one that does: a function's name
	race  bool
	hang  time.Duration // when the test is taken to hang because of the bug; 0: it must not
	edits []edit
}

// edit replaces one piece of a file.
type edit struct {
	file     string // slash-separated, below the root
	old, new string // whole lines
}

var (
	testName = regexp.MustCompile(`^(Test|Fuzz|Example)\w*$`)
	pkgName  = regexp.MustCompile(`^\./[\w/]+$`)
)

// loadCatalogue reads the entries of a directory, by name. Each file in it must be one.
func loadCatalogue(dir string) ([]entry, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("mutants: %w", err)
	}
	var entries []entry
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("mutants: %w", err)
		}
		name, ok := strings.CutSuffix(f.Name(), ".txt")
		if !ok {
			return nil, fmt.Errorf("mutants: %s is no entry: its name does not end in .txt", f.Name())
		}
		e, err := parseEntry(name, string(text))
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// choose returns the entries whose names begin with one of the prefixes, all if there are none. Each prefix
// must fit one.
func choose(entries []entry, prefixes []string) ([]entry, error) {
	if len(prefixes) == 0 {
		return entries, nil
	}
	chosen := make(map[string]bool)
	for _, p := range prefixes {
		fits := false
		for _, e := range entries {
			if strings.HasPrefix(e.name, p) {
				chosen[e.name], fits = true, true
			}
		}
		if !fits {
			return nil, fmt.Errorf("mutants: no entry's name begins with %q", p)
		}
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return !chosen[e.name] }), nil
}

// parseEntry reads the text of an entry.
func parseEntry(name, text string) (entry, error) {
	e := entry{name: name}
	head, edits, _ := strings.Cut("\n"+text, "\n-- old ")
	err := e.parseHead(head)
	if err == nil && edits != "" {
		err = e.parseEdits("-- old " + edits)
	}
	if err == nil {
		err = e.check()
	}
	if err != nil {
		return entry{}, fmt.Errorf("mutants: entry %s: %w", name, err)
	}
	return e, nil
}

// parseHead reads the sentence and the lines that follow it.
func (e *entry) parseHead(head string) error {
	about, lines, _ := strings.Cut(strings.TrimSpace(head), "\n\n")
	e.about = strings.Join(strings.Fields(about), " ")
	for line := range strings.Lines(lines) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case key == "":
		case key == "package":
			e.pkg = value
		case key == "test":
			e.test = value
		case key == "race" && value == "yes":
			e.race = true
		case key == "hang":
			d, err := time.ParseDuration(value)
			if err != nil || d <= 0 {
				return fmt.Errorf("hang %q is no time", value)
			}
			e.hang = d
		default:
			return fmt.Errorf("unknown line %q", strings.TrimSpace(line))
		}
	}
	return nil
}

// parseEdits reads the pairs of old and new text.
func (e *entry) parseEdits(text string) error {
	for _, pair := range strings.Split("\n"+text, "\n-- old ")[1:] {
		file, rest, ok := strings.Cut(pair, " --\n")
		if !ok || strings.Contains(file, "\n") {
			return fmt.Errorf("a line \"-- old FILE --\" is malformed")
		}
		old, fresh, ok := strings.Cut("\n"+rest, "\n-- new --")
		if !ok {
			return fmt.Errorf("the old text of %s has no new one: -- new --", file)
		}
		e.edits = append(e.edits, edit{file: file, old: lines(old), new: lines(fresh)})
	}
	return nil
}

// lines returns text as whole lines, without the line break before the first.
func lines(text string) string {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "\n"), "\n")
	if text == "" {
		return ""
	}
	return text + "\n"
}

// check reports what an entry lacks.
func (e *entry) check() error {
	switch {
	case e.about == "":
		return fmt.Errorf("does not say which guard it removes")
	case !pkgName.MatchString(e.pkg):
		return fmt.Errorf("package %q is not ./DIRECTORY", e.pkg)
	case !testName.MatchString(e.test):
		return fmt.Errorf("test %q is not the name of one", e.test)
	case len(e.edits) == 0:
		return fmt.Errorf("changes nothing")
	}
	for _, ed := range e.edits {
		if ed.old == "" || ed.old == ed.new {
			return fmt.Errorf("an edit of %s changes nothing", ed.file)
		}
		if !filepath.IsLocal(ed.file) || strings.HasSuffix(ed.file, "_test.go") {
			return fmt.Errorf("%s is no file to remove a guard from", ed.file)
		}
	}
	return nil
}
