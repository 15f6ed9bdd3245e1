package serialdaemon

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// peerUID returns the user of the process at the other end, as it was when the connection was made.
func peerUID(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		peer, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	return int(peer.Uid), nil
}

// duplicateFD returns another descriptor, which no child process gets.
func duplicateFD(fd int) (int, error) {
	copied, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("fcntl", errno)
	}
	return int(copied), nil
}

func closeFD(fd int) { _ = syscall.Close(fd) }

// sendFiles sends a message, with the files at its first byte.
func sendFiles(conn *net.UnixConn, message []byte, files []int) error {
	n, _, err := conn.WriteMsgUnix(message, syscall.UnixRights(files...), nil)
	if err == nil && n < len(message) {
		_, err = conn.Write(message[n:])
	}
	return err
}

// receiveFiles reads the length of what follows, 4 bytes, and the files that come with it, which are the caller's
// even when there is an error.
func receiveFiles(conn *net.UnixConn) (length []byte, files []*os.File, err error) {
	length, oob := make([]byte, 4), make([]byte, syscall.CmsgSpace(maxHandover*4))
	n, oobn, flags, _, err := conn.ReadMsgUnix(length, oob)
	if err != nil {
		return nil, nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return nil, nil, err
	}
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			return nil, files, err
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "handed over"))
		}
	}
	if flags&syscall.MSG_CTRUNC != 0 {
		return nil, files, fmt.Errorf("serialdaemon: more files than %d", maxHandover)
	}
	_, err = io.ReadFull(conn, length[n:])
	return length, files, err
}
