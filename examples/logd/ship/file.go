package ship

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/serialkit/serialkit/examples/logd/lines"
)

// ServiceOf is the service of the lines of a file that do not say one: its name without the extension.
func ServiceOf(path string) string {
	base := filepath.Base(path)
	if name := strings.TrimSuffix(base, filepath.Ext(base)); name != "" {
		return name
	}
	return base
}

func newParser(o Options, path string) *lines.Parser {
	p := &lines.Parser{
		Service: o.Service, Host: o.Host, ForceService: o.ForceService, ForceHost: o.ForceHost, Location: o.Location,
	}
	if p.Service == "" {
		p.Service = ServiceOf(path)
	}
	return p
}

// file is the shipping of one path.
type file struct {
	shipment
	path    string
	parser  *lines.Parser
	f       *os.File // what is read now: path, or what it was rotated to
	planner *planner
}

// File ships the file at path to the named collector, from where the state in store says, and returns what was done. Without
// Options.Follow it returns at the end of the file, otherwise when ctx is done, with its cause.
//
// After an error the state says where to go on.
func File(ctx context.Context, path, collector string, sender Sender, store Store, o Options) (Report, error) {
	o = o.withDefaults()
	f := &file{path: path, parser: newParser(o, path)}
	f.shipment = shipment{o: o, sender: sender, store: store, report: Report{Path: path}}
	f.stamp = func(s *State) (err error) {
		s.File, err = identify(f.f, s.end())
		return err
	}
	err := f.run(ctx, collector)
	if f.f != nil {
		err = errors.Join(err, f.f.Close())
	}
	return f.report.clone(), err
}

func (f *file) run(ctx context.Context, collector string) error {
	st, ok, err := f.store.Load()
	if err != nil {
		return err
	}
	if f.state = st; !ok {
		f.state = newState(f.path, collector)
	}
	if err := f.resume(ctx, ok); err != nil {
		return err
	}
	for {
		window, ended, err := f.planner.window(false)
		if err != nil {
			return err
		}
		if err := f.ship(ctx, window); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if !ended {
			continue
		}
		if len(window) > 0 { // Nothing is in flight: the state says so, in case nothing more is sent for long.
			if err := f.save(nil); err != nil {
				return err
			}
		}
		if done, err := f.atEnd(ctx); done || err != nil {
			return err
		}
	}
}

// resume opens the file that the state is of, and sends again what may have been sent. Without a state it notes which file it begins
// with, so that this one is known if it is rotated before anything is sent.
func (f *file) resume(ctx context.Context, known bool) (err error) {
	if known {
		err = f.find(ctx)
	} else if err = f.open(ctx); err == nil {
		err = f.save(nil)
	}
	if err != nil {
		return err
	}
	f.parser.SetCarry(f.state.Carry)
	window, err := again(f.o, f.parser, f.f, f.state.Position, f.state.Planned)
	switch {
	case errors.Is(err, errChanged):
		f.skip()
	case err != nil:
		return fmt.Errorf("ship: %s: what was sent before cannot be read again: %w", f.f.Name(), err)
	default:
		if err := f.send(ctx, window); err != nil {
			return err
		}
	}
	f.begin(f.state.Position)
	return nil
}

// skip goes on behind a part that was being sent and is not what it was, under numbers that have not been used.
func (f *file) skip() {
	f.warn("what lay between %d and %d may be missing: it was being sent, and the file was changed", f.state.Position, f.state.end())
	f.state.Epoch, f.state.Sequence = f.state.Epoch+1, 1
	f.state.Position, f.state.Planned = f.state.end(), nil
}

// begin reads on from a position of the file.
func (f *file) begin(position int64) {
	f.planner = seek(f.o, f.parser, f.f, position)
	f.report.Begin = position
	f.size()
}

// find opens what the state is of: path, what it was rotated to, or the copy that was made before it was truncated.
func (f *file) find(ctx context.Context) error {
	paths, err := family(f.path)
	if err != nil {
		return err
	}
	slices.Reverse(paths)
	wanted := []match{same}
	// A copy is known by its beginning alone: by much of it, or if the original is there and was truncated.
	info, err := os.Stat(f.path)
	if head := f.state.File.Head; head == fingerprintSize || head > 0 && err == nil && f.state.File.isNumberOf(info) {
		wanted = append(wanted, alike)
	}
	for _, want := range wanted {
		for _, path := range paths {
			found, err := os.Open(path)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			got, err := f.state.File.compare(found, f.state.end())
			if err == nil && got == want {
				f.f = found
				return nil
			}
			if err := errors.Join(err, found.Close()); err != nil {
				return err
			}
		}
	}
	return f.lost(ctx)
}

// lost begins with the file at path, from its beginning, because the one of the state is gone.
func (f *file) lost(ctx context.Context) error {
	if f.state.end() > 0 {
		f.report.Truncations++
	}
	switch {
	case len(f.state.Planned) > 0:
		f.warn("what lay between %d and %d may be missing: it was being sent, and the file is gone or was truncated", f.state.Position, f.state.end())
		f.state.Epoch, f.state.Sequence = f.state.Epoch+1, 1 // Nobody knows which numbers have been used.
	case f.state.Position > 0:
		f.warn("what was appended behind %d may be missing: the file is gone or was truncated", f.state.Position)
	}
	f.state.Position, f.state.Planned, f.state.Carry = 0, nil, lines.Carry{}
	return f.open(ctx)
}

// size notes how large the file is.
func (f *file) size() {
	if info, err := f.f.Stat(); err == nil {
		f.report.Size = info.Size()
	}
}
