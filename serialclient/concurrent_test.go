package serialclient_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
)

// TestManyCallers: each has the response to its own request, however it calls.
func TestManyCallers(t *testing.T) {
	for name, startPeer := range starts {
		t.Run(name, func(t *testing.T) {
			c := startPeer(t, echoes, serialclient.WithKeepAlive(time.Microsecond))
			var callers sync.WaitGroup
			for i := range 8 {
				callers.Go(func() {
					for k := range 100 {
						if err := mixed(background, c, i+k, fmt.Appendf(nil, "%d of %d", k, i)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			callers.Wait()
			require.NoError(t, c.Err())
		})
	}
}

// mixed makes a call in one of the ways and checks its response.
func mixed(ctx context.Context, c *serialclient.Client, way int, request []byte) error {
	var response []byte
	var err error
	switch task := serial.TaskCode(way % 250); way % 4 {
	case 0:
		response, err = c.Call(ctx, task, request)
	case 1:
		response, err = byStream(ctx, c, task, request)
	case 2:
		response, err = byPipeline(ctx, c, task, request)
	default:
		return c.KeepAlive(ctx)
	}
	if err == nil && !bytes.Equal(response, request) {
		return fmt.Errorf("%q was answered %q", request, response)
	}
	return err
}

func byStream(ctx context.Context, c *serialclient.Client, task serial.TaskCode, request []byte) ([]byte, error) {
	s, err := c.Stream(ctx, task, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return io.ReadAll(s)
}

// byPipeline sends the request and two others around it.
func byPipeline(ctx context.Context, c *serialclient.Client, task serial.TaskCode, request []byte) ([]byte, error) {
	p, err := c.Pipeline(ctx)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for _, r := range [][]byte{[]byte("before"), request, []byte("after")} {
		if err := p.Send(task, r); err != nil {
			return nil, err
		}
	}
	if _, err := p.Receive(nil); err != nil {
		return nil, err
	}
	return p.Receive(nil) // the last response is thrown away
}

// TestCloseAtAnyTime: Close and Disconnect, while others call, and are cancelled. Each call has its own
// response or says why not, and nothing is left.
func TestCloseAtAnyTime(t *testing.T) {
	for name, startPeer := range starts {
		for way, end := range map[string]func(c *serialclient.Client){
			"Close":      func(c *serialclient.Client) { c.Close() },
			"Disconnect": func(c *serialclient.Client) { c.Disconnect(background) },
		} {
			t.Run(name+"/"+way, func(t *testing.T) {
				for round := range 60 {
					closeAtAnyTime(t, startPeer(t, echoes, serialclient.WithKeepAlive(time.Microsecond)), end, round)
				}
			})
		}
	}
}

func closeAtAnyTime(t *testing.T, c *serialclient.Client, end func(*serialclient.Client), round int) {
	t.Helper()
	var callers sync.WaitGroup
	enough := make(chan struct{}, 1000)
	gone := make(chan struct{})
	var once sync.Once
	for i := range 4 {
		callers.Go(func() {
			for k := 0; ; k++ {
				ctx, cancel := context.WithTimeout(background, time.Duration(rand.IntN(2000))*time.Microsecond)
				err := mixed(ctx, c, i+k, fmt.Appendf(nil, "%d of %d", k, i))
				cancel()
				if c.Err() != nil { // a cancelled call may have cost the connection, too
					once.Do(func() { close(gone) })
					return
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				select {
				case enough <- struct{}{}:
				default:
				}
			}
		})
	}
	for range round % 7 {
		select {
		case <-enough:
		case <-gone:
		}
	}
	callers.Go(func() { end(c) })
	end(c)
	callers.Wait()
	require.NoError(t, c.Close())
	require.Error(t, c.Err())
}
