// Package spool keeps batches of log records on disk while their collector is away: in the order in which they
// came, until they are acknowledged. It knows no connection.
//
// # On disk
//
// A directory belongs to one Spool at a time, which holds the lock of its file "lock". In it are
//
//	identity, identity.copy   who the producer is and how its batches are numbered, see Identity
//	FROM-MARKER.spool         segments: frames one after the other
//
// A position is a number of records: how many were appended before, in all the life of the directory. FROM is the
// position at which a segment begins and MARKER 8 random bytes, both in hexadecimal digits. A frame holds a batch:
//
//	 0..7   the segment's MARKER
//	 8..11  length N of the records
//	12..15  number of records
//	16..23  epoch of its Key
//	24..31  sequence number of its Key
//	32..39  position of its first record
//	40..43  CRC-32C of the records
//	44..47  CRC-32C of the bytes 0 to 43
//	48..    records, as they are in a batch of logwire: N bytes
//
// All numbers are big-endian.
//
// # What a crash does
//
// Append returns after the segment was synced, and after a new segment's directory was. So what Append has confirmed
// survives a crash and a power cut. What was being appended may be there in part: a frame whose checksums are wrong is never
// delivered.
//
// # What damage does
//
// A frame with a wrong header is passed over by looking for the next MARKER with a correct header behind it; it
// cannot be counterfeited by a record, because a record does not know the marker. A frame with wrong records is passed over as a whole. As
// each frame knows its position, what was lost between two frames is known exactly. Only after the last good
// frame of all it is not, if the header is gone too: see Spool.Unknown. Open never fails for damage.
package spool
