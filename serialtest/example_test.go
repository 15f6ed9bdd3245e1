package serialtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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

// A client reads its second response through a proxy that closes the connection at each of its bytes in turn.
func ExampleProxy() {
	const first, second = "\x00\x02ok\x00", "\x01\x07"
	dial := func(context.Context) (net.Conn, error) {
		near, server := serialtest.Pipe()
		io.WriteString(server, first+second)
		return near, nil
	}
	for k := range len(second) {
		fault := serialtest.ResponseByte(1, k).Close()
		proxy := serialtest.NewProxy(dial, fault)
		client, err := proxy.Dial()
		if err != nil {
			panic(err)
		}
		in := bufio.NewReader(client)
		for range 2 {
			response, err := serialtest.ReadMessage(in)
			fmt.Println(response, err)
		}
		fmt.Printf("%v fired %d times\n", fault, fault.Fired())
		proxy.Close()
	}
	// Output:
	// {"ok":"6f6b"} <nil>
	// {} EOF
	// close at byte 0 of response 1 fired 1 times
	// {"ok":"6f6b"} <nil>
	// {} unexpected EOF
	// close at byte 1 of response 1 fired 1 times
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
