package serialserver

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/serialkit/serialkit/binaryutil"
	"github.com/serialkit/serialkit/serial"
)

// The tasks of the protocol itself (docs/protocol.md, "Task codes"). Disconnect is none of them:
// it ends the connection instead of being answered.
var (
	keepAliveTask = &registration{code: serial.TaskKeepAlive, name: "KeepAlive", run: keepAlive, builtin: true}
	describeTask  = &registration{code: serial.TaskDescribe, name: "Describe", run: describe, builtin: true}
)

// lookup returns what runs for a task code. A code that nothing is registered for gets a
// registration that answers so.
func (s *Server) lookup(t serial.TaskCode) *registration {
	switch t {
	case serial.TaskKeepAlive:
		return keepAliveTask
	case serial.TaskDescribe:
		return describeTask
	}
	if reg := s.tasks.tasks[t].Load(); reg != nil {
		return reg
	}
	if reg := s.tasks.unregistered[t].Load(); reg != nil {
		return reg
	}
	return &registration{code: t, run: unknown}
}

func keepAlive(context.Context, *Client, binaryutil.BinaryReader, *zap.Logger, ...interface{}) (io.Reader, error) {
	return nil, nil
}

func unknown(_ context.Context, c *Client, _ binaryutil.BinaryReader, lg *zap.Logger, _ ...interface{}) (io.Reader, error) {
	if c.unknown++; c.unknown == 1 { // a client that tries them all fills no log
		lg.Warn("unknown task code", zap.Stringer("task", c.Metadata().Code))
	}
	return nil, errUnknownTask
}

var errUnknownTask error = &serial.Error{Code: serial.ErrorUnknownTask}

func describe(_ context.Context, c *Client, _ binaryutil.BinaryReader, _ *zap.Logger, _ ...interface{}) (io.Reader, error) {
	document, err := json.Marshal(c.description())
	return bytes.NewReader(document), err
}

func (c *Client) description() serial.Description {
	s, limits := c.server, c.limitsOfTask(c.running())
	d := serial.Description{
		Server: s.name,
		Limits: serial.Limits{
			WaitMillis:  millis(s.timeout.Wait),
			ReadMillis:  millis(s.timeout.Read),
			WriteMillis: millis(s.timeout.Write),
		},
		Tasks: []serial.TaskDescription{},
	}
	d.Limits.MinRate, d.Limits.MinRateWindowMillis = limits.describeRate()
	for i := range s.tasks.tasks {
		if reg := s.tasks.tasks[i].Load(); reg != nil {
			d.Tasks = append(d.Tasks, serial.TaskDescription{
				Code: reg.code, Name: reg.name, Limits: c.limitsOf(reg).describe(&d.Limits),
			})
		}
	}
	return d
}

// describe describes the limits of a task on a connection with limits.
func (l *Limits) describe(conn *serial.Limits) serial.TaskLimits {
	d := serial.TaskLimits{
		UnreadInput:   l.unreadInput(),
		MessageMillis: millis(l.MessageTime),
		TaskMillis:    millis(l.TaskTime),
	}
	if rate, window := l.describeRate(); rate != conn.MinRate || window != conn.MinRateWindowMillis {
		d.MinRate, d.MinRateWindowMillis = &rate, &window
	}
	return d
}

// describeRate returns the minimum rate and its window; without one both are 0.
func (l *Limits) describeRate() (bytes, windowMillis int64) {
	if l.MinRate <= 0 {
		return 0, 0
	}
	return int64(l.MinRate), millis(l.rate().Window)
}

// millis rounds d up to milliseconds; no limit is 0.
func millis(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d-1)/time.Millisecond) + 1
}
