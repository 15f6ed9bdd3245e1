package spool

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

const suffix = ".spool"

// segment is a file of frames. Spool.mu guards what changes; name, from and marker do not.
type segment struct {
	name   string
	marker Marker
	from   uint64 // the position of its first frame
	end    uint64 // behind its last one
	size   int64  // of what was synced
}

func segmentName(from uint64, m Marker) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, from)) + "-" + hex.EncodeToString(m[:]) + suffix
}

// parseName reports false for any other file's name.
func parseName(name string) (s *segment, ok bool) {
	from, marker, found := strings.Cut(strings.TrimSuffix(name, suffix), "-")
	f, err1 := hex.DecodeString(from)
	m, err2 := hex.DecodeString(marker)
	if !found || !strings.HasSuffix(name, suffix) || err1 != nil || err2 != nil || len(f) != 8 || len(m) != 8 {
		return nil, false
	}
	s = &segment{name: name, marker: Marker(m), from: binary.BigEndian.Uint64(f)}
	s.end = s.from
	return s, true
}

// pending returns how many of its records are behind the position.
func (s *segment) pending(acked uint64) uint64 {
	return s.end - min(s.end, max(s.from, acked))
}
