"""One Serialkit connection, as ../../../docs/protocol.md describes it: requests out, answers in, in their order."""

import collections
import select
import socket
import time

OK, ERROR, GOODBYE = 0, 1, 2
TOO_LARGE, BUSY = 0xFB, 0xFC


class NotRun(Exception):
    """No byte was sent, or Goodbye was the answer: the task has not run, and may be sent again anywhere."""


class Failed(Exception):
    """The task was answered Error. code is its error code."""

    def __init__(self, code):
        super().__init__(f"error code {code:#04x}")
        self.code = code


class Unknown(Exception):
    """A byte of the request was sent and no whole answer came: the task may have run."""


def blocks(message):
    """message as a block stream in full blocks, with its end."""
    out = bytearray()
    for at in range(0, len(message), 255):
        block = message[at:at + 255]
        out.append(len(block))
        out += block
    return bytes(out) + b"\0"


class Connection:
    """A connection for one thread. Requests are queued by send and answered in their order by answer.

    It reads while it writes. timeout is how many seconds may pass without a byte in either direction. A call that
    fails with anything but Failed has closed the connection.
    """

    def __init__(self, host, port, timeout=30):
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as e:
            raise NotRun(f"dial {host}:{port}: {e}") from e
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self._out, self._sent, self._queued = bytearray(), 0, 0
        self._in, self._eof, self._write_failed = bytearray(), False, False
        self._starts = collections.deque()

    def usable(self):
        """Whether nothing is under way and the collector has neither said Goodbye nor closed. Looks, does not wait."""
        if self._socket is None or self._starts or self._in:
            return False
        readable, _, _ = select.select([self._socket], [], [], 0)
        return not readable

    def send(self, code, message=b""):
        """Queues a request. Bytes move while an answer is read."""
        if self._socket is None:
            raise NotRun("the connection is closed")
        self._starts.append(self._queued)
        request = bytes([code]) + blocks(message)
        self._out += request
        self._queued += len(request)

    def answer(self):
        """The oldest open request's answer, whose read(n) and rest() take its bytes as they come."""
        start = self._starts.popleft()
        return Answer(self, start)

    def close(self):
        """Closes. The calls that are open are Unknown, or NotRun where no byte was sent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def take(self, n, start):
        """Exactly n bytes from the collector, for the request that began at start of all that was queued."""
        deadline = time.monotonic() + self.timeout
        while len(self._in) < n:
            if self._eof:
                self.fail("the connection ended", start)
            if self._move(deadline - time.monotonic()):
                deadline = time.monotonic() + self.timeout
            elif time.monotonic() >= deadline:
                self.fail(f"nothing for {self.timeout} s", start)
        data = bytes(self._in[:n])
        del self._in[:n]
        return data

    def fail(self, why, start):
        """Closes and raises what is known about the request."""
        self.close()
        raise (Unknown if self._sent > start else NotRun)(why)

    def settle(self):
        """After a whole answer: closes if a part of the last request was not written, as it is not wanted any more."""
        if self._out and not self._starts:
            self.close()

    def _move(self, wait):
        """Reads and writes what can be, waiting for it. Tells whether a byte moved or the end came."""
        if self._socket is None:
            self._eof = True
            return True
        writing = [self._socket] if self._out and not self._write_failed else []
        readable, writable, _ = select.select([self._socket], writing, [], max(wait, 0))
        if readable:
            self._receive()
        if writable:
            self._transmit()
        return bool(readable or writable)

    def _receive(self):
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._in += data
        self._eof = not data

    def _transmit(self):
        """A write that fails settles nothing: an answer may have arrived, so reading goes on to the end."""
        try:
            n = self._socket.send(memoryview(self._out)[:1 << 16])
        except BlockingIOError:
            return
        except OSError:
            self._write_failed = True
            return
        del self._out[:n]
        self._sent += n


class Answer:
    """The answer to one request: read it to its end, or close the connection."""

    def __init__(self, connection, start):
        self._connection, self._start = connection, start
        self._block, self._ended = bytearray(), False
        code = self._take(1)[0]
        if code == GOODBYE:
            connection.close()
            raise NotRun("the collector said Goodbye")
        if code == ERROR:
            error = self._take(1)[0]
            connection.settle()
            raise Failed(error)
        if code != OK:
            connection.fail(f"response code {code}", start)

    def read(self, n):
        """Exactly n bytes of the answer, which must have them."""
        while len(self._block) < n:
            if not self._next():
                self._connection.fail("the answer is too short", self._start)
        data = bytes(self._block[:n])
        del self._block[:n]
        return data

    def rest(self):
        """What is left of the answer. Then the connection is free for the next, or closed if it was answered early."""
        while self._next():
            pass
        self._connection.settle()
        data, self._block = bytes(self._block), bytearray()
        return data

    def ended(self):
        """Whether the answer has no further byte. Waits for the next."""
        return not self._block and not self._next()

    def _next(self):
        if self._ended:
            return False
        length = self._take(1)[0]
        self._ended = length == 0
        self._block += self._take(length)
        return not self._ended

    def _take(self, n):
        return self._connection.take(n, self._start)
