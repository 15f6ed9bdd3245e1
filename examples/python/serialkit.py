"""A client for Serialkit servers, written from docs/protocol.md alone.

It needs Python 3.9 or newer and nothing beside the standard library.

    with Client.connect(("127.0.0.1", 4000)) as client:
        print(client.call(1, b"hello"))                      # one call
        for piece in client.stream(1, [b"a", b"b"]):         # a streamed one
            print(piece)
        client.disconnect()

There are four layers, and each can be used without those above it:

* ``encode_blocks``, ``decode_blocks``, ``BlockDecoder``: block streams;
* ``encode_request``, ``ResponseDecoder``: requests and responses, without input or output;
* ``Client``: calls over a connected socket;
* ``Writer``, ``Reader``: typed values within messages, in either byte order.

A call that does not succeed raises exactly one of three exceptions, for the one question a caller has,
whether the task may be run again: ``NotRun`` (always), ``Failed`` (as its error code says), and
``Unknown`` (only if running the task twice does no harm).
"""

import collections
import json
import selectors
import socket
import struct
import time

__all__ = [
    "BlockDecoder", "CallError", "Client", "Failed", "Malformed", "NotRun", "ProtocolError", "Reader",
    "ResponseDecoder", "Stream", "Unknown", "Writer", "decode_blocks", "encode_blocks", "encode_request",
]

# Task codes of the protocol; 0 to 249 are the application's.
KEEPALIVE, DESCRIBE, CANCEL, DISCONNECT = 250, 251, 252, 255

# Response codes.
OK, ERROR, GOODBYE, PROCESSING = 0, 1, 2, 3

# Error codes of the protocol; 0 to 249 are the application's.
UNKNOWN_TASK, TOO_LARGE, BUSY, CANCELLED, DEADLINE_EXCEEDED, DENIED = 250, 251, 252, 253, 254, 255

ERROR_NAMES = {
    UNKNOWN_TASK: "unknown task",
    TOO_LARGE: "message too large",
    BUSY: "busy",
    CANCELLED: "cancelled",
    DEADLINE_EXCEEDED: "deadline exceeded",
    DENIED: "denied",
}

#: What a server discards of a message that its task did not read, unless it says otherwise.
UNREAD_INPUT = 256 * 1024

_FULL = 255  # the longest block
_PIECE = 257 * _FULL  # how much is encoded, sent and received at a time: nearly 64 KiB, in full blocks


# --- What goes wrong ---------------------------------------------------------------------------------


class ProtocolError(Exception):
    """The server has sent something that the protocol does not allow."""


class Malformed(ValueError):
    """A message does not contain the typed value that was asked for."""


class CallError(Exception):
    """A call has not succeeded. It is always one of NotRun, Failed and Unknown.

    What led to it, if there is something, is its ``__cause__``: a ``TimeoutError``, a ``ProtocolError``, an ``OSError``
    (the end of the connection is a ``ConnectionError``), or what the iterator of a streamed request has raised.
    """

    #: "not run", "failed" or "unknown"
    outcome = ""
    #: whether the same call can be made again without risk, here or on another server
    safe_to_retry = False


class NotRun(CallError):
    """The task has certainly not been handled: nothing of the request was sent, or the answer was Goodbye."""

    outcome = "not run"
    safe_to_retry = True


class Failed(CallError):
    """The task was answered Error. The connection goes on."""

    outcome = "failed"

    def __init__(self, code):
        super().__init__(f"error {code} ({ERROR_NAMES.get(code, 'of the application')})")
        self.code = code


class Unknown(CallError):
    """Something of the request was sent, and no complete response came: the task may have been run or not."""

    outcome = "unknown"


# --- Block streams -----------------------------------------------------------------------------------


def _blocks(data):
    """The blocks of data, full ones except for the last, without the end of the stream."""
    view = memoryview(data).cast("B")
    parts = []
    for at in range(0, len(view), _FULL):
        block = view[at:at + _FULL]
        parts.append(bytes((len(block),)))
        parts.append(block)
    return b"".join(parts)


def encode_blocks(message):
    """The block stream of a whole message, which is n + ceil(n / 255) + 1 bytes.

    >>> encode_blocks(b"hello").hex(" ")
    '05 68 65 6c 6c 6f 00'
    >>> encode_blocks(b"").hex(" ")
    '00'
    """
    return _blocks(message) + b"\x00"


