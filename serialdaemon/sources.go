package serialdaemon

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxConfigFile bounds a configuration file, in bytes (1 MiB): far above any that a person has written.
const maxConfigFile = 1 << 20

// environment reads the variables with the prefix.
func (m *merged) environment(environ []string) (values map[string]any, file string, err error) {
	keys := make(map[string]string)
	for _, key := range m.keys() {
		keys[m.variable(key)] = key
	}
	values = make(map[string]any)
	var errs []error
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, m.prefix) || slices.Contains(m.ignore, name) {
			continue
		}
		key, ok := keys[name]
		switch {
		case name == m.variable(flagConfig):
			file = value
		case ok:
			values[key] = value
		default:
			known := append(slices.Sorted(maps.Keys(keys)), m.variable(flagConfig))
			errs = append(errs, &UnknownError{What: "environment variable", Name: name, Known: known})
		}
	}
	return values, file, errors.Join(errs...)
}

// file reads a file.
func (m *merged) file(path string) (map[string]any, error) {
	source := "file " + path
	content, err := readBounded(path)
	if err != nil {
		return nil, &SettingError{"", source, err}
	}
	var parse func([]byte) (map[string]any, error)
	switch ext := filepath.Ext(path); ext {
	case ".yaml", ".yml":
		parse = parseYAML
	case ".json":
		parse = parseJSON
	default:
		return nil, &SettingError{"", source, fmt.Errorf("the name ends with %q, and not with .yaml, .yml or .json", ext)}
	}
	parsed, err := parse(content)
	if err != nil {
		return nil, &SettingError{"", source, err}
	}
	return m.known(parsed, source)
}

// readBounded reads a file of at most maxConfigFile bytes.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err == nil && len(content) > maxConfigFile {
		err = fmt.Errorf("more than %d bytes", maxConfigFile)
	}
	return content, err
}

// known makes texts, or lists of them, of what a file has for the keys that are known. All others are errors.
func (m *merged) known(parsed map[string]any, source string) (map[string]any, error) {
	if key := dotted(parsed); key != "" { // the same may be there as a section, and one of them would win by chance
		return nil, &SettingError{"", source, &UnknownError{What: "key", Name: key, Known: m.keys()}}
	}
	flat, values := make(map[string]any), make(map[string]any)
	flatten(parsed, "", flat)
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		if m.field(key) == nil {
			if isEmpty(flat[key]) && m.isSection(key) {
				continue
			}
			errs = append(errs, &SettingError{"", source, &UnknownError{What: "key", Name: key, Known: m.keys()}})
			continue
		}
		value, err := texts(flat[key])
		if err != nil {
			errs = append(errs, &SettingError{key, source, err})
			continue
		}
		values[key] = value
	}
	return values, errors.Join(errs...)
}

// dotted returns a key that contains the delimiter, "" if there is none.
func dotted(section map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(section)) {
		if strings.Contains(key, delimiter) {
			return key
		}
		if below, ok := section[key].(map[string]any); ok {
			if found := dotted(below); found != "" {
				return found
			}
		}
	}
	return ""
}

// isSection reports whether there are keys below this one.
func (m *merged) isSection(key string) bool {
	return slices.ContainsFunc(m.fields, func(f field) bool { return strings.HasPrefix(f.key, key+delimiter) })
}

// isEmpty reports whether a section has nothing in it.
func isEmpty(v any) bool {
	section, ok := v.(map[string]any)
	return v == nil || ok && len(section) == 0
}

// texts are what a file has as one text, or a list of them, so that all sources are read by the same rules.
func texts(v any) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return text(v)
	}
	items := make([]string, len(list))
	for i, item := range list {
		var err error
		if items[i], err = text(item); err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return items, nil
}

func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil:
		return "", errors.New("there is no value")
	}
	return "", errors.New("want a text or a number, not a list or a section")
}
