package logwire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the record as one JSON object without a line feed: id (unless it is 0), time (RFC 3339 with
// nanoseconds, UTC), level, service, host, message, and fields, whose numbers and JSON values are as they were sent. Where a
// key occurs twice both are written. Controls, also DEL and those of C1, are escaped wherever they are.
func (v *View) AppendJSON(dst []byte, id uint64) []byte {
	from := len(dst)
	dst = append(dst, '{')
	if id != 0 {
		dst = strconv.AppendUint(append(dst, `"id":`...), id, 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"time":"`...)
	dst = time.Unix(0, v.Time).UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(append(append(dst, `","level":"`...), v.Level.String()...), `","service":`...)
	dst = appendJSONString(dst, v.Service)
	dst = appendJSONString(append(dst, `,"host":`...), v.Host)
	dst = appendJSONString(append(dst, `,"message":`...), v.Message)
	if v.count > 0 {
		dst = append(dst, `,"fields":{`...)
		first := true
		for f := range v.Fields() {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(appendJSONString(dst, f.Key), ':')
			dst = appendJSONValue(dst, f)
		}
		dst = append(dst, '}')
	}
	return escapeControls(append(dst, '}'), from)
}

// appendJSONValue appends the value as it was sent, JSON without white space, so that the record stays one line.
func appendJSONValue(dst []byte, f FieldView) []byte {
	switch f.Kind {
	case String:
		return appendJSONString(dst, f.Value)
	case JSON:
		compact := bytes.NewBuffer(dst)
		if err := json.Compact(compact, f.Value); err != nil { // Check has seen that it is valid.
			return append(dst, "null"...)
		}
		return compact.Bytes()
	default:
		return append(dst, f.Value...)
	}
}

// appendJSONString appends s as JSON has it. What is special to HTML is not, here.
func appendJSONString(dst, s []byte) []byte {
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(string(s)); err != nil { // A string never fails.
		panic(err)
	}
	return b.Bytes()[:b.Len()-1] // without its line feed
}

// escapeControls escapes the controls that JSON allows in its strings, DEL and those of C1, in the JSON from this place on:
// there they can be in strings alone.
func escapeControls(dst []byte, from int) []byte {
	if !hasControl(dst[from:]) {
		return dst
	}
	escaped := bytes.Clone(dst[:from])
	for _, r := range string(dst[from:]) {
		if isControl(r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = utf8.AppendRune(escaped, r)
		}
	}
	return escaped
}

func hasControl(b []byte) bool { return bytes.ContainsFunc(b, isControl) }

func isControl(r rune) bool { return r >= 0x7f && r < 0xa0 }
