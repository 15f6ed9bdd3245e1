package serialclient_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"time"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// exampleServer serves one connection: task 1 answers its message in capitals, task 2 how many bytes it
// was sent, and all others fail with error 7.
func exampleServer() (address string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		defer ln.Close()
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for in := bufio.NewReader(conn); ; {
			task, err := in.ReadByte()
			if err != nil {
				return
			}
			message, err := io.ReadAll(serial.NewReader(in))
			if err != nil {
				return
			}
			conn.Write(exampleResponse(serial.TaskCode(task), message))
		}
	}()
	return ln.Addr().String()
}

func exampleResponse(task serial.TaskCode, message []byte) []byte {
	switch task {
	case 1:
		return okResponse(strings.ToUpper(string(message)))
	case 2:
		return okResponse(string(binary.BigEndian.AppendUint64(nil, uint64(len(message)))))
	case serial.TaskDisconnect:
		return []byte{goodbyeCode}
	}
	return []byte{errorCode, 7}
}

func Example() {
	address := exampleServer()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	c, err := serialclient.Dial(ctx, "tcp", address, binary.BigEndian)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	answer, err := c.Call(ctx, 1, []byte("hello"))
	if err != nil {
		log.Fatal(err, "; safe to retry: ", serialclient.SafeToRetry(err))
	}
	fmt.Printf("%s\n", answer)
	fmt.Println(c.Disconnect(ctx))
	// Output:
	// HELLO
	// <nil>
}

// A failed call says whether its task may have run.
func ExampleError() {
	ctx := context.Background()
	c, err := serialclient.Dial(ctx, "tcp", exampleServer(), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.Call(ctx, 99, nil)
	fmt.Println(err)
	var coder serial.ErrorCoder
	if errors.As(err, &coder) {
		fmt.Println(coder.ErrorCode(), serialclient.SafeToRetry(err))
	}

	c.Close()
	_, err = c.Call(ctx, 99, nil)
	fmt.Println(err)
	fmt.Println(errors.Is(err, serialclient.ErrClosed), serialclient.SafeToRetry(err))
	// Output:
	// serialclient: task 99 failed: serial: error 7
	// 7 false
	// serialclient: task 99 not run: serialclient: client closed
	// true true
}

// A caller's memory can be used again and again.
func ExampleClient_AppendCall() {
	ctx := context.Background()
	c, err := serialclient.Dial(ctx, "tcp", exampleServer(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	answer := make([]byte, 0, 1024)
	for _, word := range []string{"one", "two"} {
		answer, err = c.AppendCall(ctx, answer[:0], 1, []byte(word))
		fmt.Printf("%s %v\n", answer, err)
	}
	// Output:
	// ONE <nil>
	// TWO <nil>
}

// A window of calls in flight.
func ExampleClient_Pipeline() {
	ctx := context.Background()
	c, err := serialclient.Dial(ctx, "tcp", exampleServer(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	p, err := c.Pipeline(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	const window, calls = 8, 1000
	answers := 0
	receive := func() {
		answer, err := p.Receive(nil)
		if want := fmt.Sprint("CALL ", answers); err != nil || string(answer) != want {
			log.Fatalf("%q, %v, not %q", answer, err, want)
		}
		answers++
	}
	for i := range calls {
		if i >= window {
			receive()
		}
		if err := p.Send(1, fmt.Appendf(nil, "call %d", i)); err != nil {
			log.Fatal(err)
		}
	}
	for answers < calls {
		receive()
	}
	fmt.Println(answers, "answers")
	// Output: 1000 answers
}

// A request of any length, and an answer that is read value by value.
func ExampleClient_Stream() {
	ctx := context.Background()
	c, err := serialclient.Dial(ctx, "tcp", exampleServer(), binary.BigEndian)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	request := io.LimitReader(zeros{}, 1_000_000)
	s, err := c.Stream(ctx, 2, request)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	n, _ := s.ReadUint64()
	fmt.Println(n, s.Finish())
	// Output: 1000000 <nil>
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Messages of typed values.
func ExampleClient_Call() {
	ctx := context.Background()
	c, err := serialclient.Dial(ctx, "tcp", exampleServer(), binary.BigEndian)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	request := binaryutil.NewBuffer(c.ByteOrder(), nil)
	request.WriteUint32(17)
	request.WriteString("seventeen")
	answer, err := c.Call(ctx, 2, request.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(binaryutil.NewBuffer(c.ByteOrder(), answer).ReadUint64())
	// Output: 17 <nil>
}
