package serialdaemon

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// field is a value in a configuration's struct.
type field struct {
	key    string // with those of the structs around it, joined by dots
	usage  string
	secret bool
	value  reflect.Value
}

// fieldsOf returns the fields of a struct, in their order.
func fieldsOf(v reflect.Value, prefix string) ([]field, error) {
	var all []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := f.Tag.Get("koanf")
		embedded := f.Anonymous && f.Type.Kind() == reflect.Struct
		if key == "-" || !f.IsExported() && !embedded {
			continue
		}
		if embedded && key == "" {
			inner, err := fieldsOf(v.Field(i), prefix)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
			continue
		}
		if key == "" {
			key = strings.ToLower(f.Name)
		}
		key = prefix + key
		if f.Type.Kind() == reflect.Struct && (!f.IsExported() || !isText(v.Field(i))) {
			inner, err := fieldsOf(v.Field(i), key+delimiter)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
			continue
		}
		if err := set(reflect.New(f.Type).Elem(), nil); err != nil {
			return nil, fmt.Errorf("serialdaemon: configuration field %s: %w", f.Name, err)
		}
		all = append(all, field{key, f.Tag.Get("usage"), f.Tag.Get("secret") == "true", v.Field(i)})
	}
	return all, nil
}

// rename gives the fields with these keys other ones.
func rename(fields []field, names map[string]string) error {
	renamed := 0
	for i, f := range fields {
		if name, ok := names[f.key]; ok {
			fields[i].key = name
			renamed++
		}
	}
	if renamed < len(names) {
		return fmt.Errorf("serialdaemon: Rename has %d keys, of which the configuration has %d", len(names), renamed)
	}
	return nil
}

// isText reports whether a value reads itself from text.
func isText(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

var durationType = reflect.TypeFor[time.Duration]()

// set sets a value to what was read: a text, or a list of texts. Of nil it only says whether its type is one
// that can be set.
func set(v reflect.Value, to any) error {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String && !isText(v) {
		return setList(v, to)
	}
	text, ok := to.(string)
	if !ok && to != nil {
		return errors.New("want one value, not a list")
	}
	kind := v.Kind()
	switch {
	case isText(v):
		if to == nil {
			return nil
		}
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	case v.Type() == durationType:
		return setParsed(to, func() (time.Duration, error) { return time.ParseDuration(text) }, func(d time.Duration) { v.SetInt(int64(d)) })
	case kind == reflect.String:
		v.SetString(text)
		return nil
	case kind == reflect.Bool:
		return setParsed(to, func() (bool, error) { return strconv.ParseBool(text) }, v.SetBool)
	case v.CanInt():
		return setParsed(to, func() (int64, error) { return strconv.ParseInt(text, 0, v.Type().Bits()) }, v.SetInt)
	case v.CanUint():
		return setParsed(to, func() (uint64, error) { return strconv.ParseUint(text, 0, v.Type().Bits()) }, v.SetUint)
	case v.CanFloat():
		return setParsed(to, func() (float64, error) { return strconv.ParseFloat(text, v.Type().Bits()) }, v.SetFloat)
	}
	return fmt.Errorf("no text can be made a %v", v.Type())
}

// setParsed sets what was parsed, unless there is nothing to parse.
func setParsed[T any](to any, parse func() (T, error), set func(T)) error {
	if to == nil {
		return nil
	}
	parsed, err := parse()
	if err == nil {
		set(parsed)
	}
	return err
}

func setList(v reflect.Value, to any) error {
	var items []string
	switch to := to.(type) {
	case nil:
		return nil
	case []string:
		items = to
	case string:
		items = splitList(to)
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		list.Index(i).SetString(item)
	}
	v.Set(list)
	return nil
}

// splitList reads a list in one text. The empty text is the empty list.
func splitList(text string) []string {
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// textOf writes a value as it can be read.
func textOf(v reflect.Value) string {
	if m, ok := v.Addr().Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err == nil {
			return string(text)
		}
	}
	if v.Kind() == reflect.Slice {
		items := make([]string, v.Len())
		for i := range items {
			items[i] = v.Index(i).String()
		}
		return strings.Join(items, ",")
	}
	return fmt.Sprint(v.Interface())
}
