package main

import (
	"errors"
	"net"
	"os/exec"
	"sync/atomic"
)

// peer is one way to ask a server for an echo.
type peer interface {
	// serve serves the connections of l until l is closed.
	serve(l net.Listener) error
	// dial opens one connection.
	dial(addr string) (session, error)
}

// session is a client's end of one connection. Its methods are called one at a time.
type session interface {
	// roundTrip has p echoed and compares.
	roundTrip(p []byte) error
	// pipeline keeps up to window echoes of p under way until stop is set. It returns how many
	// were answered.
	pipeline(p []byte, window int, stop *atomic.Bool) (int64, error)
	// up sends n bytes and waits until the server has read them all.
	up(n int64) error
	// down has the server send n bytes and reads them.
	down(n int64) error
	Close() error
}

// errNotOffered is returned for what a peer has no means for.
var errNotOffered = errors.New("not offered by this peer")

var errWrongEcho = errors.New("the echo differs from what was sent")

// The names of the peers that others are compared by.
const (
	bareName      = "bare TCP"
	serialkitName = "Serialkit"
	bytesName     = "Serialkit, byte client"
	redisName     = "Redis"
)

// listing is what is known of a peer beside its implementation.
type listing struct {
	name  string
	about string
	new   func() peer
}

// peers is every peer, in the order of the tables.
var peers = []listing{
	{bareName, "a loop of Read and Write on a net.Conn; pipelined, 4-byte lengths and bufio of 64 KiB", newBare},
	{serialkitName, "serialclient: AppendCall into a reused buffer, Pipeline, Stream", newSerialkit},
	{bytesName, "the same server; a client that writes prepared bytes and compares what comes back", newSerialkitBytes},
	{"net/rpc", "the standard library's, with its gob codec; streams are calls of 64 KiB, 8 under way", newNetRPC},
	{"gRPC-Go", "a codec that passes bytes; pipelined, as many concurrent unary calls", newGRPC},
	{"gRPC-Go, stream", "the same server; each echo is a message on one bidirectional stream", newGRPCStream},
	{"drpc", "an encoding that passes bytes; pipelined, messages on one stream", newDRPC},
	{"ttrpc", "google.protobuf.BytesValue; pipelined, as many concurrent calls", newTTRPC},
	{"yamux", "one stream of one session per connection, the rest as bare TCP", newYamux},
	{redisName, "redis-server of the PATH, ECHO, with the byte client", newRedis},
}

// find returns the listing of a name.
func find(name string) (listing, bool) {
	for _, l := range peers {
		if l.name == name {
			return l, true
		}
	}
	return listing{}, false
}

// redisPath is the redis-server of the PATH, empty if there is none.
func redisPath() string {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return ""
	}
	return path
}
