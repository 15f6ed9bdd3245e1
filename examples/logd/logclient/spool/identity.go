package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Identity is who a producer is, and how it numbers its batches for the collector. The collector stores the batches of an
// epoch in the order of their numbers 1, 2, 3, ..., refuses one that leaves a number out, and refuses lower epochs
// than the highest it has seen.
//
// A batch is appended to the spool with the Key that it got when it was made, and usually that is what the collector is told. After
// a gap, which the loss of a batch leaves, what is left is told with higher epochs instead, see Renumber. As the
// Identity is on disk before the collector is told anything by it, a batch that was sent before a crash is sent with the same
// numbers after it, and stored once.
type Identity struct {
	// Producer is the producer's id.
	Producer logwire.ProducerID
	// Epoch is that of the keys of new batches. Each start has a higher one, which no other start of a copy of the directory has, since
	// it is higher by a random number of 32 bits.
	Epoch uint64
	// Shift is what is added to the epoch of a Key.
	Shift uint64
	// Base is the key of the batch that is number 1 of its epoch; those of other epochs have their own number.
	Base Key
	// Acked is a position before which everything was acknowledged, or given up. It is behind the truth
	// within an epoch, and exact before the first batch of another is sent.
	Acked uint64

	generation uint64 // counts its writes
}

// Head returns the head of the batch with this key, as the collector is told it, but for the number of records.
func (i *Identity) Head(k Key) logwire.BatchHead {
	h := logwire.BatchHead{Producer: i.Producer, Epoch: k.Epoch + i.Shift, Sequence: k.Sequence}
	if k.Epoch == i.Base.Epoch {
		h.Sequence -= i.Base.Sequence - 1
	}
	return h
}

// Renumber makes the batch with the key k number 1 of an epoch that is higher than all before, and gives all
// epochs behind it new ones too. No batch from k on may have been stored.
func (i *Identity) Renumber(k Key) {
	i.Shift += i.Epoch - k.Epoch + 1
	i.Base = k
}

const (
	identityMagic = "logdspl1"
	identitySize  = 8 + 16 + 6*8 + 4
)

func (i *Identity) encode() []byte {
	b := append([]byte(identityMagic), i.Producer[:]...)
	for _, n := range [...]uint64{i.Epoch, i.Shift, i.Base.Epoch, i.Base.Sequence, i.Acked, i.generation} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeIdentity(b []byte) (i Identity, ok bool) {
	if len(b) != identitySize || !bytes.HasPrefix(b, []byte(identityMagic)) {
		return i, false
	}
	if body := b[:identitySize-4]; binary.BigEndian.Uint32(b[identitySize-4:]) != crc32.Checksum(body, castagnoli) {
		return i, false
	}
	number := func(n int) uint64 { return binary.BigEndian.Uint64(b[24+8*n:]) }
	return Identity{
		Producer: logwire.ProducerID(b[8:24]), Epoch: number(0), Shift: number(1),
		Base: Key{number(2), number(3)}, Acked: number(4), generation: number(5),
	}, true
}

// NewIdentity returns the identity of a producer that nobody has heard of, in its first epoch. It is for
// producers without a spool.
func NewIdentity() Identity {
	i := Identity{Epoch: 1}
	random(i.Producer[:])
	return i
}
