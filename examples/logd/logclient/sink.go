package logclient

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/serialkit/serialkit/examples/logd/logclient/logwire"
)

// Sink takes the records of a core or handler. A *Client is one.
type Sink interface {
	// Log takes a record, and never blocks. It does not keep r.Fields: the slice is used again after Log has returned.
	// Strings it may keep. An error says that the record was not taken.
	Log(r logwire.Record) error
	// Sync returns when all records that were taken before have been acknowledged, or ctx is done.
	Sync(ctx context.Context) error
}

// DefaultSyncTimeout bounds the Sync of a core: 2 seconds.
const DefaultSyncTimeout = 2 * time.Second

// origin says whose records a core or handler makes.
type origin struct{ service, host string }

var _ Sink = (*Client)(nil)

// newOrigin fills in those of a Client, or else the program's file name and the machine's name.
func newOrigin(sink Sink, service, host string) origin {
	if c, ok := sink.(*Client); ok {
		service, host = cmp.Or(service, c.options.Service), cmp.Or(host, c.options.Host)
	}
	if service == "" && len(os.Args) > 0 {
		service = filepath.Base(os.Args[0])
	}
	if host == "" {
		host, _ = os.Hostname() // A machine without a name has none in its records.
	}
	return origin{service, host}
}
