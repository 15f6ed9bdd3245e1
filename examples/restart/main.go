// Restart is a daemon that is replaced by its next version while it is busy, and no call is lost.
//
//	go run . -handover /tmp/restart.control -endpoints tcp://127.0.0.1:7070
//
// Started a second time, with the same flags, in another terminal, it takes the listening sockets over from the
// first one, which answers what it has begun and exits with 0. The clients of the first one are told Goodbye: what
// they send next was not run, and they connect again, to the same address.
//
// One task, 1, answers with the process's id. -fail makes the process fail just before it would be ready: the
// former one then goes on.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
)

// taskWho answers with the id of the process, in decimal.
const taskWho serial.TaskCode = 1

// config is the daemon's, see -h.
type config struct {
	serialdaemon.Config
	Handover string `koanf:"handover" usage:"the path of the control socket over which the next process takes over"`
	Fail     bool   `koanf:"fail" usage:"fail before being ready"`
}

func main() {
	err := run(os.Args[1:])
	if code := serialdaemon.ExitCode(err); code != serialdaemon.ExitOK {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(code)
	}
}

func run(args []string) error {
	c := config{Config: serialdaemon.DefaultConfig()}
	if _, err := (serialdaemon.Loader{Args: args}).Load(&c); err != nil {
		return err
	}
	endpoints, err := serialdaemon.ParseEndpoints(c.Endpoints...)
	if err != nil {
		return err
	}
	server := serialserver.New(c.ServerTimeout(), serialserver.WithName("restart"))
	server.Register(taskWho, who, "who")

	group := serialdaemon.Group{Handover: c.Handover, OnReady: ready}
	c.Set(&group)
	if _, _, err := group.Start(context.Background(), server, endpoints...); err != nil {
		return err
	}
	if c.Fail {
		return errors.New("restart: failed, as it was told to")
	}
	return group.Wait(context.Background())
}

// ready tells where the daemon listens.
func ready(addrs []net.Addr) {
	for _, addr := range addrs {
		fmt.Println("ready", os.Getpid(), addr.Network(), addr)
	}
}

func who(context.Context, *serialserver.Client, binaryutil.BinaryReader, *zap.Logger, ...any) (io.Reader, error) {
	return strings.NewReader(strconv.Itoa(os.Getpid())), nil
}
