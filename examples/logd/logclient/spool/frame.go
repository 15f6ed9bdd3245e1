package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Key is what a batch is known by: the epoch in which it was made, which is that of the start of its process, and its
// number therein, both at least 1. What the collector is told is Identity.Head's affair.
type Key struct {
	Epoch, Sequence uint64
}

// Batch is a batch of records.
type Batch struct {
	// Key is its number. Batches are appended in the order of their keys.
	Key Key
	// Count is the number of records: 1 to logwire.MaxBatchRecords.
	Count int
	// Records are they, each with its length before it, as in a logwire batch.
	Records []byte
}

// Marker begins each frame of a segment.
type Marker [8]byte

// FrameHead is the length of what stands before the records of a frame.
const FrameHead = 8 + 4 + 4 + 8 + 8 + 8 + 4 + 4

const (
	headLength   = 8
	headCount    = 12
	headEpoch    = 16
	headSequence = 24
	headPosition = 32
	headRecords  = 40 // the checksum of the records
	headSum      = 44 // and of what is before it
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends the frame of a batch whose first record has this position.
func appendFrame(dst []byte, m Marker, position uint64, b Batch) []byte {
	from := len(dst)
	dst = append(dst, m[:]...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b.Records)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(b.Count))
	dst = binary.BigEndian.AppendUint64(dst, b.Key.Epoch)
	dst = binary.BigEndian.AppendUint64(dst, b.Key.Sequence)
	dst = binary.BigEndian.AppendUint64(dst, position)
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(b.Records, castagnoli))
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
	return append(dst, b.Records...)
}

// Frame is a batch that was read.
type Frame struct {
	Batch
	// End is the position behind its last record.
	End uint64
}

// head decodes the head of a frame. It reports false for anything that appendFrame has not made.
func head(b []byte, m Marker) (f Frame, length int, ok bool) {
	if len(b) < FrameHead || !bytes.Equal(b[:len(m)], m[:]) ||
		binary.BigEndian.Uint32(b[headSum:]) != crc32.Checksum(b[:headSum], castagnoli) {
		return f, 0, false
	}
	n, count := binary.BigEndian.Uint32(b[headLength:]), binary.BigEndian.Uint32(b[headCount:])
	f.Key = Key{binary.BigEndian.Uint64(b[headEpoch:]), binary.BigEndian.Uint64(b[headSequence:])}
	f.End = binary.BigEndian.Uint64(b[headPosition:]) + uint64(count)
	f.Count = int(count)
	return f, int(n), n <= logwire.MaxBatch && count >= 1 && count <= logwire.MaxBatchRecords &&
		f.Key.Epoch > 0 && f.Key.Sequence > 0 && f.End > uint64(count)-1
}

// find returns the first frame at or after offset whose head is right, without its records: its offset and their
// length. It looks for the marker where there is none.
func find(b []byte, m Marker, offset int) (f Frame, at, length int, ok bool) {
	for offset < len(b) {
		if f, n, ok := head(b[offset:], m); ok {
			return f, offset, n, true
		}
		skip := bytes.Index(b[offset+1:], m[:])
		if skip < 0 {
			break
		}
		offset += 1 + skip
	}
	return f, len(b), 0, false
}

// next returns the first whole frame at or after offset, and the offset behind it. Its records are part of b. Where there
// is none it reports false.
func next(b []byte, m Marker, offset int) (f Frame, end int, ok bool) {
	for {
		f, at, n, ok := find(b, m, offset)
		if !ok {
			return f, len(b), false
		}
		records := b[at+FrameHead:]
		if n > len(records) {
			offset = at + 1 // It was torn: another one may begin within what would be its records.
			continue
		}
		if crc32.Checksum(records[:n], castagnoli) == binary.BigEndian.Uint32(b[at+headRecords:]) {
			f.Records = records[:n:n]
			return f, at + FrameHead + n, true
		}
		offset = at + FrameHead + n
	}
}

// extent returns the position behind the last frame in b of which at least the head is right, and the highest
// epoch; zero without any. tail says that there is something behind it that is no frame.
func extent(b []byte, m Marker) (end, epoch uint64, tail bool) {
	offset := 0
	for {
		f, at, n, ok := find(b, m, offset)
		if !ok {
			return end, epoch, offset < len(b)
		}
		end, epoch = max(end, f.End), max(epoch, f.Key.Epoch)
		offset = at + FrameHead + n
		if offset > len(b) { // torn
			if _, next, _, ok := find(b, m, at+1); ok {
				offset = next
				continue
			}
			return end, epoch, false
		}
	}
}
