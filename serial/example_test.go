package serial_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/serialkit/serialkit/serial"
)

// A message goes out as blocks. They are filled whatever the sizes of the writes; a Flush ends one
// early.
func ExampleWriter() {
	var wire bytes.Buffer
	w := serial.NewWriter(&wire)
	w.Write([]byte{1, 2})
	w.Write([]byte{3})
	w.Flush()
	w.Write([]byte{4})
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("% x\n", wire.Bytes())
	// Output: 03 01 02 03 01 04 00
}

// What follows the message stays in the bufio.Reader.
func ExampleReader() {
	wire := bufio.NewReader(strings.NewReader("\x03\x01\x02\x03\x01\x04\x00" + "and so on"))
	message, err := io.ReadAll(serial.NewReader(wire))
	fmt.Printf("% x, %v\n", message, err)
	rest, err := io.ReadAll(wire)
	fmt.Printf("%s, %v\n", rest, err)
	// Output:
	// 01 02 03 04, <nil>
	// and so on, <nil>
}

// A message that was cut is an error, never a short message.
func ExampleReader_cut() {
	message, err := io.ReadAll(serial.NewReader(strings.NewReader("\x03\x01\x02\x03\x01")))
	fmt.Printf("% x, %v\n", message, err)
	// Output: 01 02 03, unexpected EOF
}

// A Decoder takes a stream in pieces cut anywhere.
func ExampleDecoder() {
	var d serial.Decoder
	dst := make([]byte, 16)
	for _, piece := range [][]byte{{3, 1}, {2, 3, 1}, {4, 0, 99}} {
		written, consumed := d.Decode(dst, piece)
		fmt.Println(dst[:written], consumed, d.Ended())
	}
	// Output:
	// [1] 2 false
	// [2 3] 3 false
	// [4] 2 true
}

// The code is for the peer, the reason for the log.
func ExampleErrorf() {
	_, err := os.Open("/no/such/file")
	err = serial.Errorf(serial.ErrorDenied, "job 7: %w", err)
	err = fmt.Errorf("task: %w", err) // whoever wraps it further

	var coder serial.ErrorCoder
	if errors.As(err, &coder) {
		fmt.Println("answer", coder.ErrorCode())
	}
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output:
	// answer 255 (denied)
	// true
}
