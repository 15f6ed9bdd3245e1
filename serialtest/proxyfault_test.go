package serialtest_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialtest"
)

// Where each place is, in two requests and in responses with a Processing, an Error and a Goodbye. The response
// bytes that look like codes are none.
func TestProxyPlaces(t *testing.T) {
	requests := aRequest + "\xff\x00" + aRequest
	responses := "\x03\x03\x00\x02\x02\x02\x00" + anError + anOK + aGoodbye + anOK
	for _, c := range []struct {
		place serialtest.Place
		want  int // bytes that pass; -1: the place is never reached
	}{
		{serialtest.ClientByte(0), 0}, {serialtest.ClientByte(7), 7}, {serialtest.ClientByte(14), -1},
		{serialtest.RequestByte(0, 0), 0}, {serialtest.RequestByte(0, 5), 5}, {serialtest.RequestByte(0, 6), -1},
		{serialtest.RequestByte(1, 0), 6}, {serialtest.RequestByte(1, 1), 7}, {serialtest.RequestByte(2, 3), 11},
		{serialtest.RequestByte(3, 0), -1},
		{serialtest.AfterRequest(0), 6}, {serialtest.AfterRequest(2), 14}, {serialtest.AfterRequest(3), -1},
		{serialtest.ServerByte(3), 3}, {serialtest.ServerByte(19), 19}, {serialtest.ServerByte(20), -1},
		{serialtest.ResponseByte(0, 6), 6}, {serialtest.ResponseByte(0, 7), -1},
		{serialtest.ResponseByte(1, 0), 7}, {serialtest.ResponseByte(1, 1), 8},
		{serialtest.ResponseByte(2, 0), 9}, {serialtest.ResponseByte(2, 4), 13},
		{serialtest.ResponseByte(3, 0), 14}, {serialtest.ResponseByte(4, 0), -1},
		{serialtest.AfterResponse(0), 7}, {serialtest.AfterResponse(3), 15}, {serialtest.AfterResponse(4), -1},
	} {
		bubble(t, func(t *testing.T) {
			f := c.place.HalfClose()
			p := throughProxy(t, f)
			from, to, all := p.client, p.server, requests
			if strings.Contains(f.String(), "response") || strings.Contains(f.String(), "server") {
				from, to, all = p.server, p.client, responses
			}
			mustWrite(t, from, all)
			require.NoError(t, closeWrite(t, from))
			got := received(t, to)
			if c.want < 0 {
				require.Equal(t, all, got, "%v", f)
				require.Zero(t, f.Fired(), "%v", f)
				return
			}
			require.Equal(t, all[:c.want], got, "%v", f)
			require.Equal(t, 1, f.Fired(), "%v", f)
		})
	}
}

// After what is no response code nothing is a message.
func TestProxyPlacesAfterAViolation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, at := serialtest.ResponseByte(1, 1).Reset(), serialtest.ServerByte(5).Corrupt(0xff)
		p := throughProxy(t, f, at)
		mustWrite(t, p.server, "\x00\x00\x04\x00\x00\x00\x00")
		synctest.Wait()
		mustRead(t, p.client, "\x00\x00\x04\x00\x00\xff\x00")
		require.Zero(t, f.Fired())
		require.Equal(t, 1, at.Fired())
	})
}

func TestProxyHalfCloseLeavesTheOtherDirection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := serialtest.AfterRequest(0).HalfClose()
		p := throughProxy(t, f)
		mustWrite(t, p.client, aRequest)
		require.Equal(t, aRequest, received(t, p.server))
		mustWrite(t, p.client, strings.Repeat("x", 200<<10)) // goes nowhere, and blocks nobody
		mustWrite(t, p.server, anOK)
		mustRead(t, p.client, anOK)
		require.Equal(t, 1, f.Fired())
	})
}

