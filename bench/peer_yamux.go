package main

import (
	"io"
	"net"

	"github.com/hashicorp/yamux"
)

// yamuxPeer is bare TCP in yamux: it knows streams, and no messages.
type yamuxPeer struct{ bare bare }

func newYamux() peer { return &yamuxPeer{} }

// yamuxConfig is the default without its pings, which the other peers do not send.
func yamuxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = false
	c.LogOutput = io.Discard
	return c
}

func (*yamuxPeer) serve(l net.Listener) error {
	return acceptAll(l, func(conn net.Conn) {
		s, err := yamux.Server(conn, yamuxConfig())
		if err != nil {
			conn.Close()
			return
		}
		defer s.Close()
		for {
			stream, err := s.Accept()
			if err != nil {
				return
			}
			go echoStream(stream)
		}
	})
}

func (y *yamuxPeer) dial(addr string) (session, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	s, err := yamux.Client(conn, yamuxConfig())
	if err != nil {
		conn.Close()
		return nil, err
	}
	stream, err := s.Open()
	if err != nil {
		s.Close()
		return nil, err
	}
	return &yamuxSession{session: y.bare.session(stream), mux: s}, nil
}

type yamuxSession struct {
	session
	mux *yamux.Session
}

// Close closes the session, and so the stream.
func (s *yamuxSession) Close() error { return s.mux.Close() }
