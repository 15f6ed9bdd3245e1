package transport

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// goneTo returns a gone that says when it was called, and why.
func goneTo() (func(error), <-chan result) {
	begin, done := time.Now(), make(chan result, 10)
	return func(err error) { done <- result{0, err, time.Since(begin)} }, done
}

// nobodyGone is for peers that stay.
func nobodyGone(err error) {
	if !errors.Is(err, net.ErrClosed) { // the test has ended
		panic(err)
	}
}

// Whenever the owner comes, it gets at once what was read ahead.
func TestReadAheadIsTakenWhatever(t *testing.T) {
	takes := map[string]func(*Input) error{
		"Peek": func(in *Input) error { _, err := in.Peek(1); return err },
		"Wait": func(in *Input) error { return in.Wait(time.Now()) },
	}
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, take := range takes {
			for when, begin := range map[string]func(*Input, net.Conn){
				"before it began": func(in *Input, peer net.Conn) {
					io.WriteString(peer, "hello")
					in.ReadAhead(nobodyGone)
				},
				"while it is blocked": func(in *Input, peer net.Conn) {
					in.ReadAhead(nobodyGone)
					synctest.Wait()
					later(limit/2, peer, "hello")
				},
				"while it is blocked behind bytes": func(in *Input, peer net.Conn) {
					in.ReadAhead(nobodyGone)
					io.WriteString(peer, "hel")
					synctest.Wait()
					io.WriteString(peer, "lo")
					synctest.Wait()
				},
				"after it filled its buffer": func(in *Input, peer net.Conn) {
					in.ReadAhead(nobodyGone)
					peer.Write(pattern(BufferSize + 5))
					synctest.Wait()
					<-in.ahead.done
				},
			} {
				in, peer := inputPipe(t, layer)
				begin(in, peer)
				r := now(only(func() error { return take(in) }))
				require.NoError(t, r.err)
				switch when {
				case "while it is blocked":
					require.Equal(t, limit/2, r.after)
				default:
					require.Zero(t, r.after, "%s, %s", name, when)
				}
				if when == "after it filled its buffer" {
					mustTake(t, in, string(pattern(BufferSize+5)))
				} else {
					mustTake(t, in, "hello")
				}
				in.conn.Close() // first, so that it is not the peer's end that is found
				in.Join()
				peer.Close()
			}
		}
	})
}

// The owner who takes a read-ahead over brings its deadline along, whatever was armed before.
func TestReadAheadKeepsTheOwnersDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for before, history := range histories {
			for _, at := range around {
				in, peer := inputPipe(t, layer)
				history(in.conn, peer)
				in.ReadAhead(nobodyGone)
				wait(5 * limit)
				later(at, peer, "x")
				want := result{1, nil, at}
				if at >= limit {
					want = result{0, ErrTimeout, limit}
				}
				require.Equal(t, want, now(peek(in)), before)
			}
		}
	})
}

// A read-ahead itself has no deadline.
func TestReadAheadIsPatient(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for before, history := range histories {
			in, peer := inputPipe(t, layer)
			history(in.conn, peer)
			in.ReadAhead(nobodyGone)
			wait(1000 * limit)
			mustWrite(t, peer, "x")
			require.Equal(t, result{1, nil, 0}, now(peek(in)), before)
			in.conn.Close()
		}
	})
}

func TestReadAheadFindsTheEnd(t *testing.T) {
	ends := map[error]func(net.Conn){
		io.EOF: func(peer net.Conn) { peer.Close() },
		syscall.ECONNRESET: func(peer net.Conn) {
			peer.(interface{ SetLinger(int) error }).SetLinger(0)
			peer.Close()
		},
	}
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for want, end := range ends {
			in, peer := inputPipe(t, layer)
			gone, done := goneTo()
			in.ReadAhead(gone)
			mustWrite(t, peer, "hello")
			synctest.Wait()
			time.AfterFunc(limit, func() { end(peer) })
			r := <-done
			require.ErrorIs(t, r.err, want)
			require.Equal(t, limit, r.after)

			mustTake(t, in, "hello")
			for range 3 {
				_, err := in.Peek(1)
				require.ErrorIs(t, err, want, "the error is kept behind the bytes")
				require.ErrorIs(t, in.Wait(time.Now()), want)
			}
		}
	})
}

