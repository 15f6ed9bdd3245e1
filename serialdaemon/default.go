package serialdaemon

import (
	"context"
	"net"

	"github.com/serialkit/serialkit/serialserver"
)

// Default is the Group of the package's functions. Its fields may be set before the first of them is called.
var Default = new(Group)

// Start is Group.Start of Default.
func Start(ctx context.Context, server *serialserver.Server, endpoints ...*Endpoint) ([]net.Addr, <-chan error, error) {
	return Default.Start(ctx, server, endpoints...)
}

// Serve is Group.Serve of Default.
func Serve(ctx context.Context, server *serialserver.Server, endpoints ...*Endpoint) error {
	return Default.Serve(ctx, server, endpoints...)
}

// Run is Group.Run of Default.
func Run(ctx context.Context, server *serialserver.Server, endpoints ...*Endpoint) error {
	return Default.Run(ctx, server, endpoints...)
}

// Wait is Group.Wait of Default.
func Wait(ctx context.Context) error { return Default.Wait(ctx) }

// Close is Group.Close of Default.
func Close() <-chan error { return Default.Close() }

// CloseOnAbort is Group.CloseOnAbort of Default.
func CloseOnAbort(ctx context.Context) <-chan error { return Default.CloseOnAbort(ctx) }
