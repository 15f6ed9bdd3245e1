package serialdaemon

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// flagValue collects what a flag was given.
type flagValue struct {
	field *field
	given []string
}

// Set is for package flag.
func (v *flagValue) Set(text string) error {
	v.given = append(v.given, text)
	return nil
}

// String is for package flag, which shows it as the default.
func (v *flagValue) String() string {
	if v.field == nil || v.field.secret {
		return ""
	}
	return textOf(v.field.value)
}

// IsBoolFlag is for package flag: -x means -x=true.
func (v *flagValue) IsBoolFlag() bool { return v.field.value.Kind() == reflect.Bool }

// flags reads the flags.
func (l Loader) flags(m *merged) (values map[string]any, file string, show bool, err error) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&file, flagConfig, l.File, "the `file` with the configuration, .yaml or .json")
	set.BoolVar(&show, flagPrint, false, "print each value and where it came from")
	given := make(map[string]*flagValue)
	for i := range m.fields {
		f := &m.fields[i]
		given[f.key] = &flagValue{field: f}
		set.Var(given[f.key], f.key, f.usage)
	}
	if err := knownFlags(set, l.Args); err != nil {
		return nil, "", false, err
	}
	if err := set.Parse(l.Args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			set.SetOutput(l.output())
			set.PrintDefaults()
			return nil, "", false, err
		}
		return nil, "", false, &SettingError{"", "flags", err}
	}
	if rest := set.Args(); len(rest) > 0 {
		return nil, "", false, &SettingError{"", "flags", fmt.Errorf("unexpected argument %q", rest[0])}
	}
	values, explicit := make(map[string]any), ""
	set.Visit(func(f *flag.Flag) {
		if f.Name == flagConfig {
			explicit = file
		}
		if v, ok := given[f.Name]; ok {
			values[f.Name] = v.value()
		}
	})
	return values, explicit, show, nil
}

// value returns what the flag was given: of a list all, otherwise the last.
func (v *flagValue) value() any {
	if v.field.value.Kind() != reflect.Slice {
		return v.given[len(v.given)-1]
	}
	var all []string
	for _, text := range v.given {
		all = append(all, splitList(text)...)
	}
	return all
}

// knownFlags refuses unknown flags, with a suggestion. It finds them as package flag does.
func knownFlags(set *flag.FlagSet, args []string) error {
	var known []string
	set.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, _, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if len(arg) < 2 || arg[0] != '-' || name == "" {
			return nil // what is left are no flags
		}
		f := set.Lookup(name)
		switch {
		case f == nil && (name == "h" || name == "help"):
			return nil
		case f == nil:
			return &UnknownError{What: "flag", Name: name, Known: known}
		}
		b, ok := f.Value.(interface{ IsBoolFlag() bool })
		if isBool := ok && b.IsBoolFlag(); !isBool && !hasValue && len(args) > 0 {
			args = args[1:]
		}
	}
	return nil
}
