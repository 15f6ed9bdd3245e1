package store

import (
	"fmt"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"github.com/serialkit/serialkit/examples/logd/block"
)

// blockReader reads blocks, one after the other. It keeps the last file open.
type blockReader struct {
	store  *Store
	file   vfs.File
	number uint64
	buf    []byte // what was read
	raw    []byte // what was decoded
}

func (r *blockReader) close() {
	if r.file != nil {
		r.file.Close() // It was only read.
		r.file = nil
	}
}

// bloom returns the block's filter, valid until the next call.
func (r *blockReader) bloom(b *blockAt) (block.Bloom, error) {
	err := r.read(b, 0, b.bloomLen, b.bloomSum)
	return r.buf, err
}

// records returns the block's records in batch form, valid until the next call.
func (r *blockReader) records(b *blockAt) ([]byte, error) {
	if err := r.read(b, b.bloomLen, b.dataLen, b.dataSum); err != nil {
		return nil, err
	}
	var err error
	r.raw, err = block.Decode(r.buf, b.summary.RawLen, r.raw[:0])
	return r.raw, err
}

// read fills buf with n checked bytes of the block.
func (r *blockReader) read(b *blockAt, at, n int, sum uint32) error {
	if r.file == nil || r.number != b.file {
		r.close()
		file, err := r.store.fs.Open(r.store.filePath(b.day, b.file))
		if err != nil {
			return err
		}
		r.file, r.number = file, b.file
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	r.buf = r.buf[:n]
	if got, err := r.file.ReadAt(r.buf, int64(b.offset)+int64(at)); got < n {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("store: block at %d in %s: %w", b.offset, fileName(b.file), err)
	}
	if block.Checksum(r.buf) != sum {
		return fmt.Errorf("store: block at %d in %s: wrong checksum", b.offset, fileName(b.file))
	}
	return nil
}

// damage remembers the blocks that could not be read, so that each is told of once.
type damage struct {
	mu    sync.Mutex
	known map[uint64]bool // by the first id; guarded by mu
}

// damaged tells of a block that cannot be read, unless it has expired meanwhile: then it reports false.
func (s *Store) damaged(b *blockAt, err error) bool {
	if b.ids().End <= s.first.Load() {
		return false
	}
	s.damage.mu.Lock()
	defer s.damage.mu.Unlock()
	if !s.damage.known[b.summary.FirstID] {
		s.damage.known[b.summary.FirstID] = true
		s.counts.corrupt.Add(1)
		s.log.Error("a block is damaged", zap.Error(err), zap.String("file", s.filePath(b.day, b.file)),
			zap.Uint64("first_id", b.ids().First), zap.Uint64("last_id", b.ids().End-1))
	}
	return true
}
