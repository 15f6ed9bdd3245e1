package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/binaryutil"
)

func (v value) encoded(t testing.TB, order binary.ByteOrder) []byte {
	if order == binary.LittleEndian {
		return unhex(t, v.little)
	}
	return unhex(t, v.big)
}

func TestValues(t *testing.T) {
	for orderName, order := range orders {
		for _, v := range values {
			t.Run(orderName+"/"+v.name, func(t *testing.T) {
				want := v.encoded(t, order)

				var dst bytes.Buffer
				w := binaryutil.NewWriter(&dst, order)
				require.NoError(t, v.write(w))
				require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(dst.Bytes()))
				require.Equal(t, order, w.ByteOrder())

				buf := binaryutil.NewBuffer(order, nil)
				require.NoError(t, v.write(buf))
				require.Equal(t, want, append([]byte{}, buf.Bytes()...))

				for name, reader := range readers {
					r := reader(want, order)
					got, err := v.read(r)
					require.NoError(t, err, name)
					require.Equal(t, v.want, got, name)
					require.NoError(t, r.Finish(), name)
					require.Equal(t, order, r.ByteOrder(), name)
				}
			})
		}
	}
}

func TestNilOrderIsBigEndian(t *testing.T) {
	var dst bytes.Buffer
	var w binaryutil.Writer
	w.Reset(&dst, nil)
	require.NoError(t, w.WriteUint16(258))
	require.Equal(t, []byte{1, 2}, dst.Bytes())
	require.Equal(t, binary.BigEndian, w.ByteOrder())

	var r binaryutil.Reader
	r.Reset(&dst, nil)
	v, err := r.ReadUint16()
	require.NoError(t, err)
	require.Equal(t, uint16(258), v)
	require.Equal(t, binary.BigEndian, r.ByteOrder())
}

func TestFloatsKeepTheirBits(t *testing.T) {
	b := binaryutil.NewBuffer(nil, nil)
	require.NoError(t, b.WriteFloat32(math.Float32frombits(0x7fc00123)))
	require.NoError(t, b.WriteFloat64(math.Float64frombits(0x7ff8000000000123)))
	f32, err := b.ReadFloat32()
	require.NoError(t, err)
	require.Equal(t, uint32(0x7fc00123), math.Float32bits(f32))
	f64, err := b.ReadFloat64()
	require.NoError(t, err)
	require.Equal(t, uint64(0x7ff8000000000123), math.Float64bits(f64))
}

func TestTimeLosesLocationAndMonotonicPart(t *testing.T) {
	now := time.Now().In(time.FixedZone("somewhere", 3600))
	b := binaryutil.NewBuffer(nil, nil)
	require.NoError(t, b.WriteTime(now))
	got, err := b.ReadTime()
	require.NoError(t, err)
	require.Equal(t, now.UTC().Round(0), got) // Round strips the monotonic part

	require.NoError(t, b.WriteTime(time.Time{}))
	got, err = b.ReadTime()
	require.NoError(t, err)
	require.True(t, got.IsZero())
}

func TestEverySecondIsATime(t *testing.T) {
	for _, seconds := range []int64{math.MinInt64, math.MaxInt64} {
		b := binaryutil.NewBuffer(nil, nil)
		require.NoError(t, b.WriteInt64(seconds))
		require.NoError(t, b.WriteUint32(7))
		got, err := b.ReadTime()
		require.NoError(t, err)
		require.Equal(t, seconds, got.Unix())
		require.Equal(t, 7, got.Nanosecond())
	}
}