def decode_blocks(data):
    """The message of a block stream that is data, all of it and nothing else.

    >>> decode_blocks(bytes.fromhex("01 01 01 02 01 03 01 04 00")).hex(" ")
    '01 02 03 04'
    """
    decoder = BlockDecoder()
    message, end = decoder.feed(data)
    if not decoder.done:
        raise ProtocolError("a block stream without its end")
    if end != len(data):
        raise ProtocolError(f"{len(data) - end} bytes after the end of a block stream")
    return message


class BlockDecoder:
    """Decodes one block stream that arrives in pieces of any size."""

    def __init__(self):
        self._left = 0  # bytes of the current block that are still to come
        #: whether the end of the stream has been seen; while it has not, the message is incomplete
        self.done = False

    def feed(self, data, start=0):
        """Takes data from start on. Returns what it holds of the message, and where the decoder stopped:
        at the end of data, or after the end of the stream."""
        view, at, end, parts = memoryview(data), start, len(data), []
        while at < end and not self.done:
            if self._left:
                part = view[at:at + self._left]
                parts.append(part)
                self._left -= len(part)
                at += len(part)
            else:
                self._left = view[at]
                self.done = self._left == 0
                at += 1
        return b"".join(parts), at


# --- Requests and responses --------------------------------------------------------------------------


def encode_request(code, message=b""):
    """A whole request: a task code and its message.

    >>> encode_request(1, b"hello").hex(" ")
    '01 05 68 65 6c 6c 6f 00'
    """
    return bytes((code,)) + encode_blocks(message)


class ResponseDecoder:
    """Decodes the responses on a connection, which arrive in pieces of any size, to events.

    An event is a pair:

    ======================  =====================================================================
    ``("ok", None)``        an answer begins
    ``("data", bytes)``     a piece of the answer, never an empty one
    ``("end", None)``       the answer is complete
    ``("error", code)``     the response is an error
    ``("goodbye", None)``   the connection is closing; only "closed" may follow
    ``("violation", str)``  the server does not keep to the protocol; no event follows
    ``("closed", bool)``    the connection has ended; True if it was within a response
    ======================  =====================================================================

    The events are the same however the bytes are divided, apart from the division of the data.
    """

    def __init__(self):
        self._state = self._code
        self._blocks = None

    @property
    def within(self):
        """Whether a response has begun that is not complete yet."""
        return self._state in (self._body, self._error)

    def feed(self, data):
        """The events in data."""
        events, at = [], 0
        while at < len(data) and self._state:
            at = self._state(data, at, events)
        return events

    def close(self):
        """The event of the end of the connection."""
        within, self._state = self.within, None
        return [("closed", within)]

    # Each state takes data from at on, adds events, sets the next state, and returns where it stopped.

    def _code(self, data, at, events):
        code = data[at]
        if code == OK:
            events.append(("ok", None))
            self._state, self._blocks = self._body, BlockDecoder()
        elif code == ERROR:
            self._state = self._error
        elif code == GOODBYE:
            events.append(("goodbye", None))
            self._state = self._after_goodbye
        elif code == PROCESSING:
            self._violation(events, "response code 03 (Processing), which was not negotiated")
        else:
            self._violation(events, f"response code {code:02x}")
        return at + 1

    def _body(self, data, at, events):
        piece, at = self._blocks.feed(data, at)
        if piece:
            events.append(("data", piece))
        if self._blocks.done:
            events.append(("end", None))
            self._state = self._code
        return at

    def _error(self, data, at, events):
        events.append(("error", data[at]))
        self._state = self._code
        return at + 1

    def _after_goodbye(self, data, at, events):
        self._violation(events, "something follows Goodbye")
        return len(data)

    def _violation(self, events, text):
        events.append(("violation", text))
        self._state = None


# --- The client --------------------------------------------------------------------------------------