// A connection may tell of its failure only once, as a socket tells of a reset.
func TestReadAheadKeepsAnErrorThatComesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		in := NewInput(NewConn(&fake{read: func(p []byte) (int, error) {
			switch calls++; calls {
			case 1:
				return copy(p, "hello"), nil
			case 2:
				return 0, syscall.ECONNRESET
			}
			return 0, io.EOF
		}}, Rate{}))
		gone, done := goneTo()
		in.ReadAhead(gone)
		require.Equal(t, syscall.ECONNRESET, (<-done).err)
		mustTake(t, in, "hel")
		mustTake(t, in, "lo")
		_, err := in.Peek(1)
		require.Equal(t, syscall.ECONNRESET, err)
	})
}

// No more than a buffer is read ahead: a peer that sends without end is not listened to.
func TestReadAheadIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, size := range []int{BufferSize - 1, BufferSize, BufferSize + 1} {
			in, peer := inputPipe(t, layer, serialtest.Buffer(2*BufferSize))
			gone, done := goneTo()
			in.ReadAhead(gone)
			mustWrite(t, peer, string(pattern(size)))
			synctest.Wait()
			require.NoError(t, peer.Close())
			synctest.Wait()
			require.Equal(t, size < BufferSize, len(done) == 1, "%d bytes, and then the end", size)
			mustTake(t, in, string(pattern(size)))
			_, err := in.Peek(1)
			require.Equal(t, io.EOF, err)
		}
	})
}

// While the owner reads it sees the end by itself: nothing is read ahead.
func TestReadAheadBesideAReadingOwner(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for _, read := range []func(*Input) func() (int, error){
			peek, func(in *Input) func() (int, error) { return only(func() error { return in.Wait(time.Now()) }) },
		} {
			in, peer := inputPipe(t, layer)
			done := run(read(in))
			pending(t, done)
			in.ReadAhead(nobodyGone)
			require.Nil(t, in.ahead)
			wait(limit / 2)
			peer.Close()
			require.Equal(t, result{0, io.EOF, limit / 2}, <-done)
		}
	})
}

// A read-ahead that a task began goes on for the next one, and tells it.
func TestReadAheadForTheNextTask(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		in.ReadAhead(nobodyGone)
		mustWrite(t, peer, "next")
		synctest.Wait()
		mustTake(t, in, "ne")

		gone, done := goneTo()
		in.ReadAhead(gone)
		peer.Close()
		require.Equal(t, io.EOF, (<-done).err)

		gone, done = goneTo()
		in.ReadAhead(gone)
		require.Len(t, done, 1, "what is known is told at once")
		mustTake(t, in, "xt")
		require.Equal(t, io.EOF, now(peek(in)).err)
	})
}

// An interruption is not the connection's end, and does not outlast ResumeRead.
func TestReadAheadInterrupted(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		for name, sent := range map[string]string{"blocked": "", "behind bytes": "hello"} {
			in, peer := inputPipe(t, layer)
			in.ReadAhead(nobodyGone)
			mustWrite(t, peer, sent)
			synctest.Wait()
			in.conn.InterruptRead()
			synctest.Wait()
			<-in.ahead.done
			in.ReadAhead(nobodyGone) // for the next task
			if sent == "" {
				require.Equal(t, ErrInterrupted, now(peek(in)).err, name)
				require.Equal(t, ErrInterrupted, now(only(func() error { return in.Wait(time.Now()) })).err, name)
			}
			in.ReadAhead(nobodyGone)
			in.conn.ResumeRead()
			later(limit-1, peer, "!")
			mustTake(t, in, sent+"!")
			require.Equal(t, result{0, ErrTimeout, limit}, now(peek(in)), name)
		}
	})
}

// An owner who waits for a read-ahead is interrupted with it.
func TestOwnerOfAReadAheadIsInterrupted(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, peer := inputPipe(t, layer)
		for _, read := range []func() (int, error){peek(in), only(func() error { return in.Wait(time.Now()) })} {
			in.ReadAhead(nobodyGone)
			done := run(read)
			wait(limit / 2)
			pending(t, done)
			in.conn.InterruptRead()
			require.Equal(t, result{0, ErrInterrupted, limit / 2}, <-done)
			in.conn.ResumeRead()
			mustWrite(t, peer, "x")
			mustTake(t, in, "x")
		}
	})
}

func TestJoin(t *testing.T) {
	bubble(t, func(t *testing.T, layer func(net.Conn) net.Conn) {
		in, _ := inputPipe(t, layer)
		in.Join()
		in, _ = inputPipe(t, layer)
		told := false
		in.ReadAhead(func(error) {
			wait(limit)
			told = true
		})
		in.conn.Close()
		require.Equal(t, limit, now(only(func() error { in.Join(); return nil })).after)
		require.True(t, told)
		in.Join()
		in.ahead = nil
		in.ReadAhead(nobodyGone)
		require.Nil(t, in.ahead, "none begins any more")
	})
}
