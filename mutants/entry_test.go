package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const whole = `What is removed,
and why it matters.

package: ./internal/transport
test: TestIt
race: yes
hang: 20s

-- old a/b.go --
	one
	two
-- new --
	three
-- old c.go --
gone
-- new --
`

func TestParseEntry(t *testing.T) {
	got, err := parseEntry("name", whole)
	if err != nil {
		t.Fatal(err)
	}
	want := entry{
		name: "name", about: "What is removed, and why it matters.",
		pkg: "./internal/transport", test: "TestIt", race: true, hang: 20 * time.Second,
		edits: []edit{{"a/b.go", "\tone\n\ttwo\n", "\tthree\n"}, {"c.go", "gone\n", ""}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseEntryFindsWhatIsWrong(t *testing.T) {
	for name, change := range map[string][2]string{
		"no sentence":   {"What is removed,\nand why it matters.\n\n", ""},
		"no package":    {"package: ./internal/transport\n", ""},
		"a module":      {"./internal/transport", "./..."},
		"no test":       {"test: TestIt\n", ""},
		"a pattern":     {"TestIt", "TestIt|TestThat"},
		"unknown line":  {"race: yes", "race: no"},
		"no time":       {"hang: 20s", "hang: caught"},
		"negative time": {"hang: 20s", "hang: -1s"},
		"no edit":       {whole[strings.Index(whole, "-- old"):], ""},
		"no new text":   {"-- new --\n\tthree\n", ""},
		"no old text":   {"\tone\n\ttwo\n", ""},
		"no change":     {"\tone\n\ttwo\n", "\tthree\n"},
		"outside":       {"a/b.go", "../b.go"},
		"a test":        {"a/b.go", "a/b_test.go"},
		"no file":       {"-- old a/b.go --", "-- old a/b.go"},
	} {
		text := strings.Replace(whole, change[0], change[1], 1)
		if text == whole {
			t.Fatalf("%s: changes nothing", name)
		}
		if e, err := parseEntry("name", text); err == nil {
			t.Errorf("%s: got %+v, want an error", name, e)
		}
	}
}

func TestLoadCatalogue(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.txt"), whole)
	write(t, filepath.Join(dir, "a-1.txt"), whole)
	write(t, filepath.Join(dir, "a-2.txt"), whole)
	entries, err := loadCatalogue(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ prefixes, want []string }{
		{nil, []string{"a-1", "a-2", "b"}},
		{[]string{"a-"}, []string{"a-1", "a-2"}},
		{[]string{"b", "a-1", "a-1"}, []string{"a-1", "b"}},
	} {
		chosen, err := choose(entries, test.prefixes)
		var names []string
		for _, e := range chosen {
			names = append(names, e.name)
		}
		if err != nil || !slices.Equal(names, test.want) {
			t.Errorf("%v: got %v, %v, want %v", test.prefixes, names, err, test.want)
		}
	}
	if _, err := choose(entries, []string{"a-", "c"}); err == nil {
		t.Error("a prefix that fits nothing is an error")
	}
	write(t, filepath.Join(dir, "notes.md"), "")
	if _, err := loadCatalogue(dir); err == nil {
		t.Error("a file that is no entry is an error")
	}
}

// write writes a file, and the directories to it.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