class _Request:
    """A request under way. size is its message's, or None if that is not known beforehand."""

    def __init__(self, code, size, pieces):
        self.size = size
        self.code = code
        self.wire = self._wire(pieces)
        self.start = None  # where it begins in all that the exchange sends; None while nothing of it is queued
        self.end = None  # where it ends; None until that is queued

    def _wire(self, pieces):
        head = bytes((self.code,))
        for piece in pieces:
            if piece is None:
                yield head or None
            elif len(piece):
                yield head + _blocks(piece)
            else:
                continue
            head = b""
        yield head + b"\x00"


def _whole(code, message):
    """The request with a message that is there as a whole."""
    view = memoryview(message).cast("B")
    pieces = (view[at:at + _PIECE] for at in range(0, len(view), _PIECE))
    return _Request(code, len(view), pieces)


class _Exchange:
    """One or more requests under way on a client. It sends and receives at the same time: as long as the caller takes
    what has come, no size of a request or of a response can bring both sides to wait for each other."""

    def __init__(self, client, requests, timeout, rolling=False, gather=0):
        client._check_idle()
        self.client = client
        self.requests = requests
        self.timeout, self.rolling = timeout, rolling
        self.gather = gather  # how much is collected before it is sent; 0 sends each piece at once
        self.filling = 0  # the index of the request that is being queued
        self.out = memoryview(b"")  # queued, and not sent yet
        self.queued = self.sent = 0  # bytes of all requests
        self.hold = False  # the request waits for more of the response
        self.renew()

    def renew(self):
        self.deadline = None if self.timeout is None else time.monotonic() + self.timeout

    def begun(self, index):
        """Whether a byte of a request has been sent."""
        start = self.requests[index].start
        return start is not None and start < self.sent

    def finished(self, index):
        """Whether a request has been sent to its end."""
        end = self.requests[index].end
        return end is not None and end <= self.sent

    def failure(self, index, reason):
        """What to raise for a request that has got no response."""
        return (Unknown if self.begun(index) else NotRun)(str(reason))

    def event(self, index):
        """The next event of the response to a request. It raises Unknown or NotRun when there is none."""
        client = self.client
        try:
            while not client._events:
                self.pump()
            kind, value = client._events.popleft()
            if kind == "violation":
                raise ProtocolError(value)
            if kind == "closed":
                raise ConnectionError("the connection ended within the answer, which is incomplete" if value
                                      else "the connection ended without an answer")
            if kind != "goodbye" and not self.begun(index):
                raise ProtocolError("a response to a request that has not been sent")
            return kind, value
        except (OSError, ProtocolError) as cause:
            client.close()
            raise self.failure(index, cause) from cause

    def answer(self, index):
        """The whole response to a request."""
        parts, size = [], 0
        while True:
            kind, value = self.event(index)
            if kind == "data":
                parts.append(value)
                size += len(value)
                if size > self.client.max_response:
                    self.client.close()
                    raise Unknown(f"the answer is longer than {self.client.max_response} bytes")
            elif kind == "error":
                raise Failed(value)
            elif kind == "goodbye":
                self.client.close()
                raise NotRun("the server said Goodbye")
            elif kind == "end":
                return b"".join(parts)

    def go_on(self, index):
        """Whether the connection is, or will be, in step after the response to this request, which has come in full.
        It is if the server reads, or discards, what is left of the request. Otherwise it is closed."""
        request = self.requests[index]
        if self.finished(index):
            return True
        known = request.size is not None and request.size <= self.client._unread.get(request.code, UNREAD_INPUT)
        if not known:
            self.client.close()
        return known

    def finish(self, index):
        """Sends what is left of the last request, whose response has come already. Nothing but Goodbye can come now;
        whatever does, and whatever fails, the response stays valid."""
        client = self.client
        try:
            while not client.closed and not self.finished(index):
                if client._events:
                    raise ConnectionError("the server is closing")
                self.pump()
        except (OSError, CallError):
            client.close()

    def pump(self):
        """Sends or receives something, or raises TimeoutError."""
        client = self.client
        self.fill()
        left = None if self.deadline is None else self.deadline - time.monotonic()
        ready = 0 if left is not None and left <= 0 else client._wait(bool(self.out), left)
        if not ready:
            raise TimeoutError(f"nothing happened for {self.timeout} s" if self.rolling
                               else f"not done within {self.timeout} s")
        if ready & selectors.EVENT_WRITE:
            try:
                count = client._sock.send(self.out[:4 * _PIECE])
                self.sent += count
                self.out = self.out[count:]
            except (BlockingIOError, InterruptedError):
                pass
            except OSError:
                # The server reads no more. Its response, or Goodbye, may have come nevertheless.
                self.out, self.filling = memoryview(b""), len(self.requests)
        if ready & selectors.EVENT_READ and client._receive():
            self.hold = False
        if self.rolling:
            self.renew()

    def fill(self):
        """Queues what is to be sent next, if nothing is."""
        if self.out or self.hold:
            return
        parts, size = [], 0
        while self.filling < len(self.requests) and (not parts or size < self.gather):
            request = self.requests[self.filling]
            try:
                piece = next(request.wire, b"")
            except Exception as cause:  # of the caller's iterator
                if self.begun(self.filling):  # a message that cannot be completed is not ended
                    self.client.close()
                raise self.failure(self.filling, f"the request broke off: {cause!r}") from cause
            if piece is None:
                self.hold = True
                break
            if request.start is None:
                request.start = self.queued
            if piece:
                parts.append(piece)
                size += len(piece)
                self.queued += len(piece)
            else:
                request.end = self.queued
                self.filling += 1
        self.out = memoryview(b"".join(parts))


