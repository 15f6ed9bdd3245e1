package serialdaemon

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
)

// delimiter is between the parts of a key.
const delimiter = "."

// DefaultPrefix begins the names of environment variables.
const DefaultPrefix = "SERIAL_"

// The flags that are no keys.
const (
	flagConfig = "config"
	flagPrint  = "print-config"
)

// Loader reads a configuration: flags win over the environment, that over a file, and that over the defaults.
// The zero value reads the environment alone.
type Loader struct {
	// Args are the flags, for instance os.Args[1:]. Each key has one: -timeout.wait 5m. Beside these there are
	// -config FILE, -print-config and -h.
	Args []string
	// Prefix begins the names of environment variables, "" meaning DefaultPrefix: the key timeout.wait is
	// SERIAL_TIMEOUT_WAIT, and SERIAL_CONFIG is the file. No other variable may begin so, but for those of Ignore.
	Prefix string
	// Ignore are variables, with their prefix, that others read: they are no errors, and not read. None may be that of
	// a key.
	Ignore []string
	// Rename gives keys other names, in flags, variables, files and errors: {"endpoints": "listen"}. A key
	// that does not exist is a mistake in the program.
	Rename map[string]string
	// Environ is the environment, nil meaning the process's.
	Environ []string
	// File is read, if it exists, when no other is given. It ends with .yaml, .yml or .json.
	File string
	// Output is where -h and -print-config write, nil meaning os.Stdout.
	Output io.Writer
}

// SettingError is a value, or a source of values, that cannot be used.
type SettingError struct {
	// Key is "" where the source as a whole is meant.
	Key string
	// Source is, for instance, "flag -drain", "environment SERIAL_DRAIN" or "file /etc/x.yaml".
	Source string
	Err    error
}

// Error names the key, the source and the reason.
func (e *SettingError) Error() string {
	where := e.Source
	if e.Key != "" {
		where = e.Key + " (" + e.Source + ")"
	}
	return prefix + where + ": " + withoutPrefix(e.Err)
}

// Unwrap returns ErrUsage and the reason.
func (e *SettingError) Unwrap() []error { return []error{ErrUsage, e.Err} }

// Load reads into config, a pointer to a struct that has the defaults. Its fields are strings, numbers, bools,
// time.Durations, lists of strings, structs of these, and types that unmarshal text. All sources are read alike: integers as
// in Go (0x1b0, 0o660 and 0660 are the same), and what a file has for a text as it is written there, 1.10 as 1.10. A field's key is its tag
// koanf, or else its name in lower case, after that of the struct around it and a dot; structs that are embedded
// without a tag add none. The tag usage explains it for -h, and secret:"true" keeps its value out of what is
// printed. Lists are separated by commas in flags and variables; a flag may also be given several times.
//
// What is wrong in one source, or with the values of all, is in the error, joined, each an error of the kind ErrUsage; a name that is not known
// suggests the nearest. With an error config is as it was. If config has a method Validate() error, that is
// asked at the end; one of a struct that embeds Config calls Config.Validate, which it hides. After -h and -print-config the error is flag.ErrHelp.
func (l Loader) Load(config any) (Settings, error) {
	target := reflect.ValueOf(config)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("serialdaemon: a configuration is a pointer to a struct, not %T", config)
	}
	fresh := reflect.New(target.Elem().Type())
	fresh.Elem().Set(target.Elem())
	fields, err := fieldsOf(fresh.Elem(), "")
	if err == nil {
		err = rename(fields, l.Rename)
	}
	if err != nil {
		return nil, err
	}
	m := &merged{fields: fields, ignore: l.Ignore, values: make(map[string]any), sources: make(map[string]string), prefix: l.Prefix}
	if m.prefix == "" {
		m.prefix = DefaultPrefix
	}
	if err := m.checkNames(); err != nil {
		return nil, err
	}
	show, err := l.read(m)
	if err != nil {
		return nil, err
	}
	settings, err := m.apply()
	if err != nil {
		return nil, err
	}
	if v, ok := fresh.Interface().(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, &reason{"the configuration", ErrUsage, err}
		}
	}
	target.Elem().Set(fresh.Elem())
	if show {
		return settings, errors.Join(settings.Print(l.output()), flag.ErrHelp)
	}
	return settings, nil
}

