package serialdaemon_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialclient"
)

// dial connects to a real address. The client is closed at the end of the test.
func dial(t *testing.T, addr net.Addr) *serialclient.Client {
	t.Helper()
	c, err := serialclient.Dial(context.Background(), addr.Network(), addr.String(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// refuse is a handshake that wants nobody.
func refuse(context.Context, net.Conn) (context.Context, net.Conn, binary.ByteOrder, []any, error) {
	return nil, nil, nil, nil, errBroken
}
