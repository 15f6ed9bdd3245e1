package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// child is a process of a run: a server or a client. It ends when its standard input does.
type child struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	results *json.Decoder // nil: the process takes no orders
}

// startChild starts this binary, on one core unless core is negative.
func startChild(core int, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, args...)}
	c.cmd.Stderr = os.Stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.results = json.NewDecoder(bufio.NewReader(stdout))
	return c, onCore(core, c.cmd.Start)
}

// startServer starts the server of a peer and returns where it listens.
func startServer(l listing, core int) (*child, string, error) {
	if l.name == redisName {
		return startRedis(core)
	}
	c, err := startChild(core, "serve", l.name)
	if err != nil {
		return nil, "", err
	}
	r, err := c.result(startTimeout)
	if err != nil {
		c.end()
		return nil, "", err
	}
	return c, r.Addr, nil
}

const startTimeout = 10 * time.Second

// startRedis starts redis-server without persistence, and waits until it accepts connections.
func startRedis(core int) (*child, string, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, "", err
	}
	_, port, _ := net.SplitHostPort(addr)
	c := &child{cmd: exec.Command(redisPath(), "--bind", "127.0.0.1", "--port", port, "--save", "",
		"--appendonly", "no", "--maxclients", strconv.Itoa(20000), "--daemonize", "no")}
	if err := onCore(core, c.cmd.Start); err != nil {
		return nil, "", err
	}
	for end := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return c, addr, nil
		}
		if time.Now().After(end) {
			c.end()
			return nil, "", err
		}
	}
}

// freeAddr returns an address of loopback that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// do gives an order and waits for its result, at most for the order's duration and orderTimeout.
func (c *child) do(o order) (result, error) {
	if c.results == nil {
		return result{}, nil
	}
	if err := json.NewEncoder(c.stdin).Encode(o); err != nil {
		return result{}, fmt.Errorf("%s: %w", o.Do, err)
	}
	r, err := c.result(o.Duration + orderTimeout)
	if err != nil && err != errNotOffered {
		err = fmt.Errorf("%s: %w", o.Do, err)
	}
	return r, err
}

// orderTimeout is far more than any order takes on a machine that is not stuck.
const orderTimeout = 60 * time.Second

// result reads a result. A child that has none after d is killed.
func (c *child) result(d time.Duration) (result, error) {
	timer := time.AfterFunc(d, func() { c.cmd.Process.Kill() })
	defer timer.Stop()
	var r result
	if err := c.results.Decode(&r); err != nil {
		return result{}, fmt.Errorf("no result within %v, or the process ended: %w", d, err)
	}
	switch {
	case r.NotOffered:
		return r, errNotOffered
	case r.Err != "":
		return r, errors.New(r.Err)
	}
	return r, nil
}

// endTimeout is how long a child may take to end by itself.
const endTimeout = 10 * time.Second

// end ends the process and waits for it.
func (c *child) end() {
	if c.results == nil {
		c.cmd.Process.Kill()
	} else {
		c.stdin.Close()
	}
	timer := time.AfterFunc(endTimeout, func() { c.cmd.Process.Kill() })
	defer timer.Stop()
	c.cmd.Wait() // how it ended does not matter any more
}
