package serialclient_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/serialkit/serialkit/serialclient"
)

// Calls go to the servers that can be reached; what certainly did not run is made again.
func ExamplePool() {
	nobody := "127.0.0.1:0" // cannot be reached
	p, err := serialclient.NewPool("tcp", []string{nobody, exampleServer()}, binary.BigEndian)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	for _, word := range []string{"one", "two"} {
		answer, err := p.Call(ctx, 1, []byte(word))
		fmt.Printf("%s %v\n", answer, err)
	}
	fmt.Println(p.Stats().Calls, "calls,", p.Stats().Addresses[1].Open, "connection")
	fmt.Println(p.Shutdown(ctx))
	_, err = p.Call(ctx, 1, nil)
	fmt.Println(errors.Is(err, serialclient.ErrPoolClosed), serialclient.SafeToRetry(err))
	// Output:
	// ONE <nil>
	// TWO <nil>
	// 2 calls, 1 connection
	// <nil>
	// true true
}
