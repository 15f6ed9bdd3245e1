package binaryutil_test

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/serialkit/serialkit/binaryutil"
)

func BenchmarkReadFixed(b *testing.B) {
	b.ReportAllocs()
	r := binaryutil.NewReader(endless{}, nil)
	for b.Loop() {
		readFixed(r)
	}
}

func BenchmarkWriteFixed(b *testing.B) {
	b.ReportAllocs()
	w := binaryutil.NewWriter(io.Discard, nil)
	for b.Loop() {
		writeFixed(w)
	}
}

func BenchmarkBufferFixed(b *testing.B) {
	b.ReportAllocs()
	buf := binaryutil.NewBuffer(nil, nil)
	for b.Loop() {
		writeFixed(buf)
		readFixed(buf)
	}
}

func BenchmarkReadString(b *testing.B) {
	for _, size := range []int{16, 512, 1 << 16} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			encoded, src := prefixed(size), new(bytes.Reader)
			var r binaryutil.Reader
			for b.Loop() {
				src.Reset(encoded)
				r.Reset(src, nil)
				if _, err := r.ReadString(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBufferString(b *testing.B) {
	for _, size := range []int{16, 512, 1 << 16} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			s := strings.Repeat("x", size)
			buf := binaryutil.NewBuffer(nil, nil)
			for b.Loop() {
				buf.WriteString(s)
				if _, err := buf.ReadString(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
