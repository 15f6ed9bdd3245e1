package serialdaemon_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/serialkit/serialkit/serialdaemon"
	"github.com/serialkit/serialkit/serialserver"
)

// settings is an application's configuration.
type settings struct {
	serialdaemon.Config
	Store  string `koanf:"store" usage:"where the data are"`
	Token  string `koanf:"token" secret:"true"`
	Limits struct {
		Clients uint16  `koanf:"clients"`
		Ratio   float64 // by its name
		Debug   bool
	} `koanf:"limits"`
	Level   int8
	Allow   netip.Prefix
	Tags    []string
	Ignored chan int `koanf:"-"`
	hidden  int
}

func defaults() settings {
	s := settings{Config: serialdaemon.DefaultConfig(), Store: "/var/lib/x", hidden: 1}
	s.Limits.Clients = 10
	return s
}

// loader reads a file with this content, named name; "" is no file.
func loader(t *testing.T, name, content string, environ []string, args ...string) serialdaemon.Loader {
	t.Helper()
	l := serialdaemon.Loader{Args: args, Environ: environ, Output: new(bytes.Buffer)}
	if l.Environ == nil {
		l.Environ = []string{}
	}
	if name != "" {
		l.File = filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(l.File, []byte(content), 0o600))
	}
	return l
}

const wholeYAML = `
endpoints: [ "tcp://:1", "unix:///x" ]
drain: 10s
timeout:
  wait: 1h
  read: -1ns
store: /file
token: "12 34"
limits: { clients: 65535, ratio: 0.5, debug: true }
level: -128
allow: 10.0.0.0/8
tags: [a, 1, true]
`

const wholeJSON = `{"endpoints": ["tcp://:1", "unix:///x"], "drain": "10s", "timeout": {"wait": "1h", "read": "-1ns"},
	"store": "/file", "token": "12 34", "limits": {"clients": 65535, "ratio": 0.5, "debug": true}, "level": -128,
	"allow": "10.0.0.0/8", "tags": ["a", 1, true]}`

func TestConfigurationFile(t *testing.T) {
	for name, content := range map[string]string{"x.yaml": wholeYAML, "x.yml": wholeYAML, "x.json": wholeJSON} {
		got, want := defaults(), defaults()
		_, err := loader(t, name, content, nil).Load(&got)
		require.NoError(t, err)
		want.Endpoints = []string{"tcp://:1", "unix:///x"}
		want.Drain, want.Timeout.Wait, want.Timeout.Read = 10*time.Second, time.Hour, -1
		want.Store, want.Token = "/file", "12 34"
		want.Limits.Clients, want.Limits.Ratio, want.Limits.Debug = 65535, 0.5, true
		want.Level, want.Allow, want.Tags = -128, netip.MustParsePrefix("10.0.0.0/8"), []string{"a", "1", "true"}
		require.Equal(t, want, got)
	}
}

