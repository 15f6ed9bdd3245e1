package main

import (
	"errors"
	"net"

	"github.com/serialkit/serialkit/serial"
)

// serialkitBytes is the Serialkit server with a client that is nearly free, so that the server can
// be judged apart.
type serialkitBytes struct {
	serialkit
	exchanges exchanges
}

func newSerialkitBytes() peer { return &serialkitBytes{} }

// echoCall is the format of an echo. The server writes full blocks, so that there is only one
// right response.
var echoCall = format{
	request: func(p []byte) []byte { return serial.AppendStream([]byte{byte(taskEcho)}, p) },
	response: func(p []byte) []byte {
		return serial.AppendStream([]byte{byte(serial.ResponseOK)}, p)
	},
}

func (k *serialkitBytes) dial(addr string) (session, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &serialkitBytesSession{newByteSession(conn, echoCall, &k.exchanges)}, nil
}

type serialkitBytesSession struct{ *byteSession }

// up sends prepared full blocks.
func (s *serialkitBytesSession) up(n int64) error {
	blocks := serial.AppendBlocks(nil, zeros[:chunkSize/serial.MaxBlock*serial.MaxBlock])
	message := int64(len(blocks) / (serial.MaxBlock + 1) * serial.MaxBlock)
	if _, err := s.conn.Write([]byte{byte(taskUp)}); err != nil {
		return err
	}
	for ; n >= message; n -= message {
		if _, err := s.conn.Write(blocks); err != nil {
			return err
		}
	}
	if _, err := s.conn.Write(serial.AppendStream(nil, zeros[:n])); err != nil {
		return err
	}
	return s.expect(serial.AppendStream([]byte{byte(serial.ResponseOK)}, nil))
}

// down reads blocks of any length and skips what is in them.
func (s *serialkitBytesSession) down(n int64) error {
	request := serial.AppendStream([]byte{byte(taskDown)}, streamRequest(opDown, n)[1:])
	if _, err := s.conn.Write(request); err != nil {
		return err
	}
	if err := s.expect([]byte{byte(serial.ResponseOK)}); err != nil {
		return err
	}
	var d serial.Decoder
	var got int64
	for buf := s.buffer(chunkSize); !d.Ended(); {
		k, err := s.conn.Read(buf)
		if err != nil {
			return err
		}
		skipped, _ := d.Skip(buf[:k], k)
		got += int64(skipped)
	}
	if got != n {
		return errors.New("a stream of the wrong length")
	}
	return nil
}
