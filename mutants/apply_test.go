package main

import (
	"path/filepath"
	"testing"
)

func TestMutated(t *testing.T) {
	dir := t.TempDir()
	const text = "first\n\tif x {\n\t\treturn\n\t}\n\tif xy {\n\tagain\n\tagain\nlast\n"
	write(t, filepath.Join(dir, "a.go"), text)
	for name, test := range map[string]struct {
		edits []edit
		want  string // "": it does not apply
	}{
		"middle":          {[]edit{{"a.go", "\t\treturn\n", "\t\tbreak\n"}}, "first\n\tif x {\n\t\tbreak\n\t}\n\tif xy {\n\tagain\n\tagain\nlast\n"},
		"first, and last": {[]edit{{"a.go", "first\n", ""}, {"a.go", "last\n", ""}}, "\tif x {\n\t\treturn\n\t}\n\tif xy {\n\tagain\n\tagain\n"},
		"absent":          {[]edit{{"a.go", "\tif z {\n", ""}}, ""},
		"end of a line":   {[]edit{{"a.go", "x {\n", ""}}, ""},
		"twice":           {[]edit{{"a.go", "\tagain\n", ""}}, ""},
		"one of two":      {[]edit{{"a.go", "first\n", ""}, {"a.go", "first\n", "x\n"}}, ""},
		"no such file":    {[]edit{{"b.go", "first\n", ""}}, ""},
	} {
		e := entry{edits: test.edits}
		texts, err := e.mutated(dir)
		if test.want == "" && err == nil {
			t.Errorf("%s: got %q, want an error", name, texts)
		}
		if test.want != "" && (err != nil || texts["a.go"] != test.want) {
			t.Errorf("%s: got %q, %v, want %q", name, texts, err, test.want)
		}
	}
}