// Flags win over the environment, that over the file, and that over the defaults; print-config says which
// it was.
func TestSources(t *testing.T) {
	environ := []string{"HOME=/root", "SERIAL_STORE=/environment", "SERIAL_TIMEOUT_WAIT=2h", "SERIAL_TAGS=a, b", "SERIAL_LEVEL=1"}
	l := loader(t, "x.yaml", "store: /file\ntimeout: {wait: 1h, write: 1s}\nendpoints: ['tcp://:1']\n", environ,
		"-store", "/flag", "--level=2", "-limits.debug", "-endpoints", "tcp://:2,tcp://:3", "-endpoints=tcp://:4", "-token", "x",
		"-print-config")
	got := defaults()
	all, err := l.Load(&got)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Equal(t, serialdaemon.ExitOK, serialdaemon.ExitCode(err))
	require.Equal(t, "/flag", got.Store)
	require.Equal(t, []string{"tcp://:2", "tcp://:3", "tcp://:4"}, got.Endpoints)
	var lines []string
	for line := range strings.Lines(l.Output.(*bytes.Buffer).String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	require.Equal(t, []string{
		"endpoints tcp://:2,tcp://:3,tcp://:4 flag -endpoints",
		"drain 30s default",
		"delay 0s default",
		"timeout.wait 2h0m0s environment SERIAL_TIMEOUT_WAIT",
		"timeout.read 5s default",
		"timeout.write 1s file " + l.File,
		"store /flag flag -store",
		"token (secret) flag -token",
		"limits.clients 10 default",
		"limits.ratio 0 default",
		"limits.debug true flag -limits.debug",
		"level 2 flag -level",
		"allow default",
		"tags a,b environment SERIAL_TAGS",
	}, lines)
	require.Equal(t, serialdaemon.Setting{Key: "token", Value: "x", Source: "flag -token", Secret: true}, all[7])
}

// The file is what the flag says, or else the variable, or else the Loader. Only the last one may be missing.
func TestWhichFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		path := filepath.Join(dir, name+".yaml")
		put(t, path, []byte("store: "+name))
		return path
	}
	one, two, three, none := file("one"), file("two"), file("three"), filepath.Join(dir, "none.yaml")
	for _, test := range []struct {
		l    serialdaemon.Loader
		want string
	}{
		{serialdaemon.Loader{File: one, Environ: []string{"SERIAL_CONFIG=" + two}, Args: []string{"-config", three}}, "three"},
		{serialdaemon.Loader{File: one, Environ: []string{"SERIAL_CONFIG=" + two}}, "two"},
		{serialdaemon.Loader{File: one, Environ: []string{}}, "one"},
		{serialdaemon.Loader{File: none, Environ: []string{}}, "/var/lib/x"},
		{serialdaemon.Loader{File: none, Environ: []string{}, Args: []string{"-config", none}}, ""},
		{serialdaemon.Loader{Environ: []string{"SERIAL_CONFIG=" + none}}, ""},
		{serialdaemon.Loader{Prefix: "OTHER_", Environ: []string{"SERIAL_STORE=x", "OTHER_STORE=y"}}, "y"},
	} {
		got := defaults()
		_, err := test.l.Load(&got)
		if test.want == "" {
			require.ErrorIs(t, err, os.ErrNotExist)
			require.ErrorIs(t, err, serialdaemon.ErrUsage)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, test.want, got.Store)
	}
}

func TestConfigurationThatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name, content string
		environ, args []string
		says          []string
	}{
		{name: "x.yaml", content: "stor: x\ntimeout: {wiat: 1s}", says: []string{
			`x.yaml: unknown key "stor", did you mean "store"?`, `unknown key "timeout.wiat", did you mean "timeout.wait"?`}},
		{name: "x.yaml", content: "timeout: 5s", says: []string{`unknown key "timeout"`}},
		{name: "x.yaml", content: "store: {x: y}", says: []string{`unknown key "store.x"`}},
		{name: "x.yaml", content: "drain: 5", says: []string{"drain (file ", "missing unit"}},
		{name: "x.yaml", content: "drain:", says: []string{"drain (file ", "there is no value"}},
		{name: "x.yaml", content: "drain: [1s, 2s]", says: []string{"want one value, not a list"}},
		{name: "x.yaml", content: "tags: [{a: b}]", says: []string{"item 1: want a text or a number"}},
		{name: "x.yaml", content: "level: 1\nlevel: 2", says: []string{"x.yaml: ", `"level" already defined`}},
		{name: "x.yaml", content: "limits: {clients: 1, clients: 2}", says: []string{"x.yaml: ", `"clients" already defined`}},
		{name: "x.yaml", content: "level: 1\n---\nlevel: 2", says: []string{"x.yaml: there is more than one document"}},
		{name: "x.yaml", content: "level: 1\n---\n", says: []string{"x.yaml: there is more than one document"}},
		{name: "x.yaml", content: "level: 1\n---\n{", says: []string{"x.yaml: "}},
		{name: "x.json", content: `{"level": 1, "limits": {"clients": 1, "clients": 1}}`, says: []string{`x.json: key "limits.clients" is there twice`}},
		{name: "x.json", content: `{"level": 1} {"level": 2}`, says: []string{"x.json: invalid character '{' after top-level value"}},
		{name: "x.json", content: "[1]", says: []string{"x.json: the file is not a section"}},
		{name: "x.json", content: "{\"store\": \"\xff\"}", says: []string{"x.json: the text is not UTF-8"}},
		{name: "x.json", content: `{"store": null}`, says: []string{"store (file ", "there is no value"}},
		{name: "x.json", content: `{"level": 1e1}`, says: []string{"level (file ", `parsing "1e1": invalid syntax`}},
		{name: "x.yaml", content: "level: 08", says: []string{"level (file ", `parsing "08": invalid syntax`}},
		{name: "x.yaml", content: bomb(), says: []string{"x.yaml: ", "excessive aliasing"}},
		{name: "x.yaml", content: "- a", says: []string{"file ", "cannot unmarshal"}},
		{name: "x.json", content: `{"level": 1.5}`, says: []string{"level (file ", "invalid syntax"}},
		{name: "x.json", content: `{"level": 128}`, says: []string{"value out of range"}},
		{name: "x.json", content: `{`, says: []string{"file ", "unexpected end of JSON input"}},
		{name: "x.toml", content: "a = 1", says: []string{`ends with ".toml"`}},
		{name: "x.yaml", content: strings.Repeat("#", 1<<20+1), says: []string{"more than 1048576 bytes"}},
		{environ: []string{"SERIAL_STOR=x", "SERIAL_LEVEL=x"}, says: []string{`unknown environment variable "SERIAL_STOR", did you mean "SERIAL_STORE"?`}},
		{environ: []string{"SERIAL_LEVEL=x", "SERIAL_DRAIN=y"}, says: []string{"level (environment SERIAL_LEVEL)", "drain (environment SERIAL_DRAIN)"}},
		{args: []string{"-stor", "x"}, says: []string{`unknown flag "stor", did you mean "store"?`}},
		{args: []string{"-limits.debug", "-drain", "-1s", "--delya=1s"}, says: []string{`unknown flag "delya", did you mean "delay"?`}},
		{args: []string{"-limits.debug=maybe"}, says: []string{"limits.debug (flag -limits.debug)"}},
		{args: []string{"-limits.clients=-1"}, says: []string{"limits.clients (flag -limits.clients)"}},
		{args: []string{"-allow=here"}, says: []string{"allow (flag -allow)"}},
		{args: []string{"-drain"}, says: []string{"flag needs an argument"}},
		{args: []string{"-drain", "1s", "more"}, says: []string{`unexpected argument "more"`}},
		{args: []string{"-endpoints", "tcp://:1,udp://:1"}, says: []string{`udp://:1: unknown scheme "udp"`}},
	} {
		got := defaults()
		_, err := loader(t, test.name, test.content, test.environ, test.args...).Load(&got)
		for _, says := range test.says {
			require.ErrorContains(t, err, says)
		}
		require.ErrorIs(t, err, serialdaemon.ErrUsage)
		require.Equal(t, serialdaemon.ExitUsage, serialdaemon.ExitCode(err))
		require.Equal(t, defaults(), got, "it is as it was")
	}
}

