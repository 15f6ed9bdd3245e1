package ship

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/serialkit/serialkit/examples/logd/lines"
)

// atEnd decides how to go on at the end of what can be read now, and reports whether the file is done.
func (f *file) atEnd(ctx context.Context) (done bool, err error) {
	where, err := f.where()
	if err != nil {
		return false, err
	}
	switch {
	case where == truncated:
		f.report.Truncations++
		f.restart()
		return false, nil
	case where == here && !f.o.Follow:
		return true, f.finish(ctx)
	case where == here:
		return false, f.waitHere(ctx)
	case f.o.Follow: // Who has it open may still write to it, until it is told of the rotation.
		if err := f.wait(ctx); err != nil {
			return false, err
		}
		if info, err := f.f.Stat(); err != nil || info.Size() > f.planner.readAhead() {
			return false, err
		}
	}
	if err := f.finish(ctx); err != nil {
		return false, err
	}
	err = f.nextOfFamily(ctx)
	if !f.o.Follow && errors.Is(err, fs.ErrNotExist) { // It was rotated, and nothing has been written since.
		return true, nil
	}
	return false, err
}

// waitHere waits, and looks whether the file was truncated before what it has then is taken for its growth.
func (f *file) waitHere(ctx context.Context) error {
	if err := f.wait(ctx); err != nil {
		return err
	}
	where, err := f.where()
	if where == truncated {
		f.report.Truncations++
		f.restart()
	}
	return err
}

// place says what has become of the file that is read.
type place uint8

const (
	here      place = iota // it is at the path
	moved                  // it was rotated
	truncated              // it is at the path, and begins anew
)

func (f *file) where() (place, error) {
	info, err := f.f.Stat()
	if err != nil {
		return here, err
	}
	at, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return moved, nil
	case err != nil:
		return here, err
	case !os.SameFile(info, at):
		return moved, nil
	case info.Size() < f.planner.readAhead():
		return truncated, nil
	}
	sum, err := sumOf(f.f, f.state.File.Head)
	if err == nil && f.state.File.Sum != "" && sum != f.state.File.Sum {
		return truncated, nil
	}
	f.report.Size = info.Size()
	return here, err
}

// readAhead is the position behind all that was read, with the line that has begun.
func (p *planner) readAhead() int64 { return p.read + p.reader.Begun() }

// finish ships the last line, which has no end.
func (f *file) finish(ctx context.Context) error {
	window, _, err := f.planner.window(true)
	if err != nil {
		return err
	}
	if err := f.ship(ctx, window); err != nil {
		return err
	}
	return f.save(nil)
}

// restart reads the file that is open from its beginning.
func (f *file) restart() {
	f.state.Position, f.state.Planned, f.state.Carry, f.state.File = 0, nil, lines.Carry{}, Identity{}
	f.parser.SetCarry(lines.Carry{})
	f.begin(0)
}

// nextOfFamily goes on with the file that is next newer than the one that is done.
func (f *file) nextOfFamily(ctx context.Context) error {
	paths, err := family(f.path)
	if err != nil {
		return err
	}
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	next := f.path
	for i, path := range paths[:len(paths)-1] {
		if at, err := os.Stat(path); err == nil && os.SameFile(info, at) {
			next = paths[i+1]
		}
	}
	old := f.f
	if next == f.path {
		err = f.open(ctx)
	} else {
		f.f, err = os.Open(next)
	}
	if err != nil {
		f.f = old
		return err
	}
	f.report.Rotations++
	f.restart()
	// One that comes later begins with this file even if the old one is gone by then.
	return errors.Join(f.save(nil), old.Close())
}

// open opens the file at path. One that is followed may still have to be made.
func (f *file) open(ctx context.Context) error {
	for {
		opened, err := os.Open(f.path)
		if err == nil {
			f.f = opened
			return nil
		}
		if !f.o.Follow || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
}

// wait waits until it is time to look again.
func (f *file) wait(ctx context.Context) error {
	t := time.NewTimer(f.o.Poll)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
