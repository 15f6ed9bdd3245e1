package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
)

// bare is TCP alone: what is left to win.
type bare struct {
	plain, frames exchanges
}

func newBare() peer { return &bare{} }

// itself is the format of a payload that is its own message.
var itself = format{request: bytes.Clone, response: bytes.Clone}

// lengthFirst is the format of a payload with its length before it.
var lengthFirst = format{request: withLength, response: withLength}

func withLength(p []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...)
}

func (b *bare) serve(l net.Listener) error { return acceptAll(l, echoStream) }

func (b *bare) dial(addr string) (session, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return b.session(conn), nil
}

func (b *bare) session(conn net.Conn) session {
	s := newByteSession(conn, itself, &b.plain)
	s.framed = func(s *byteSession) error {
		s.framed = nil
		if _, err := conn.Write([]byte{opFramed}); err != nil {
			return err
		}
		s.format, s.exchanges = lengthFirst, &b.frames
		return s.expect([]byte{opFramed})
	}
	return s
}

// acceptAll serves each connection of l in a goroutine, until l is closed.
func acceptAll(l net.Listener, serve func(net.Conn)) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go serve(conn)
	}
}

// echoStream echoes what it reads. An op at the beginning of what was read is obeyed.
func echoStream(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 8<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		switch p := buf[:n]; p[0] {
		case opFramed:
			conn.Write(p)
			echoFrames(conn)
			return
		case opUp, opDown:
			err = serveStream(conn, p)
		default:
			work(p)
			_, err = conn.Write(p)
		}
		if err != nil {
			return
		}
	}
}

// serveStream serves opUp and opDown. P is the request, and maybe the first bytes of the stream.
func serveStream(conn net.Conn, p []byte) error {
	n := streamLen(p)
	if p[0] == opDown {
		return sendZeros(conn, n)
	}
	if err := readOff(conn, make([]byte, chunkSize), n-int64(len(p)-9)); err != nil {
		return err
	}
	_, err := conn.Write(p[:9])
	return err
}

// echoFrames echoes payloads that have their lengths before them. It writes when it has to wait.
func echoFrames(conn net.Conn) {
	in, out := bufio.NewReaderSize(conn, chunkSize), bufio.NewWriterSize(conn, chunkSize)
	buf := make([]byte, chunkSize)
	for {
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		if _, err := io.ReadFull(in, buf[:4]); err != nil {
			return
		}
		n := 4 + int(binary.BigEndian.Uint32(buf))
		if n > len(buf) {
			return
		}
		if _, err := io.ReadFull(in, buf[4:n]); err != nil {
			return
		}
		work(buf[4:n])
		out.Write(buf[:n])
	}
}