// bomb is a short text that is a long one, when its aliases are written out.
func bomb() string {
	var text strings.Builder
	text.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		fmt.Fprintf(&text, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	return text.String()
}

// The values of a file are what is written there.
func TestConfigurationFileLiterally(t *testing.T) {
	type values struct {
		A, B, C, D, E, F, G string
		List                []string
		Mode                uint32
		Large               uint64
		Small               float64
		On                  bool
	}
	want := values{A: "0660", B: "1.10", C: "1e3", D: "123456789012345678901234567890", E: "true", F: "2020-01-01", G: "0x1F",
		List: []string{"0660", "1.10", "~x"}, Mode: 0o660, Large: 1<<64 - 1, Small: 0.1, On: true}
	for name, content := range map[string]string{
		"x.yaml": "a: 0660\nb: 1.10\nc: 1e3\nd: 123456789012345678901234567890\ne: true\nf: 2020-01-01\ng: 0x1F\n" +
			"list: [0660, 1.10, ~x]\nmode: 0660\nlarge: 18446744073709551615\nsmall: 0.1\non: True\n",
		"y.yaml": "d: &d 123456789012345678901234567890\nlist: &list [0660, 1.10, ~x]\n<<: {a: !!int 0660, b: 1.10, c: 1e3, e: true}\n" +
			"f: 2020-01-01\ng: 0x1F\nmode: 0o660\nlarge: 0xffffffffffffffff\nsmall: 1e-1\non: true\n",
		"x.json": `{"a": "0660", "b": 1.10, "c": 1e3, "d": 123456789012345678901234567890, "e": true, "f": "2020-01-01", "g": "0x1F",
			"list": ["0660", 1.10, "~x"], "mode": "0660", "large": 18446744073709551615, "small": 0.1, "on": true}`,
	} {
		var got values
		_, err := loader(t, name, content, nil).Load(&got)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
}

// An empty section, an empty file and no flags change nothing; what looks like a flag may be a value.
func TestConfigurationThatSaysNothing(t *testing.T) {
	for _, content := range []string{"", "timeout:\nlimits: {}\n", "{}"} {
		got := defaults()
		_, err := loader(t, "x.yaml", content, nil).Load(&got)
		require.NoError(t, err)
		require.Equal(t, defaults(), got)
	}
	got := defaults()
	_, err := loader(t, "", "", []string{"SERIAL_TAGS="}, "-store", "-stor").Load(&got)
	require.NoError(t, err)
	require.Equal(t, "-stor", got.Store)
	require.Empty(t, got.Tags)
}

func TestConfigurationHelp(t *testing.T) {
	l := loader(t, "", "", nil, "-drain", "1s", "-h")
	got := defaults()
	got.Token = "hush"
	_, err := l.Load(&got)
	require.ErrorIs(t, err, flag.ErrHelp)
	help := l.Output.(*bytes.Buffer).String()
	for _, says := range []string{"-config file", "-print-config", "-timeout.wait", "where the data are (default /var/lib/x)"} {
		require.Contains(t, help, says)
	}
	require.NotContains(t, help, "hush")
}

// Variables that others read are no errors, whatever is in them, and are not read.
func TestIgnoredVariables(t *testing.T) {
	l := loader(t, "", "", []string{"SERIAL_ADDR=x", "SERIAL_STORE=/environment", "SERIAL_CONFIG=/no/such.yaml"})
	l.Ignore = []string{"SERIAL_ADDR", "SERIAL_CONFIG"}
	got := defaults()
	_, err := l.Load(&got)
	require.NoError(t, err)
	require.Equal(t, "/environment", got.Store)
	l.Environ = append(l.Environ, "SERIAL_ADDRESS=x")
	_, err = l.Load(&got)
	require.ErrorContains(t, err, `unknown environment variable "SERIAL_ADDRESS"`)
	l.Ignore = []string{"SERIAL_TIMEOUT_WAIT"}
	_, err = l.Load(&got)
	require.ErrorContains(t, err, "key timeout.wait is taken by Ignore")
}

// A key that has another name has it everywhere.
func TestRenamedKeys(t *testing.T) {
	rename := map[string]string{"endpoints": "listen", "timeout.wait": "idle"}
	load := func(l serialdaemon.Loader) (settings, serialdaemon.Settings, error) {
		l.Rename = rename
		got := defaults()
		all, err := l.Load(&got)
		return got, all, err
	}
	got, all, err := load(loader(t, "x.yaml", "listen: ['tcp://:1']\nidle: 1h\n", nil))
	require.NoError(t, err)
	require.Equal(t, []string{"tcp://:1"}, got.Endpoints)
	require.Equal(t, time.Hour, got.Timeout.Wait)
	require.Equal(t, "listen", all[0].Key)
	got, _, err = load(loader(t, "", "", []string{"SERIAL_LISTEN=tcp://:2"}, "-idle", "2h"))
	require.NoError(t, err)
	require.Equal(t, []string{"tcp://:2"}, got.Endpoints)
	require.Equal(t, 2*time.Hour, got.Timeout.Wait)
	for _, l := range []serialdaemon.Loader{
		loader(t, "", "", nil, "-endpoints", "tcp://:1"),
		loader(t, "", "", []string{"SERIAL_TIMEOUT_WAIT=1h"}),
		loader(t, "x.yaml", "endpoints: []", nil),
	} {
		_, _, err = load(l)
		require.ErrorIs(t, err, serialdaemon.ErrUsage)
		require.ErrorContains(t, err, "unknown")
	}
	rename = map[string]string{"endpoint": "listen", "drain": "patience"}
	_, _, err = load(loader(t, "", "", nil))
	require.ErrorContains(t, err, "Rename has 2 keys, of which the configuration has 1")
	rename = map[string]string{"endpoints": "drain"}
	_, _, err = load(loader(t, "", "", nil))
	require.ErrorContains(t, err, "key drain is taken by drain")
}

type invalid struct{ Fine bool }

func (i *invalid) Validate() error {
	if !i.Fine {
		return errBroken
	}
	return nil
}

func TestValidate(t *testing.T) {
	var config invalid
	_, err := loader(t, "", "", nil).Load(&config)
	require.ErrorIs(t, err, errBroken)
	require.ErrorIs(t, err, serialdaemon.ErrUsage)
	_, err = loader(t, "", "", nil, "-fine").Load(&config)
	require.NoError(t, err)
	require.True(t, config.Fine)
}

// A struct that cannot be configured is a mistake in the program, whatever is given.
func TestStructsThatCannotBeConfigured(t *testing.T) {
	for says, config := range map[string]any{
		"pointer to a struct":        settings{},
		"no text can be made a chan": &struct{ C chan int }{},
		"no text can be made a map":  &struct{ S struct{ M map[string]string } }{},
		"key a_b is taken by a.b": &struct {
			A struct {
				B int `koanf:"b"`
			} `koanf:"a"`
			C int `koanf:"a_b"`
		}{},
		"key config is taken": &struct{ Config string }{},
		"key print-config is taken": &struct {
			P string `koanf:"print-config"`
		}{},
		"key help is taken": &struct{ Help bool }{},
		"key a is a section, too": &struct {
			A string
			B struct{ C string } `koanf:"a"`
		}{},
		"no text can be made a *": &struct{ *Exported }{},
	} {
		_, err := loader(t, "", "", nil).Load(config)
		require.ErrorContains(t, err, says)
		require.False(t, errors.Is(err, serialdaemon.ErrUsage))
	}
}

// Exported and the types below are embedded.
type (
	Exported struct{ One string }
	hidden   struct{ Two string }
	section  struct{ Three string }
	number   int
)

// UnmarshalText is not asked of a field that cannot be set as a whole.
func (*section) UnmarshalText([]byte) error { return errBroken }

// What is embedded and not exported has no value of its own; the exported fields of a struct do.
func TestEmbeddedFields(t *testing.T) {
	config := struct {
		Exported
		hidden
		section `koanf:"section"`
		number
		*time.Location `koanf:"-"`
		private        int
	}{number: 1, private: 1}
	all, err := loader(t, "", "", []string{"SERIAL_ONE=1", "SERIAL_TWO=2", "SERIAL_SECTION_THREE=3"}).Load(&config)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, []string{"1", "2", "3"}, []string{config.One, config.Two, config.Three})
	require.Equal(t, []int{1, 1}, []int{int(config.number), config.private})
}

// No message has the package's name twice, whatever it is about.
func TestErrorsNameThePackageOnce(t *testing.T) {
	_, endpoint := serialdaemon.ParseEndpoints("udp://:1", "tcp://x")
	config := serialdaemon.DefaultConfig()
	_, invalid := loader(t, "", "", nil, "-endpoints", "udp://:1,tcp://x").Load(&config)
	_, unknown := loader(t, "x.yaml", "dlay: 1s\ndrian: 1s\n", []string{"SERIAL_X=1"}).Load(&config)
	_, _, relative := (&serialdaemon.Group{Handover: "x"}).Start(t.Context(), newServer(), endpoints(t, "tcp://127.0.0.1:0")...)
	var g serialdaemon.Group
	g.OnStop(func(context.Context) error { return invalid })
	hook := errors.Join(all(g.Close())...)
	for _, err := range []error{endpoint, invalid, unknown, relative, hook} {
		require.ErrorIs(t, err, serialdaemon.ErrUsage)
		for line := range strings.Lines(err.Error()) {
			require.LessOrEqual(t, strings.Count(line, "serialdaemon: "), 1, line)
		}
	}
	require.EqualError(t, invalid, `serialdaemon: the configuration: udp://:1: unknown scheme "udp", there are: systemd, tcp, tls, unix`+
		"\ntcp://x: address x: missing port in address")
	require.ErrorContains(t, hook, "serialdaemon: stop hook: the configuration: udp://:1: ")
}

func TestConfig(t *testing.T) {
	c := serialdaemon.DefaultConfig()
	c.Delay = time.Second
	require.NoError(t, c.Validate())
	var g serialdaemon.Group
	c.Set(&g)
	require.Equal(t, serialdaemon.DefaultDrainTimeout, g.DrainTimeout)
	require.Equal(t, time.Second, g.StopDelay)
	c.Drain = 0
	c.Set(&g)
	require.Equal(t, time.Duration(1), g.DrainTimeout, "the group's 0 would be its default")
	require.Equal(t, &serialserver.Timeout{Wait: serialserver.DefaultWait, Read: serialserver.DefaultRead,
		Write: serialserver.DefaultWrite}, c.ServerTimeout())
}

// Whatever a file has, it is read or refused.
func FuzzConfigurationFile(f *testing.F) {
	f.Add(wholeYAML)
	f.Add(wholeJSON)
	f.Fuzz(func(t *testing.T, content string) {
		got := defaults()
		_, err := loader(t, "x.yaml", content, nil).Load(&got)
		if err != nil {
			require.ErrorIs(t, err, serialdaemon.ErrUsage)
			require.Equal(t, defaults(), got)
		}
	})
}
