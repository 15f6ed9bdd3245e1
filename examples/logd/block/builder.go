package block

import (
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/token"
)

// maxNames is how many names of services a Builder remembers from block to block.
const maxNames = 4 * MaxServices

// Builder makes blocks, one after the other. It keeps its memory for the next one: a few MiB. It is
// for one goroutine at a time.
type Builder struct {
	encoder *zstd.Encoder
	raw     []byte
	count   int
	minTime int64
	maxTime int64
	levels  uint8

	hashes hashSet
	words  []uint64
	text   []byte

	// names has all services of late, so that a name is made to a string once.
	names    map[string]string
	services []string
	many     bool // more than MaxServices
	service  string
	host     []byte
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(MaxRaw), zstd.WithSingleSegment(true))
	if err != nil { // Only options can fail, and these are fixed.
		panic(err)
	}
	b := &Builder{encoder: encoder, names: make(map[string]string)}
	b.Reset()
	return b
}

// Reset empties the Builder for the next block.
func (b *Builder) Reset() {
	b.raw, b.count, b.levels = b.raw[:0], 0, 0
	b.hashes.reset()
	b.services, b.many, b.service, b.host = b.services[:0], false, "", b.host[:0]
	if len(b.names) > maxNames {
		clear(b.names)
	}
}

// Len returns the number of records.
func (b *Builder) Len() int { return b.count }

// RawSize returns the length of the records, each with its length.
func (b *Builder) RawSize() int { return len(b.raw) }

// Add adds an encoded record, of which v is the view; it keeps neither. It returns false, and adds nothing, if the
// block has MaxRecords records or would be over MaxRaw: a record within logwire's limits always fits into an empty one.
func (b *Builder) Add(record []byte, v *logwire.View) bool {
	if b.count == MaxRecords || len(b.raw)+logwire.RecordPrefix+len(record) > MaxRaw {
		return false
	}
	b.raw = binary.BigEndian.AppendUint32(b.raw, uint32(len(record)))
	b.raw = append(b.raw, record...)
	if b.count == 0 {
		b.minTime, b.maxTime = v.Time, v.Time
	}
	b.minTime, b.maxTime = min(b.minTime, v.Time), max(b.maxTime, v.Time)
	b.levels |= 1 << v.Level
	b.addService(v.Service)
	b.addHost(v.Host)
	b.count++

	b.text, b.words = append(b.text[:0], v.Message...), b.words[:0]
	for f := range v.Fields() {
		b.words = append(b.words, token.Key(f.Key), token.Field(f.Key, f.Value))
		b.text = append(append(b.text, ' '), f.Value...)
	}
	b.words = token.Append(b.words, b.text)
	b.hashes.addAll(b.words)
	return true
}

func (b *Builder) addService(name []byte) {
	if string(name) == b.service {
		return
	}
	b.hashes.add(token.Service(name))
	known, ok := b.names[string(name)]
	if !ok {
		known = string(name)
		b.names[known] = known
	}
	b.service = known
	if b.many || slices.Contains(b.services, known) {
		return
	}
	if b.many = len(b.services) == MaxServices; !b.many {
		b.services = insert(b.services, known)
	}
}

func (b *Builder) addHost(name []byte) {
	if b.count > 0 && string(name) == string(b.host) {
		return
	}
	b.host = append(b.host[:0], name...)
	b.hashes.add(token.Host(name))
}

// Summary returns the summary of the records, of which there is at least one. Its Services are valid until Reset.
func (b *Builder) Summary(firstID uint64) Summary {
	s := Summary{
		FirstID: firstID, Count: b.count, MinTime: b.minTime, MaxTime: b.maxTime,
		Levels: b.levels, RawLen: len(b.raw), Services: b.services,
	}
	if b.many {
		s.Services = nil
	}
	return s
}

// Finish appends the block, of which there is at least one record: the Bloom filter and the compressed records, and
// returns their lengths. The Builder is as before; Reset makes it ready for the next block.
func (b *Builder) Finish(dst []byte) (out []byte, bloomLen, dataLen int) {
	begin := len(dst)
	dst = appendBloom(dst, b.hashes.hashes)
	bloomLen = len(dst) - begin
	dst = b.encoder.EncodeAll(b.raw, dst)
	return dst, bloomLen, len(dst) - begin - bloomLen
}
