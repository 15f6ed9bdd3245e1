package ship

import (
	"context"
	"errors"
	"io"
)

// Stream ships the lines of r until its end, as the file with that name. What comes is sent at once, in batches of what there is. It
// cannot be read again: after an error, or a crash, what was read and not acknowledged is lost, and a later Stream repeats nothing.
// Options.Follow has no meaning.
func Stream(ctx context.Context, name string, r io.Reader, sender Sender, o Options) (Report, error) {
	o = o.withDefaults()
	o.Window = 1
	s := shipment{o: o, sender: sender, state: newState(name, ""), report: Report{Path: name}}
	p := newPlanner(o, newParser(o, name), r, 0)
	p.more = p.reader.HasLine
	for {
		b, err := p.next(true)
		if b != nil {
			if err := s.ship(ctx, []*batch{b}); err != nil {
				return s.report.clone(), err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return s.report.clone(), nil
		case err != nil:
			return s.report.clone(), err
		case ctx.Err() != nil:
			return s.report.clone(), context.Cause(ctx)
		}
	}
}
