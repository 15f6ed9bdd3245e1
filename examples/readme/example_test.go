package readme_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialserver"
)

var addr = "127.0.0.1:0" // any free port; the server changes it to the real one

func Example_server() {
	ready := make(chan struct{})
	go server(ready)
	<-ready
	client(context.Background())
	// Output:
	// 5 <nil>
}

func server(ready chan<- struct{}) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	addr = ln.Addr().String()
	close(ready)
	srv := serialserver.New(nil)
	srv.Register(1, count, "count")
	for {
		conn, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go srv.HandleConnection(context.Background(), conn, binary.BigEndian)
	}
}

// count answers how many bytes it was sent.
func count(ctx context.Context, c *serialserver.Client, in binaryutil.BinaryReader, lg *zap.Logger, args ...any) (io.Reader, error) {
	n, err := io.Copy(io.Discard, in)
	out := binaryutil.NewBuffer(in.ByteOrder(), nil)
	out.WriteInt64(n)
	return out, err
}

func client(ctx context.Context) {
	c, err := serialclient.Dial(ctx, "tcp", addr, binary.BigEndian)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	answer, err := c.Call(ctx, 1, []byte("hello"))
	if err != nil {
		log.Fatal(err, "; safe to retry: ", serialclient.SafeToRetry(err))
	}
	n, err := binaryutil.NewBuffer(binary.BigEndian, answer).ReadInt64()
	fmt.Println(n, err)
}
