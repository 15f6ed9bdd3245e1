package block

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

const (
	// MaxRecords is how many records a block may have.
	MaxRecords = 1000
	// MaxRaw bounds the records of a block before they are compressed, each with its length: 1 MiB.
	MaxRaw = 1 << 20
	// MaxServices is how many services a Summary names.
	MaxServices = 32

	// minRecord is the shortest record with its length: its head and a service of one byte.
	minRecord = logwire.RecordPrefix + 16 + 1
)

// ErrCorrupt is the kind of all errors of this package: bytes that no Builder has made.
var ErrCorrupt = errors.New("block: corrupt")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum returns the CRC-32C of b.
func Checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
