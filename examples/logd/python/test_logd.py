"""The statements of ../docs/protocol.md, each tried on a collector.

LOGD is its address, with an empty store of its own; LOGD_READ_ONLY that of one that takes no records.
"""

import os
import time
import unittest

import logdwire as wire
from client import Client
from connection import TOO_LARGE, Connection, Failed

HOUR = 3600 * 10**9
DAY = 24 * HOUR
BAD = b"a\xff"
APPENDED = "appended"


def record(**changed):
    return wire.Record(**{"time": time.time_ns(), "level": wire.INFO, "service": "api", "message": "m", **changed})


def fields(*made):
    return record(fields=tuple(made))


class Collector(unittest.TestCase):
    def setUp(self):
        self.client = Client(os.environ["LOGD"])
        self.addCleanup(self.client.close)

    def append(self, *records, producer=None, epoch=1, sequence=1):
        return self.client.append(producer or os.urandom(16), epoch, sequence, records)

    def outcome(self, call):
        """APPENDED, or kind, record and field of what was refused."""
        try:
            call()
        except wire.Invalid as e:
            return e.kind, e.record, e.field
        return APPENDED

    def expect(self, want, *records):
        self.assertEqual(self.outcome(lambda: self.append(*records)), want)


class Records(Collector):
    def test_lengths(self):
        over = wire.OVER_LIMIT
        for name, most in (("service", 128), ("host", 255), ("message", 65536)):
            with self.subTest(name):
                self.expect(APPENDED, record(**{name: "x" * most}))
                if most < 255 or name == "message":
                    self.expect((over, 0, name), record(**{name: "x" * (most + 1)}))
        self.expect(APPENDED, record(host="", message=""))
        self.expect((wire.MALFORMED, 0, "service"), record(service=""))

    def test_fields(self):
        over, bad = wire.OVER_LIMIT, wire.MALFORMED
        self.expect(APPENDED, fields(*[wire.Field("k", "v")] * 64))
        self.expect((over, 0, "fields"), fields(*[wire.Field("k", "v")] * 65))
        self.expect(APPENDED, fields(wire.Field("k" * 128, "v" * 32768)))
        self.expect((over, 0, "fields[0].key"), fields(wire.Field("k" * 129, "v")))
        self.expect((over, 0, "fields[1].value"), fields(wire.Field("k", ""), wire.Field("k", "v" * 32769)))
        self.expect((bad, 0, "fields[0].key"), fields(wire.Field("", "v")))
        self.expect((bad, 0, "fields[0].kind"), fields(wire.Field("k", "v", 4)))

    def test_kinds(self):
        nested = "[" * 10_000 + "]" * 10_000
        good = {wire.STRING: ["", "x"], wire.NUMBER: ["-0", "1e400", "0.1"], wire.BOOL: ["true", "false"],
                wire.JSON: ["{}", "null", ' "s" ', '{"a":1,"a":2}', nested]}
        bad = {wire.NUMBER: ["", "01", " 1", "NaN", "x"], wire.BOOL: ["", "TRUE", "1"], wire.JSON: ["", "{", "[" + nested + "]"]}
        for kind, value in [(k, v) for k, values in good.items() for v in values]:
            self.expect(APPENDED, fields(wire.Field("k", value, kind)))
        for kind, value in [(k, v) for k, values in bad.items() for v in values]:
            self.expect((wire.MALFORMED, 0, "fields[0].value"), fields(wire.Field("k", value, kind)))

    def test_levels(self):
        for level in range(1, 7):
            self.expect(APPENDED, record(level=level))
        for level in (0, 7, 255):
            self.expect((wire.MALFORMED, 0, "level"), record(level=level))

    def test_utf8(self):
        for bad in (BAD, b"\xed\xa0\x80", b"\xc0\x80"):
            for name in ("service", "host", "message"):
                self.expect((wire.INVALID_UTF8, 1, name), record(), record(**{name: bad}))
            self.expect((wire.INVALID_UTF8, 0, "fields[0].key"), fields(wire.Field(bad, "v")))
            self.expect((wire.INVALID_UTF8, 0, "fields[0].value"), fields(wire.Field("k", bad)))
        self.expect(APPENDED, record(message="\0\r\n\ufeff"))

    def test_times(self):
        now, minute = time.time_ns(), HOUR // 60
        refused = (wire.OUT_OF_RANGE, 1, "time")
        for ahead, want in ((DAY - minute, APPENDED), (DAY + minute, refused), (-10950 * DAY + minute, APPENDED),
                            (-10950 * DAY - minute, refused)):
            self.expect(want, record(), record(time=now + ahead))
        for at in (-2**63, -1, 0, 2**63 - 1):
            self.expect(refused, record(), record(time=at))

    def test_size_of_a_record(self):
        def sized(n):
            def made(rest):
                return record(message="m" * 65536, fields=(wire.Field("k", "v" * 32768), wire.Field("k", "v" * rest)))
            return made(n - len(wire.record_bytes(made(0))))
        self.expect(APPENDED, sized(131072))
        self.expect((wire.OVER_LIMIT, 0, "record"), sized(131073))


