package store

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// state is what the keys of a database say.
type state struct {
	found    bool // whether there is a keyNext: the store has been open before
	next     next // with the ids and numbers of the other keys taken into account
	marks    map[logwire.ProducerID]mark
	held     []Range // the ids that are there, in order, neighbours merged
	given    []Range // the ids that were given up before
	files    []blockFile
	sealed   uint64 // the id behind the last block
	unsealed struct{ records, bytes int64 }
}

func newState() *state {
	return &state{next: next{id: 1, file: 1, first: 1}, marks: map[logwire.ProducerID]mark{}}
}

// load reads all keys.
func (st *state) load(db *pebble.DB) (err error) {
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	defer func() {
		if e := it.Close(); err == nil {
			err = e
		}
	}()
	empty := true
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := st.add(it.Key(), value); err != nil {
			return err
		}
		empty = false
	}
	if !empty && !st.found {
		return fmt.Errorf("%w: no key %q", ErrFormat, keyNext)
	}
	return nil
}

func (st *state) add(key, value []byte) error {
	ok := false
	switch number := uint64(0); key[0] {
	case keyMark:
		var m mark
		if m, ok = parseMark(value); ok && len(key) == 1+16 {
			st.marks[logwire.ProducerID(key[1:])] = m
		}
	case keyNext:
		var n next
		if n, ok = parseNext(value); ok {
			st.found = true
			st.next = next{max(st.next.id, n.id), max(st.next.file, n.file), n.first}
		}
	case keyLoss:
		if number, ok = keyNumber(keyLoss, key); ok && len(value) == 8 {
			st.given = append(st.given, Range{number, binary.BigEndian.Uint64(value)})
		}
	case keyFile:
		var f blockFile
		if number, ok = keyNumber(keyFile, key); ok {
			f, ok = parseBlockFile(number, value)
			st.files = append(st.files, f)
			st.next.file = max(st.next.file, number+1)
		}
	case keyBlock:
		var b blockAt
		if b, ok = parseBlockAt(value); ok {
			st.hold(b.ids())
			st.sealed = b.ids().End
		}
	case keyUnsealed:
		var u unsealed
		if number, ok = keyNumber(keyUnsealed, key); ok {
			if u, ok = parseUnsealed(value); ok {
				st.hold(Range{number, number + uint64(u.count)})
				st.unsealed.records += int64(u.count)
				st.unsealed.bytes += int64(len(u.records))
			}
		}
	}
	if !ok {
		return fmt.Errorf("%w: key %x", ErrFormat, key)
	}
	return nil
}

// hold notes ids. Blocks come before unsealed batches, each in the order of their ids; nothing is in both.
func (st *state) hold(r Range) {
	if n := len(st.held); n > 0 && st.held[n-1].End == r.First {
		st.held[n-1].End = r.End
	} else {
		st.held = append(st.held, r)
	}
	st.next.id = max(st.next.id, r.End)
}

// missing returns the ids from the first that is kept up to the last that was acknowledged, for all anybody knows, which
// are neither there nor given up before. Ids never have gaps: where there is one, something was lost.
func (st *state) missing(acknowledged uint64) []Range {
	var missing []Range
	at, given := st.next.first, st.given
	gap := func(end uint64) {
		for _, r := range given {
			if r.First <= at && at < r.End {
				at = r.End
			}
		}
		if at < end {
			missing = append(missing, Range{at, end})
			at = end
		}
	}
	for _, r := range st.held {
		gap(r.First)
		at = max(at, r.End)
	}
	gap(max(st.next.id, acknowledged))
	return missing
}
