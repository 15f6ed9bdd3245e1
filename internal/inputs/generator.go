package inputs

import "math/rand/v2"

// Input is the fields of one input. The first is the bytes that are decoded; what the others mean is for the
// check to say.
type Input [][]byte

// longSeed is the length from which a field of a seed is long. Most inputs are made of short ones, of which
// more can be tried in the same time.
const longSeed = 256

// Generator makes inputs out of seeds. Each input depends on the seed number, its own number and the seeds
// alone, so that any of them can be made again. One goroutine uses a Generator.
type Generator struct {
	seeds   []Input // all of the same number of fields; only read
	longest int     // of a field
	seed    uint64
	pcg     rand.PCG
	rnd     *rand.Rand
	made    Input  // the latest; its memory is used again
	spare   []byte // for insertions
}

// NewGenerator returns a Generator of inputs whose fields have up to longest bytes. There must be a seed, and all
// must have as many fields as the first.
func NewGenerator(seed uint64, longest int, seeds []Input) *Generator {
	g := &Generator{seeds: seeds, longest: longest, seed: seed, made: make(Input, len(seeds[0]))}
	g.rnd = rand.New(&g.pcg)
	return g
}

// Input returns the input of a number. It is valid until the next call.
func (g *Generator) Input(number uint64) Input {
	g.pcg.Seed(g.seed, number)
	for i := range g.made {
		b := g.like(i)
		g.made[i] = append(g.made[i][:0], b[:min(len(b), g.longest)]...)
	}
	for n := 1 + g.rnd.IntN(1+g.rnd.IntN(8)); n > 0; n-- {
		i := 0
		if g.rnd.IntN(2) == 0 {
			i = g.rnd.IntN(len(g.made))
		}
		b := mutations[g.rnd.IntN(len(mutations))](g, g.made[i], i)
		g.made[i] = b[:min(len(b), g.longest)]
	}
	return g.made
}

// like returns the field i of some seed.
func (g *Generator) like(i int) []byte {
	for {
		b := g.seeds[g.rnd.IntN(len(g.seeds))][i]
		if len(b) < longSeed || g.rnd.IntN(32) == 0 || len(g.seeds) == 1 {
			return b
		}
	}
}

// place returns an index into b, or 0.
func (g *Generator) place(b []byte) int { return g.rnd.IntN(max(len(b), 1)) }

// stretch returns the bounds of a part of b, most of them short.
func (g *Generator) stretch(b []byte) (from, to int) {
	from = g.rnd.IntN(len(b) + 1)
	most := len(b) - from
	if g.rnd.IntN(4) > 0 {
		most = min(most, 8)
	}
	return from, from + g.rnd.IntN(most+1)
}

// boundary returns a byte that codes and lengths treat in a way of its own.
func (g *Generator) boundary() byte { return boundaries[g.rnd.IntN(len(boundaries))] }

// The reserved codes, the answers' codes, and the lengths around nothing, a full block and the sign.
var boundaries = [...]byte{0, 1, 2, 3, 4, 127, 128, 249, 250, 251, 252, 253, 254, 255}
