package binaryutil_test

import (
	"encoding/binary"
	"io"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
)

// sequence encodes all values one after the other. ends[i] is where value i ends.
func sequence(t *testing.T, order binary.ByteOrder) (b []byte, ends []int) {
	for _, v := range values {
		b = append(b, v.encoded(t, order)...)
		ends = append(ends, len(b))
	}
	return b, ends
}

// TestCut cuts the sequence everywhere. Each value that is whole is read, the next one fails with
// the right error, and that sticks.
func TestCut(t *testing.T) {
	for _, order := range orders {
		b, ends := sequence(t, order)
		for name, reader := range readers {
			for cut := range len(b) + 1 {
				checkCut(t, reader(b[:cut], order), cut, ends)
				if t.Failed() {
					t.Fatalf("%s, %v, cut at %d", name, order, cut)
				}
			}
		}
	}
}

func checkCut(t *testing.T, r binaryutil.BinaryReader, cut int, ends []int) {
	t.Helper()
	var want error
	start := 0
	for i, v := range values {
		if want == nil && ends[i] > cut {
			if want = io.ErrUnexpectedEOF; cut == start {
				want = io.EOF
			}
		}
		start = ends[i]
		got, err := v.read(r)
		require.Equal(t, want, err, v.name)
		require.Equal(t, want, r.Err(), v.name)
		if err != nil {
			require.Zero(t, got, v.name)
		} else {
			require.Equal(t, v.want, got, v.name)
		}
	}
	n, err := r.Read(make([]byte, 1))
	require.Zero(t, n)
	if want == nil {
		require.Equal(t, io.EOF, err)
	} else {
		require.Equal(t, want, err)
	}
	require.Equal(t, want, r.Finish())
}

// TestFailedReadsAreZero: no bytes of a cut value show.
func TestFailedReadsAreZero(t *testing.T) {
	for _, v := range values {
		eachReader(t, []byte{0xff}, func(t *testing.T, r binaryutil.BinaryReader) {
			_, err := r.ReadUint16()
			require.Equal(t, io.ErrUnexpectedEOF, err)
			got, err := v.read(r)
			require.Equal(t, io.ErrUnexpectedEOF, err)
			require.True(t, reflect.ValueOf(got).IsZero(), v.name)
		})
	}
}

func TestPayloadMissing(t *testing.T) {
	eachReader(t, unhex(t, "00000001"), func(t *testing.T, r binaryutil.BinaryReader) {
		_, err := r.ReadString()
		require.Equal(t, io.ErrUnexpectedEOF, err)
	})
	eachReader(t, unhex(t, "00000001"), func(t *testing.T, r binaryutil.BinaryReader) {
		b, err := r.ReadBytes()
		require.Equal(t, io.ErrUnexpectedEOF, err)
		require.Nil(t, b)
	})
}
