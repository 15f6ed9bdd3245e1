//go:build !linux

package serialdaemon

import (
	"errors"
	"net"
	"os"
)

// errNoHandover is a system on which it is not known who is at the other end of a unix socket.
var errNoHandover = errors.New("serialdaemon: listeners are handed over on Linux alone")

func peerUID(*net.UnixConn) (int, error) { return 0, errNoHandover }

func duplicateFD(int) (int, error) { return 0, errNoHandover }

func closeFD(int) {}

func sendFiles(*net.UnixConn, []byte, []int) error { return errNoHandover }

func receiveFiles(*net.UnixConn) ([]byte, []*os.File, error) { return nil, nil, errNoHandover }