func TestProxyCloseAndReset(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := serialtest.RequestByte(0, 2).Close()
		p := throughProxy(t, f)
		mustWrite(t, p.client, aRequest)
		require.Equal(t, aRequest[:2], received(t, p.server))
		require.Empty(t, received(t, p.client))
		require.Equal(t, 1, f.Fired())
	})
	bubble(t, func(t *testing.T) {
		f := serialtest.ResponseByte(0, 0).Reset()
		p := throughProxy(t, f)
		mustWrite(t, p.server, anOK)
		readFails(t, p.client, syscall.ECONNRESET)
		readFails(t, p.server, syscall.ECONNRESET)
		require.Equal(t, 1, f.Fired())
	})
}

func TestProxyStallUntilRelease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := serialtest.RequestByte(0, 3).Stall()
		p := throughProxy(t, f)
		mustWrite(t, p.client, aRequest)
		mustRead(t, p.server, aRequest[:3])
		synctest.Wait()
		require.Equal(t, 1, f.Fired())
		rest := reading(p.server, 100)
		mustWrite(t, p.server, anError) // the other direction works
		mustRead(t, p.client, anError)
		<-time.After(time.Hour)
		pending(t, rest)
		f.Release()
		f.Release()
		require.Equal(t, aRequest[3:], (<-rest).data)
	})
}

// A stall is over when the connection is: reset, or ended from both sides.
func TestProxyStallEndsWithTheConnection(t *testing.T) {
	for name, end := range map[string]func(p proxied){
		"both end": func(p proxied) { p.client.Close(); p.server.Close() },
		"a reset":  func(p proxied) { p.client.(interface{ SetLinger(int) error }).SetLinger(0); p.client.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				f := serialtest.ClientByte(0).Stall()
				servers := make(chan net.Conn, 1)
				p := serialtest.NewProxy(func(context.Context) (net.Conn, error) {
					near, server := serialtest.Pipe()
					servers <- server
					return near, nil
				}, f)
				client, near := serialtest.Pipe()
				handled := make(chan error, 1)
				go func() { handled <- p.Handle(near) }()
				mustWrite(t, client, aRequest)
				synctest.Wait()
				require.Equal(t, 1, f.Fired())
				end(proxied{p, client, <-servers})
				require.NoError(t, <-handled)
				require.NoError(t, p.Close())
			})
		})
	}
}

func TestProxyDripAndDelay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		drip, delay := serialtest.RequestByte(0, 2).Drip(time.Nanosecond), serialtest.RequestByte(0, 4).Delay(time.Minute)
		p := throughProxy(t, drip, delay)
		start := time.Now()
		mustWrite(t, p.client, aRequest)
		mustRead(t, p.server, aRequest[:2])
		for _, c := range aRequest[2:] {
			mustRead(t, p.server, string(c))
		}
		require.Equal(t, time.Minute+4, time.Since(start))
		synctest.Wait()
		require.Equal(t, 4, drip.Fired())
		require.Equal(t, 1, delay.Fired())
	})
}

func TestProxyDuplicateAndCorrupt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		twice, wrong := serialtest.RequestByte(0, 3).Duplicate(), serialtest.AfterRequest(0).Corrupt(0x80)
		p := throughProxy(t, twice, wrong)
		mustWrite(t, p.client, aRequest+aRequest)
		require.NoError(t, closeWrite(t, p.client))
		require.Equal(t, "\x01\x03abbc\x00"+"\x81\x03abc\x00", received(t, p.server))
		require.Equal(t, 1, twice.Fired())
		require.Equal(t, 1, wrong.Fired())
	})
}

func TestProxyFaultArguments(t *testing.T) {
	require.Panics(t, func() { serialtest.RequestByte(-1, 0) })
	require.Panics(t, func() { serialtest.ServerByte(-1) })
	require.Panics(t, func() { serialtest.ServerByte(0).Corrupt(0) })
	for want, f := range map[string]fmt.Stringer{
		"reset at byte 3 of request 0":               serialtest.RequestByte(0, 3).Reset(),
		"half close at the end of response 2":        serialtest.AfterResponse(2).HalfClose(),
		"stall at byte 9 of the client's stream":     serialtest.ClientByte(9).Stall(),
		"duplicate at byte 0 of the server's stream": serialtest.ServerByte(0).Duplicate(),
	} {
		require.Equal(t, want, f.String())
	}
}
