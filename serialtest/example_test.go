package serialtest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/serialkit/serialkit/serialtest"
)

func ExamplePipe() {
	client, server := serialtest.Pipe()
	fmt.Fprint(client, "question")
	fmt.Fprint(server, "answer")
	client.(interface{ CloseWrite() error }).CloseWrite()
	asked, err := io.ReadAll(server)
	fmt.Println(string(asked), err)
	server.Close()
	answered, err := io.ReadAll(client)
	fmt.Println(string(answered), err)
	// Output:
	// question <nil>
	// answer <nil>
}

// A server that closes while the client's input still waits destroys its own
// last response. Reading the input to its end first protects it.
func ExampleResetOnUnread() {
	for _, readToEnd := range []bool{false, true} {
		client, server := serialtest.Pipe()
		fmt.Fprint(client, "a long request")
		client.(interface{ CloseWrite() error }).CloseWrite()

		fmt.Fprint(server, "sorry")
		if readToEnd {
			io.Copy(io.Discard, server)
		}
		server.Close()

		response, err := io.ReadAll(client)
		fmt.Printf("%q %v\n", response, errors.Is(err, syscall.ECONNRESET))
	}
	// Output:
	// "" true
	// "sorry" false
}

// A message of one length byte and its text is cut at each of its bytes. Only
// before the first byte is that an orderly end.
func ExampleFaulty() {
	read := func(r io.Reader) error {
		head := make([]byte, 1)
		if _, err := io.ReadFull(r, head); err != nil {
			return err
		}
		_, err := io.ReadFull(r, make([]byte, head[0]))
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	message := "\x03abc"
	for n := range len(message) {
		client, server := serialtest.Pipe()
		io.WriteString(client, message)
		fault := serialtest.CutRead(n)
		err := read(serialtest.Faulty(server, fault))
		fmt.Printf("%v (fired %d times): %v\n", fault, fault.Fired(), err)
	}
	// Output:
	// cut read at 0 (fired 1 times): EOF
	// cut read at 1 (fired 1 times): unexpected EOF
	// cut read at 2 (fired 1 times): unexpected EOF
	// cut read at 3 (fired 1 times): unexpected EOF
}

func ExampleChunkReads() {
	client, server := serialtest.Pipe()
	conn := serialtest.Faulty(server, serialtest.ChunkReads(3))
	io.Copy(client, strings.NewReader("in pieces"))
	buf := make([]byte, 100)
	for range 3 {
		n, _ := conn.Read(buf)
		fmt.Printf("%q\n", buf[:n])
	}
	// Output:
	// "in "
	// "pie"
	// "ces"
}
