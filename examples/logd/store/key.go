package store

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// The kinds of keys, each their first byte. Ids and numbers follow in 8 big-endian bytes, so that they sort.
const (
	keyBlock    = 'b' // and the first id: a sealed block
	keyFile     = 'f' // and its number: a block file
	keyLoss     = 'l' // and the first id: ids that Options.AcceptLoss has given up
	keyMark     = 'm' // and the producer: its mark
	keyNext     = 'n' // what must not go back
	keyUnsealed = 'u' // and the first id: a batch as it came
)

func numberKey(kind byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, n)
}

// errMalformed is for a key whose value means nothing, which Pebble's checksums have not noticed.
func errMalformed(it *pebble.Iterator) error {
	return fmt.Errorf("store: the value of the key %x is malformed", it.Key())
}

func markKey(p logwire.ProducerID) []byte { return append([]byte{keyMark}, p[:]...) }

// keyNumber returns the number of a key of this kind.
func keyNumber(kind byte, key []byte) (n uint64, ok bool) {
	if len(key) != 9 || key[0] != kind {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

// unsealed is the value of keyUnsealed:
//
//	0..7   when it was stored, nanoseconds since 1970
//	8..11  number of records
//	12..   each record: its length (4) and itself
type unsealed struct {
	time    int64
	count   int
	records []byte
}

const unsealedHead = 8 + 4

func putUnsealedHead(dst []byte, u unsealed) {
	binary.BigEndian.PutUint64(dst, uint64(u.time))
	binary.BigEndian.PutUint32(dst[8:], uint32(u.count))
}

// parseUnsealed returns a value whose records are part of b.
func parseUnsealed(b []byte) (u unsealed, ok bool) {
	if len(b) < unsealedHead {
		return u, false
	}
	u = unsealed{int64(binary.BigEndian.Uint64(b)), int(binary.BigEndian.Uint32(b[8:])), b[unsealedHead:]}
	return u, u.count > 0
}

// mark is the value of keyMark: epoch (8), sequence number (8), time in nanoseconds (8).
type mark struct {
	epoch, sequence uint64
	time            int64
}

func (m mark) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, m.epoch)
	dst = binary.BigEndian.AppendUint64(dst, m.sequence)
	return binary.BigEndian.AppendUint64(dst, uint64(m.time))
}

func parseMark(b []byte) (m mark, ok bool) {
	if len(b) != 24 {
		return m, false
	}
	return mark{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), int64(binary.BigEndian.Uint64(b[16:]))}, true
}

// formatVersion is the first byte of keyNext.
const formatVersion = 1

// next is the value of keyNext, behind formatVersion: numbers that only grow, as of the last commit that wrote them.
type next struct {
	// id is at most the next id, file at most the next file number, first the lowest id that is kept.
	id, file, first uint64
}

func (n next) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, formatVersion), n.id)
	dst = binary.BigEndian.AppendUint64(dst, n.file)
	return binary.BigEndian.AppendUint64(dst, n.first)
}

func parseNext(b []byte) (n next, ok bool) {
	if len(b) != 25 || b[0] != formatVersion {
		return n, false
	}
	return next{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:]), binary.BigEndian.Uint64(b[17:])}, true
}
