package lines

import (
	"encoding/json"
	"strings"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// flatten appends the members of a valid JSON object. Objects in it become dotted keys, down to the given depth; those of "fields"
// at the top have no prefix, as in the output of logd query. Numbers stay as they are written. Values are parts of s
// where they can be.
func flatten(fields []logwire.Field, s, prefix string, depth int) []logwire.Field {
	i := space(s, 1)
	for s[i] != '}' {
		end := i + valueLen(s[i:])
		key := prefix + unquote(s[i:end])
		i = space(s, space(s, end)+1) // the colon
		end = i + valueLen(s[i:])
		fields = appendValue(fields, key, s[i:end], depth)
		if i = space(s, end); s[i] == ',' {
			i = space(s, i+1)
		}
	}
	return fields
}

func appendValue(fields []logwire.Field, key, value string, depth int) []logwire.Field {
	f := logwire.Field{Key: key, Kind: logwire.JSON, Value: value}
	switch value[0] {
	case '"':
		f.Kind, f.Value = logwire.String, unquote(value)
	case 't', 'f':
		f.Kind = logwire.Bool
	case '{':
		if depth > 1 && value[space(value, 1)] != '}' {
			if key == "fields" {
				return flatten(fields, value, "", depth-1)
			}
			return flatten(fields, value, key+".", depth-1)
		}
	case '[', 'n':
	default:
		f.Kind = logwire.Number
	}
	return append(fields, f)
}

// space returns the index of the first byte from i on that is no white space.
func space(s string, i int) int {
	for s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n' {
		i++
	}
	return i
}

// valueLen returns the length of the JSON value that s, which is valid, begins with.
func valueLen(s string) int {
	switch s[0] {
	case '"':
		return stringLen(s)
	case '{', '[':
		open := 0
		for i := 0; ; i++ {
			switch s[i] {
			case '"':
				i += stringLen(s[i:]) - 1
			case '{', '[':
				open++
			case '}', ']':
				if open--; open == 0 {
					return i + 1
				}
			}
		}
	}
	i := 1
	for i < len(s) && !strings.ContainsRune(",}] \t\r\n", rune(s[i])) {
		i++
	}
	return i
}

func stringLen(s string) int {
	for i := 1; ; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// unquote returns what a valid JSON string says.
func unquote(s string) string {
	inner := s[1 : len(s)-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var text string
	if err := json.Unmarshal([]byte(s), &text); err != nil { // It is valid: the whole line was.
		return inner
	}
	return text
}
