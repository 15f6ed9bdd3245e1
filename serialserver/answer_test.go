package serialserver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialserver"
	"github.com/serialkit/serialkit/serialtest"
)

// returns returns a task that reads everything and answers with out.
func returns(out io.Reader) task {
	return func(_ ctx, _ client, in reader) (io.Reader, error) {
		_, err := io.Copy(io.Discard, in)
		return out, err
	}
}

func TestAnswers(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 10_000)
	typed := binaryutil.NewBuffer(nil, nil)
	require.NoError(t, typed.WriteUint16(258))
	for name, test := range map[string]struct {
		out  io.Reader
		want string
	}{
		"nil":             {nil, ""},
		"empty":           {strings.NewReader(""), ""},
		"empty stream":    {onlyReader{strings.NewReader("")}, ""},
		"short":           {strings.NewReader("short"), "short"},
		"a full block":    {strings.NewReader(large[:255]), large[:255]},
		"a block and one": {strings.NewReader(large[:256]), large[:256]},
		"large":           {bytes.NewBufferString(large), large},
		"large stream":    {onlyReader{strings.NewReader(large)}, large},
		"typed values":    {typed, "\x01\x02"},
		"end with data":   {iotest.DataErrReader(strings.NewReader("last")), "last"},
		"byte by byte":    {iotest.OneByteReader(strings.NewReader(large[:300])), large[:300]},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, returns(test.out)))
				s.send(request(testTask, "message"))
				require.Equal(t, ok(test.want), s.answer())
				s.send(disconnect) // the session went on
				s.wants(goodbye)
				require.Equal(t, serialserver.ErrGracefulDisconnect, s.result())
			})
		})
	}
}

// onlyReader hides all methods of a reader but Read.
type onlyReader struct{ io.Reader }

// writes counts the writes of a connection.
type writes struct {
	net.Conn
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.Conn.Write(p)
}

func (w *writes) CloseWrite() error { return w.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// An answer whose length is known takes one write for the first 16 KiB of the wire, and then one for each
// 64 KiB.
func TestAnswerOfKnownLengthIsCoalesced(t *testing.T) {
	for _, test := range []struct{ size, writes int }{
		{0, 1}, {1, 1}, {255, 1}, {1000, 1}, {16000, 1}, {17000, 2}, {81_000, 2}, {82_000, 3}, {160_000, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, server := serialtest.Pipe(serialtest.Buffer(1 << 20))
			counted := &writes{Conn: server}
			out := iotest.OneByteReader(bytes.NewReader(make([]byte, test.size)))
			srv := newServer(nil, returns(struct {
				io.Reader
				lengther
			}{out, lengther(test.size)}))
			s := serve(t, context.Background(), srv, client, counted)
			s.send(request(testTask, ""))
			s.wants(ok(string(make([]byte, test.size))))
			synctest.Wait()
			require.Equal(t, test.writes, counted.n, "%d bytes", test.size)
		})
	}
}

type lengther int

func (l lengther) Len() int { return int(l) }

// Answers to a burst are collected, too.
func TestAnswersToABurstAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := serialtest.Pipe()
		counted := &writes{Conn: server}
		s := serve(t, context.Background(), newServer(nil, nil), client, counted)
		s.send(request(emptyTask, "")) // an idle connection waits with a small buffer
		s.wants(ok(""))
		s.send(bytes.Repeat(request(emptyTask, "x"), 100))
		for range 100 {
			s.wants(ok(""))
		}
		synctest.Wait()
		require.Equal(t, 2, counted.n)
	})
}

