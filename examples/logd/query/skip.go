package query

import (
	"strconv"

	"github.com/serialkit/serialkit/examples/logd/block"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Skip says by what a block is ruled out.
type Skip uint8

// The reasons, in the order in which they are looked at.
const (
	// SkipNone: the block may have wanted records.
	SkipNone Skip = iota
	// SkipTime: all its records are too early or too late.
	SkipTime
	// SkipLevel: none has a wanted level.
	SkipLevel
	// SkipService: none has a wanted service.
	SkipService
)

// String returns the reason's name, such as "time".
func (s Skip) String() string {
	switch s {
	case SkipNone:
		return "none"
	case SkipTime:
		return "time"
	case SkipLevel:
		return "level"
	case SkipService:
		return "service"
	default:
		return "skip(" + strconv.Itoa(int(s)) + ")"
	}
}

// Rules returns why no record of a block with this summary is wanted, or SkipNone.
func (f *Filter) Rules(s *block.Summary) Skip {
	switch {
	case s.MaxTime < f.first || s.MinTime > f.last:
		return SkipTime
	case s.Levels&f.levels == 0:
		return SkipLevel
	case s.Services != nil && !f.anyService(s.Services):
		return SkipService
	default:
		return SkipNone
	}
}

func (f *Filter) anyService(names []string) bool {
	for _, name := range names {
		if f.wantsService(name) {
			return true
		}
	}
	return false
}

func (f *Filter) wantsService(name string) bool {
	var buf [logwire.MaxService]byte
	b := append(buf[:0], name...)
	for i := range f.services {
		if !f.services[i].match(b) {
			return false
		}
	}
	return true
}

// NeedsBloom reports whether RuledOut can be true of a block with this summary. Where it is not, its Bloom filter
// need not be read.
func (f *Filter) NeedsBloom(s *block.Summary) bool {
	return len(f.hashes) > 0 || s.Services == nil && len(f.serviceHashes) > 0
}

// RuledOut reports whether no record of the block with this Bloom filter is wanted. That it is false says nothing.
func (f *Filter) RuledOut(b block.Bloom) bool {
	for _, hash := range f.hashes {
		if !b.Has(hash) {
			return true
		}
	}
	for _, hash := range f.serviceHashes {
		if !b.Has(hash) {
			return true
		}
	}
	return false
}
