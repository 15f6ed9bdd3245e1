package serialdaemon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
)

func TestParseEndpoint(t *testing.T) {
	for rawURL, want := range map[string]serialdaemon.Endpoint{
		"tcp://127.0.0.1:7070":      {Network: "tcp", Address: "127.0.0.1:7070"},
		"tcp://:0":                  {Network: "tcp", Address: ":0"},
		"TCP://example.test:65535/": {Network: "tcp", Address: "example.test:65535"},
		"tcp://[::1]:7070":          {Network: "tcp", Address: "[::1]:7070"},
		"tcp://[fe80::1%25lo]:70":   {Network: "tcp", Address: "[fe80::1%lo]:70"},
		"tls://:7070?cert=/c&key=/k": {Network: "tcp", Address: ":7070",
			TLS: &serialdaemon.TLSFiles{Cert: "/c", Key: "/k"}},
		"tls://:7070?ca=%2Fa%26b&cert=/c&key=/k": {Network: "tcp", Address: ":7070",
			TLS: &serialdaemon.TLSFiles{Cert: "/c", Key: "/k", CA: "/a&b"}},
		"unix:///run/x.sock":    {Network: "unix", Address: "/run/x.sock"},
		"unix:/run/x.sock":      {Network: "unix", Address: "/run/x.sock"},
		"unix:///run/a%20b%3Fc": {Network: "unix", Address: "/run/a b?c"},
		"unix:///run/x.sock?mode=0660&owner=daemon&group=33": {Network: "unix", Address: "/run/x.sock",
			Mode: 0o660, Owner: "daemon", Group: "33"},
		"unix:///x?mode=777": {Network: "unix", Address: "/x", Mode: 0o777},
		"systemd:web":        {Network: "systemd", Address: "web"},
		"systemd:a%20b?cert=/c&key=/k": {Network: "systemd", Address: "a b",
			TLS: &serialdaemon.TLSFiles{Cert: "/c", Key: "/k"}},
	} {
		e, err := serialdaemon.ParseEndpoint(rawURL)
		require.NoError(t, err, rawURL)
		require.Equal(t, &want, e, rawURL)
		again, err := serialdaemon.ParseEndpoint(e.String())
		require.NoError(t, err, "%s became %s", rawURL, e)
		require.Equal(t, e, again, "%s became %s", rawURL, e)
	}
}

func TestParseEndpointRefuses(t *testing.T) {
	long := strings.Repeat("x", serialdaemon.MaxUnixPath)
	for rawURL, says := range map[string]string{
		"":                        "no scheme",
		"127.0.0.1:7070":          "first path segment",
		"localhost:7070":          `unknown scheme "localhost", there are: systemd, tcp, tls, unix`,
		"tpc://:7070":             `unknown scheme "tpc", did you mean "tcp"?`,
		"tcp://":                  "want tcp://host:port",
		"tcp:7070":                "want tcp://host:port",
		"tcp://localhost":         "missing port",
		"tcp://localhost:":        `port "" is not a number`,
		"tcp://localhost:65536":   `port "65536" is not a number`,
		"tcp://localhost:http":    "invalid port",
		"tcp://:1/path":           "without the path /path",
		"tcp://me@:1":             "no user",
		"tcp://:1#x":              "no fragment",
		"tcp://:1?mode=0600":      `unknown parameter "mode", there is none`,
		"tcp://:1?%zz":            "invalid URL escape",
		"tls://:1":                "both cert and key",
		"tls://:1?cert=c":         "both cert and key",
		"tls://:1?key=k":          "both cert and key",
		"tls://:1?crt=c&key=k":    `unknown parameter "crt", did you mean "cert"?`,
		"tls://:1?cert=c&cert=d":  "cert is given 2 times",
		"tls://:1?cert=&key=k":    "cert is empty",
		"tls://:1?cert=%00&key=k": "zero byte",
		"unix://x":                "absolute path",
		"unix:x":                  "absolute path",
		"unix://":                 "absolute path",
		"unix://host/x":           "absolute path",
		"unix:///x/":              "a directory",
		"unix:///%00":             "zero byte",
		"unix:///" + long:         "the system allows",
		"unix:///x?mode=8":        "octal",
		"unix:///x?mode=0":        "octal",
		"unix:///x?mode=01000":    "octal",
		"unix:///x?mode=-1":       "octal",
		"unix:///x?moode=0660":    `did you mean "mode"?`,
		"unix:///x?cert=c":        "there are: mode, owner, group",
		"systemd:":                "name of a socket",
		"systemd://web":           "name of a socket",
		"systemd:a:b":             "name of a socket",
		"systemd:%zz":             "invalid URL escape",
		"systemd:web?ca=x":        "both cert and key",
	} {
		e, err := serialdaemon.ParseEndpoint(rawURL)
		require.ErrorContains(t, err, says, rawURL)
		require.ErrorIs(t, err, serialdaemon.ErrUsage, rawURL)
		require.Nil(t, e)
		var named *serialdaemon.EndpointError
		require.ErrorAs(t, err, &named)
		require.Equal(t, rawURL, named.Endpoint)
		require.True(t, strings.HasPrefix(err.Error(), "serialdaemon: "+rawURL+": "), err)
	}
	_, err := serialdaemon.ParseEndpoint("unix:///" + long[1:])
	require.NoError(t, err, "as long as a path may be")
}

func TestParseEndpoints(t *testing.T) {
	all, err := serialdaemon.ParseEndpoints("tcp://:1", "unix:///x")
	require.NoError(t, err)
	require.Len(t, all, 2)
	all, err = serialdaemon.ParseEndpoints("tcp://:1", "udp://:1", "tcp://x")
	require.Nil(t, all)
	require.ErrorContains(t, err, `unknown scheme "udp"`)
	require.ErrorContains(t, err, "missing port")
	all, err = serialdaemon.ParseEndpoints()
	require.NoError(t, err)
	require.Empty(t, all)
}

// Whatever is understood is written so that it is understood as the same.
func FuzzParseEndpoint(f *testing.F) {
	for _, seed := range []string{"tcp://:1", "tls://[::1]:1?cert=c&key=k&ca=a", "unix:///x?mode=0660&owner=o", "systemd:a%20b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rawURL string) {
		e, err := serialdaemon.ParseEndpoint(rawURL)
		if err != nil {
			require.ErrorIs(t, err, serialdaemon.ErrUsage)
			return
		}
		again, err := serialdaemon.ParseEndpoint(e.String())
		require.NoError(t, err, "%q became %q", rawURL, e)
		require.Equal(t, e, again, "%q became %q", rawURL, e)
	})
}
