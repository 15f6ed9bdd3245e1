package serialdaemon

import "syscall"

// bindPrivately makes sure that the socket's file, once it is bound, is nobody's but ours: Linux gives a
// socket's mode to its file.
func bindPrivately(_, _ string, conn syscall.RawConn) error {
	var err error
	if e := conn.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) }); e != nil {
		return e
	}
	return err
}