// Whatever a reader of unknown length gives is on its way before the next Read.
func TestLiveAnswerIsFlushedAfterEveryRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s := connect(t, newServer(nil, func(ctx, client, reader) (io.Reader, error) { return r, nil }))
		defer w.Close() // also where the test fails
		s.send(request(testTask, ""))
		for _, want := range []string{"\x00", "\x01a", "\x02bc", "\x01d"} {
			begin := time.Now()
			if want != "\x00" {
				_, err := io.WriteString(w, want[1:])
				require.NoError(t, err)
			}
			got := make([]byte, len(want))
			_, err := io.ReadFull(s.in, got)
			require.NoError(t, err)
			require.Equal(t, want, string(got))
			if want != "\x00" {
				require.Zero(t, time.Since(begin), "it waits for no timer")
			}
			s.wantsSilence()
		}
		require.NoError(t, w.Close())
		end, err := s.in.ReadByte()
		require.NoError(t, err)
		require.Zero(t, end)
		require.Less(t, time.Since(s.start), 10*time.Millisecond)
	})
}

var errBroken = errors.New("broken")

// An answer that fails is never ended, wherever it fails.
func TestAnswerThatFailsIsCut(t *testing.T) {
	for name, out := range map[string]io.Reader{
		"stream": io.MultiReader(strings.NewReader("begun"), iotest.ErrReader(errBroken)),
		"known length": struct {
			io.Reader
			lengther
		}{io.MultiReader(strings.NewReader("begun"), iotest.ErrReader(errBroken)), 10},
		"with data": &once{p: []byte("begun"), err: errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := connect(t, newServer(nil, returns(out)))
				s.send(request(testTask, ""), request(emptyTask, ""))
				s.wantsCut("begun")
				s.wantsEnd()
				require.ErrorIs(t, s.result(), errBroken)
			})
		})
	}
}

// wantsCut requires an answer that breaks off after at most all of these bytes. What was not
// flushed when it broke off may be missing.
func (s *session) wantsCut(all string) {
	s.Helper()
	m := s.answer()
	require.NotNil(s, m.Cut, "%v", m)
	require.True(s, strings.HasPrefix(all, string(*m.Cut)), "%q", *m.Cut)
}

// once is a reader that returns everything and its error at once.
type once struct {
	p   []byte
	err error
}

func (o *once) Read(p []byte) (int, error) {
	n := copy(p, o.p)
	o.p = nil
	return n, o.err
}

func TestAnswerThatMakesNoProgressIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, returns(stuck{})))
		s.send(request(testTask, ""))
		s.wants(cut(""))
		require.ErrorIs(t, s.result(), io.ErrNoProgress)
	})
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// Reads of nothing are allowed in between.
func TestAnswerWithEmptyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, returns(&hesitant{text: "slow"})))
		s.send(request(testTask, ""))
		s.wants(ok("slow"))
	})
}

// hesitant returns nothing 99 times before each byte.
type hesitant struct {
	text  string
	empty int
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.text == "" {
		return 0, io.EOF
	}
	if h.empty++; h.empty < 100 {
		return 0, nil
	}
	h.empty = 0
	n := copy(p[:1], h.text)
	h.text = h.text[n:]
	return n, nil
}

// A client that takes nothing of a large answer is gone at the write timeout.
func TestAnswerThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &closer{Reader: bytes.NewReader(make([]byte, 1<<20))}
		s := connect(t, newServer(nil, returns(out)), serialtest.Buffer(0))
		s.send(request(testTask, ""))
		require.ErrorIs(t, s.result(), os.ErrDeadlineExceeded)
		require.Equal(t, serialserver.DefaultWrite, s.lasted)
		require.Equal(t, 1, out.closed)
	})
}

// An out that says its length and waits for its own message holds no earlier answer back.
func TestAnswerOfKnownLengthThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newServer(nil, func(_ ctx, _ client, in reader) (io.Reader, error) {
			return struct {
				io.Reader
				lengther
			}{in, 1}, nil
		}))
		s.send(append(request(emptyTask, ""), testTask)) // whose message comes when the first is answered
		s.wants(ok(""))
		require.LessOrEqual(t, time.Since(s.start), time.Millisecond)
		s.send(request(testTask, "x")[1:])
		s.wants(ok("x"))
	})
}
