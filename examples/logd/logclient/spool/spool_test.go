package spool_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/examples/logd/logclient/internal/files"
	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
	"github.com/serialkit/serialkit/examples/logd/logclient/spool"
)

// batches makes n batches of two records each, numbered from first.
func batches(epoch, first uint64, n int) (b []spool.Batch) {
	for i := range uint64(n) {
		var records []byte
		for j := range 2 {
			r := logwire.Record{Level: logwire.Info, Service: "s", Message: fmt.Sprint("message ", first+i, j)}
			records = logwire.AppendBatchRecord(records, &r)
		}
		b = append(b, spool.Batch{Key: spool.Key{Epoch: epoch, Sequence: first + i}, Count: 2, Records: records})
	}
	return b
}

func open(t testing.TB, disk files.FS, most int64) *spool.Spool {
	s, err := spool.Open("dir", spool.Options{FS: disk, MaxBytes: most})
	require.NoError(t, err)
	return s
}

// readAll returns what Next yields up to the end.
func readAll(t testing.TB, s *spool.Spool) (got []spool.Batch) {
	s.Rewind()
	after := s.Acked()
	for {
		f, err := s.Next(after, s.End())
		if err == io.EOF {
			return got
		}
		require.NoError(t, err)
		f.Records = append([]byte(nil), f.Records...)
		got, after = append(got, f.Batch), f.End
	}
}

func TestAppendReadAck(t *testing.T) {
	disk := files.NewMem(-1)
	s := open(t, disk, 0)
	want := batches(1, 1, 5)
	ends, err := s.Append(want)
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 4, 6, 8, 10}, ends)
	require.Equal(t, want, readAll(t, s))
	require.EqualValues(t, 4, s.Ack(4))
	require.EqualValues(t, 6, s.Records())
	require.Equal(t, want[2:], readAll(t, s))
	more := batches(1, 6, 2)
	_, err = s.Append(more)
	require.NoError(t, err)
	require.Equal(t, append(want[2:], more...), readAll(t, s))
	require.NoError(t, s.Close())

	epoch := s.Identity().Epoch
	s = open(t, disk, 0)
	require.EqualValues(t, 10, s.Recovered())
	require.Greater(t, s.Identity().Epoch, epoch)
	require.Equal(t, append(want[2:], more...), readAll(t, s))
	require.EqualValues(t, 10, s.Ack(14))
	require.NoError(t, s.Clean())
	require.Zero(t, s.Bytes())
	require.NoError(t, s.Close())
	require.Zero(t, open(t, disk, 0).Recovered())
}

// What is appended to a segment after all in it was acknowledged is kept.
func TestAppendAfterAck(t *testing.T) {
	s := open(t, files.NewMem(-1), 0)
	_, err := s.Append(batches(1, 1, 1))
	require.NoError(t, err)
	s.Ack(2)
	want := batches(1, 2, 1)
	_, err = s.Append(want)
	require.NoError(t, err)
	require.NoError(t, s.Clean())
	require.Equal(t, want, readAll(t, s))
}

// A failed Append leaves nothing behind, and the next one succeeds.
func TestFailedAppend(t *testing.T) {
	disk := files.NewMem(-1)
	s := open(t, disk, 0)
	want := batches(1, 1, 2)
	_, err := s.Append(want[:1])
	require.NoError(t, err)
	broken := errors.New("the disk is full")
	disk.Fail(broken)
	for range 2 {
		_, err = s.Append(want[1:])
		require.ErrorIs(t, err, broken)
	}
	require.Equal(t, want[:1], readAll(t, s))
	disk.Fail(nil)
	_, err = s.Append(want[1:])
	require.NoError(t, err)
	require.Equal(t, want, readAll(t, s))
	require.NoError(t, s.Close())
	require.Equal(t, want, readAll(t, open(t, disk, 0)))
}

// The bound holds to the byte: what just fits is appended, and one byte less is ErrFull.
func TestMaxBytes(t *testing.T) {
	b := batches(1, 1, 1)
	size := int64(spool.FrameHead + len(b[0].Records))
	for _, less := range []int64{0, 1} {
		s := open(t, files.NewMem(-1), 3*size-less)
		ends, err := s.Append(batches(1, 1, 4))
		require.ErrorIs(t, err, spool.ErrFull)
		require.Len(t, ends, 3-int(less))
		require.LessOrEqual(t, s.Bytes(), 3*size-less)
	}
}

func TestDropOldest(t *testing.T) {
	s := open(t, files.NewMem(-1), 32<<10) // segments of 4 KiB
	_, err := s.Append(batches(1, 1, 200))
	require.NoError(t, err)
	before := s.Records()
	f, err := s.Next(0, s.End())
	require.NoError(t, err)
	n, ok := s.DropOldest(0)
	require.True(t, ok)
	require.NotZero(t, n)
	require.Equal(t, before-n, s.Records())
	var held uint64
	for end := range before {
		if s.Holds(end + 1) {
			held++
		}
	}
	require.Equal(t, before-n, held, "what was dropped is not there")
	require.False(t, s.Holds(before+1))
	got := readAll(t, s)
	require.Equal(t, f.Key, got[0].Key, "the segment that is read is not dropped")
	require.Len(t, got, int(before-n)/2)
	for ok {
		_, ok = s.DropOldest(0)
	}
	require.NotEmpty(t, readAll(t, s), "the last segment stays")
	_, ok = s.DropOldest(s.End())
	require.False(t, ok)
}

