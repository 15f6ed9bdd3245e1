package serialdaemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A configuration file's values are read as they are written: 0660 and 1.10 are what a person sees there, and not
// numbers that are written anew. So the tree that a parser returns has strings, nil, lists and sections alone.

var (
	errSecondDocument = errors.New("there is more than one document")
	errNoSection      = errors.New("the file is not a section of keys and values")
	errNotUTF8        = errors.New("the text is not UTF-8")
)

// parseYAML reads the only document of a file, or none. A key that is there twice is an error.
func parseYAML(content []byte) (map[string]any, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	switch err := decoder.Decode(new(yaml.Node)); {
	case err == nil:
		return nil, errSecondDocument
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	literally(&document)
	parsed := make(map[string]any)
	if err := document.Decode(&parsed); err != nil {
		return nil, err
	}
	return parsed, nil
}

// The tags of scalars that are made something else than their text, and that of texts.
const (
	tagText = "!!str"
	tagBool = "!!bool"
	tagInt  = "!!int"
	tagReal = "!!float"
	tagTime = "!!timestamp"
)

// literally makes the scalars below a node texts. What an alias leads to is below another node.
func literally(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		switch n.ShortTag() {
		case tagBool, tagInt, tagReal, tagTime:
			n.Tag = tagText
		}
	}
	for _, below := range n.Content {
		literally(below)
	}
}

// parseJSON reads a file that is one object. A key that is there twice is an error.
func parseJSON(content []byte) (map[string]any, error) {
	if !utf8.Valid(content) { // which would be replaced
		return nil, errNotUTF8
	}
	if err := json.Unmarshal(content, new(any)); err != nil { // which says more than a decoder, and reads to the end
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	value, err := jsonValue(decoder, "")
	if err != nil {
		return nil, err
	}
	parsed, ok := value.(map[string]any)
	if !ok {
		return nil, errNoSection
	}
	return parsed, nil
}

// jsonValue reads the next value of a text that is valid. key is where it is.
func jsonValue(decoder *json.Decoder, key string) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return jsonSection(decoder, key)
		}
		return jsonList(decoder, key)
	case nil:
		return nil, nil
	default: // a text, a number as it is written, a bool
		return fmt.Sprint(token), nil
	}
}

func jsonSection(decoder *json.Decoder, prefix string) (map[string]any, error) {
	section := make(map[string]any)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string)
		if _, ok := section[name]; ok {
			return nil, fmt.Errorf("key %q is there twice", prefix+name)
		}
		if section[name], err = jsonValue(decoder, prefix+name+delimiter); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return section, err
}

func jsonList(decoder *json.Decoder, key string) ([]any, error) {
	list := []any{}
	for decoder.More() {
		value, err := jsonValue(decoder, key)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := decoder.Token()
	return list, err
}

// flatten notes the values of a section, with their whole keys.
func flatten(section map[string]any, prefix string, to map[string]any) {
	for name, value := range section {
		below, ok := value.(map[string]any)
		if !ok || len(below) == 0 {
			to[prefix+name] = value
			continue
		}
		flatten(below, prefix+name+delimiter, to)
	}
}
