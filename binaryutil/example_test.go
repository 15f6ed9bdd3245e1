package binaryutil_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/serialkit/serialkit/binaryutil"
)

// A message is read value by value and checked once.
func Example() {
	var message bytes.Buffer
	w := binaryutil.NewWriter(&message, binary.BigEndian)
	w.WriteUint32(7)
	w.WriteString("disk full")
	w.WriteTime(time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC))
	if err := w.Err(); err != nil {
		fmt.Println(err)
		return
	}

	r := binaryutil.NewReader(&message, binary.BigEndian)
	id, _ := r.ReadUint32()
	text, _ := r.ReadString()
	at, _ := r.ReadTime()
	if err := r.Finish(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(id, text, at)
	// Output: 7 disk full 2024-05-01 12:00:00 +0000 UTC
}

// A handler builds its answer in a Buffer and returns it as an io.Reader.
func ExampleBuffer() {
	answer := func() (io.Reader, error) {
		out := binaryutil.NewBuffer(binary.BigEndian, nil)
		out.WriteUint16(258)
		out.WriteString("hé")
		return out, out.Err()
	}
	out, _ := answer()
	b, _ := io.ReadAll(out)
	fmt.Printf("% x\n", b)
	// Output: 01 02 00 00 00 03 68 c3 a9
}

func ExampleNewBuffer() {
	in := binaryutil.NewBuffer(binary.LittleEndian, []byte{2, 1, 0xff})
	v, _ := in.ReadUint16()
	fmt.Println(v, in.Len(), in.Finish())
	// Output: 258 1 binaryutil: trailing bytes
}

// A list without a count ends with the message: io.EOF between two values is its end, any other
// error is a failure.
func ExampleReader() {
	in := binaryutil.NewReader(bytes.NewReader([]byte{0, 1, 0, 2, 0, 3}), binary.BigEndian)
	sum := 0
	for {
		v, err := in.ReadUint16()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		sum += int(v)
	}
	fmt.Println(sum)
	// Output: 6
}

func ExampleReader_SetLimit() {
	in := binaryutil.NewReader(bytes.NewReader([]byte{0, 0, 0, 9}), binary.BigEndian)
	in.SetLimit(8)
	_, err := in.ReadString()
	fmt.Println(err)

	var tooLarge *binaryutil.TooLargeError
	if errors.As(err, &tooLarge) {
		fmt.Println(tooLarge.Size, tooLarge.Limit, errors.Is(err, binaryutil.ErrTooLarge))
	}
	// Output:
	// binaryutil: length 9 exceeds the limit of 8 bytes
	// 9 8 true
}

// A Writer keeps nothing back: give it a buffered destination, and flush that.
func ExampleWriter() {
	dst := bufio.NewWriter(os.Stdout)
	w := binaryutil.NewWriter(dst, binary.BigEndian)
	for _, c := range []uint8("typed\n") {
		w.WriteUint8(c)
	}
	if w.Err() == nil {
		dst.Flush()
	}
	// Output: typed
}
