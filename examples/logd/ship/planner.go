package ship

import (
	"errors"
	"io"
	"os"

	"github.com/serialkit/serialkit/examples/logd/lines"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// errChanged: a part of a file that was sent is no longer what it was.
var errChanged = errors.New("ship: the file was changed")

// planner cuts what it reads into batches.
type planner struct {
	o      Options
	parser *lines.Parser
	reader *lines.Reader
	read   int64 // the position behind the last line that reader has returned
	// more reports whether another line is there at once; nil: reading never blocks.
	more func() bool
}

func newPlanner(o Options, parser *lines.Parser, r io.Reader, position int64) *planner {
	return &planner{o: o, parser: parser, reader: lines.NewReader(r, o.MaxLine), read: position}
}

// seek makes a planner that reads f from position on.
func seek(o Options, parser *lines.Parser, f *os.File, position int64) *planner {
	return newPlanner(o, parser, io.NewSectionReader(f, position, 1<<62-position), position)
}

// next returns the next batch, and io.EOF, beside what was read before, at the end. A line that is not complete is left for
// later unless rest is true. Without a single byte there is no batch.
func (p *planner) next(rest bool) (*batch, error) {
	b := &batch{end: p.read}
	var err error
	for err == nil && b.records() < p.o.BatchRecords && len(b.buf) < p.o.BatchBytes {
		var l lines.Line
		if l, err = p.reader.Next(); err != nil {
			if !rest || !errors.Is(err, io.EOF) {
				break
			}
			var ok bool
			if l, ok = p.reader.Rest(); !ok {
				break
			}
		}
		p.line(b, l)
		if p.more != nil && !p.more() {
			break
		}
	}
	b.carry = p.parser.Carry()
	if b.lines == 0 {
		return nil, err
	}
	return b, err
}

func (p *planner) line(b *batch, l lines.Line) {
	p.read += l.Size
	b.end = p.read
	b.lines++
	if len(l.Text) == 0 && l.Missing == 0 {
		b.blank++
		return
	}
	r, note := p.parser.Parse(l.Text, l.Missing, p.o.Now())
	if note.Cut {
		b.cut++
	}
	if note.Replaced {
		b.replaced++
	}
	b.add(&r)
}

// window returns up to Options.Window batches with records. Blank lines behind the last one are returned as a batch without records;
// ended is true at the end of the file.
func (p *planner) window(rest bool) (window []*batch, ended bool, err error) {
	for len(window) < p.o.Window {
		b, err := p.next(rest)
		if b != nil {
			window = append(window, b)
		}
		switch {
		case errors.Is(err, io.EOF):
			return window, true, nil
		case err != nil:
			return window, false, err
		}
	}
	return window, false, nil
}

// again makes the batches of the parts of f that may have been sent before: what lies between position and the first
// end, and so on.
func again(o Options, parser *lines.Parser, f *os.File, position int64, ends []int64) ([]*batch, error) {
	o.BatchRecords, o.BatchBytes = logwire.MaxBatchRecords, logwire.MaxBatch // The parts are what they were.
	var window []*batch
	for _, end := range ends {
		p := newPlanner(o, parser, io.NewSectionReader(f, position, end-position), position)
		b, err := p.next(true)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case b == nil || b.end != end || b.records() == 0:
			return nil, errChanged
		}
		b.resent = true
		window = append(window, b)
		position = end
	}
	return window, nil
}
