package serialclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

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
// and closes the connection. It returns nil if the server said Goodbye, now or before, and if the
// Client was closed already. The connection is closed in any case.
func (c *Client) Disconnect(ctx context.Context) error {
	_, err := c.roundTrip(ctx, nil, serial.TaskDisconnect, nil)
	if err == nil {
		err = &Error{Task: serial.TaskDisconnect, Outcome: Failed, Err: ErrProtocol}
	}
	c.Close()
	if errors.Is(err, ErrGoodbye) || errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}