class Client:
    """A client over a connected stream socket (TCP or unix), which it owns from now on.

    timeout is for how many seconds a call may take in all, or a stream may stand still; None is for ever. max_response
    is how many bytes the answer to a call may have; a stream has no such limit.

    A client makes one call after the other and is not to be used by two threads at once. After each exception but
    Failed it is usually closed, as ``closed`` tells: a client that gave up on a response would take it for the next one.
    """

    def __init__(self, sock, timeout=30.0, max_response=16 * 1024 * 1024):
        self.timeout = timeout
        self.max_response = max_response
        self.closed = False
        self._sock = sock
        self._events = collections.deque()
        self._decoder = ResponseDecoder()
        self._unread = {}  # what Describe has told of unread input, by task code
        self._stream = None
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)

    @classmethod
    def connect(cls, address, timeout=30.0, **options):
        """A client over a new TCP connection to (host, port)."""
        return cls(socket.create_connection(address, timeout), timeout, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the connection at once. It can be called twice. See disconnect."""
        if not self.closed:
            self.closed = True
            self._selector.close()
            self._sock.close()

    # What can be called.

    def call(self, code, message=b"", timeout=...):
        """Runs a task with a message and returns its answer."""
        result = self.pipeline([(code, message)], timeout)[0]
        if isinstance(result, CallError):
            raise result
        return result

    def pipeline(self, requests, timeout=...):
        """Sends requests, pairs of a task code and a message, without waiting for the response to one before the next
        is sent. Returns a list: for each request its answer (bytes) or what has become of it (a CallError).
        It raises no CallError itself."""
        requests = [_whole(code, message) for code, message in requests]
        results = []
        try:
            exchange = _Exchange(self, requests, self._timeout(timeout), gather=_PIECE)
        except NotRun as error:
            return [error] * len(requests)
        try:
            for index in range(len(requests)):
                try:
                    results.append(exchange.answer(index))
                except Failed as error:
                    results.append(error)
                except CallError as error:
                    results.append(error)
                    self.close()
                    said_goodbye = isinstance(error, NotRun)
                    for later in range(index + 1, len(requests)):
                        results.append(NotRun(str(error)) if said_goodbye else exchange.failure(later, error))
                        results[-1].__cause__ = error.__cause__
                    return results
                if not exchange.go_on(index):
                    later = range(index + 1, len(requests))
                    reason = "the connection was closed: a request before was answered before it had been sent"
                    return results + [exchange.failure(i, reason) for i in later]
            if requests:
                exchange.finish(len(requests) - 1)
            return results
        except BaseException:  # KeyboardInterrupt, say
            self.close()
            raise

    def stream(self, code, chunks=(), timeout=...):
        """Runs a task whose message is the chunks of an iterable, and returns an iterator of the pieces of its answer.

        Each chunk is sent at once, and each piece is returned as soon as it has come. Nothing happens but in the
        iterator's ``next()``: there the chunks are taken, too. So an iterable that computes for long keeps the
        response from being read; it may yield None, which means: go on only after something more has been received. A
        server waits only 5 s for the next byte of a message, unless it says otherwise.

        If the response is complete before the chunks are, the rest of them is not taken and the connection is
        closed; the response is valid. A stream that is not read to its end must be closed, which closes the
        connection.
        """
        return Stream(self, _Exchange(self, [_Request(code, None, chunks)], self._timeout(timeout), rolling=True))

    def keepalive(self, timeout=...):
        """Lets the server's wait timeout begin anew."""
        if self.call(KEEPALIVE, timeout=timeout):
            self.close()
            raise ProtocolError("the answer to a KeepAlive is not empty")

    def describe(self, timeout=...):
        """What the server tells about itself and its tasks, a dict. See Describe in the protocol."""
        try:
            document = json.loads(self.call(DESCRIBE, timeout=timeout).decode("utf-8"))
            self._unread.update(
                (int(task["code"]), int(task["limits"]["unread_input_bytes"])) for task in document["tasks"])
        except (ValueError, KeyError, TypeError) as cause:
            raise ProtocolError("the answer to Describe is not what the protocol says") from cause
        return document

    def disconnect(self, timeout=...):
        """Says that the client is done, waits for Goodbye and the end of the connection, and closes it. It is closed
        afterwards in any case. A connection that has ended already is fine; anything else but Goodbye is Unknown."""
        try:
            exchange = _Exchange(self, [_whole(DISCONNECT, b"")], self._timeout(timeout))
        except NotRun:
            return
        try:
            kind, _ = exchange.event(0)
            if kind != "goodbye":
                cause = ProtocolError("the answer to Disconnect is not Goodbye")
                raise Unknown(str(cause)) from cause
            try:
                exchange.finish(0)
                self._sock.shutdown(socket.SHUT_WR)
                while not self._events:
                    exchange.pump()
            except OSError:
                return  # Goodbye has come, and that was all there was to wait for
            kind, value = self._events.popleft()
            if kind == "violation":
                cause = ProtocolError(value)
                raise Unknown(value) from cause
        finally:
            self.close()

    # What the exchanges use.

    def _timeout(self, timeout):
        return self.timeout if timeout is ... else timeout

    def _wait(self, write, timeout):
        """Waits until something can be received, or sent if write is set. Returns which, or 0."""
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0)
        if self._selector.get_key(self._sock).events != mask:
            self._selector.modify(self._sock, mask)
        ready = self._selector.select(timeout)
        return ready[0][1] if ready else 0

    def _receive(self):
        """Receives what there is, as events. Returns whether there was something."""
        try:
            data = self._sock.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return False
        except ConnectionError:  # a reset is an end like another
            data = b""
        self._events.extend(self._decoder.feed(data) if data else self._decoder.close())
        return True

    def _check_idle(self):
        """Raises NotRun if the connection cannot be used: a server may have closed it while it was idle."""
        if self._stream is not None:
            raise RuntimeError("a stream is under way on this client")
        if self.closed:
            raise NotRun("the connection is closed")
        if not self._events:
            self._receive()
        if not self._events and not self._decoder.within:
            return
        self.close()
        kind = self._events[0][0] if self._events else ""
        if kind == "goodbye":
            raise NotRun("the server said Goodbye while the connection was idle")
        if kind == "closed":
            raise NotRun("the server closed the idle connection")
        raise NotRun("the server sent a response to no request") from ProtocolError("a response to no request")


