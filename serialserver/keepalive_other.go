//go:build !linux

package serialserver

import (
	"net"
	"time"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}
