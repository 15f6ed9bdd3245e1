package store

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// maxPieces is how many blocks are looked up at once.
	maxPieces = 64
	// pieceBytes is how many unsealed bytes are copied at once, one batch more at most.
	pieceBytes = 1 << 20
)

// piece is a range of ids with the same place: a block, an unsealed batch, or a hole that nothing explains.
type piece struct {
	ids     Range
	block   *blockAt
	records []byte // of an unsealed batch; a copy
	hole    bool
}

// pieces returns the piece that the id at is in and some of those that follow in the direction, in that order.
//
// A batch may be sealed, and a block expire, between two calls: that changes where a record is, never its id, and each call looks
// at one state of the database. So a scan holds nothing in Pebble while it waits for its caller.
func (s *Store) pieces(at uint64, back bool) (found []piece, err error) {
	it, end, err := s.newIter()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	step, bytes := it.Next, 0
	if back {
		step = it.Prev
	}
	for _, kind := range []byte{keyBlock, keyUnsealed} {
		for ok := it.SeekLT(numberKey(kind, at+1)); ok && len(found) < maxPieces && bytes < pieceBytes; ok = step() {
			p, ok, err := pieceAt(it, kind)
			if err != nil {
				return nil, err
			}
			if !ok || len(found) == 0 && (at < p.ids.First || at >= p.ids.End) {
				break
			}
			if n := len(found); n > 0 && !adjacent(found[n-1].ids, p.ids, back) {
				break
			}
			found = append(found, p)
			bytes += len(p.records)
		}
		if len(found) > 0 || it.Error() != nil {
			return found, it.Error()
		}
	}
	hole, err := holeAt(it, at, back)
	return []piece{hole}, err
}

func adjacent(a, b Range, back bool) bool {
	if back {
		return b.End == a.First
	}
	return a.End == b.First
}

// pieceAt reads what the iterator is at; ok is false for a key of another kind.
func pieceAt(it *pebble.Iterator, kind byte) (p piece, ok bool, err error) {
	first, ok := keyNumber(kind, it.Key())
	if !ok {
		return p, false, nil
	}
	value, err := it.ValueAndErr()
	if err != nil {
		return p, false, err
	}
	if kind == keyBlock {
		b, ok := parseBlockAt(value)
		if !ok || b.summary.FirstID != first {
			return p, false, errMalformed(it)
		}
		return piece{ids: b.ids(), block: &b}, true, nil
	}
	u, ok := parseUnsealed(value)
	if !ok {
		return p, false, errMalformed(it)
	}
	return piece{ids: Range{first, first + uint64(u.count)}, records: slices.Clone(u.records)}, true, nil
}

// holeAt returns the ids around at, in the direction, that are in no piece.
func holeAt(it *pebble.Iterator, at uint64, back bool) (piece, error) {
	hole := piece{ids: Range{at, at + 1}, hole: true}
	if back {
		hole.ids.First = 0
	} else {
		hole.ids.End = ^uint64(0)
	}
	for _, kind := range []byte{keyBlock, keyUnsealed} {
		ok := false
		if back {
			ok = it.SeekLT(numberKey(kind, at))
		} else {
			ok = it.SeekGE(numberKey(kind, at))
		}
		if !ok {
			continue
		}
		p, ok, err := pieceAt(it, kind)
		if err != nil {
			return hole, err
		}
		if ok && back {
			hole.ids.First = max(hole.ids.First, p.ids.End)
		} else if ok {
			hole.ids.End = min(hole.ids.End, p.ids.First)
		}
	}
	return hole, it.Error()
}
