package block_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

func valid() block.Summary {
	return block.Summary{
		FirstID: 7, Count: 2, MinTime: -1, MaxTime: 5, Levels: 1<<logwire.Info | 1<<logwire.Fatal,
		RawLen: 42, Services: []string{"api", "web"},
	}
}

// TestSummaryGolden: a summary is on disk, and its bytes are those of the document.
func TestSummaryGolden(t *testing.T) {
	s := valid()
	b := s.AppendTo(nil)
	require.Equal(t, "01"+"0000000000000007"+"00000002"+"ffffffffffffffff"+"0000000000000005"+"48"+"0000002a"+
		"02"+"03617069"+"03776562", hex.EncodeToString(b))
	parsed, err := block.ParseSummary(b)
	require.NoError(t, err)
	require.Equal(t, s, parsed)
	copied := parsed
	clear(b)
	require.Equal(t, copied, parsed)
}

// TestSummaryBounds: each field's last good value passes and the next is corrupt.
func TestSummaryBounds(t *testing.T) {
	many := make([]string, block.MaxServices)
	for i := range many {
		many[i] = fmt.Sprintf("%03d", i)
	}
	for name, change := range map[string][2]func(s *block.Summary){
		"first id": {
			func(s *block.Summary) { s.FirstID = 1 },
			func(s *block.Summary) { s.FirstID = 0 }},
		"last id": {
			func(s *block.Summary) { s.FirstID = math.MaxUint64 - 2 },
			func(s *block.Summary) { s.FirstID = math.MaxUint64 - 1 }},
		"no records": {
			func(s *block.Summary) { s.Count, s.Services = 1, s.Services[:1] },
			func(s *block.Summary) { s.Count, s.Services = 0, nil }},
		"records": {
			func(s *block.Summary) { s.Count, s.RawLen = block.MaxRecords, block.MaxRaw },
			func(s *block.Summary) { s.Count, s.RawLen = block.MaxRecords+1, block.MaxRaw }},
		"times": {
			func(s *block.Summary) { s.MinTime = s.MaxTime },
			func(s *block.Summary) { s.MinTime = s.MaxTime + 1 }},
		"levels": {
			func(s *block.Summary) { s.Levels = 0x7E },
			func(s *block.Summary) { s.Levels = 0x80 }},
		"no level": {
			func(s *block.Summary) { s.Levels = 0x02 },
			func(s *block.Summary) { s.Levels = 0 }},
		"level 0": {
			func(s *block.Summary) { s.Levels = 0x02 },
			func(s *block.Summary) { s.Levels = 0x03 }},
		"short": {
			func(s *block.Summary) { s.RawLen = 42 },
			func(s *block.Summary) { s.RawLen = 41 }},
		"long": {
			func(s *block.Summary) { s.RawLen = block.MaxRaw },
			func(s *block.Summary) { s.RawLen = block.MaxRaw + 1 }},
		"services": {
			func(s *block.Summary) { s.Count, s.RawLen, s.Services = 100, 10_000, many },
			func(s *block.Summary) { s.Count, s.RawLen, s.Services = 100, 10_000, append(slices.Clone(many), "x") }},
		"unknown services": {
			func(s *block.Summary) { s.Count, s.RawLen, s.Services = block.MaxServices+1, 10_000, nil },
			func(s *block.Summary) { s.Count, s.RawLen, s.Services = block.MaxServices, 10_000, nil }},
		"more services than records": {
			func(s *block.Summary) {},
			func(s *block.Summary) { s.Count = 1 }},
		"no service": {
			func(s *block.Summary) {},
			func(s *block.Summary) { s.Services = []string{} }},
		"empty service": {
			func(s *block.Summary) { s.Services = []string{"a"} },
			func(s *block.Summary) { s.Services = []string{""} }},
		"long service": {
			func(s *block.Summary) { s.Services = []string{strings.Repeat("s", logwire.MaxService)} },
			func(s *block.Summary) { s.Services = []string{strings.Repeat("s", logwire.MaxService+1)} }},
		"UTF-8": {
			func(s *block.Summary) { s.Services = []string{"ä"} },
			func(s *block.Summary) { s.Services = []string{"\xc3"} }},
		"order": {
			func(s *block.Summary) { s.Services = []string{"a", "b"} },
			func(s *block.Summary) { s.Services = []string{"b", "a"} }},
		"twice": {
			func(s *block.Summary) { s.Services = []string{"a", "b"} },
			func(s *block.Summary) { s.Services = []string{"a", "a"} }},
	} {
		good, bad := valid(), valid()
		change[0](&good)
		change[1](&bad)
		parsed, err := block.ParseSummary(good.AppendTo(nil))
		require.NoError(t, err, name)
		require.Equal(t, good, parsed, name)
		_, err = block.ParseSummary(bad.AppendTo(nil))
		require.ErrorIs(t, err, block.ErrCorrupt, name)
	}
}

// TestSummaryCut: no part of a summary is one, nor is one with a byte more, nor another format.
func TestSummaryCut(t *testing.T) {
	s := valid()
	b := s.AppendTo(nil)
	for n := range b {
		_, err := block.ParseSummary(b[:n])
		require.ErrorIs(t, err, block.ErrCorrupt, "%d", n)
	}
	_, err := block.ParseSummary(append(slices.Clone(b), 0))
	require.ErrorIs(t, err, block.ErrCorrupt)
	b[0] = 2
	_, err = block.ParseSummary(b)
	require.ErrorIs(t, err, block.ErrCorrupt)
	unknown := valid()
	unknown.Count, unknown.RawLen, unknown.Services = 100, 10_000, nil
	_, err = block.ParseSummary(append(unknown.AppendTo(nil), 0))
	require.ErrorIs(t, err, block.ErrCorrupt)
}

func FuzzSummary(f *testing.F) {
	s := valid()
	f.Add(s.AppendTo(nil))
	s.Count, s.RawLen, s.Services = 100, 10_000, nil
	f.Add(s.AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := block.ParseSummary(b)
		if err != nil {
			require.ErrorIs(t, err, block.ErrCorrupt)
			return
		}
		require.Equal(t, b, s.AppendTo(nil))
	})
}
