package store

import (
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"
)

// expire removes the oldest block files as long as their day has been over for Options.KeepAge, or the files take more than Options.KeepBytes.
// Files go from the oldest on, so that the ids that are kept have no gap: a file that is not due keeps all later ones.
func (s *Store) expire(now time.Time) error {
	list := s.files.all()
	total, _ := s.files.sum()
	size, n := total.size, 0
	for n < len(list) && (size > s.o.KeepBytes || now.Sub(list[n].day.end()) > s.o.KeepAge) {
		size -= list[n].size
		n++
	}
	if n == 0 {
		return nil
	}
	if err := s.forget(list[:n]); err != nil {
		return err
	}
	s.files.drop(n)
	return s.removeFiles(list[:n])
}

// forget removes the keys. First moves on before: a reader that finds records missing knows why.
func (s *Store) forget(expired []blockFile) error {
	first, end := expired[0].ids.First, expired[len(expired)-1].ids.End
	s.first.Store(end)
	batch := s.db.NewBatch()
	defer batch.Close()
	err := errors.Join(
		batch.DeleteRange(numberKey(keyBlock, first), numberKey(keyBlock, end), nil),
		batch.Set([]byte{keyNext}, next{s.head.Load(), s.sealer.file, end}.append(nil), nil),
	)
	var records int64
	for i := range expired {
		err = errors.Join(err, batch.Delete(numberKey(keyFile, expired[i].number), nil))
		records += int64(expired[i].ids.End - expired[i].ids.First)
	}
	if err != nil {
		return err
	}
	if err := s.commit(batch); err != nil {
		return err
	}
	s.counts.expired.Add(records)
	s.log.Info("records have expired", zap.Int64("records", records), zap.Uint64("first_id", end))
	return nil
}

// removeFiles removes the files, and directories that became empty. What fails is left for the next Open.
func (s *Store) removeFiles(list []blockFile) error {
	var errs error
	days := map[day]bool{}
	for i := range list {
		days[list[i].day] = true
		if err := s.fs.Remove(s.filePath(list[i].day, list[i].number)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = errors.Join(errs, fmt.Errorf("store: expired: %w", err))
		}
	}
	for d := range days {
		names, err := s.fs.List(s.path(d.String()))
		if err == nil && len(names) == 0 {
			err = s.fs.Remove(s.path(d.String()))
			s.sealer.dirSet = s.sealer.dirSet && s.sealer.dir != d
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = errors.Join(errs, fmt.Errorf("store: expired: %w", err))
		}
	}
	return errs
}
