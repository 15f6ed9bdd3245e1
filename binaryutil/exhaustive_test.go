package binaryutil_test

import (
	"flag"
	"testing"

	"github.com/serialkit/serialkit/internal/inputs"
)

var exhaustive = flag.Int("exhaustive", shortInput, "TestReadersOnEveryShortInput: every input of up to so many bytes; 3 takes minutes")

// TestReadersOnEveryShortInput runs each operation, and then Finish, on each input of up to two bytes (one with the
// race detector), in both byte orders, with both readers.
func TestReadersOnEveryShortInput(t *testing.T) {
	finish := len(operations) - 1
	if operations[finish].name != "finish" {
		t.Fatal("the last operation is no longer Finish")
	}
	inputs.Short(t, *exhaustive, "inputs, each with every operation, in both orders and with both readers", func(t testing.TB) func([]byte) {
		c := new(comparison)
		return func(b []byte) {
			for _, order := range orders {
				for op := range operations {
					ops := [...]byte{byte(op), byte(finish)}
					c.buffer(t, b, order, ops[:])
					c.whole.Reset(b)
					c.reader(t, &c.whole, b, order, ops[:])
				}
			}
		}
	})
}