// read reads all sources, those that win last. It reports whether the result is to be printed.
func (l Loader) read(m *merged) (show bool, err error) {
	flags, file, show, err := l.flags(m)
	if err != nil {
		return false, err
	}
	environ := l.Environ
	if environ == nil {
		environ = os.Environ()
	}
	variables, fileByVariable, err := m.environment(environ)
	errs := []error{err}
	optional := false
	if file == "" {
		file = fileByVariable
	}
	if file == "" {
		file, optional = l.File, true
	}
	if file != "" {
		values, err := m.file(file)
		if !optional || !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
			m.load(values, func(string) string { return "file " + file })
		}
	}
	m.load(variables, func(key string) string { return "environment " + m.variable(key) })
	m.load(flags, func(key string) string { return "flag -" + key })
	return show, errors.Join(errs...)
}

func (l Loader) output() io.Writer {
	if l.Output == nil {
		return os.Stdout
	}
	return l.Output
}

// merged is a configuration that is being read.
type merged struct {
	fields  []field
	values  map[string]any    // the latest value of each key: a string or a []string
	sources map[string]string // where it came from
	prefix  string            // of environment variables
	ignore  []string          // the variables that are not read
}

// keys returns the keys of all fields.
func (m *merged) keys() []string {
	keys := make([]string, len(m.fields))
	for i, f := range m.fields {
		keys[i] = f.key
	}
	return keys
}

// field returns the field with a key, nil if there is none.
func (m *merged) field(key string) *field {
	i := slices.IndexFunc(m.fields, func(f field) bool { return f.key == key })
	if i < 0 {
		return nil
	}
	return &m.fields[i]
}

// variable returns the environment variable of a key.
func (m *merged) variable(key string) string {
	return m.prefix + strings.NewReplacer(delimiter, "_", "-", "_").Replace(strings.ToUpper(key))
}

// checkNames refuses structs in which two fields cannot be told apart, of which one is a section of a file and a value,
// or which use the names of flags.
func (m *merged) checkNames() error {
	taken := map[string]string{m.variable(flagConfig): flagConfig}
	for _, name := range m.ignore {
		taken[name] = "by Ignore"
	}
	for _, f := range m.fields {
		variable := m.variable(f.key)
		if other, ok := taken[variable]; ok || f.key == flagPrint || f.key == "h" || f.key == "help" {
			return fmt.Errorf("serialdaemon: the configuration key %s is taken %s", f.key, other)
		}
		taken[variable] = "by " + f.key
		if m.isSection(f.key) {
			return fmt.Errorf("serialdaemon: the configuration key %s is a section, too", f.key)
		}
	}
	return nil
}

// load takes the values of one source, which win over those before.
func (m *merged) load(values map[string]any, source func(key string) string) {
	for key, value := range values {
		m.values[key], m.sources[key] = value, source(key)
	}
}

// apply sets the fields. The errors of all are joined.
func (m *merged) apply() (Settings, error) {
	var settings Settings
	var errs []error
	for _, f := range m.fields {
		s := Setting{Key: f.key, Source: "default", Secret: f.secret}
		if source, ok := m.sources[f.key]; ok {
			s.Source = source
			if err := set(f.value, m.values[f.key]); err != nil {
				if f.secret { // of which the error may tell
					err = fmt.Errorf("what is given is no %v", f.value.Type())
				}
				errs = append(errs, &SettingError{f.key, source, err})
			}
		}
		s.Value = textOf(f.value)
		settings = append(settings, s)
	}
	return settings, errors.Join(errs...)
}
