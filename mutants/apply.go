package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutated returns the texts of the files that e changes, by their names, as they are after it. The tree
// below root is only read. It fails unless each old text occurs exactly once.
func (e *entry) mutated(root string) (map[string]string, error) {
	texts := make(map[string]string)
	for _, ed := range e.edits {
		text, ok := texts[ed.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(ed.file)))
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		at := places(text, ed.old)
		if len(at) != 1 {
			return nil, fmt.Errorf("its old text occurs %d times in %s, not once", len(at), ed.file)
		}
		texts[ed.file] = text[:at[0]] + ed.new + text[at[0]+len(ed.old):]
	}
	return texts, nil
}

// places returns where in text the lines of old are, also where they overlap. Text in the middle of a longer
// line is none.
func places(text, old string) []int {
	var at []int
	for begin := 0; begin < len(text); {
		if strings.HasPrefix(text[begin:], old) {
			at = append(at, begin)
		}
		end := strings.IndexByte(text[begin:], '\n')
		if end < 0 {
			break
		}
		begin += end + 1
	}
	return at
}
