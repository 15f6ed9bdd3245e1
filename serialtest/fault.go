package serialtest

import (
	"fmt"
	"sync/atomic"
)

// Fault is one thing that goes wrong on a connection. Make one with CutRead,
// CutWrite, ResetRead, ResetWrite, StallRead, StallWrite, ShortWrite,
// ChunkReads or ChunkWrites and hand it to Faulty. "Read" and "Write" are
// those of the wrapped end, and positions count the bytes of that direction
// from 0: a fault at n lets n bytes pass and fires when one more is asked for.
//
// A Fault may serve many connections: each counts its own bytes, and Fired
// adds them up. It is safe for concurrent use.
type Fault struct {
	act   action
	write bool
	n     int // a position; the most bytes at once for chunk
	fired atomic.Int64
}

// action is what a Fault does.
type action string

const (
	cut   action = "cut"
	reset action = "reset"
	stall action = "stall"
	short action = "short"
	chunk action = "chunk"
)

// CutRead ends the input after n bytes, as a peer does that half closes its
// connection: Reads return io.EOF. Writes still work. A negative n panics.
func CutRead(n int) *Fault { return at(cut, false, n) }

// CutWrite closes the connection cleanly after n bytes were written: the peer
// reads them and then io.EOF. The Write that asked for more returns how many
// bytes passed and syscall.EPIPE, as do all later ones; Reads return io.EOF,
// those already blocked included. What the peer sends from then on arrives
// nowhere. A negative n panics.
//
// The close is a CloseWrite where the wrapped connection has it, so that no
// unread input turns it into a reset before the wrapper itself is closed;
// elsewhere it is a Close.
func CutWrite(n int) *Fault { return at(cut, true, n) }

// ResetRead resets the connection after n bytes were read. Reads and Writes
// fail with syscall.ECONNRESET, those already blocked included. The peer is
// reset too if the wrapped connection has SetLinger, as a Pipe and a TCP
// connection have, and finds it closed otherwise. As on a network, a reset
// may overtake bytes that the peer has not read yet. A negative n panics.
func ResetRead(n int) *Fault { return at(reset, false, n) }

// ResetWrite resets the connection after n bytes were written, as ResetRead
// does. The Write that asked for more returns how many bytes passed.
func ResetWrite(n int) *Fault { return at(reset, true, n) }

// StallRead stops the input after n bytes: from then on a Read blocks until its
// deadline or until the wrapper is closed. Writes still work. A negative n
// panics.
func StallRead(n int) *Fault { return at(stall, false, n) }

// StallWrite stops the output after n bytes: from then on a Write blocks until
// its deadline or until the wrapper is closed, and returns how many bytes
// passed. Reads still work. A negative n panics.
func StallWrite(n int) *Fault { return at(stall, true, n) }

// ShortWrite makes the one Write that would pass position n stop there: it
// returns how many bytes passed and io.ErrShortWrite. The connection goes on
// working, so a caller that ignores the error leaves a hole in its stream. A
// negative n panics.
func ShortWrite(n int) *Fault { return at(short, true, n) }

// ChunkReads lets each Read return at most k bytes; 1 reads byte by byte. It
// fires whenever a Read with room for more got k. A k below 1 panics.
func ChunkReads(k int) *Fault { return pieces(false, k) }

// ChunkWrites hands each Write on in pieces of at most k bytes. It fires
// whenever a piece ends before its Write. A k below 1 panics.
//
// A peer on an unbuffered Pipe reads exactly those pieces. A buffer, TCP's too,
// may join them again; to make its Reads short whatever is between, give the
// peer ChunkReads.
func ChunkWrites(k int) *Fault { return pieces(true, k) }

func at(act action, write bool, n int) *Fault {
	if n < 0 {
		panic(fmt.Sprintf("serialtest: %s fault at negative position %d", act, n))
	}
	return &Fault{act: act, write: write, n: n}
}

func pieces(write bool, k int) *Fault {
	if k < 1 {
		panic(fmt.Sprintf("serialtest: pieces of %d bytes", k))
	}
	return &Fault{act: chunk, write: write, n: k}
}

// Fired returns how often the fault really happened, on all its connections
// together: at most once per connection for a fault at a position, once per
// cut for a chunk fault. A test whose faults did not fire has tested nothing.
func (f *Fault) Fired() int { return int(f.fired.Load()) }

// String names the fault, such as "cut write at 12" or "chunk read of 1".
func (f *Fault) String() string {
	way, where := "read", "at"
	if f.write {
		way = "write"
	}
	if f.act == chunk {
		where = "of"
	}
	return fmt.Sprintf("%s %s %s %d", f.act, way, where, f.n)
}
