package main

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
)

// redisPeer is Debian's redis-server. It runs as a process of its own, see startRedis.
type redisPeer struct{ exchanges exchanges }

func newRedis() peer { return &redisPeer{} }

// echoCommand is the format of ECHO.
var echoCommand = format{
	request:  func(p []byte) []byte { return fmt.Appendf(nil, "*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", len(p), p) },
	response: func(p []byte) []byte { return fmt.Appendf(nil, "$%d\r\n%s\r\n", len(p), p) },
}

func (*redisPeer) serve(net.Listener) error {
	return errors.New("serving is the business of redis-server")
}

func (r *redisPeer) dial(addr string) (session, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return redisSession{newByteSession(conn, echoCommand, &r.exchanges)}, nil
}

type redisSession struct{ *byteSession }

func (redisSession) up(int64) error   { return errNotOffered }
func (redisSession) down(int64) error { return errNotOffered }

// redisVersion is what redis-server says of itself.
func redisVersion() string {
	out, err := exec.Command(redisPath(), "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
