package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/internal/inputs"
)

// FuzzReader runs operations on bytes that come in any pieces, and compares each with the oracle.
func FuzzReader(f *testing.F) {
	for _, in := range readerSeeds() {
		f.Add(in[0], in[1], in[2], len(in[3]) > 0)
	}
	f.Fuzz(func(t *testing.T, b, ops, cuts []byte, little bool) { new(comparison).check(t, b, ops, cuts, little) })
}

// readerSeeds are bytes, operations, cuts and, if not empty, the little order.
func readerSeeds() []inputs.Input {
	every := make([]byte, 0, len(operations))
	for i := range operations {
		every = append(every, byte(i))
	}
	whole := bytes.Repeat([]byte{0, 0, 0, 1}, 40)
	return []inputs.Input{
		{whole, every, {3, 0, 1}, {}},
		{whole, every, {1}, {1}},
		{{2}, {0, 0}, {}, {}},
		{{0, 0, 0, 3, 'a', 'b', 'c'}, {16, 13}, {2}, {}},
		{{0, 0, 0, 3, 'a', 'b', 'c'}, {16, 17, 14, 18}, {5}, {}},
		{{3, 0, 0, 0, 'a', 'b'}, {13, 15}, {0, 9}, {1}},
		{bytes.Repeat([]byte{0xff}, 12), {12, 1}, {}, {}},
		{append(make([]byte, 8), 0x3b, 0x9a, 0xca, 0x00), {12}, {1}, {}}, // a second's worth of nanoseconds
		{append(make([]byte, 8), 0xff, 0xc9, 0x9a, 0x3b), {12}, {}, {1}}, // and one less
		{append([]byte{0, 0, 8, 1}, make([]byte, 2049)...), {13, 18}, {15}, {}},
	}
}

// comparisonBound is the most that check may allocate for n bytes and so many operations: less than four times
// what arrives, three times, what an operation may take on the word of a length and what its oracle and its
// writer need. A length may claim 4 MiB, so that one that is believed is seen.
func comparisonBound(n, ops int) int { return 3*(6*n+(1024+512)*ops) + 512<<10 }

// comparison is the memory of comparisons that are made often.
type comparison struct {
	oracle oracle
	clone  []byte
	dst    bytes.Buffer
	w      binaryutil.Writer
	r      binaryutil.Reader
	whole  bytes.Reader
	cut    cutter
}

// check runs the operations on b with each of the readers. It returns the oracle's error in the end.
func (c *comparison) check(t testing.TB, b, ops, cuts []byte, little bool) error {
	order := binary.ByteOrder(binary.BigEndian)
	if little {
		order = binary.LittleEndian
	}
	c.buffer(t, b, order, ops)
	c.whole.Reset(b)
	c.reader(t, &c.whole, b, order, ops)
	c.cut = cutter{b: b, cuts: cuts}
	return c.reader(t, &c.cut, b, order, ops)
}

func (c *comparison) buffer(t testing.TB, b []byte, order binary.ByteOrder, ops []byte) error {
	c.clone = append(c.clone[:0], b...)
	return c.compare(t, binaryutil.NewBuffer(order, c.clone), b, order, ops)
}

func (c *comparison) reader(t testing.TB, src io.Reader, b []byte, order binary.ByteOrder, ops []byte) error {
	c.r.Reset(src, order)
	return c.compare(t, &c.r, b, order, ops)
}

// compare runs the operations on r and on the oracle, which has b.
func (c *comparison) compare(t testing.TB, r binaryutil.BinaryReader, b []byte, order binary.ByteOrder, ops []byte) error {
	o := &c.oracle
	*o = oracle{b: b, order: order, limit: binaryutil.DefaultLimit}
	c.w.Reset(&c.dst, order)
	for i, choice := range ops {
		op := &operations[int(choice)%len(operations)]
		want := op.oracle(o)
		c.dst.Reset()
		err, wantErr := op.real(r, &c.w), o.err
		if isSetting(op) {
			wantErr = nil
		}
		if !is(err, wantErr) || !is(r.Err(), o.err) || !bytes.Equal(want, c.dst.Bytes()) {
			t.Fatalf("%T of %x, %v, %s as number %d of %v: %x, %v, then %v; want %x, %v, %v",
				r, b, order, op.name, i, ops, c.dst.Bytes(), err, r.Err(), want, wantErr, o.err)
		}
	}
	return o.err
}

// is is errors.Is, quickly where they are the same.
func is(err, want error) bool { return err == want || want != nil && errors.Is(err, want) }

func isSetting(op *operation) bool { return op.name == "limit 2" || op.name == "default limit" }

// FuzzRoundTrip writes values and reads them back, in both orders.
func FuzzRoundTrip(f *testing.F) {
	f.Add(true, int64(-1), uint64(1), math.Pi, "text", []byte{1})
	f.Add(false, int64(math.MinInt64), uint64(math.MaxUint64), math.Inf(-1), "", []byte{})
	f.Fuzz(func(t *testing.T, b bool, i int64, u uint64, fl float64, s string, p []byte) {
		for _, order := range orders {
			checkRoundTrip(t, order, b, i, u, fl, s, p)
		}
	})
}

func checkRoundTrip(t testing.TB, order binary.ByteOrder, b bool, i int64, u uint64, fl float64, s string, p []byte) {
	buf := binaryutil.NewBuffer(order, nil)
	buf.WriteBool(b)
	buf.WriteInt64(i)
	buf.WriteUint64(u)
	buf.WriteFloat64(fl)
	buf.WriteString(s)
	buf.WriteBytes(p)
	written := buf.Err()
	gotB, _ := buf.ReadBool()
	gotI, _ := buf.ReadInt64()
	gotU, _ := buf.ReadUint64()
	gotF, _ := buf.ReadFloat64()
	gotS, _ := buf.ReadString()
	gotP, _ := buf.ReadBytes()
	same := gotB == b && gotI == i && gotU == u && math.Float64bits(gotF) == math.Float64bits(fl) && gotS == s && bytes.Equal(gotP, p)
	if err := buf.Finish(); !same || written != nil || err != nil {
		t.Fatalf("%v: wrote %v, %d, %d, %x, %q, %x: %v; read %v, %d, %d, %x, %q, %x: %v", order,
			b, i, u, math.Float64bits(fl), s, p, written, gotB, gotI, gotU, math.Float64bits(gotF), gotS, gotP, err)
	}
}
