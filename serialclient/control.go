package serialclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/serialkit/serialkit/serial"
)

// KeepAlive tells the server that the connection is still wanted, and waits for its answer. It is
// a call like any other, with an empty request and response. See also WithKeepAlive.
func (c *Client) KeepAlive(ctx context.Context) error {
	_, err := c.roundTrip(ctx, nil, serial.TaskKeepAlive, nil)
	return err
}

// Describe asks the server for its name, limits and tasks.
func (c *Client) Describe(ctx context.Context) (*serial.Description, error) {
	document, err := c.roundTrip(ctx, nil, serial.TaskDescribe, nil)
	if err != nil {
		return nil, err
	}
	d := new(serial.Description)
	if err := json.Unmarshal(document, d); err != nil {
		return nil, &Error{Task: serial.TaskDescribe, Outcome: Failed, Err: fmt.Errorf("serialclient: %w", err)}
	}
	return d, nil
}

// Disconnect waits for its turn, tells the server that this client is done, waits for its Goodbye
// and closes the connection. It returns nil if the server said Goodbye, and if the connection had
// been closed before. The connection is closed in any case.
func (c *Client) Disconnect(ctx context.Context) error {
	_, err := c.roundTrip(ctx, nil, serial.TaskDisconnect, nil)
	c.Close()
	if err == nil || errors.Is(err, ErrGoodbye) || errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// startKeepAlive starts the timer that WithKeepAlive asks for.
func (c *Client) startKeepAlive() {
	if d := c.opts.keepAlive; d > 0 && c.goBackground() {
		c.keepAlive = time.AfterFunc(d, c.keepAliveWhenIdle)
	}
}

// stopTimers stops the timers of a closed Client.
func (c *Client) stopTimers() {
	for _, timer := range []*time.Timer{c.keepAlive, c.stall.timer} {
		if timer != nil && timer.Stop() {
			c.background.Done()
		}
	}
}

// keepAliveWhenIdle sends a KeepAlive if the connection was idle for long enough, and sets the
// timer to when it will have been again.
func (c *Client) keepAliveWhenIdle() {
	defer c.background.Done()
	interval := c.opts.keepAlive
	idle := time.Since(c.start) - time.Duration(c.lastUse.Load())
	next := interval - idle
	if next <= 0 {
		next = interval
		select {
		case c.turn <- struct{}{}: // nobody has the turn
			<-c.turn
			c.KeepAlive(context.Background())
		default:
		}
	}
	if c.goBackground() {
		c.keepAlive.Reset(next)
	}
}