class Stream:
    """The answer to a streamed call: an iterator of its pieces, and a context manager. See Client.stream."""

    def __init__(self, client, exchange):
        self._client, self._exchange = client, exchange
        self._done = False
        client._stream = self

    def __iter__(self):
        return self

    def __next__(self):
        if self._done:
            raise StopIteration
        self._exchange.renew()
        try:
            while True:
                kind, value = self._exchange.event(0)
                if kind == "data":
                    return value
                if kind != "ok":
                    break
        except CallError:  # the connection is closed, unless nothing was sent
            self._end()
            raise
        except BaseException:
            self.close()
            raise
        self._end()
        if kind == "goodbye":
            self._client.close()
            raise NotRun("the server said Goodbye")
        if self._exchange.go_on(0):
            self._exchange.finish(0)
        if kind == "error":
            raise Failed(value)
        raise StopIteration

    def _end(self):
        self._done = True
        self._client._stream = None

    def close(self):
        """Gives up the rest of the answer, and with it the connection. After the end it does nothing."""
        if not self._done:
            self._end()
            self._client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# --- Typed values ------------------------------------------------------------------------------------

_ORDERS = {"big": ">", "little": "<"}
_NUMBERS = {
    "int8": "b", "int16": "h", "int32": "i", "int64": "q",
    "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q",
    "float32": "f", "float64": "d",
}
_SECOND = 1_000_000_000