// However a segment is cut, the batches before the cut are read, and what is known to be missing is counted.
func TestEveryCut(t *testing.T) {
	disk := files.NewMem(-1)
	s := open(t, disk, 0)
	want := batches(1, 1, 3)
	_, err := s.Append(want)
	require.NoError(t, err)
	name, whole := segment(t, disk)
	size := spool.FrameHead + len(want[0].Records)
	for n := range len(whole) {
		cut := files.NewMem(-1)
		cut.Put(name, append([]byte(nil), whole[:n]...))
		s := open(t, cut, 0)
		require.Equal(t, want[:n/size], append([]spool.Batch{}, readAll(t, s)...))
		known := uint64(n / size * 2)
		if n%size >= spool.FrameHead {
			known += 2
			require.Zero(t, s.Unknown())
		} else if n%size > 0 {
			require.Equal(t, 1, s.Unknown())
		}
		require.Equal(t, known, s.Recovered())
		require.NoError(t, s.Close())
	}
}

func segment(t *testing.T, disk *files.Mem) (name string, data []byte) {
	for n, b := range disk.Bytes() {
		if strings.HasSuffix(n, ".spool") {
			require.Empty(t, name)
			name, data = n, b
		}
	}
	require.NotEmpty(t, name)
	return name, data
}

// A record that looks like a frame is none: it does not know the marker.
func TestCounterfeit(t *testing.T) {
	disk := files.NewMem(-1)
	s := open(t, disk, 0)
	b := batches(1, 1, 2)
	_, err := s.Append(b)
	require.NoError(t, err)
	_, whole := segment(t, disk)
	other := files.NewMem(-1)
	s = open(t, other, 0)
	evil := spool.Batch{Key: spool.Key{Epoch: 1, Sequence: 1}, Count: 1, Records: append([]byte(nil), whole...)}
	_, err = s.Append([]spool.Batch{evil})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, data := segment(t, other)
	data[20] ^= 1 // Now the frame's head is wrong, and a frame is looked for in its records.
	require.Empty(t, readAll(t, open(t, other, 0)))
}

// The directory belongs to one Spool at a time, on a real disk too.
func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s, err := spool.Open(dir, spool.Options{})
	require.NoError(t, err)
	_, err = spool.Open(dir, spool.Options{})
	require.ErrorIs(t, err, spool.ErrInUse)
	want := batches(1, 1, 3)
	_, err = s.Append(want)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s, err = spool.Open(dir, spool.Options{})
	require.NoError(t, err)
	require.Equal(t, want, readAll(t, s))
	s.Ack(s.End())
	require.NoError(t, s.Close())
}

// Without a copy of the identity that is whole there is a new producer, and New says so.
func TestIdentityLost(t *testing.T) {
	disk := files.NewMem(-1)
	s := open(t, disk, 0)
	old := s.Identity().Producer
	require.NoError(t, s.Close())
	for _, name := range []string{"dir/identity", "dir/identity.copy"} {
		disk.Bytes()[name][30] ^= 1
	}
	s = open(t, disk, 0)
	require.True(t, s.IdentityLost())
	require.NotEqual(t, old, s.Identity().Producer)
	require.NoError(t, s.Close())
	s = open(t, disk, 0)
	require.False(t, s.IdentityLost())
}

// The numbers of an epoch begin at 1 and the epochs grow, however often the batches are numbered anew.
func TestRenumber(t *testing.T) {
	i := spool.Identity{Epoch: 4}
	head := func(epoch, sequence uint64) [2]uint64 {
		h := i.Head(spool.Key{Epoch: epoch, Sequence: sequence})
		return [2]uint64{h.Epoch, h.Sequence}
	}
	require.Equal(t, [2]uint64{2, 7}, head(2, 7))
	i.Renumber(spool.Key{Epoch: 2, Sequence: 7})
	require.Equal(t, [2]uint64{5, 1}, head(2, 7))
	require.Equal(t, [2]uint64{5, 3}, head(2, 9))
	require.Equal(t, [2]uint64{7, 1}, head(4, 1))
	i.Renumber(spool.Key{Epoch: 4, Sequence: 5})
	require.Equal(t, [2]uint64{8, 1}, head(4, 5))
	i.Epoch = 5
	require.Equal(t, [2]uint64{9, 1}, head(5, 1))
}

// FuzzOpen: whatever a segment holds, Open succeeds, what is read has been checked, and in the end all is resolved.
func FuzzOpen(f *testing.F) {
	seed := files.NewMem(-1)
	s, err := spool.Open("dir", spool.Options{FS: seed, Random: func(b []byte) { clear(b) }})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.Append(batches(1, 1, 2)); err != nil {
		f.Fatal(err)
	}
	for name, b := range seed.Bytes() {
		if strings.HasSuffix(name, ".spool") {
			f.Add(b, uint16(0))
			f.Add(b, uint16(70))
		}
	}
	name := "dir/" + strings.Repeat("0", 16) + "-" + strings.Repeat("0", 16) + ".spool"
	f.Fuzz(func(t *testing.T, b []byte, flip uint16) {
		disk := files.NewMem(-1)
		b = append([]byte(nil), b...)
		if len(b) > 0 {
			b[int(flip)%len(b)] ^= 1
		}
		disk.Put(name, b)
		s := open(t, disk, 0)
		last := uint64(0)
		after := s.Acked()
		for {
			frame, err := s.Next(after, s.End())
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			require.Greater(t, frame.End, last)
			require.True(t, frame.Count >= 1 && frame.Count <= logwire.MaxBatchRecords)
			last, after = frame.End, frame.End
		}
		s.Ack(s.End())
		require.Zero(t, s.Records())
		require.NoError(t, s.Clean())
	})
}
