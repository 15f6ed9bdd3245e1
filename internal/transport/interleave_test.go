package transport

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// script is an Input driven by bytes, each of which is one step of its owner, of its peer, of
// somebody who wants to know whether the peer is there, or of time.
type script struct {
	T    *testing.T
	in   *Input
	peer net.Conn

	sent, taken []byte
	gone        int
	interrupted bool
}

// step does what b says.
func (s *script) step(b byte) {
	n := 1 << (b >> 4) // 1 to 32 Ki
	switch b & 15 {
	case 0, 1:
		s.send(n)
	case 2:
		s.in.ReadAhead(func(error) { s.gone++ })
	case 3:
		synctest.Wait()
	case 4, 5:
		s.take(n, nil)
	case 6:
		s.take(n, func() error { return s.in.Wait(time.Now()) })
	case 7:
		s.whileSending(n, peek(s.in))
	case 8:
		s.whileSending(n, only(func() error { return s.in.Wait(time.Now()) }))
	case 9:
		s.in.Recheck()
	case 10:
		wait(time.Duration(n) * time.Millisecond)
	case 11:
		s.in.conn.InterruptRead()
		s.interrupted = true
	case 12, 13: // nobody is blocked who could miss that it was interrupted
		synctest.Wait()
		s.in.conn.ResumeRead()
		s.interrupted = false
	case 14:
		s.in.Release()
	case 15:
		time.AfterFunc(time.Duration(n)*time.Millisecond, func() { s.in.ReadAhead(func(error) { s.gone++ }) })
	}
}

// send makes the peer send n bytes, unless they would not fit into the pipe.
func (s *script) send(n int) {
	if len(s.sent)+n > serialtest.DefaultBuffer {
		return
	}
	p := pattern(len(s.sent) + n)[len(s.sent):]
	s.sent = append(s.sent, p...)
	mustWrite(s.T, s.peer, string(p))
}

// take takes up to n bytes, if that needs no patience.
func (s *script) take(n int, first func() error) {
	if len(s.taken) == len(s.sent) {
		return
	}
	begin := time.Now()
	var err error
	if first != nil {
		err = first()
	}
	if err == nil {
		_, err = s.in.Peek(1)
	}
	require.Equal(s.T, begin, time.Now(), "waited for what was there")
	if s.interrupted && errors.Is(err, ErrInterrupted) {
		return
	}
	require.NoError(s.T, err)
	n = min(n, s.in.Buffered())
	b, err := s.in.Peek(n)
	require.NoError(s.T, err)
	s.taken = append(s.taken, b...)
	s.in.Discard(n)
}

// whileSending starts a read before what it reads is sent.
func (s *script) whileSending(n int, read func() (int, error)) {
	if s.interrupted || len(s.sent)+n > serialtest.DefaultBuffer {
		return
	}
	done := run(read)
	synctest.Wait()
	s.in.ReadAhead(func(error) { s.gone++ })
	s.send(n)
	r := <-done
	require.NoError(s.T, r.err)
	require.Zero(s.T, r.after)
}

// Any order of steps gives the owner the bytes that were sent, and then the end.
func interleave(t *testing.T, layer func(net.Conn) net.Conn, steps []byte) {
	synctest.Test(t, func(t *testing.T) {
		in, peer := inputPipe(t, layer)
		in.Timeout = 100 * time.Hour // so that it does not end the test
		s := &script{T: t, in: in, peer: peer}
		for _, b := range steps {
			s.step(b)
		}
		wait(time.Minute) // for the last AfterFunc
		synctest.Wait()
		in.conn.ResumeRead()
		require.NoError(t, peer.Close())
		for err := error(nil); err == nil; {
			var b []byte
			if b, err = in.Peek(max(1, in.Buffered())); err != nil {
				require.Equal(t, io.EOF, err)
			}
			s.taken = append(s.taken, b...)
			in.Discard(len(b))
		}
		require.Equal(t, len(s.sent), len(s.taken))
		require.Equal(t, s.sent, s.taken)
		in.conn.Close()
		in.Join()
	})
}

func TestInterleavings(t *testing.T) {
	for name, layer := range layers {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(400) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				steps := make([]byte, rnd.IntN(60))
				for i := range steps {
					steps[i] = byte(rnd.Uint32())
				}
				interleave(t, layer, steps)
			}
		})
	}
}

func FuzzInterleavings(f *testing.F) {
	f.Add([]byte{0x02, 0x03, 0x50, 0x03, 0x54})             // taken while blocked behind bytes
	f.Add([]byte{0x02, 0x03, 0x0b, 0x03, 0x50, 0x0c, 0x54}) // interrupted
	f.Add([]byte{0x02, 0xe1, 0xe1, 0x03, 0xf4, 0x02, 0xf6}) // full
	f.Add([]byte{0x57, 0x02, 0x58, 0xba, 0x09, 0x5f})
	f.Fuzz(func(t *testing.T, steps []byte) {
		for _, layer := range layers {
			interleave(t, layer, steps[:min(len(steps), 200)])
		}
	})
}

// The same on sockets, where the scheduler orders the steps: an owner who reads now and then, and
// somebody who reads ahead all the time.
func TestReadAheadOnSockets(t *testing.T) {
	for name, pair := range sockets {
		t.Run(name, func(t *testing.T) {
			own, peer := pair(t)
			in := NewInput(NewConn(own, Rate{}))
			in.Deadline = func() time.Time { return time.Time{} }
			message := pattern(40 * BufferSize)
			sent := run(func() (int, error) {
				for at := 0; at < len(message); at += 997 {
					if _, err := peer.Write(message[at:min(at+997, len(message))]); err != nil {
						return at, err
					}
				}
				return len(message), peer.Close()
			})
			stop := make(chan struct{})
			looked := run(func() (int, error) {
				for {
					select {
					case <-stop:
						return 0, nil
					default:
						in.ReadAhead(func(error) {})
					}
				}
			})
			got, err := io.ReadAll(inputReader{in})
			close(stop)
			<-looked
			require.NoError(t, err)
			require.Equal(t, result{n: len(message)}, result{n: (<-sent).n})
			require.Equal(t, message, got)
			own.Close()
			in.Join()
		})
	}
}
