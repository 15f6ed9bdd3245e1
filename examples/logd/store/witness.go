package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
)

// witnessName is a file beside Pebble's directory that says up to which id records were acknowledged: magic (8), head
// (8), CRC-32C of both (4).
//
// Pebble takes a damaged end of its log for writes that a crash has interrupted, and drops it silently, as it has to. The
// witness tells one from the other: it is written after each sync, and before what was synced is acknowledged, but not
// synced itself, except by sealing and Close. After the process was killed it is exact; after a power cut it is
// older at most, since what it says was durable before.
const witnessName = "HEAD"

const (
	witnessMagic = 0x6c6f67642d686431 // "logd-hd1"
	witnessSize  = 8 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// witness writes the file. One goroutine at a time uses it, except for sync.
type witness struct {
	file vfs.File
	buf  [witnessSize]byte
}

// readWitness returns the head, or 0 where there is none: the file is missing, or a power cut has left no good one.
func readWitness(fs vfs.FS, path string, log *zap.Logger) (uint64, error) {
	f, err := fs.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var b [witnessSize]byte
	if _, err := f.ReadAt(b[:], 0); err != nil && err != io.EOF {
		return 0, err
	}
	if binary.BigEndian.Uint64(b[:]) != witnessMagic || binary.BigEndian.Uint32(b[16:]) != crc32.Checksum(b[:16], castagnoli) {
		log.Warn("the file with the last acknowledged id is damaged: a loss at the end would not be noticed", zap.String("file", path))
		return 0, nil
	}
	return binary.BigEndian.Uint64(b[8:]), nil
}

func openWitness(fs vfs.FS, path string, head uint64) (*witness, error) {
	f, err := fs.OpenReadWrite(path, writeCategory)
	if err != nil {
		return nil, err
	}
	w := &witness{file: f}
	if err := errors.Join(w.write(head), w.file.Sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

func (w *witness) write(head uint64) error {
	b := w.buf[:0]
	b = binary.BigEndian.AppendUint64(b, witnessMagic)
	b = binary.BigEndian.AppendUint64(b, head)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	_, err := w.file.WriteAt(b, 0)
	return err
}

func (w *witness) close() error { return errors.Join(w.file.Sync(), w.file.Close()) }
