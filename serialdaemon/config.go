package serialdaemon

import (
	"time"

	"github.com/serialkit/serialkit/serialserver"
)

// Config is what every daemon has to configure. Applications embed it into theirs and let a Loader read both; where
// they want another name for one of its keys they use Loader.Rename. It is read once: a SIGHUP applies none of it again.
type Config struct {
	// Endpoints are URLs for ParseEndpoint.
	Endpoints []string `koanf:"endpoints" usage:"where to listen: URLs such as tcp://127.0.0.1:7070, separated by commas"`
	// Drain is how long a stop lets running tasks go on; negative: for ever. 0 is what it says, not at all.
	Drain time.Duration `koanf:"drain" usage:"how long a stop lets running tasks go on, negative: for ever"`
	// Delay is Group.StopDelay.
	Delay time.Duration `koanf:"delay" usage:"how long a stop goes on accepting after the daemon was deregistered"`
	// Timeout are the server's. As in serialserver.Timeout 0 means the default, and negative none.
	Timeout struct {
		Wait  time.Duration `koanf:"wait" usage:"how long a client may be idle"`
		Read  time.Duration `koanf:"read" usage:"how long the next byte of a request may take"`
		Write time.Duration `koanf:"write" usage:"how long a client may take no byte of an answer"`
	} `koanf:"timeout"`
}

// DefaultConfig returns the defaults: one endpoint on loopback, and the times of Group and serialserver.
func DefaultConfig() Config {
	c := Config{Endpoints: []string{"tcp://127.0.0.1:7070"}, Drain: DefaultDrainTimeout}
	c.Timeout.Wait, c.Timeout.Read, c.Timeout.Write = serialserver.DefaultWait, serialserver.DefaultRead, serialserver.DefaultWrite
	return c
}

// Validate reports the endpoints that cannot be parsed. A Loader calls it.
func (c *Config) Validate() error {
	_, err := ParseEndpoints(c.Endpoints...)
	return err
}

// ServerTimeout returns the timeouts for serialserver.New.
func (c *Config) ServerTimeout() *serialserver.Timeout {
	return &serialserver.Timeout{Wait: c.Timeout.Wait, Read: c.Timeout.Read, Write: c.Timeout.Write}
}

// Set sets the times of a group that has not been used yet.
func (c *Config) Set(g *Group) {
	g.DrainTimeout, g.StopDelay = c.Drain, c.Delay
	if c.Drain == 0 { // of a Config, it is what it says
		g.DrainTimeout = time.Nanosecond
	}
}
