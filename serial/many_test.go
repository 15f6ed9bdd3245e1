package serial_test

import (
	"bufio"
	"testing"

	"github.com/serialkit/serialkit/internal/inputs"
)

// streamKinds are how a stream may end, as kindOfStream says.
var streamKinds = []string{"cut", "ended", "ended and more"}

func kindOfStream(rest []byte, ended bool) int {
	switch {
	case !ended:
		return 0
	case len(rest) == 0:
		return 1
	}
	return 2
}

// longestStream is the most bytes of a mutated stream: its longest seed's.
const longestStream = 8192

// TestManyDecoder is FuzzDecoder with mutated inputs.
func TestManyDecoder(t *testing.T) {
	inputs.Mutated{
		Seeds: decoderSeeds(t), Longest: longestStream, Kinds: streamKinds,
		Bound: func(in inputs.Input) int { return decoderBound(len(in[0]), len(in[1])) },
		Check: func(t testing.TB) func(inputs.Input) int {
			s := new(scratch)
			return func(in inputs.Input) int { return kindOfStream(s.checkDecoder(t, in[0], in[1], byteOf(in[2]))) }
		},
	}.Run(t)
}

// byteOf returns the first byte of a field, 0 if it has none.
func byteOf(field []byte) int {
	if len(field) == 0 {
		return 0
	}
	return int(field[0])
}

// bufferOf returns the index of one of the bufferSizes.
func bufferOf(field []byte) int { return byteOf(field) % len(bufferSizes) }

// TestManyReader is FuzzReader with mutated inputs, over buffers of the bufferSizes.
func TestManyReader(t *testing.T) {
	inputs.Mutated{
		Seeds: readerSeeds(t), Longest: longestStream, Kinds: streamKinds,
		Bound: func(in inputs.Input) int { return readerBound(len(in[0]), len(in[1]), len(in[2])) },
		Check: func(t testing.TB) func(inputs.Input) int {
			s, buffers := new(scratch), readBuffers()
			return func(in inputs.Input) int {
				return kindOfStream(s.checkReader(t, in[0], in[1], in[2], buffers[bufferOf(in[3])]))
			}
		},
	}.Run(t)
}

// TestManyRoundTrip is FuzzRoundTrip with mutated inputs, over buffers of the bufferSizes.
func TestManyRoundTrip(t *testing.T) {
	inputs.Mutated{
		Seeds: roundTripSeeds(), Longest: longestStream, Kinds: []string{"full blocks", "flushed"},
		Bound: func(in inputs.Input) int { return roundTripBound(len(in[0]), len(in[1]), len(in[2])) },
		Check: func(t testing.TB) func(inputs.Input) int {
			s, readers, writers := new(scratch), readBuffers(), writeBuffers()
			return func(in inputs.Input) int {
				i := bufferOf(in[3])
				if s.checkRoundTrip(t, in[0], in[1], in[2], readers[i], writers[i]) {
					return 1
				}
				return 0
			}
		},
	}.Run(t)
}

func readBuffers() (all []*bufio.Reader) {
	for _, size := range bufferSizes {
		all = append(all, bufio.NewReaderSize(nil, size))
	}
	return all
}

func writeBuffers() (all []*bufio.Writer) {
	for _, size := range bufferSizes {
		all = append(all, bufio.NewWriterSize(nil, size))
	}
	return all
}
