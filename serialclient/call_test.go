package serialclient_test

import (
	"context"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// TestCallOnTheWire: each byte that a call sends and takes.
func TestCallOnTheWire(t *testing.T) {
	c := start(t, func(p *peer) {
		p.bytes(1, 5, 'h', 'e', 'l', 'l', 'o', 0)
		p.write(0, 1, 'H', 2, 'E', 'Y', 0)
		p.bytes(249, 0)
		p.write(0, 0)
		p.bytes(0, 1, 0, 0)
		p.write(1, 9)
		p.end()
	})
	response, err := c.Call(background, 1, []byte("hello"))
	require.NoError(t, err)
	require.Equal(t, "HEY", string(response))
	response, err = c.Call(background, 249, nil)
	require.NoError(t, err)
	require.Empty(t, response)
	_, err = c.Call(background, 0, []byte{0})
	var coder serial.ErrorCoder
	require.ErrorAs(t, err, &coder)
	require.Equal(t, serial.ErrorCode(9), coder.ErrorCode())
	failure(t, err, 0, serialclient.Failed, err)
}

// TestReservedCode: the protocol's own tasks are not the caller's to call.
func TestReservedCode(t *testing.T) {
	c := start(t, func(p *peer) { p.end() })
	p, err := c.Pipeline(background)
	require.NoError(t, err)
	for task := serial.TaskCode(250); task != 0; task++ {
		failure(t, p.Send(task, nil), task, serialclient.NotRun, serialclient.ErrReservedCode)
	}
	require.NoError(t, p.Close())
	for task := serial.TaskCode(250); task != 0; task++ {
		_, err := c.Call(background, task, nil)
		failure(t, err, task, serialclient.NotRun, serialclient.ErrReservedCode)
		_, err = c.Stream(background, task, nil)
		failure(t, err, task, serialclient.NotRun, serialclient.ErrReservedCode)
	}
}

// TestAppendCall: the response stands behind dst, and with an error dst is as it was.
func TestAppendCall(t *testing.T) {
	const prefix = "kept"
	for _, room := range []int{0, 1, 10, 1000} {
		c := start(t, func(p *peer) {
			p.expect(1, "")
			p.ok("response")
			p.expect(1, "")
			p.error(5)
			p.expect(1, "")
			p.write(0, 3, 'c', 'u', 't')
		})
		dst := append(make([]byte, 0, len(prefix)+room), prefix...)
		got, err := c.AppendCall(background, dst, 1, nil)
		require.NoError(t, err)
		require.Equal(t, prefix+"response", string(got))
		require.Equal(t, room > 7, &got[0] == &dst[0], "the memory of dst is used where it suffices")

		for range 2 {
			got, err = c.AppendCall(background, dst, 1, nil)
			require.Error(t, err)
			require.Equal(t, prefix, string(got))
		}
		got, err = c.AppendCall(background, dst, 1, nil) // the connection is closed
		require.Error(t, err)
		require.Equal(t, prefix, string(got))
	}
}

// TestAppendCallAllocatesNothing: where dst has room.
func TestAppendCallAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Log("the race detector allocates by itself")
		return
	}
	response := okResponse(strings.Repeat("r", 300))
	c := startTCP(t, func(p *peer) {
		request := make([]byte, 1+1+255+1+45+1)
		for {
			if _, err := p.Read(request); err != nil {
				return
			}
			p.write(response...)
		}
	})
	request, dst := bytesOf(300), make([]byte, 0, 300)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := c.AppendCall(background, dst, 1, request); err != nil {
			t.Fatal(err)
		}
	})
	require.Zero(t, allocs)
}

// TestMaxResponse: a response at the limit comes whole; one byte more costs the connection.
func TestMaxResponse(t *testing.T) {
	const limit = 1000
	for _, test := range []struct {
		size int
		ok   bool
	}{{limit - 1, true}, {limit, true}, {limit + 1, false}, {100 * limit, false}} {
		for _, dst := range [][]byte{nil, make([]byte, 7), make([]byte, 7, 500), make([]byte, 7, 200*limit)} {
			body := strings.Repeat("x", test.size)
			c := start(t, func(p *peer) {
				p.expect(1, "")
				p.ok(body)
				p.end()
			}, serialclient.WithMaxResponse(limit))
			got, err := c.AppendCall(background, dst, 1, nil)
			if test.ok {
				require.NoError(t, err)
				require.Equal(t, body, string(got[len(dst):]))
				require.NoError(t, c.Err())
				continue
			}
			failure(t, err, 1, serialclient.Unknown, serialclient.ErrTooLarge)
			require.Len(t, got, len(dst))
			broken(t, c, serialclient.ErrTooLarge)
		}
	}
}

// TestMaxResponseDefault: 0 and less mean 4 MiB, and there is no value that is too large.
func TestMaxResponseDefault(t *testing.T) {
	for _, limit := range []int{0, -1, serialclient.DefaultMaxResponse, int(^uint(0) >> 1)} {
		c := start(t, echoes, serialclient.WithMaxResponse(limit))
		got, err := c.AppendCall(background, []byte("x"), 1, []byte("y"))
		require.NoError(t, err)
		require.Equal(t, "xy", string(got))
	}
	for _, limit := range []int{0, -1} {
		for extra := range 2 {
			c := start(t, echoes, serialclient.WithMaxResponse(limit))
			_, err := c.Call(background, 1, make([]byte, 4<<20+extra))
			require.Equal(t, extra == 0, err == nil, err)
		}
	}
}

