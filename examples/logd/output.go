package main

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// records writes records: as a table on a terminal, as JSON lines elsewhere.
type records struct {
	w        *bufio.Writer
	terminal terminal
	json     bool
	full     bool // lines are not cut to the width
	location *time.Location
	buf      []byte
	header   bool // was written
}

func newRecords(w io.Writer, t terminal) *records {
	return &records{w: bufio.NewWriterSize(w, 64<<10), terminal: t, json: !t.is, location: time.Local}
}

// The widths of the columns. The message has the rest.
const (
	timeLayout   = "2006-01-02 15:04:05.000"
	levelWidth   = 5
	serviceWidth = 14
	hostWidth    = 14
	// hostFrom is the width from which there is a column for the host.
	hostFrom = 120
)

var levelColors = map[logwire.Level]string{
	logwire.Trace: "\x1b[2m", logwire.Debug: "\x1b[2m", logwire.Info: "\x1b[32m", logwire.Warn: "\x1b[33m",
	logwire.Error: "\x1b[31m", logwire.Fatal: "\x1b[1;31m",
}

// write writes a record. The error is that of the writer.
func (o *records) write(id uint64, v *logwire.View) error {
	if o.json {
		o.buf = v.AppendJSON(o.buf[:0], id)
		if o.terminal.is {
			o.buf = []byte(escapeJSON(string(o.buf)))
		}
		_, err := o.w.Write(append(o.buf, '\n'))
		return err
	}
	if !o.header {
		o.header = true
		if _, err := o.w.WriteString(o.line(terminal{width: o.terminal.width}, "TIME", "LEVEL", 0, "SERVICE", "HOST", "MESSAGE")); err != nil {
			return err
		}
	}
	at := time.Unix(0, v.Time).In(o.location).Format(timeLayout)
	_, err := o.w.WriteString(o.line(o.terminal, at, v.Level.String(), v.Level, string(v.Service), string(v.Host), text(v)))
	return err
}

// text is the message and behind it the fields.
func text(v *logwire.View) string {
	s := escape(string(v.Message))
	for f := range v.Fields() {
		if s != "" {
			s += "  "
		}
		s += escape(string(f.Key)) + "=" + escape(string(f.Value))
	}
	return s
}

func (o *records) line(t terminal, at, level string, color logwire.Level, service, host, message string) string {
	name := fit(level, levelWidth)
	if t.color {
		name = levelColors[color] + name + "\x1b[0m"
	}
	s := fit(at, len(timeLayout)) + " " + name + " " + fit(escape(service), serviceWidth) + " "
	used := len(timeLayout) + levelWidth + serviceWidth + 3
	if t.width >= hostFrom {
		s += fit(escape(host), hostWidth) + " "
		used += hostWidth + 1
	}
	if !o.full {
		message = cut(message, t.width-used)
	}
	return s + message + "\n"
}

// writeJSON writes v as a line of JSON, which is safe for the terminal if w is one: texts of a collector, or names of files, may be in it.
func writeJSON(w io.Writer, t terminal, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	line := string(b)
	if t.is {
		line = escapeJSON(line)
	}
	_, err = io.WriteString(w, line+"\n")
	return err
}

// flush writes out what waits.
func (o *records) flush() error { return o.w.Flush() }
