package store

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// syncStride is after how many written bytes the kernel is asked to begin writing them to the disk, so that the sync at the end is
// short.
const syncStride = 1 << 20

// blockWriter writes one block file.
type blockWriter struct {
	fs      vfs.FS
	path    string
	file    vfs.File
	meta    blockFile
	keys    *pebble.Batch // the keys of its blocks; owned by the caller
	builder *block.Builder
	records int // at which a block is cut already, 0: when it is full
	buf     []byte
	view    logwire.View
}

// add takes the record with the next id.
func (w *blockWriter) add(record []byte) error {
	if !logwire.TrustRecord(record, &w.view) {
		return errors.New("an unsealed record is malformed")
	}
	if w.records > 0 && w.builder.Len() == w.records {
		if err := w.cut(); err != nil {
			return err
		}
	}
	if !w.builder.Add(record, &w.view) {
		if err := w.cut(); err != nil {
			return err
		}
		if !w.builder.Add(record, &w.view) {
			return errors.New("an unsealed record is over the limits")
		}
	}
	w.meta.ids.End++
	return nil
}

// cut writes the block that was built.
func (w *blockWriter) cut() error {
	var b blockAt
	w.buf, b.bloomLen, b.dataLen = w.builder.Finish(w.buf[:0])
	b.day, b.file, b.offset = w.meta.day, w.meta.number, uint64(w.meta.size)
	b.bloomSum, b.dataSum = block.Checksum(w.buf[:b.bloomLen]), block.Checksum(w.buf[b.bloomLen:])
	b.summary = w.builder.Summary(w.meta.ids.End - uint64(w.builder.Len()))
	if err := w.keys.Set(numberKey(keyBlock, b.summary.FirstID), b.append(nil), nil); err != nil {
		return err
	}
	w.meta.blocks++
	w.meta.size += b.size()
	w.meta.raw += int64(b.summary.RawLen)
	w.builder.Reset()
	_, err := w.file.Write(w.buf)
	return err
}

// finish makes the file durable. Its directory is not yet.
func (w *blockWriter) finish() error {
	if w.builder.Len() > 0 {
		if err := w.cut(); err != nil {
			return err
		}
	}
	err := w.file.Sync()
	err = errors.Join(err, w.file.Close())
	w.file = nil
	return err
}

// abandon removes the file.
func (w *blockWriter) abandon() error {
	var err error
	if w.file != nil {
		err = w.file.Close()
	}
	return errors.Join(err, w.fs.Remove(w.path))
}
