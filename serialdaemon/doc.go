// Package serialdaemon makes a process of a serialserver.Server: it binds endpoints that URLs describe, runs
// servers until a signal, reloads certificates and configurations, and stops everything in order.
//
// A whole daemon:
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"io"
//		"net"
//		"os"
//		"strings"
//
//		"go.uber.org/zap"
//
//		"github.com/serialkit/serialkit/binaryutil"
//		"github.com/serialkit/serialkit/serialdaemon"
//		"github.com/serialkit/serialkit/serialserver"
//	)
//
//	type config struct {
//		serialdaemon.Config
//		Greeting string `koanf:"greeting" usage:"what task 1 answers"`
//	}
//
//	func main() {
//		err := run(os.Args[1:])
//		if code := serialdaemon.ExitCode(err); code != serialdaemon.ExitOK {
//			fmt.Fprintln(os.Stderr, err)
//			os.Exit(code)
//		}
//	}
//
//	func run(args []string) error {
//		c := config{Config: serialdaemon.DefaultConfig(), Greeting: "hello"}
//		if _, err := (serialdaemon.Loader{Args: args, File: "/etc/greeter.yaml"}).Load(&c); err != nil {
//			return err
//		}
//		endpoints, err := serialdaemon.ParseEndpoints(c.Endpoints...)
//		if err != nil {
//			return err
//		}
//		server := serialserver.New(c.ServerTimeout())
//		greet := func(context.Context, *serialserver.Client, binaryutil.BinaryReader, *zap.Logger, ...any) (io.Reader, error) {
//			return strings.NewReader(c.Greeting), nil
//		}
//		server.Register(1, greet, "greet")
//		group := serialdaemon.Group{OnReady: func(addrs []net.Addr) { fmt.Println("ready", addrs) }}
//		c.Set(&group)
//		return group.Run(context.Background(), server, endpoints...)
//	}
//
// It is a module of its own, so that who imports serialserver alone does not need its libraries.
// docs/guides/daemon.md is about running such a daemon, this is about writing one.
//
// # Endpoints
//
// An [Endpoint] is where a server listens. [ParseEndpoint] reads
//
//	tcp://host:port
//	tls://host:port?cert=FILE&key=FILE&ca=FILE
//	unix:///path?mode=0660&owner=USER&group=GROUP
//	systemd:NAME?cert=FILE&key=FILE&ca=FILE
//
// A server may have several. Each may have TLS and a handshake of its own, and a layer below these, such as a
// PROXY protocol's, which are fields of Endpoint. Connections on all of them are the server's clients alike.
//
// The file of a unix socket has the mode 0600 unless the URL says otherwise, and has it before anybody can
// connect. A socket that is in the way is asked whether somebody listens, twice, and removed only if nobody does. At
// the end the file is removed if it is still the one that was made. A file that is no socket is never touched.
//
// systemd: are the sockets that systemd has opened, by their FileDescriptorName, which those of one socket unit
// share. The first Group that needs one takes them all.
//
// TLS is 1.3 or later. With ca the client must have a certificate that was signed by one of those in that
// file, and may be used for clients. The files are loaded again when they change, and on SIGHUP: see
// [Certificates]. What cannot be used, such as a key that is not the certificate's, is logged, and the former files
// stay in use. A CA that was taken out of the file has no clients from then on, also where a TLS session is
// resumed; connections that exist already go on.
//
// # Start, Run, Wait, Serve
//
// A [Group] is what runs in the process; its zero value is ready to use. The package's functions are those of
// the Group [Default].
//
//	Start   binds every endpoint of a server, or none, and then serves in the background.
//	        It returns the real addresses, and a channel of what goes wrong later, which is
//	        closed when the server has stopped
//	Wait    blocks until everything that was started has stopped, because of a signal for instance
//	Run     is both
//	Close   stops everything that was started, in the background
//	Serve   serves one server, which the Group then knows nothing of, until its context is done
//
// CloseOnAbort is a Wait in the background. When OnReady is called, by Wait, everything listens and the
// signals are minded. A Wait that begins before anything was started is ready with the first server.
//
// The end of Start's context stops that server. When one endpoint of a server fails, so that Accept will never
// succeed again, the others are stopped; when somebody waits, the whole Group is. All errors are reported,
// joined where there is one place for them, and each names its endpoint: see [EndpointError].
//
// # A stop
//
// Whatever the reason, this is the order:
//
//  1. Ready is false, and systemd is told STOPPING=1
//  2. the hooks of OnStop deregister the daemon, 5 s at most together
//  3. StopDelay passes, so that those who look for daemons learn of it; clients are still accepted
//  4. listeners are closed, and idle clients told Goodbye
//  5. tasks that run are answered, within DrainTimeout, 30 s
//  6. what is left is cut off: contexts are cancelled and connections closed
//  7. what has become of the connections is logged, and the errors reported
//
// So a stop takes at most 5 s, StopDelay, DrainTimeout and 50 ms, whatever handlers and hooks do: those that
// do not return are left behind. A second SIGINT or SIGTERM cuts all of it short. Wait returns up to 5 s later for each
// of an OnReady, a Reload and a Healthy that are under way, and a second later for each message that systemd has no room
// for.
//
// # Signals
//
// Wait minds these and no others.
//
//	SIGINT, SIGTERM   stop; the second one stops at once
//	SIGHUP            load the certificates again, then call Reload
//	SIGUSR2           stop the servers, but not the process: Wait goes on until SIGTERM
//	SIGQUIT           is the runtime's: all stacks on standard error, and exit code 2
//
// # Exit codes
//
//	0  ExitOK       every task that ran has ended
//	1  ExitFailure  an endpoint failed while it was served, or anything else
//	2               Go's runtime: a panic, or SIGQUIT
//	3  ExitListen   an endpoint could not be bound
//	4  ExitCut      tasks were cut off, because DrainTimeout was over
//	5  ExitAborted  tasks were cut off, by a second signal
//	6  ExitUsage    a flag, the configuration, or an endpoint's URL is wrong
//
// # systemd
//
// Where it listens (NOTIFY_SOCKET) it is told when the process is ready, reloads and stops, and gets signs of life
// for its watchdog (WATCHDOG_USEC) while Healthy returns nil. The directory systemd has a unit and its socket to
// begin with.
//
// # Handover
//
// With a control socket, which Handover names, a process that is started takes the listening sockets of everything
// that was started over from the one before, on Linux. Endpoints are matched by their networks and addresses;
// those that the former process did not have are bound, those that this one does not have are closed.
//
// What Start starts does not accept until Wait, or Run, says that the process is ready: until then the former one
// does. So start everything before Wait: what a server that is started later would have taken over was closed by then. Then it stops, at once, without hooks and delay, and its Wait returns. If the next process dies before it
// is ready, or needs more than HandoverTimeout, the former one goes on and nothing has happened; the other one's
// Wait returns ErrHandover. So do everything that may fail before Wait.
//
// Nobody is refused, since the sockets are never closed; clients of the former process are told Goodbye, so that
// they know what was not run. Both processes make sure that the other one has the same user; the control socket
// has the mode 0600. Endpoint.Listener is never handed over.
//
// # Configuration
//
// What it has loaded holds until the process ends, and no SIGHUP changes it by itself: none of the keys of Config is applied
// again, endpoints, drain, delay and timeouts alike. A SIGHUP loads the files of certificates that endpoints name,
// and calls Reload, which may call Load for a new struct and apply of that what the application can change.
//
// A [Loader] fills a struct: flags win over the environment, that over a file in YAML or JSON, and that over what
// the struct has before. [Config] is what every daemon needs; embed it.
//
//	type config struct {
//		serialdaemon.Config
//		Store string `koanf:"store" usage:"the directory of the data"`
//	}
//
//	c := config{Config: serialdaemon.DefaultConfig(), Store: "/var/lib/x"}
//	_, err := serialdaemon.Loader{Args: os.Args[1:], File: "/etc/x.yaml"}.Load(&c)
//
// store is the flag -store, the variable SERIAL_STORE and the key store; timeout.wait is -timeout.wait,
// SERIAL_TIMEOUT_WAIT, and wait in the section timeout. A name that is not known is an error that suggests the
// nearest one. The flag -print-config prints each value and where it came from.
package serialdaemon
