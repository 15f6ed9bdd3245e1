package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialtest"
)

// requests splits what a vector sends into task codes and messages.
func requests(t *testing.T, v serialtest.Vector) (codes []serial.TaskCode, messages [][]byte) {
	r := bufio.NewReader(bytes.NewReader(v.Send))
	for {
		code, err := r.ReadByte()
		if err == io.EOF {
			return codes, messages
		}
		message, err := io.ReadAll(serial.NewReader(r))
		if serial.TaskCode(code) != serial.TaskDisconnect { // which may come without
			require.NoError(t, err, v.Name)
		}
		codes, messages = append(codes, serial.TaskCode(code)), append(messages, message)
	}
}

// TestVectorsByTheClient: the Go client sends what each vector sends and makes the same messages of
// what it receives, however that is cut.
func TestVectorsByTheClient(t *testing.T) {
	for _, v := range serialtest.Vectors() {
		for cut := 0; cut <= len(v.Receive); cut++ {
			synctest.Test(t, func(t *testing.T) {
				conn, peer := serialtest.Pipe()
				vectorByTheClient(t, v, cut, conn, peer, synctest.Wait) // until the client has read the first part
			})
		}
	}
}

// TestVectorsByTheClientOverTCP: the same over a socket, where the client writes and waits in one visit to the
// poller.
func TestVectorsByTheClientOverTCP(t *testing.T) {
	for _, v := range serialtest.Vectors() {
		for _, cut := range []int{0, 1, 2, len(v.Receive) / 2, len(v.Receive)} {
			conn, peer := tcpPair(t)
			vectorByTheClient(t, v, min(cut, len(v.Receive)), conn, peer, func() {})
		}
	}
}

// vectorByTheClient runs one vector with what the server sends cut in two; with cut 0, into bytes.
func vectorByTheClient(t *testing.T, v serialtest.Vector, cut int, conn, peer net.Conn, between func()) {
	codes, messages := requests(t, v)
	c := serialclient.New(conn, nil)
	defer c.Close()
	go func() {
		defer peer.Close()
		sent := make([]byte, 0, 2*len(v.Send)) // in full blocks, which v.Send need not be
		for i := range codes {
			sent = serial.AppendStream(append(sent, byte(codes[i])), messages[i])
		}
		io.ReadFull(peer, sent)
		answer(peer, v.Receive, cut, between)
		if v.End == "open" {
			io.Copy(io.Discard, peer)
		}
	}()
	for i, want := range v.Messages {
		if codes[i].IsReserved() {
			checkReserved(t, c, codes[i], want, v)
			continue
		}
		if len(v.Messages) > 1 { // a pipeline sends all of them first
			checkPipeline(t, c, codes, messages, v)
			return
		}
		response, err := c.Call(context.Background(), codes[i], messages[i])
		check(t, want, response, err, v)
	}
}

// answer sends b in two pieces, or byte by byte.
func answer(conn net.Conn, b []byte, cut int, between func()) {
	if cut > 0 {
		conn.Write(b[:cut])
		between()
		conn.Write(b[cut:])
		return
	}
	io.Copy(conn, iotest.OneByteReader(bytes.NewReader(b)))
}

func checkPipeline(t *testing.T, c *serialclient.Client, codes []serial.TaskCode, messages [][]byte, v serialtest.Vector) {
	for _, code := range codes {
		if code.IsReserved() {
			return // a pipeline does not send these
		}
	}
	p, err := c.Pipeline(context.Background())
	require.NoError(t, err)
	defer p.Close()
	for i := range codes {
		require.NoError(t, p.Send(codes[i], messages[i]))
	}
	for _, want := range v.Messages {
		response, err := p.Receive(nil)
		check(t, want, response, err, v)
	}
}

func checkReserved(t *testing.T, c *serialclient.Client, code serial.TaskCode, want serialtest.Message, v serialtest.Vector) {
	switch code {
	case serial.TaskKeepAlive:
		if len(v.Messages) == 1 {
			check(t, want, nil, c.KeepAlive(context.Background()), v)
		}
	case serial.TaskDisconnect:
		if len(v.Send) == 2 {
			require.NoError(t, c.Disconnect(context.Background()), v.Name)
		}
	}
}

// check compares what a call returned with what it must.
func check(t *testing.T, want serialtest.Message, response []byte, err error, v serialtest.Vector) {
	var coder serial.ErrorCoder
	switch {
	case want.OK != nil:
		require.NoError(t, err, v.Name)
		require.Equal(t, []byte(*want.OK), append([]byte{}, response...), v.Name)
	case want.Error != nil:
		require.True(t, errors.As(err, &coder), v.Name)
		require.Equal(t, *want.Error, coder.ErrorCode(), v.Name)
		require.Equal(t, serialclient.Failed, serialclient.OutcomeOf(err), v.Name)
	case want.Goodbye:
		require.ErrorIs(t, err, serialclient.ErrGoodbye, v.Name)
		require.True(t, serialclient.SafeToRetry(err), v.Name)
	case want.Cut != nil:
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, v.Name)
		require.Equal(t, serialclient.Unknown, serialclient.OutcomeOf(err), v.Name)
	}
}
