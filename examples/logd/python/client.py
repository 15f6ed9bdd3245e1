"""Asks a collector: one call of its four tasks at a time, queries in pages, tails that go on where they were."""

import time

import logdwire as wire
from connection import BUSY, Connection, Failed, NotRun, Unknown

PAUSE = 1.0  # seconds between two attempts


class Incomplete(Exception):
    """A query ended with an error, or passed over damaged blocks: the records before it may not be all."""


class Client:
    """Talks to one collector, on one connection that is dialed when it is needed. For one thread."""

    def __init__(self, address="127.0.0.1:7600", timeout=30):
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        self._host, self._port, self._timeout = host.strip("[]"), int(port), timeout
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, code, message=b""):
        """Sends one request and gives its answer, behind the status. Raises Refused, NotRun, Failed or Unknown."""
        answer = self._begin(code, message)
        try:
            wire.read_status(answer.read)
        except wire.Refused:
            self._end(answer)
            raise
        except wire.Malformed as e:
            raise self._violated(e) from e
        return answer

    def append(self, producer, epoch, sequence, records):
        """Appends one batch, and returns when it is durable."""
        return self.append_message(wire.batch_bytes(producer, epoch, sequence, records))

    def append_message(self, message):
        """Appends a batch that was encoded before, as it is."""
        answer = self.call(wire.APPEND, message)
        return self._whole(answer, wire.read_appended)

    def page(self, text="", order=wire.OLDEST_FIRST, limit=0, cursor=0):
        """One answer to a query: Founds as they arrive and at last the End. Leaving it early closes the connection."""
        answer = self.call(wire.QUERY, wire.query_bytes(text, order, limit, cursor))
        for frame in self._frames(answer):
            yield frame
            if isinstance(frame, wire.End):
                self._end(answer)
                return

    def query(self, text="", order=wire.OLDEST_FIRST, page=1000):
        """All Founds, a page after the other, and then Incomplete if the collector could not read everything."""
        cursor, lost = 0, 0
        while True:
            for frame in self.page(text, order, page, cursor):
                if isinstance(frame, wire.Found):
                    yield frame
            if frame.error:
                raise Incomplete(frame.error)
            cursor = frame.cursor
            lost += frame.plan.get("lost", 0)
            if cursor == 0:
                break
        if lost:
            raise Incomplete(f"{lost} records are in damaged blocks")

    def tail_once(self, text="", cursor=0):
        """Founds, Misseds and Positions until the connection or the answer ends. Leaving it closes the connection."""
        answer = self.call(wire.TAIL, wire.tail_bytes(text, cursor))
        yield from self._frames(answer)
        self._end(answer)

    def tail(self, text="", cursor=0, pause=PAUSE):
        """As tail_once, for ever: a lost connection is dialed again, and the tail goes on where it was."""
        while True:
            try:
                for frame in self.tail_once(text, cursor):
                    cursor = frame.id + 1 if isinstance(frame, wire.Found) else frame.next
                    yield frame
            except (NotRun, Unknown):
                pass
            except Failed as e:
                if e.code != BUSY:
                    raise
            time.sleep(pause)

    def stats(self):
        """The collector's numbers, a dict."""
        return wire.read_json(self.call(wire.STATS).rest())

    def _begin(self, code, message):
        """A connection that was used before may turn out to be at its end; then the task has not run, and is sent again."""
        if self._connection is not None and self._connection.usable():
            try:
                self._connection.send(code, message)
                return self._connection.answer()
            except NotRun:
                pass
        self.close()
        self._connection = Connection(self._host, self._port, self._timeout)
        self._connection.send(code, message)
        return self._connection.answer()

    def _whole(self, answer, read):
        try:
            value = read(answer.read)
        except wire.Malformed as e:
            raise self._violated(e) from e
        self._end(answer)
        return value

    def _end(self, answer):
        if answer.rest():
            raise self._violated("bytes behind the answer")

    def _frames(self, answer):
        complete = False
        try:
            while not answer.ended():
                frame = wire.read_frame(answer.read)
                complete = isinstance(frame, wire.End)
                yield frame
            complete = True
        except wire.Malformed as e:
            raise self._violated(e) from e
        finally:
            if not complete:
                self.close()

    def _violated(self, why):
        self.close()
        return Unknown(f"not logd's answer: {why}")
