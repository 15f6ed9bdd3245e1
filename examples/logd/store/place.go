package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/serialkit/serialkit/examples/logd/block"
)

// day is a UTC day, counted from 1970-01-01; none is before that.
type day int32

func dayOf(nanoseconds int64) day {
	return day(nanoseconds / int64(24*time.Hour))
}

// end returns the instant at which the day is over.
func (d day) end() time.Time { return time.Unix((int64(d)+1)*24*60*60, 0) }

// String returns the name of the day's directory, such as "2026-03-14".
func (d day) String() string { return time.Unix(int64(d)*24*60*60, 0).UTC().Format(time.DateOnly) }

// parseDay is the reverse of String.
func parseDay(name string) (day, bool) {
	t, err := time.Parse(time.DateOnly, name)
	d := day(t.Unix() / (24 * 60 * 60))
	return d, err == nil && d.String() == name
}

// fileName is the name of a block file in its day's directory.
func fileName(number uint64) string { return fmt.Sprintf("%016x.blk", number) }

// blockAt is the value of keyBlock: the day (4) and the number (8) of the file, the offset in it (8), the lengths of the filter (4)
// and the records (4), the CRC-32C of both (4, 4), and the block's summary.
type blockAt struct {
	day               day
	file, offset      uint64
	bloomLen, dataLen int
	bloomSum, dataSum uint32
	summary           block.Summary
}

const blockAtHead = 4 + 8 + 8 + 4 + 4 + 4 + 4

func (b *blockAt) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(b.day))
	dst = binary.BigEndian.AppendUint64(dst, b.file)
	dst = binary.BigEndian.AppendUint64(dst, b.offset)
	dst = binary.BigEndian.AppendUint32(dst, uint32(b.bloomLen))
	dst = binary.BigEndian.AppendUint32(dst, uint32(b.dataLen))
	dst = binary.BigEndian.AppendUint32(dst, b.bloomSum)
	dst = binary.BigEndian.AppendUint32(dst, b.dataSum)
	return b.summary.AppendTo(dst)
}

// parseBlockAt returns a value that shares nothing with v.
func parseBlockAt(v []byte) (b blockAt, ok bool) {
	if len(v) < blockAtHead {
		return b, false
	}
	u32 := func(at int) uint32 { return binary.BigEndian.Uint32(v[at:]) }
	b = blockAt{
		day: day(u32(0)), file: binary.BigEndian.Uint64(v[4:]), offset: binary.BigEndian.Uint64(v[12:]),
		bloomLen: int(u32(20)), dataLen: int(u32(24)), bloomSum: u32(28), dataSum: u32(32),
	}
	var err error
	b.summary, err = block.ParseSummary(v[blockAtHead:])
	return b, err == nil
}

// ids returns the ids of the block's records.
func (b *blockAt) ids() Range {
	return Range{b.summary.FirstID, b.summary.FirstID + uint64(b.summary.Count)}
}

// size returns the bytes it takes on disk.
func (b *blockAt) size() int64 { return int64(b.bloomLen) + int64(b.dataLen) }

// blockFile is the value of keyFile: day (4), number of blocks (4), size (8), raw size of the records (8), first id (8), and the id behind
// the last (8).
type blockFile struct {
	number uint64 // from the key
	day    day
	blocks int
	size   int64
	raw    int64
	ids    Range
}

func (f *blockFile) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(f.day))
	dst = binary.BigEndian.AppendUint32(dst, uint32(f.blocks))
	dst = binary.BigEndian.AppendUint64(dst, uint64(f.size))
	dst = binary.BigEndian.AppendUint64(dst, uint64(f.raw))
	dst = binary.BigEndian.AppendUint64(dst, f.ids.First)
	return binary.BigEndian.AppendUint64(dst, f.ids.End)
}

func parseBlockFile(number uint64, v []byte) (f blockFile, ok bool) {
	if len(v) != 40 {
		return f, false
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(v[at:]) }
	f = blockFile{
		number: number, day: day(binary.BigEndian.Uint32(v)), blocks: int(binary.BigEndian.Uint32(v[4:])),
		size: int64(u64(8)), raw: int64(u64(16)), ids: Range{u64(24), u64(32)},
	}
	return f, f.ids.First < f.ids.End
}