class Writer:
    """Packs typed values, in the order "big" or "little". Beside the methods below it has one for each of int8 to
    int64, uint8 to uint64, float32 and float64. Each returns the writer; ``message()`` is the result.

    >>> Writer("big").uint32(2).int64(1).int64(-2).message().hex()
    '000000020000000000000001fffffffffffffffe'

    A value that its type cannot hold is a ValueError.
    """

    def __init__(self, order):
        self._order = _ORDERS[order]
        self._data = bytearray()

    def message(self):
        """All that has been written."""
        return bytes(self._data)

    def _number(self, format, value):
        try:
            self._data += struct.pack(self._order + format, value)
        except (struct.error, OverflowError) as cause:
            raise ValueError(str(cause)) from cause
        return self

    def bool(self, value):
        return self._number("B", 1 if value else 0)

    def bytes(self, value):
        """A length and the bytes."""
        self.uint32(len(value))
        return self.raw(value)

    def string(self, value):
        """A str as UTF-8, with its length."""
        return self.bytes(value.encode("utf-8", "surrogateescape"))

    def raw(self, value):
        """Bytes without a length."""
        self._data += value
        return self

    def duration(self, nanoseconds):
        return self.int64(nanoseconds)

    def time(self, nanoseconds):
        """A time, in nanoseconds since 1970-01-01 00:00:00 UTC as from time.time_ns()."""
        seconds, rest = divmod(nanoseconds, _SECOND)
        return self.int64(seconds).uint32(rest)


class Reader:
    """Unpacks typed values from a message, in the order "big" or "little". Its methods are named like those of Writer,
    and return what those take. What is not there, or not valid, is Malformed.

    >>> reader = Reader("little", bytes.fromhex("02000000 68 69 00 00"))
    >>> reader.string()
    'hi'
    >>> reader.end()
    Traceback (most recent call last):
    serialkit.Malformed: 2 bytes after the last value
    """

    def __init__(self, order, data):
        self._order = _ORDERS[order]
        self._data = bytes(data)
        self._at = 0

    def end(self):
        """Checks that nothing is left."""
        left = len(self._data) - self._at
        if left:
            raise Malformed(f"{left} bytes after the last value")

    def raw(self, size=None):
        """size bytes, or all that is left."""
        left = len(self._data) - self._at
        if size is None:
            size = left
        if size > left:
            raise Malformed(f"{size} bytes were expected, {left} are left")
        self._at += size
        return self._data[self._at - size:self._at]

    def _number(self, format):
        format = self._order + format
        return struct.unpack(format, self.raw(struct.calcsize(format)))[0]

    def bool(self):
        value = self._number("B")
        if value > 1:
            raise Malformed(f"a bool of {value:02x}")
        return value == 1

    def bytes(self):
        return self.raw(self.uint32())

    def string(self):
        """A str. Nobody checks that a string is UTF-8: other bytes become surrogates, which Writer turns back."""
        return self.bytes().decode("utf-8", "surrogateescape")

    def duration(self):
        """Nanoseconds."""
        return self.int64()

    def time(self):
        """Nanoseconds since 1970-01-01 00:00:00 UTC."""
        seconds, rest = self.int64(), self.uint32()
        if rest >= _SECOND:
            raise Malformed(f"a time with {rest} nanoseconds")
        return seconds * _SECOND + rest


def _add_numbers():
    for name, format in _NUMBERS.items():
        def write(self, value, format=format):
            return self._number(format, value)

        def read(self, format=format):
            return self._number(format)

        write.__name__ = read.__name__ = name
        setattr(Writer, name, write)
        setattr(Reader, name, read)


_add_numbers()
