package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialtest"
)

func TestMain(m *testing.M) { serialtest.Main(m) }

// orders are the byte orders that every value is tested in.
var orders = map[string]binary.ByteOrder{"big": binary.BigEndian, "little": binary.LittleEndian}

// readers are the ways in which the same bytes may come. All must give the same answers.
var readers = map[string]func(b []byte, order binary.ByteOrder) binaryutil.BinaryReader{
	"Buffer": func(b []byte, order binary.ByteOrder) binaryutil.BinaryReader {
		return binaryutil.NewBuffer(order, bytes.Clone(b))
	},
	"whole": func(b []byte, order binary.ByteOrder) binaryutil.BinaryReader {
		return binaryutil.NewReader(bytes.NewReader(b), order)
	},
	"one byte":       over(iotest.OneByteReader),
	"half":           over(iotest.HalfReader),
	"data and error": over(iotest.DataErrReader),
	"one byte, data and error": over(func(r io.Reader) io.Reader {
		return iotest.DataErrReader(iotest.OneByteReader(r))
	}),
	"empty reads": over(func(r io.Reader) io.Reader { return &hesitant{r: r} }),
}

func over(wrap func(io.Reader) io.Reader) func([]byte, binary.ByteOrder) binaryutil.BinaryReader {
	return func(b []byte, order binary.ByteOrder) binaryutil.BinaryReader {
		return binaryutil.NewReader(wrap(bytes.NewReader(b)), order)
	}
}

// hesitant returns (0, nil) before each read that gives something.
type hesitant struct {
	r     io.Reader
	ready bool
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.ready = !h.ready; h.ready {
		return 0, nil
	}
	return h.r.Read(p)
}

// eachReader runs a test for every way in which b may come.
func eachReader(t *testing.T, b []byte, test func(t *testing.T, r binaryutil.BinaryReader)) {
	t.Helper()
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) { test(t, reader(b, nil)) })
	}
}

// unhex decodes hex digits with spaces between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}
