// Package serialserver serves numbered tasks on connections: the daemon keeps its listener, its
// handshake and its storage, and hands each net.Conn to a [Server]. The server reads a task code
// and a message, calls the [TaskFunc] that is registered for the code, and writes its answer. The
// wire is package serial's and is specified in docs/protocol.md.
//
// # A server
//
//	srv := serialserver.New(nil)
//	srv.Register(1, func(ctx context.Context, c *serialserver.Client, in binaryutil.BinaryReader,
//		lg *zap.Logger, args ...interface{}) (io.Reader, error) {
//		name, err := in.ReadString()
//		if err != nil {
//			return nil, serial.Errorf(10, "malformed request: %w", err)
//		}
//		return strings.NewReader("hello " + name), nil
//	}, "greet")
//
//	err := srv.Serve(ctx, listener) // until Shutdown
//
// A daemon that accepts by itself, after a handshake of its own for instance, hands each connection to
// HandleConnection instead:
//
//	go srv.HandleConnection(ctx, conn, binary.BigEndian)
//
// # What a TaskFunc may do
//
// It reads its message from in, which ends with io.EOF and never reaches the next request, whatever
// is done with it: also from another goroutine, one at a time, and without reading all of it. What
// it returns is the answer:
//
//   - a reader, which is sent to its end and then closed, if it is an io.Closer; nil is an empty
//     answer. A reader that has a Len method is sent in as few writes as possible. Any other may be
//     a live stream: what it gives is on its way before it is read again. It may read in, so that the
//     answer begins before the message has ended;
//   - an error that is or wraps a serial.ErrorCoder: the client gets the code, at once, and the
//     session goes on;
//   - any other error, or a panic: the client gets nothing, and the connection is dropped. The
//     client knows that its task may have run.
//
// # States
//
// A connection waits for a task code, or runs a task, or is closing. Writing the answer belongs to
// running. The tasks of one connection are strictly serial, in the order of the requests; those that
// were sent ahead wait in the connection.
//
//	           task code            answer complete
//	waiting ─────────────► running ─────────────────► waiting
//	   │                      │
//	   └──────► closing ◄─────┘
//
// A connection that ends between two tasks ends with Goodbye, unless the client closed it first:
// the client then knows that what it sent last was not run. It is closed without loss: the client
// is listened to until it closes too (at most 500 ms without a byte, 5 s and 16 MiB in all), because
// closing a socket with unread input destroys what is still on its way to the client. After a
// message could not be read to its end nothing that follows is taken for a task code.
//
// # Timeouts and limits
//
// [Timeout] has the three timeouts, for which zero means the default and negative none:
//
//   - Wait, 30 min, is how long a client may be idle. A KeepAlive begins it anew;
//   - Read, 5 s, and Write, 5 s, are how long a client may give or take no byte. They are rolling:
//     each byte grants them anew. They run only while the server is blocked on the client, so that a
//     slow TaskFunc is never held against it. More than 10 s need a longer Limits.MinRateWindow, too.
//
// [Limits] hold for the server, for one client, or for one task code, and have defaults:
//
//	MinRate        64 B/s     that a client must move, over 10 s in which the server is blocked on it
//	MessageTime    1 h        for which the server waits in all for one message, and for its answer to be taken
//	TaskTime       24 h       from the task code to the end of the answer; then the task's context is done
//	UnreadInput    256 KiB    that a TaskFunc may leave unread of its message. They are discarded; beyond, the
//	                          client is answered and the connection ended
//	MaxMessage     4 MiB      of a message, and of an answer, of [WholeMessage], which is for TaskFuncs that want
//	                          their message as a slice; [WholeMessageStream] is for those whose answer is a
//	                          stream all the same. All messages of these together may take 64 MiB
//	                          ([WithMessageMemory]), those of one address a quarter of that
//	                          ([WithMessageMemoryPerAddress]); then there is error 252
//
// A client can ask for these limits with Describe. How many clients there may be, 16384, and how many of them from
// one address, a quarter of that, is set by [WithMaxClients] and [WithMaxClientsPerAddress]: those beyond are told Goodbye.
// The kernel ends TCP connections whose other host is gone after a minute ([WithKeepAlive]).
//
// # Middleware
//
// [Server.Use] puts middleware around all TaskFuncs; it is a function of a TaskFunc, so it can also be put
// around one in Register. There are [LimitConcurrency], [LimitRate], [TaskTimeout], [Recover], [AccessLog] and
// [SlowTaskLog]. Middleware that has to know what became of the answer asks for it with [Client.OnTaskDone].
//
// # Ending
//
// [Server.Shutdown] stops the server: it answers or refuses every request, within the time it is given,
// and reports. [Client.Disconnect] and [Server.Disconnect] end connections gracefully: idle ones at once, with
// Goodbye, the others when their task has been answered, or at the end of the time they are given. The
// end of HandleConnection's context does the same, and cancels the running tasks' contexts.
// [Client.Cancel] cancels the running task's context and nothing else. [Client.Close] closes the
// connection at once, [Server.Close] all of them. None of these blocks but Shutdown; [Server.Wait] waits.
//
// Disconnect leaves a running task alone until its time is over. A task that has no end of its own, such as
// one that streams what happens, is therefore cut off; where it should end first, cancel it
// ([Client.Cancel]) or tell it by a channel of your own.
//
// A task's context is also cancelled within a second when its client vanishes, even though nobody
// reads. context.Cause says which of these it was. Whatever happened, a TaskFunc is never abandoned:
// HandleConnection returns when it does.
//
// # Errors
//
// HandleConnection returns nil when the client closed the connection between two tasks,
// [ErrGracefulDisconnect] and [ErrTimeoutWaitingForTask] as they are, and all else wrapped: with the
// connection, the task and a stack (%+v). Test with errors.Is and errors.As: io.ErrUnexpectedEOF is a
// message that was cut, os.ErrDeadlineExceeded a read or write timeout or the minimum rate,
// [ErrUnreadInput] and [ErrDisconnectTimeout] say what they are, a [*PanicError] has the stack of the
// panic, and the error of a TaskFunc is itself.
//
// # What is logged
//
// One line for each connection that ends, with the client's address (remote), the reason, and the
// number of tasks: at debug level if that was to be expected, otherwise as a warning with the error,
// and a panic as an error with its stack. So the error of HandleConnection need not be logged again. The
// first unknown task code of a connection has a warning of its own, and a task that answers with an
// error code a line at debug level with the error, of which the client gets the code alone. No other
// task has a line; a [Metrics] is told of each, and [MemoryMetrics] is one. The logger that a TaskFunc
// gets carries the client's address.
//
// # Concurrency
//
// HandleConnection serves in the goroutine that calls it, and TaskFuncs run there too: those of one
// connection follow each other, those of different ones run side by side. The methods of Server and
// Client are safe for concurrent use, from TaskFuncs too. Register, Use, SetLogger and SetMetrics take
// effect with the next task of every connection.
package serialserver