class Batches(Collector):
    def test_limits(self):
        self.expect(APPENDED, *[record()] * 10_000)
        self.expect((wire.OVER_LIMIT, -1, "count"), *[record()] * 10_001)
        self.expect((wire.MALFORMED, -1, "count"))

        def message(n):
            whole = [record(message="m" * 65536)] * 31
            rest = n - len(wire.batch_bytes(bytes(16), 1, 1, whole + [record(message="")]))
            return wire.batch_bytes(os.urandom(16), 1, 1, whole + [record(message="m" * rest)])
        self.assertTrue(self.client.append_message(message(2 << 20)).stored)
        for n in ((2 << 20) + 1, 3 << 20, 6 << 20):
            with self.assertRaises(Failed) as failed:
                self.client.append_message(message(n) if n < 3 << 20 else bytes(n))
            self.assertEqual(failed.exception.code, TOO_LARGE)
            self.expect(APPENDED, record())

    def test_malformed(self):
        one = wire.record_bytes(record())
        good = wire.batch_bytes(os.urandom(16), 1, 1, [one])
        bad = wire.MALFORMED
        for want, message in (
            ((bad, -1, "batch"), b""), ((bad, -1, "batch"), good[:36]), ((bad, -1, "version"), b"\0" + good[1:]),
            ((bad, -1, "version"), b"\2" + good[1:]), ((bad, 0, "length"), good[:-1]), ((bad, -1, "batch"), good + b"x"),
            ((bad, -1, "epoch"), wire.batch_bytes(bytes(16), 0, 1, [one])),
            ((bad, -1, "sequence"), wire.batch_bytes(bytes(16), 1, 0, [one])),
            ((bad, 1, "length"), good[:33] + b"\0\0\0\2" + good[37:]),
            ((bad, 0, "length"), good[:37] + b"\xff\xff\xff\xff" + good[41:]),
            ((bad, 1, "record"), wire.batch_bytes(bytes(16), 1, 1, [one, one + b"x"])),
            ((bad, 1, "record"), wire.batch_bytes(bytes(16), 1, 1, [one, b""])),
        ):
            with self.subTest(message=message[:50]):
                self.assertEqual(self.outcome(lambda: self.client.append_message(message)), want)

    def test_marks(self):
        producer = os.urandom(16)

        def send(epoch, sequence, *records):
            try:
                made = self.append(*records or [record()], producer=producer, epoch=epoch, sequence=sequence)
                return made.stored, made.mark, made.first_id > 0
            except wire.Gap as e:
                return "gap", e.expected
            except wire.Fenced as e:
                return "fenced", e.epoch
            except wire.Invalid as e:
                return e.kind, e.record

        ancient, wrong = record(time=0), record(message=BAD)
        for at, want in (
            ((1, 2), ("gap", 1)), ((5, 1), (True, 1, True)), ((5, 3), ("gap", 2)), ((5, 2), (True, 2, True)),
            ((5, 2), (False, 2, False)), ((5, 1), (False, 2, False)), ((4, 1), ("fenced", 5)), ((6, 2), ("gap", 1)),
            ((5, 2, ancient), (False, 2, False)), ((5, 4, ancient), ("gap", 3)), ((4, 1, ancient), ("fenced", 5)),
            ((5, 3, record(), ancient), (wire.OUT_OF_RANGE, 1)), ((5, 2, wrong), (wire.INVALID_UTF8, 0)),
            ((5, 4, wrong), (wire.INVALID_UTF8, 0)), ((6, 1), (True, 1, True)), ((5, 3), ("fenced", 6)),
            ((2**64 - 1, 1), (True, 1, True)),
        ):
            with self.subTest(at=at[:2], want=want):
                self.assertEqual(send(*at), want)

    def test_a_whole_batch_or_nothing(self):
        before = self.client.stats()["next_id"]
        self.expect((wire.OUT_OF_RANGE, 2, "time"), record(), record(), record(time=0))
        self.assertEqual(self.client.stats()["next_id"], before)
        self.assertEqual(self.append(record(), record()).first_id, before)
        self.assertEqual(self.append(record()).first_id, before + 2)

    def test_pipelined(self):
        connection, producer = connect(self), os.urandom(16)
        for n, message in enumerate(["a", "b", BAD, "d", "e"], 1):
            connection.send(wire.APPEND, wire.batch_bytes(producer, 1, n, [record(message=message)]))
        seen = []
        for _ in range(5):
            answer = connection.answer()
            try:
                wire.read_status(answer.read)
                seen.append(wire.read_appended(answer.read).mark)
            except wire.Invalid as e:
                seen.append(e.kind)
            except wire.Gap as e:
                seen.append(("expected", e.expected))
            self.assertEqual(answer.rest(), b"")
        self.assertEqual(seen, [1, 2, wire.INVALID_UTF8, ("expected", 3), ("expected", 3)])


def connect(test, address=None):
    host, _, port = (address or os.environ["LOGD"]).rpartition(":")
    connection = Connection(host, int(port))
    test.addCleanup(connection.close)
    return connection