// TestMalformedResponse: what is no response costs the connection.
func TestMalformedResponse(t *testing.T) {
	for code := 3; code < 256; code++ {
		c := start(t, func(p *peer) {
			p.expect(1, "")
			p.write(byte(code))
			p.end()
		})
		_, err := c.Call(background, 1, nil)
		failure(t, err, 1, serialclient.Unknown, serialclient.ErrProtocol)
		broken(t, c, serialclient.ErrProtocol)
	}
}

// TestBytesBeyondTheResponse: nothing may follow a response but a Goodbye. It is found out before
// the next request is sent.
func TestBytesBeyondTheResponse(t *testing.T) {
	for _, test := range []struct {
		name    string
		beyond  []byte
		reason  error
		goodbye bool
	}{
		{"OK", okResponse("x"), serialclient.ErrProtocol, false},
		{"half an Error", []byte{1}, serialclient.ErrProtocol, false},
		{"Goodbye", []byte{2}, serialclient.ErrGoodbye, true},
		{"nothing known", []byte{200}, serialclient.ErrProtocol, false},
	} {
		for name, startPeer := range starts {
			t.Run(test.name+", "+name, func(t *testing.T) {
				c := startPeer(t, func(p *peer) {
					p.expect(1, "")
					p.write(append(okResponse("fine"), test.beyond...)...)
					p.end()
				})
				response, err := c.Call(background, 1, nil)
				require.NoError(t, err)
				require.Equal(t, "fine", string(response))
				_, err = c.Call(background, 2, nil)
				failure(t, err, 2, serialclient.NotRun, test.reason)
				if !test.goodbye {
					broken(t, c, serialclient.ErrProtocol)
				}
				_, err = c.Call(background, 2, nil)
				failure(t, err, 2, serialclient.NotRun, test.reason)
			})
		}
	}
}

// TestByteOrder: nil means big-endian. It matters to a stream's typed reads alone.
func TestByteOrder(t *testing.T) {
	for _, test := range []struct{ order, want binary.ByteOrder }{
		{nil, binary.BigEndian}, {binary.BigEndian, binary.BigEndian}, {binary.LittleEndian, binary.LittleEndian},
	} {
		conn, other := serialtest.Pipe()
		p := play(t, other, func(p *peer) {
			p.expect(1, "")
			p.ok("\x01\x02\x03\x04")
			p.gone()
		})
		c := serialclient.New(conn, test.order)
		require.Equal(t, test.want, c.ByteOrder())
		s, err := c.Stream(background, 1, nil)
		require.NoError(t, err)
		n, err := s.ReadUint32()
		require.NoError(t, err)
		require.Equal(t, test.want.Uint32([]byte{1, 2, 3, 4}), n)
		require.NoError(t, s.Finish())
		require.NoError(t, s.Close())
		require.NoError(t, c.Close())
		<-p.done
	}
}

// TestAddresses: those of the connection.
func TestAddresses(t *testing.T) {
	c := start(t, echoes)
	require.Equal(t, serialtest.Addr("client"), c.LocalAddr())
	require.Equal(t, serialtest.Addr("server"), c.RemoteAddr())
}

// TestDial: a connection, or the dialler's error as it is.
func TestDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	served := make(chan *peer, 1)
	go func() {
		conn, err := ln.Accept()
		if err == nil {
			served <- play(t, conn, echoes)
		}
		close(served)
	}()
	ctx, cancel := context.WithCancel(background)
	c, err := serialclient.Dial(ctx, "tcp", ln.Addr().String(), binary.LittleEndian)
	require.NoError(t, err)
	cancel() // bounds the dialling alone
	require.Equal(t, binary.ByteOrder(binary.LittleEndian), c.ByteOrder())
	require.Equal(t, ln.Addr().String(), c.RemoteAddr().String())
	usable(t, c)
	require.NoError(t, c.Close())
	<-(<-served).done

	_, err = serialclient.Dial(ctx, "tcp", ln.Addr().String(), nil)
	require.ErrorIs(t, err, context.Canceled)
	addr := ln.Addr().String()
	require.NoError(t, ln.Close())
	_, err = serialclient.Dial(background, "tcp", addr, nil)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
}

// TestTurns: callers take turns in the order of their coming.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 50
		release := make(chan struct{})
		c := start(t, func(p *peer) {
			p.expect(200, "")
			<-release
			p.ok("")
			for i := range callers {
				p.expect(serial.TaskCode(i), "")
				p.ok(string(rune('A' + i)))
			}
		})
		first := calling(c, background, 200, nil)
		synctest.Wait()
		var waiting []<-chan result
		for i := range callers {
			waiting = append(waiting, calling(c, background, serial.TaskCode(i), nil))
			synctest.Wait()
		}
		close(release)
		require.NoError(t, (<-first).err)
		for i, done := range waiting {
			r := <-done
			require.NoError(t, r.err)
			require.Equal(t, string(rune('A'+i)), string(r.response))
		}
	})
}
