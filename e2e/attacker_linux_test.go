package e2e_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// attackerArgs are those of the child that attacks.
type attackerArgs struct {
	Address string
	Clients int
	How     string        // slow, endless or idle
	Every   time.Duration // of slow ones: between two bytes
}

// attackerState is what it says of itself.
type attackerState struct {
	Connected, Failed, Ended int64
	Bytes                    int64 // moved by endless ones
}

// attack is what the attackers have in common.
type attack struct {
	args attackerArgs
	stop context.Context

	connected, failed, ended, bytes atomic.Int64
}

// attackerChild connects many clients that do no good, and keeps them for as long as the parent asks.
func attackerChild() {
	var a attack
	arguments(&a.args)
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = ctx
	var all sync.WaitGroup
	for i := range a.args.Clients {
		all.Go(func() { a.run(i) })
	}
	serveParent("ready", func() any {
		return attackerState{a.connected.Load(), a.failed.Load(), a.ended.Load(), a.bytes.Load()}
	})
	cancel()
	all.Wait()
}

// run is one attacker. An endless one comes back when it has been closed.
func (a *attack) run(i int) {
	for {
		conn, err := a.dial()
		if err != nil {
			a.failed.Add(1)
			return
		}
		a.connected.Add(1)
		end := context.AfterFunc(a.stop, func() { conn.Close() })
		switch a.args.How {
		case "slow":
			if i%2 == 0 {
				a.drip(conn)
			} else {
				a.dripRead(conn)
			}
		case "endless":
			a.flood(conn, []serial.TaskCode{sinkTask, wholeTask, echoTask}[i%3])
		case "idle":
			conn.Read(make([]byte, 1))
		}
		a.ended.Add(1)
		end()
		conn.Close()
		if a.args.How != "endless" || a.stop.Err() != nil {
			return
		}
	}
}

// dial connects, with buffers so small that little is in the kernel.
func (a *attack) dial() (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 16<<10)
		})
	}}
	return d.DialContext(a.stop, "tcp", a.args.Address)
}

// drip sends a request without an end, a byte now and then.
func (a *attack) drip(conn net.Conn) {
	conn.Write([]byte{sinkTask, 255})
	for a.pause() {
		if _, err := conn.Write([]byte{255}); err != nil {
			return
		}
	}
}

// dripRead asks for much and takes a byte now and then.
func (a *attack) dripRead(conn net.Conn) {
	conn.Write([]byte{sourceTask, 8, 0, 0, 0, 0, 0, 128, 0, 0, 0})
	for a.pause() {
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			return
		}
	}
}

func (a *attack) pause() bool {
	select {
	case <-time.After(a.args.Every):
		return true
	case <-a.stop.Done():
		return false
	}
}

// flood sends a message without an end, as fast as it can, and reads nothing.
func (a *attack) flood(conn net.Conn, code serial.TaskCode) {
	blocks := serial.AppendBlocks(nil, make([]byte, 32<<10))
	if _, err := conn.Write([]byte{byte(code)}); err != nil {
		return
	}
	for {
		n, err := conn.Write(blocks)
		a.bytes.Add(int64(n))
		if err != nil {
			return
		}
	}
}
