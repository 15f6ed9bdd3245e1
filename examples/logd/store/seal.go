package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// maxFile is how many bytes of records, before compression, a block file takes: 64 MiB. The batch that goes over it
// is still in the file.
const maxFile = 64 << 20

// sealer turns unsealed batches into block files. The upkeep goroutine alone uses it.
type sealer struct {
	next    uint64 // the first unsealed id
	file    uint64 // the number of the next file
	dir     day    // a day whose directory is known to be durable
	dirSet  bool
	builder *block.Builder
	given   []Range // ids that were given up; never changes after Open
}

// skip returns the first id from id on that was not given up.
func (s *sealer) skip(id uint64) uint64 {
	for moved := true; moved; {
		moved = false
		for _, r := range s.given {
			if r.First <= id && id < r.End {
				id, moved = r.End, true
			}
		}
	}
	return id
}

// Seal seals everything that is unsealed now.
func (s *Store) Seal(ctx context.Context) error {
	return s.ask(ctx, func() error {
		for end := s.head.Load(); s.sealer.next < end; {
			if err := s.sealFile(end); err != nil {
				return err
			}
		}
		return nil
	})
}

// sealFile seals unsealed batches below end: those of one day, and no more than fit into a file.
func (s *Store) sealFile(end uint64) error {
	keys := s.db.NewBatch()
	defer keys.Close()
	w, batches, err := s.writeBlocks(keys, end)
	if err != nil {
		err = fmt.Errorf("store: sealing: %w", err)
		if w != nil {
			err = errors.Join(err, w.abandon())
		}
		return err
	}
	if err := s.commitBlocks(keys, &w.meta); err != nil {
		return err
	}
	s.files.add(w.meta)
	s.sealer.next, s.sealer.file = s.sealer.skip(w.meta.ids.End), w.meta.number+1
	s.unsealed.add(-int64(w.meta.ids.End-w.meta.ids.First), -batches)
	return nil
}

// writeBlocks writes a file, durable with its directory, and returns the size of the batches that are in it. With an error the writer
// is returned if there is a file to be removed.
func (s *Store) writeBlocks(keys *pebble.Batch, end uint64) (w *blockWriter, size int64, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: numberKey(keyUnsealed, s.sealer.next), UpperBound: numberKey(keyUnsealed, end)})
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok && size < maxFile; ok = it.Next() {
		u, err := s.unsealedAt(it, w)
		if err != nil {
			return w, 0, err
		}
		if w == nil {
			if w, err = s.createBlocks(keys, dayOf(u.time)); err != nil {
				return nil, 0, err
			}
		} else if w.meta.day != dayOf(u.time) || w.meta.ids.End != s.sealer.skip(w.meta.ids.End) {
			break
		}
		if err := w.addBatch(u); err != nil {
			return w, 0, err
		}
		size += int64(len(u.records))
		if s.stopping.Err() != nil {
			return w, 0, ErrClosed
		}
	}
	if w == nil {
		return nil, 0, errors.Join(it.Error(), fmt.Errorf("the batch with the id %d is not there", s.sealer.next))
	}
	return w, size, errors.Join(it.Error(), w.finish(), s.syncDay(w.meta.day))
}

// unsealedAt reads the batch that the iterator is at, which is the one that follows.
func (s *Store) unsealedAt(it *pebble.Iterator, w *blockWriter) (unsealed, error) {
	value, err := it.ValueAndErr()
	if err != nil {
		return unsealed{}, err
	}
	want := s.sealer.next
	if w != nil {
		want = s.sealer.skip(w.meta.ids.End)
	}
	u, ok := parseUnsealed(value)
	if id, isKey := keyNumber(keyUnsealed, it.Key()); !ok || !isKey || id != want {
		return unsealed{}, fmt.Errorf("the batch with the id %d is not there, or malformed", want)
	}
	return u, nil
}

func (w *blockWriter) addBatch(u unsealed) error {
	record, rest, ok := logwire.NextRecord(u.records)
	for ; ok; record, rest, ok = logwire.NextRecord(rest) {
		if err := w.add(record); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) createBlocks(keys *pebble.Batch, d day) (*blockWriter, error) {
	if err := s.fs.MkdirAll(s.path(d.String()), dirMode); err != nil {
		return nil, err
	}
	path := s.filePath(d, s.sealer.file)
	file, err := s.fs.Create(path, writeCategory)
	if err != nil {
		return nil, err
	}
	if s.sealer.builder == nil {
		s.sealer.builder = block.NewBuilder()
	}
	s.sealer.builder.Reset()
	return &blockWriter{
		fs: s.fs, path: path, file: vfs.NewSyncingFile(file, vfs.SyncingFileOptions{BytesPerSync: syncStride, NoSyncOnClose: true}),
		meta: blockFile{number: s.sealer.file, day: d, ids: Range{s.sealer.next, s.sealer.next}},
		keys: keys, builder: s.sealer.builder, records: s.o.hooks.blockRecords,
	}, nil
}

// syncDay makes the directory of a day durable, and what is in it.
func (s *Store) syncDay(d day) error {
	if err := syncDir(s.fs, s.path(d.String())); err != nil {
		return err
	}
	if s.sealer.dirSet && s.sealer.dir == d {
		return nil
	}
	if err := syncDir(s.fs, s.dir); err != nil {
		return err
	}
	s.sealer.dir, s.sealer.dirSet = d, true
	return nil
}

func syncDir(fs vfs.FS, path string) error {
	dir, err := fs.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// commitBlocks makes the file part of the store, in place of the unsealed batches.
func (s *Store) commitBlocks(keys *pebble.Batch, f *blockFile) error {
	err := errors.Join(
		keys.Set(numberKey(keyFile, f.number), f.append(nil), nil),
		keys.DeleteRange(numberKey(keyUnsealed, f.ids.First), numberKey(keyUnsealed, f.ids.End), nil),
	)
	if err != nil {
		return err
	}
	return s.commit(keys)
}

// commit is for the few commits beside the committer's. Any error makes the store fail.
func (s *Store) commit(b *pebble.Batch) error {
	if err := errors.Join(b.Commit(pebble.Sync), s.witness.file.Sync()); err != nil {
		s.fail(err)
	}
	return s.failed()
}
