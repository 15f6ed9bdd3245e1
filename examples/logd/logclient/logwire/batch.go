package logwire

import (
	"encoding/binary"
	"encoding/hex"
)

// ProducerID names a producer: 16 random bytes, chosen once and kept with its spool.
type ProducerID [16]byte

// String returns the id in hexadecimal digits.
func (p ProducerID) String() string { return hex.EncodeToString(p[:]) }

// BatchHead is what stands before the records of a batch.
//
//	 0       Version
//	 1..16   producer
//	17..24   epoch
//	25..32   sequence number
//	33..36   number of records
//	37..     each record: its length (4) and itself
//
// The batches of a producer's epoch are numbered 1, 2, 3, ... A collector stores batch n+1 after batch n
// and acknowledges a batch that it already has without storing it again. With a higher epoch it begins at 1 again,
// and refuses lower ones from then on.
type BatchHead struct {
	// Producer is who sends it.
	Producer ProducerID
	// Epoch is at least 1.
	Epoch uint64
	// Sequence is at least 1.
	Sequence uint64
	// Count is the number of records: 1 to MaxBatchRecords.
	Count int
}

// BatchHeadSize is the length of an encoded BatchHead with its version.
const BatchHeadSize = 1 + 16 + 8 + 8 + 4

// RecordPrefix is the length of the number that stands before each record of a batch.
const RecordPrefix = 4

// AppendBatchHead appends the version and the head. The records follow, each by AppendBatchRecord.
func AppendBatchHead(dst []byte, h BatchHead) []byte {
	dst = append(dst, Version)
	dst = append(dst, h.Producer[:]...)
	dst = binary.BigEndian.AppendUint64(dst, h.Epoch)
	dst = binary.BigEndian.AppendUint64(dst, h.Sequence)
	return binary.BigEndian.AppendUint32(dst, uint32(h.Count))
}

// AppendBatchRecord appends a record and the length before it.
func AppendBatchRecord(dst []byte, r *Record) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(r.Size()))
	return AppendRecord(dst, r)
}

// ParseBatchHead decodes the head and returns the records behind it, unread. The error is a *FieldError.
func ParseBatchHead(b []byte) (h BatchHead, records []byte, err error) {
	switch {
	case len(b) < BatchHeadSize:
		return h, nil, fail(ErrMalformed, "batch", "%d bytes", len(b))
	case len(b) > MaxBatch:
		return h, nil, tooLarge("batch", len(b), MaxBatch)
	case b[0] != Version:
		return h, nil, fail(ErrMalformed, "version", "%d", b[0])
	}
	h.Producer = ProducerID(b[1:17])
	h.Epoch = binary.BigEndian.Uint64(b[17:])
	h.Sequence = binary.BigEndian.Uint64(b[25:])
	count := binary.BigEndian.Uint32(b[33:])
	switch {
	case h.Epoch == 0:
		return h, nil, fail(ErrMalformed, "epoch", "0")
	case h.Sequence == 0:
		return h, nil, fail(ErrMalformed, "sequence", "0")
	case count == 0:
		return h, nil, fail(ErrMalformed, "count", "0")
	case count > MaxBatchRecords:
		return h, nil, tooLarge("count", int(count), MaxBatchRecords)
	}
	h.Count = int(count)
	return h, b[BatchHeadSize:], nil
}

// NextRecord splits the first record off records. It looks at the length alone; ok is false at the end, and where
// the length is wrong: then rest is not empty.
func NextRecord(records []byte) (record, rest []byte, ok bool) {
	if len(records) < RecordPrefix {
		return nil, records, false
	}
	n := binary.BigEndian.Uint32(records)
	if uint64(n) > uint64(len(records)-RecordPrefix) {
		return nil, records, false
	}
	return records[RecordPrefix : RecordPrefix+n], records[RecordPrefix+n:], true
}

// CheckRecords decodes count records and calls check, if it is not nil, for each. The error is a *FieldError, or
// check's, with the record's index filled in.
func CheckRecords(records []byte, count int, check func(v *View) error) error {
	var v View
	for i := range count {
		record, rest, ok := NextRecord(records)
		if !ok {
			return at(fail(ErrMalformed, "length", "the batch ends too early"), i)
		}
		if err := ParseRecord(record, &v); err != nil {
			return at(err, i)
		}
		if check != nil {
			if err := check(&v); err != nil {
				return at(err, i)
			}
		}
		records = rest
	}
	if len(records) > 0 {
		return fail(ErrMalformed, "batch", "%d bytes too many", len(records))
	}
	return nil
}

func at(err error, record int) error {
	if e, ok := err.(*FieldError); ok {
		e.Record = record
	}
	return err
}
