package binaryutil_test

import (
	"encoding/binary"
	"io"

	"github.com/serialkit/serialkit/binaryutil"
)

// operation is one that FuzzReader may choose, and what the oracle answers. The answers are bytes
// that encode the value in full, so that NaNs can be compared.
type operation struct {
	name   string
	real   func(r binaryutil.BinaryReader, w binaryutil.BinaryWriter) error // write back what was read
	oracle func(o *oracle) []byte                                           // nil if it fails
}

// back makes an operation that reads a value and writes it.
func back[T any](name string, read func(in) (T, error), write func(out, T) error, oracle func(*oracle) []byte) operation {
	return operation{name: name, oracle: oracle, real: func(r in, w out) error {
		v, err := read(r)
		if err == nil {
			err = write(w, v)
		}
		return err
	}}
}

func take(n int) func(*oracle) []byte { return func(o *oracle) []byte { return o.take(n) } }

var operations = []operation{
	back("bool", in.ReadBool, out.WriteBool, (*oracle).bool),
	back("int8", in.ReadInt8, out.WriteInt8, take(1)),
	back("int16", in.ReadInt16, out.WriteInt16, take(2)),
	back("int32", in.ReadInt32, out.WriteInt32, take(4)),
	back("int64", in.ReadInt64, out.WriteInt64, take(8)),
	back("uint8", in.ReadUint8, out.WriteUint8, take(1)),
	back("uint16", in.ReadUint16, out.WriteUint16, take(2)),
	back("uint32", in.ReadUint32, out.WriteUint32, take(4)),
	back("uint64", in.ReadUint64, out.WriteUint64, take(8)),
	back("float32", in.ReadFloat32, out.WriteFloat32, take(4)),
	back("float64", in.ReadFloat64, out.WriteFloat64, take(8)),
	back("duration", in.ReadDuration, out.WriteDuration, take(8)),
	back("time", in.ReadTime, out.WriteTime, (*oracle).time),
	back("string", in.ReadString, out.WriteString, (*oracle).payload),
	back("bytes", in.ReadBytes, out.WriteBytes, (*oracle).payload),
	{"raw 3", rawRead, (*oracle).raw},
	{"limit 2", func(r in, _ out) error { r.SetLimit(2); return nil },
		func(o *oracle) []byte { o.limit = 2; return nil }},
	{"default limit", func(r in, _ out) error { r.SetLimit(0); return nil },
		func(o *oracle) []byte { o.limit = binaryutil.DefaultLimit; return nil }},
	{"finish", func(r in, _ out) error { return r.Finish() }, (*oracle).finish},
}

// rawRead reads up to 3 raw bytes. It is no typed read, and so ends with an error of its own.
func rawRead(r in, w out) error {
	b := make([]byte, 3)
	n, err := io.ReadFull(r, b)
	w.Write(b[:n])
	if r.Err() == nil {
		err = nil
	}
	return err
}

// oracle is the naive reader: all bytes are there, and nothing is ever cut.
type oracle struct {
	b     []byte
	order binary.ByteOrder
	limit uint32
	err   error
}

func (o *oracle) take(n int) []byte {
	switch {
	case o.err != nil:
		return nil
	case len(o.b) == 0:
		o.err = io.EOF
		return nil
	case len(o.b) < n:
		o.err = io.ErrUnexpectedEOF
		return nil
	}
	p := o.b[:n]
	o.b = o.b[n:]
	return p
}

func (o *oracle) bool() []byte {
	p := o.take(1)
	if p != nil && p[0] != 0 && p[0] != 1 {
		o.err = binaryutil.ErrMalformed
		return nil
	}
	return p
}

func (o *oracle) time() []byte {
	p := o.take(12)
	if p != nil && o.order.Uint32(p[8:]) >= 1e9 {
		o.err = binaryutil.ErrMalformed
		return nil
	}
	return p
}

func (o *oracle) payload() []byte {
	whole := o.b
	p := o.take(4)
	if p == nil {
		return nil
	}
	n := o.order.Uint32(p)
	if n > o.limit {
		o.err = binaryutil.ErrTooLarge
		return nil
	}
	if int(n) > len(o.b) {
		o.err = io.ErrUnexpectedEOF
		return nil
	}
	o.b = o.b[n:]
	return whole[:4+n]
}

func (o *oracle) raw() []byte {
	if o.err != nil {
		return nil
	}
	p := o.b[:min(3, len(o.b))]
	o.b = o.b[len(p):]
	return p
}

func (o *oracle) finish() []byte {
	if o.err == nil && len(o.b) > 0 {
		o.err = binaryutil.ErrTrailingBytes
	}
	return nil
}

// cutter gives b in reads whose sizes are in cuts, again and again. A size of 0 is an empty read,
// and an odd last one comes along with the io.EOF.
type cutter struct {
	b, cuts []byte
	i       int
}

func (c *cutter) Read(p []byte) (int, error) {
	size := 1
	if len(c.cuts) > 0 {
		size = int(c.cuts[c.i%len(c.cuts)] % 16)
		if c.i++; c.i%50 == 0 {
			size = 1 // not stuck forever
		}
	}
	if len(c.b) == 0 && size != 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(size, len(p))], c.b)
	if c.b = c.b[n:]; len(c.b) == 0 && size%2 == 1 {
		return n, io.EOF
	}
	return n, nil
}
