package block

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// format is the first byte of a Summary. It stands for all of a block: its filter, the hashes in it, and its records.
const format = 1

// unknownServices stands in place of the number of services when there are more than MaxServices.
const unknownServices = 0xFF

// Summary is what is known of a block without reading it.
//
//	 0      format, 1
//	 1..8   id of the first record
//	 9..12  number of records
//	13..20  earliest time of a record, nanoseconds since 1970 (signed)
//	21..28  latest time
//	29      levels: bit 1<<level for each
//	30..33  length of the records before they were compressed
//	34      number of services, or 255 for more than MaxServices
//	35..    each service: its length (1) and itself, in ascending order
type Summary struct {
	// FirstID is the id of the first record; those of the others follow it. It is at least 1.
	FirstID uint64
	// Count is the number of records: 1 to MaxRecords.
	Count int
	// MinTime and MaxTime are the earliest and the latest time of a record, in nanoseconds since 1970.
	MinTime, MaxTime int64
	// Levels has the bit 1<<level for each level that occurs.
	Levels uint8
	// RawLen is the length of the records before they were compressed, each with its length: at most MaxRaw.
	RawLen int
	// Services are the services that occur, in ascending order; nil: more than MaxServices, unknown.
	Services []string
}

const summaryHead = 1 + 8 + 4 + 8 + 8 + 1 + 4 + 1

// AppendTo appends the encoded summary, of at most 4,163 bytes.
func (s *Summary) AppendTo(dst []byte) []byte {
	dst = append(dst, format)
	dst = binary.BigEndian.AppendUint64(dst, s.FirstID)
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.Count))
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.MinTime))
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.MaxTime))
	dst = append(dst, s.Levels)
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.RawLen))
	if s.Services == nil {
		return append(dst, unknownServices)
	}
	dst = append(dst, byte(len(s.Services)))
	for _, name := range s.Services {
		dst = append(dst, byte(len(name)))
		dst = append(dst, name...)
	}
	return dst
}

// ParseSummary decodes a summary, which shares nothing with b. It accepts what AppendTo makes of what a Builder
// returns, and nothing else; the error is ErrCorrupt.
func ParseSummary(b []byte) (Summary, error) {
	if len(b) < summaryHead {
		return Summary{}, corrupt("summary of %d bytes", len(b))
	}
	if b[0] != format {
		return Summary{}, corrupt("summary: format %d", b[0])
	}
	s := Summary{
		FirstID: binary.BigEndian.Uint64(b[1:]), Count: int(binary.BigEndian.Uint32(b[9:])),
		MinTime: int64(binary.BigEndian.Uint64(b[13:])), MaxTime: int64(binary.BigEndian.Uint64(b[21:])),
		Levels: b[29], RawLen: int(binary.BigEndian.Uint32(b[30:])),
	}
	if err := s.check(); err != nil {
		return Summary{}, err
	}
	services, err := parseServices(b[34], b[summaryHead:], s.Count)
	if err != nil {
		return Summary{}, err
	}
	s.Services = services
	return s, nil
}

const allLevels = 1<<(logwire.Fatal+1) - 1<<logwire.Trace

func (s *Summary) check() error {
	switch {
	case s.Count < 1 || s.Count > MaxRecords:
		return corrupt("summary: %d records", s.Count)
	case s.FirstID < 1 || s.FirstID+uint64(s.Count) < s.FirstID:
		return corrupt("summary: first id %d", s.FirstID)
	case s.MinTime > s.MaxTime:
		return corrupt("summary: times %d to %d", s.MinTime, s.MaxTime)
	case s.Levels == 0 || s.Levels&^allLevels != 0:
		return corrupt("summary: levels %#x", s.Levels)
	case s.RawLen < minRecord*s.Count || s.RawLen > MaxRaw:
		return corrupt("summary: %d records in %d bytes", s.Count, s.RawLen)
	}
	return nil
}

func parseServices(n byte, b []byte, records int) ([]string, error) {
	if n == unknownServices {
		if len(b) > 0 || records <= MaxServices {
			return nil, corrupt("summary: %d records, %d bytes of unknown services", records, len(b))
		}
		return nil, nil
	}
	if n == 0 || n > MaxServices || int(n) > records {
		return nil, corrupt("summary: %d services of %d records", n, records)
	}
	names := make([]string, n)
	for i := range names {
		if len(b) == 0 || len(b)-1 < int(b[0]) {
			return nil, corrupt("summary: service %d ends too early", i)
		}
		name := b[1 : 1+b[0]]
		b = b[1+len(name):]
		if len(name) == 0 || len(name) > logwire.MaxService || !utf8.Valid(name) {
			return nil, corrupt("summary: service %d is %.40q", i, name)
		}
		names[i] = string(name)
	}
	if len(b) > 0 {
		return nil, corrupt("summary: %d bytes too many", len(b))
	}
	for i := range names[1:] {
		if names[i] >= names[i+1] {
			return nil, corrupt("summary: services out of order")
		}
	}
	return names, nil
}

// insert adds a service in its place; names are in ascending order, without it.
func insert(names []string, name string) []string {
	i, _ := slices.BinarySearch(names, name)
	return slices.Insert(names, i, name)
}
