package serialdaemon

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Setting is a value of a configuration and where it came from.
type Setting struct {
	Key string
	// Value is as it can be written in a flag.
	Value string
	// Source is "default", "file FILE", "environment NAME" or "flag -NAME".
	Source string
	// Secret values are not printed.
	Secret bool
}

// Settings are those of all keys, in the order of the struct's fields.
type Settings []Setting

// Print writes a line for each: key, value and source.
func (s Settings) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, setting := range s {
		value := setting.Value
		if setting.Secret && value != "" {
			value = "(secret)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", setting.Key, value, setting.Source)
	}
	return table.Flush()
}
