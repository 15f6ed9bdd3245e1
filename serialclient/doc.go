// Package serialclient calls the tasks of a serial server. A [Client] is one connection; a call is a
// task code and a message, and is answered by a message or by an error code. When a call fails its
// error says whether the task may have run.
//
// # A call
//
// Dial connects. Where the daemon wants a handshake, make the connection, do the handshake, and
// give the connection to [New]. Both ends agree on the byte order of the numbers in messages.
//
//	c, err := serialclient.Dial(ctx, "tcp", "127.0.0.1:7070", binary.BigEndian)
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	answer, err := c.Call(ctx, 1, []byte("hello"))
//
// The answer is the caller's. [Client.AppendCall] appends it to a slice that is used again and again,
// and then, with a context that cannot be cancelled, allocates nothing. A binaryutil.Buffer makes and
// reads messages of typed values.
//
// # Outcomes and retries
//
// The error of each failed call is an [*Error], whose Outcome is one of three:
//
//	NotRun    the task did not run and never will: no byte of the call was sent, or the
//	          server answered Goodbye. Call again, here or elsewhere, whatever the task does.
//	Failed    the server answered an error code: a serial.ErrorCoder for errors.As.
//	Unknown   bytes were sent and no answer came: the connection broke, the server was
//	          silent for too long, or ctx was done first. The task may have run. Call
//	          again only if running it twice does no harm.
//
// NotRun is a promise. Where it is not certain that nothing was sent the outcome is Unknown.
// [SafeToRetry] asks for NotRun; a Client retries nothing. The reason is behind the error, for errors.Is:
// ErrGoodbye, ErrServerGone, ErrProtocol and the others of this package, the cause of the context,
// os.ErrDeadlineExceeded for a timeout, io.ErrUnexpectedEOF for a connection that ended too early,
// or the connection's own error.
//
//	var coder serial.ErrorCoder
//	switch _, err := c.Call(ctx, 1, request); {
//	case errors.As(err, &coder):
//		... coder.ErrorCode() is the server's answer
//	case serialclient.SafeToRetry(err):
//		... dial again, call again
//	}
//
// # Turns
//
// A Client is safe for concurrent use. Its callers take turns, in the order of their coming: a call, a
// stream or a pipeline has the connection until it ends. So one task that drops the connection has
// one call whose outcome is Unknown; those behind it are NotRun. For calls at the same time use a Pool, for many
// calls in flight a pipeline.
//
// When ctx is done a call returns at once. If it waits for its turn, or nothing of it was sent, the
// connection is as it was. If its request was sent, the response is read and thrown away in the
// background before the next caller has the turn. Otherwise the connection is closed, as it is over TLS
// when a write was interrupted.
//
// # Pipelines
//
// A [Pipeline] sends calls before the responses of those before have come. The server runs them one after
// the other. The usual loop keeps a window of calls in flight, which go out in few writes:
//
//	p, err := c.Pipeline(ctx)
//	...
//	defer p.Close()
//	for i, request := range requests {
//		if i >= 64 {
//			answer, err = p.Receive(answer[:0]) // of the request 64 before
//			...
//		}
//		err = p.Send(1, request)
//		...
//	}
//	p.CloseSend()
//	for answer, err = p.Receive(answer[:0]); err != io.EOF; answer, err = p.Receive(answer[:0]) {
//		... // of the last 64
//	}
//
// One goroutine may send while another one receives, which waits for what is sent next and gets io.EOF
// after CloseSend. One alone may send as much as it likes before it receives: nothing blocks for good,
// because the responses are read and kept when a write has to wait for that. While a pipeline neither sends
// nor receives nothing is read, and a server whose responses do not fit into the connection gives up after
// its write timeout. Goodbye as the answer to one call says that this one and all later did not run.
//
// A pipeline in which nothing is under way is idle for the server, which ends it after its wait timeout: no
// KeepAlive is sent, and nothing is read, also while a Receive waits for a Send. So a Goodbye and the end of the
// connection are noticed with the next call alone, which the Send takes and whose Receive has the outcome: NotRun after
// a Goodbye, otherwise Unknown once a byte of it was sent. Close a pipeline that has nothing to do.
//
// # Streams
//
// A [Stream] is a call whose request and response have any length. The request is an io.Reader, read by
// another goroutine; the response is read from the Stream, as an io.Reader or value by value. Both go on
// at the same time, and each piece is sent as soon as it is there. Close it in any case: the turn ends
// with Close.
//
//	s, err := c.Stream(ctx, 8, file)
//	...
//	defer s.Close()
//	length, _ := s.ReadUint64()
//	sum, _ := s.ReadUint32()
//	err = s.Finish()
//
// A response that is live ends with os.ErrDeadlineExceeded when the server says nothing for the Read timeout, 5 s, once
// it has begun. Either the server sends something more often than that, which also shows that it is there; or
// the Client has a longer one, WithTimeout(Timeout{Read: time.Minute}), for all of its calls. Negative is none: then
// nothing but the context ends the stream of a server that is silent for good. docs/guides/streams.md has both ends.
//
// # Pools
//
// A [Pool] makes calls over connections to one or several addresses, and sees to it that there are such. It
// has Call, AppendCall, Stream and Pipeline as a Client has.
//
//	p, err := serialclient.NewPool("tcp", []string{"10.0.0.1:7070", "10.0.0.2:7070"}, binary.BigEndian)
//	if err != nil {
//		return err
//	}
//	defer p.Close()
//	answer, err := p.Call(ctx, 1, []byte("hello"))
//
// A call that certainly did not run is made again, elsewhere if that is possible, so that a server that stops
// gracefully costs no caller an error. One that may have run is made again only if it is marked Idempotent. All other
// outcomes are those of a Client, and where there were several attempts the [AttemptsError] behind the error
// lists them. NotRun then means that none of them ran.
//
//	connections         32 per address, and as many together
//	callers waiting     1024, beyond the connections; then ErrPoolFull
//	idle                16 connections per address; 10 min each, less if the server says so
//	lifetime            48 to 60 min
//	connecting          5 s; 4 at a time and 32 in a second, for each address
//	after a failure     a random part of 100 ms, 200 ms, ... 5 s, for each address
//	no server           5 s, for which a call waits; then ErrUnreachable
//	attempts            3 for a call, and in all one retry for 5 answers, and 10 in a second
//
// Each has a PoolOption. Shutdown ends a Pool when its calls have ended, Close at once.
//
// # Timeouts and limits
//
// All are finite by default. In [Timeout] zero means the default and a negative duration none; a
// context bounds a call as a whole.
//
//	Wait                30 min    from the end of the request, or when it is waited for, to the
//	                              first byte of the response
//	Read                5 s       for each further byte of the response, while it is waited for
//	Write               5 s       for which the server takes no byte of the request, on what is no
//	                              socket up to twice that. An answer that is on its way may come
//	                              for another 500 ms
//	WithMaxResponse     4 MiB     of one response; a Stream's has no limit
//	pipeline            16 MiB    for what was sent and not received, see Pipeline.Send
//	abandoned response  5 s,      for the responses of calls that were given up
//	                    1 MiB
//	early response      256 KiB   up to which a request is sent to its end although it was answered
//
// [WithKeepAlive] keeps an idle connection below the server's own timeout.
//
// # What closes the connection
//
// Close does, and Disconnect after the server's Goodbye. Apart from these the connection is closed
//
//   - by a Goodbye, the end or an error of the connection. Where the kernel knows of it (TCP and unix
//     sockets on Linux) this is noticed before a call is sent;
//   - by a timeout, a malformed response, or one over the limit;
//   - when a request was not sent whole: ctx was done meanwhile, a stream was closed or its request could
//     not be read, or the response came first and the request is longer than 256 KiB;
//   - when the responses of abandoned calls take too long or are too large;
//   - when the responses of a pipeline that does not receive need too much room.
//
// A Client does not connect again, a Pool does. From then on [Client.Err] says why, and so do all calls, their
// outcome being NotRun.
package serialclient
