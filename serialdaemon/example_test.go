package serialdaemon_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/serialkit/serialkit/serialclient"
	"github.com/serialkit/serialkit/serialdaemon"
)

// A daemon runs until a signal.
func Example() {
	endpoints, err := serialdaemon.ParseEndpoints("tcp://127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	signals := make(chan os.Signal, 1) // without this field, the process's
	group := serialdaemon.Group{Signals: signals, OnReady: func(addrs []net.Addr) {
		client, err := serialclient.Dial(context.Background(), addrs[0].Network(), addrs[0].String(), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer client.Close()
		answer, err := client.Call(context.Background(), taskEcho, []byte("hello"))
		fmt.Println(string(answer), err)
		signals <- syscall.SIGTERM
	}}
	err = group.Run(context.Background(), newServer(), endpoints...)
	fmt.Println("exit code", serialdaemon.ExitCode(err))
	// Output:
	// hello <nil>
	// exit code 0
}

// Several servers, started and stopped by the program.
func ExampleGroup_Start() {
	var group serialdaemon.Group
	group.OnStop(func(context.Context) error {
		fmt.Println("deregistered")
		return nil
	})
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	public, err := serialdaemon.ParseEndpoints("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	admin, err := serialdaemon.ParseEndpoint("unix://" + filepath.Join(dir, "admin.sock"))
	if err != nil {
		fmt.Println(err)
		return
	}
	addrs, _, err := group.Start(context.Background(), newServer(), public...)
	fmt.Println(len(addrs), err)
	_, _, err = group.Start(context.Background(), newServer(), admin)
	fmt.Println(err, group.Ready())
	for err := range group.Close() {
		fmt.Println(err)
	}
	fmt.Println(group.Ready())
	// Output:
	// 2 <nil>
	// <nil> true
	// deregistered
	// false
}

// What is wrong says where and what may have been meant.
func ExampleParseEndpoint() {
	e, err := serialdaemon.ParseEndpoint("unix:///run/x.sock?mode=0660&group=web")
	fmt.Println(e, err)
	_, err = serialdaemon.ParseEndpoint("unix:///run/x.sock?mod=0660")
	fmt.Println(err)
	// Output:
	// unix:///run/x.sock?group=web&mode=0660 <nil>
	// serialdaemon: unix:///run/x.sock?mod=0660: unknown parameter "mod", did you mean "mode"?
}

func ExampleLoader() {
	type config struct {
		serialdaemon.Config
		Store string `koanf:"store" usage:"the directory of the data"`
	}
	c := config{Config: serialdaemon.DefaultConfig(), Store: "/var/lib/x"}
	settings, err := serialdaemon.Loader{
		Args:    []string{"-drain", "10s"},          // os.Args[1:]
		Environ: []string{"SERIAL_TIMEOUT_WAIT=5m"}, // nil: the process's
		File:    "/no/such/place/x.yaml",            // may be missing
	}.Load(&c)
	fmt.Println(c.Drain, c.Store, err)
	if err := settings.Print(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 10s /var/lib/x <nil>
	// endpoints      tcp://127.0.0.1:7070  default
	// drain          10s                   flag -drain
	// delay          0s                    default
	// timeout.wait   5m0s                  environment SERIAL_TIMEOUT_WAIT
	// timeout.read   5s                    default
	// timeout.write  5s                    default
	// store          /var/lib/x            default
}
