package inputs

import (
	"encoding/binary"
	"slices"
)

// mutation changes the field i of an input and returns it; it may use the memory of b again.
type mutation func(g *Generator, b []byte, i int) []byte

var mutations = [...]mutation{
	flipBit, setBoundary, setBoundary, setAny, addOne,
	truncate, remove, insertAny, insertBoundaries, repeat, anything,
	splice, join, insertStream, insertStream, setLength,
	moveHeader, splitBlock, dropBlock, endEarly,
}

func flipBit(g *Generator, b []byte, _ int) []byte {
	if len(b) > 0 {
		b[g.place(b)] ^= 1 << g.rnd.IntN(8)
	}
	return b
}

func setBoundary(g *Generator, b []byte, _ int) []byte {
	if len(b) > 0 {
		b[g.place(b)] = g.boundary()
	}
	return b
}

func setAny(g *Generator, b []byte, _ int) []byte {
	if len(b) > 0 {
		b[g.place(b)] = byte(g.rnd.Uint32())
	}
	return b
}

func addOne(g *Generator, b []byte, _ int) []byte {
	if len(b) > 0 {
		b[g.place(b)] += byte(2*g.rnd.IntN(2)) - 1
	}
	return b
}

func truncate(g *Generator, b []byte, _ int) []byte { return b[:g.rnd.IntN(len(b)+1)] }

func remove(g *Generator, b []byte, _ int) []byte {
	from, to := g.stretch(b)
	return slices.Delete(b, from, to)
}

func insertAny(g *Generator, b []byte, _ int) []byte {
	g.spare = g.spare[:0]
	for range 1 + g.rnd.IntN(16) {
		g.spare = append(g.spare, byte(g.rnd.Uint32()))
	}
	return slices.Insert(b, g.rnd.IntN(len(b)+1), g.spare...)
}

func insertBoundaries(g *Generator, b []byte, _ int) []byte {
	g.spare = g.spare[:0]
	for range 1 + g.rnd.IntN(4) {
		g.spare = append(g.spare, g.boundary())
	}
	return slices.Insert(b, g.rnd.IntN(len(b)+1), g.spare...)
}

// repeat inserts a stretch of b another time.
func repeat(g *Generator, b []byte, _ int) []byte {
	from, to := g.stretch(b)
	g.spare = append(g.spare[:0], b[from:to]...)
	return slices.Insert(b, g.rnd.IntN(len(b)+1), g.spare...)
}

// anything forgets the seed; most of what it makes is short.
func anything(g *Generator, b []byte, _ int) []byte {
	b = b[:0]
	for range g.rnd.IntN(1 + g.rnd.IntN(64)) {
		b = append(b, byte(g.rnd.Uint32()))
	}
	return b
}

// splice goes on, somewhere in b, as another seed does.
func splice(g *Generator, b []byte, i int) []byte {
	other := g.like(i)
	return append(b[:g.rnd.IntN(len(b)+1)], other[g.rnd.IntN(len(other)+1):]...)
}

func join(g *Generator, b []byte, i int) []byte { return append(b, g.like(i)...) }

// insertStream inserts a code and a block stream, which may be at the end.
func insertStream(g *Generator, b []byte, _ int) []byte {
	g.spare = append(g.spare[:0], g.boundary())
	for range g.rnd.IntN(4) {
		n := 1 + g.rnd.IntN(4)
		if g.rnd.IntN(16) == 0 {
			n = 255
		}
		g.spare = append(g.spare, byte(n))
		for range n {
			g.spare = append(g.spare, g.boundary())
		}
	}
	g.spare = append(g.spare, 0)
	at := len(b)
	if g.rnd.IntN(2) == 0 {
		at = g.rnd.IntN(len(b) + 1)
	}
	return slices.Insert(b, at, g.spare...)
}

// setLength writes a number of four bytes in either order: one that fits, one that does not, or one around 0.
func setLength(g *Generator, b []byte, _ int) []byte {
	if len(b) < 4 {
		return b
	}
	at := g.rnd.IntN(len(b) - 3)
	n := uint32(len(b) - at - 4)
	switch g.rnd.IntN(4) {
	case 0:
		n += uint32(g.rnd.IntN(3)) - 1
	case 1:
		n = uint32(g.rnd.IntN(4)) - 1
	case 2:
		n = 1 << g.rnd.IntN(32)
	}
	if g.rnd.IntN(2) == 0 {
		binary.LittleEndian.PutUint32(b[at:], n)
	} else {
		binary.BigEndian.PutUint32(b[at:], n)
	}
	return b
}

// header returns the place of some block's length byte, or of an end, where b is read as block streams with or
// without a code in front of each.
func (g *Generator) header(b []byte) (at int, ok bool) {
	codes := g.rnd.IntN(2)
	skip := g.rnd.IntN(8)
	for at = codes; at < len(b); skip-- {
		if skip == 0 {
			return at, true
		}
		next := at + 1 + int(b[at])
		if b[at] == 0 {
			next += codes
		}
		if next >= len(b) {
			return at, true
		}
		at = next
	}
	return 0, false
}

// moveHeader makes a block claim another length than it has.
func moveHeader(g *Generator, b []byte, _ int) []byte {
	if at, ok := g.header(b); ok {
		switch g.rnd.IntN(3) {
		case 0:
			b[at]++
		case 1:
			b[at]--
		default:
			b[at] = g.boundary()
		}
	}
	return b
}

// splitBlock makes two blocks of one, which mean the same.
func splitBlock(g *Generator, b []byte, _ int) []byte {
	at, ok := g.header(b)
	if !ok || b[at] < 2 || at+int(b[at]) >= len(b) {
		return b
	}
	first := 1 + g.rnd.IntN(int(b[at])-1)
	second := b[at] - byte(first)
	b[at] = byte(first)
	return slices.Insert(b, at+1+first, second)
}

// dropBlock removes a block, its length byte included.
func dropBlock(g *Generator, b []byte, _ int) []byte {
	at, ok := g.header(b)
	if !ok {
		return b
	}
	return slices.Delete(b, at, min(at+1+int(b[at]), len(b)))
}

// endEarly inserts an end where a block may begin.
func endEarly(g *Generator, b []byte, _ int) []byte {
	at, ok := g.header(b)
	if !ok {
		return b
	}
	return slices.Insert(b, at, 0)
}
