package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"
)

// files are the block files that have a key, in the order of their ids. The sealer alone changes them.
type files struct {
	mu   sync.Mutex
	list []blockFile // guarded by mu
}

// add puts the newest one at the end.
func (f *files) add(file blockFile) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, file)
}

// drop removes the n oldest.
func (f *files) drop(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = slices.Delete(f.list, 0, n)
}

// all returns a copy.
func (f *files) all() []blockFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

// sum returns the totals, and the number of days.
func (f *files) sum() (total blockFile, days int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := day(-1)
	for i := range f.list {
		total.blocks += f.list[i].blocks
		total.size += f.list[i].size
		total.raw += f.list[i].raw
		if f.list[i].day != last {
			days, last = days+1, f.list[i].day
		}
	}
	return total, days
}

func (s *Store) filePath(d day, number uint64) string { return s.path(d.String(), fileName(number)) }

// reconcile removes block files that have no key, which a crash has left, and tells of files that have a key and are not
// there or not whole. What it does not know it leaves alone.
func (s *Store) reconcile() error {
	known := map[string]bool{}
	for _, f := range s.files.all() {
		path := s.filePath(f.day, f.number)
		known[path] = true
		if info, err := s.fs.Stat(path); err != nil || info.Size() < f.size {
			s.log.Error("a block file is missing or short", zap.String("file", path), zap.Error(err),
				zap.Uint64("first_id", f.ids.First), zap.Uint64("last_id", f.ids.End-1))
		}
	}
	names, err := s.fs.List(s.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if d, ok := parseDay(name); ok {
			if err := s.reconcileDay(d, known); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) reconcileDay(d day, known map[string]bool) error {
	names, err := s.fs.List(s.path(d.String()))
	if err != nil {
		return err
	}
	kept := 0
	for _, name := range names {
		path := s.path(d.String(), name)
		if known[path] || !isFileName(name) {
			kept++
			continue
		}
		s.log.Info("removing what a crash has left", zap.String("file", path))
		if err := s.fs.Remove(path); err != nil {
			return err
		}
	}
	if kept == 0 {
		return s.fs.Remove(s.path(d.String()))
	}
	return nil
}

func isFileName(name string) bool {
	var number uint64
	hex, ok := strings.CutSuffix(name, ".blk")
	if !ok {
		return false
	}
	_, err := fmt.Sscanf(hex, "%016x", &number)
	return err == nil && fileName(number) == name
}
