package binaryutil_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/serialkit/serialkit/binaryutil"
)

// TestReadersOnEveryShortInput runs each operation, and then Finish, on each input of up to two bytes (one with the
// race detector), in both byte orders, with both readers. Longer inputs differ in their values alone; FuzzReader has those.
func TestReadersOnEveryShortInput(t *testing.T) {
	finish := operations[len(operations)-1]
	if finish.name != "finish" {
		t.Fatal("the last operation is no longer Finish")
	}
	runs := 0
	for size := range shortInput + 1 {
		for v := range 1 << (8 * size) {
			b := []byte{byte(v >> 8), byte(v)}[2-size:]
			for _, order := range orders {
				for _, op := range operations {
					checkShort(t, binaryutil.NewBuffer(order, b), b, order, op, finish)
					checkShort(t, binaryutil.NewReader(bytes.NewReader(b), order), b, order, op, finish)
					runs += 2
				}
			}
		}
	}
	t.Logf("%d runs", runs)
}

// checkShort compares the operations on b with the oracle's answers.
func checkShort(t *testing.T, r binaryutil.BinaryReader, b []byte, order binary.ByteOrder, ops ...operation) {
	o := &oracle{b: b, order: order, limit: binaryutil.DefaultLimit}
	var dst bytes.Buffer
	w := binaryutil.NewWriter(&dst, order)
	for _, op := range ops {
		want := op.oracle(o)
		dst.Reset()
		if op.real(r, w); !errors.Is(r.Err(), o.err) || !bytes.Equal(want, dst.Bytes()) {
			t.Fatalf("%T of %x, %v, %s: %x, %v; want %x, %v", r, b, order, op.name, dst.Bytes(), r.Err(), want, o.err)
		}
	}
}
