"""Queries, tails, stats and what goes wrong on the way, tried on a collector. See test_logd for the environment."""

import json
import os
import socket
import unittest

import logdwire as wire
from client import Client
from connection import TOO_LARGE, Failed, blocks
from relay import Relay
from test_logd import BAD, Collector, connect, record

UNIQUE = iter(range(10**6))


class Reading(Collector):
    def setUp(self):
        super().setUp()
        self.service = f"reading{next(UNIQUE)}"
        self.text = f"service:{self.service}"

    def store(self, count):
        """Stores count records of a service of its own, with records of others between them. Returns their ids."""
        made = []
        for n in range(count):
            made.append(record(service=self.service, message=f"number {n}"))
            made.append(record(service="other"))
        first = self.append(*made).first_id
        return list(range(first, first + 2 * count, 2))

    def page(self, *args, **named):
        *found, end = self.client.page(*args, **named)
        return [f.id for f in found], end


class Queries(Reading):
    def test_pages_in_both_orders(self):
        ids = self.store(7)
        for order, want in ((wire.OLDEST_FIRST, ids), (wire.NEWEST_FIRST, ids[::-1])):
            seen, cursor, reasons = [], 0, []
            while True:
                page, end = self.page(self.text, order, 3, cursor)
                seen, cursor = seen + page, end.cursor
                reasons.append(end.reason)
                if cursor == 0:
                    break
            self.assertEqual(seen, want)
            self.assertEqual(reasons, ["limit", "limit", "end"])
            self.assertEqual([f.id for f in self.client.query(self.text, order, 2)], want)

    def test_records_come_back_as_they_were(self):
        sent = record(service=self.service, host="h\u00e9", message="a\n\0b", level=wire.FATAL, fields=(
            wire.Field("k", "v"), wire.Field("k", "-0.0e+1", wire.NUMBER), wire.Field("b", "true", wire.BOOL),
            wire.Field("j", ' {"a" :1} ', wire.JSON)))
        self.append(sent)
        self.assertEqual([f.record for f in self.client.query(self.text)], [sent])

    def test_cursors(self):
        ids = self.store(3)
        head = self.client.stats()["next_id"]
        self.assertEqual(self.page(self.text, cursor=ids[1])[0], ids[1:])
        self.assertEqual(self.page(self.text, wire.NEWEST_FIRST, cursor=ids[1])[0], ids[:1])
        for cursor in (head, head + 1, 2**64 - 1):
            self.assertEqual(self.page(self.text, cursor=cursor)[0], [])
            self.assertEqual(self.page(self.text, wire.NEWEST_FIRST, cursor=cursor)[0], ids[::-1])
        self.assertEqual(self.page("", wire.NEWEST_FIRST, cursor=1)[0], [])
        self.assertEqual(self.page("", wire.NEWEST_FIRST, cursor=2)[0], [1])

    def test_limits(self):
        self.store(101)
        self.assertEqual(len(self.page(self.text)[0]), 100)
        self.assertEqual(len(self.page(self.text, limit=100_000)[0]), 101)
        for want, changed in (
            ((wire.OVER_LIMIT, -1, "limit"), {"limit": 100_001}), ((wire.MALFORMED, -1, "order"), {"order": 2}),
            ((wire.OVER_LIMIT, -1, "text"), {"text": "a" * 4097}), ((wire.INVALID_UTF8, -1, "text"), {"text": BAD}),
            ((wire.BAD_QUERY, -1, "query"), {"text": "level>="}), ("appended", {"text": "a" * 4096}),
        ):
            with self.subTest(want=want):
                self.assertEqual(self.outcome(lambda: self.page(**changed)), want)

    def test_malformed(self):
        good = wire.query_bytes("a")
        for want, message in (
            ("version", b"\2" + good[1:]), ("text", good + b"x"), ("text", good[:-1]), ("query", b""),
            ("text", good + bytes((128 << 10) - len(good))),
        ):
            with self.subTest(want=want):
                self.assertEqual(self.outcome(lambda: self.client.call(wire.QUERY, message)), (wire.MALFORMED, -1, want))
        with self.assertRaises(Failed) as failed:
            self.client.call(wire.QUERY, good + bytes((128 << 10) - len(good) + 1))
        self.assertEqual(failed.exception.code, TOO_LARGE)

    def test_an_end_says_what_was_done(self):
        self.store(2)
        end = self.page(self.text)[1]
        self.assertEqual((end.cursor, end.reason, end.error, end.plan["matched"]), (0, "end", "", 2))
        self.assertEqual(set(end.plan), {
            "blocks", "skipped_time", "skipped_level", "skipped_service", "skipped_tokens", "read", "read_bytes", "corrupt",
            "lost", "scanned", "matched", "unsealed", "ns"})


class Tails(Reading):
    def test_from_now(self):
        self.store(1)
        tail = self.client.tail_once(self.text)
        self.addCleanup(tail.close)
        head = next(tail).next
        with Client(os.environ["LOGD"]) as other:
            other.append(os.urandom(16), 1, 1, [record(service="other"), record(service=self.service, message="live")])
        found = next(f for f in tail if isinstance(f, wire.Found))
        self.assertEqual((found.id, found.record.message), (head + 1, "live"))

    def test_from_a_cursor(self):
        ids = self.store(3)
        tail = self.client.tail_once(self.text, ids[1])
        self.addCleanup(tail.close)
        self.assertEqual(next(tail), wire.Position(ids[1]))
        found = (f.id for f in tail if isinstance(f, wire.Found))
        self.assertEqual([next(found), next(found)], ids[1:])

    def test_there_is_a_sign_of_life(self):
        self.client = Client(os.environ["LOGD"], timeout=10)
        tail = self.client.tail_once("message~nobody")
        self.addCleanup(tail.close)
        self.assertIsInstance(next(tail), wire.Position)
        self.assertIsInstance(next(tail), wire.Position)

    def test_it_goes_on_over_a_lost_connection(self):
        ids = self.store(3)
        with Relay() as relay, Client(relay.address) as client:
            found = (f.id for f in client.tail(self.text, ids[0], pause=0) if isinstance(f, wire.Found))
            self.assertEqual([next(found) for _ in ids], ids)
            self.assertGreater(relay.connections, 1)

    def test_refusals(self):
        beyond, good = self.client.stats()["next_id"] + 1, wire.tail_bytes("a")
        for want, message in (
            ((wire.MALFORMED, -1, "cursor"), wire.tail_bytes("", beyond)), ((wire.INVALID_UTF8, -1, "text"), wire.tail_bytes(BAD)),
            ((wire.OVER_LIMIT, -1, "text"), wire.tail_bytes("a" * 4097)), ((wire.BAD_QUERY, -1, "query"), wire.tail_bytes("a:")),
            ((wire.MALFORMED, -1, "version"), b"\2" + good[1:]), ((wire.MALFORMED, -1, "text"), good + b"x"),
            ((wire.MALFORMED, -1, "tail"), b""),
        ):
            with self.subTest(want=want):
                self.assertEqual(self.outcome(lambda: self.client.call(wire.TAIL, message)), want)


class Sessions(Reading):
    def test_stats(self):
        before = self.client.stats()
        self.store(2)
        after = self.client.stats()
        self.assertEqual(after["appended"] - before["appended"], 4)
        self.assertEqual(set(after), {
            "next_id", "first_id", "records", "unsealed", "blocks", "block_bytes", "raw_bytes", "days", "producers",
            "free_bytes", "corrupt", "appended", "batches", "commits", "repeated", "refused", "gaps", "busy", "expired",
            "queries", "tails", "missed", "uptime_seconds"})
        self.assertEqual(self.outcome(lambda: self.client.call(wire.STATS, b"x")), (wire.MALFORMED, -1, "stats"))
        for n, want in ((131_072, (wire.MALFORMED, -1, "stats")), (131_073, 0xFB)):
            try:
                seen = self.outcome(lambda: self.client.call(wire.STATS, bytes(n)))
            except Failed as e:
                seen = e.code
            self.assertEqual(seen, want)

    def test_read_only(self):
        with Client(os.environ["LOGD_READ_ONLY"]) as client:
            with self.assertRaises(wire.ReadOnly) as refused:
                client.append(os.urandom(16), 1, 1, [record(time=0)])
            self.assertEqual(client.stats()["read_only"], str(refused.exception))
            self.assertEqual([type(f) for f in client.page()], [wire.End])
            with self.assertRaises(wire.Invalid):
                client.append(os.urandom(16), 1, 1, [record(message=BAD)])

    def test_other_codes(self):
        for code in (0, 5, 249, 252, 253, 254):
            with self.assertRaises(Failed) as failed:
                self.client.call(code, b"x")
            self.assertEqual(failed.exception.code, 0xFA)
        connection = connect(self)
        connection.send(250)
        connection.send(251)
        self.assertEqual(connection.answer().rest(), b"")
        described = json.loads(connection.answer().rest())
        self.assertEqual([(t["code"], t["name"]) for t in described["tasks"]],
                         [(1, "append"), (2, "query"), (3, "tail"), (4, "stats")])

    def test_a_batch_that_is_cut_off_is_not_stored(self):
        before = self.client.stats()["next_id"]
        request = b"\1" + blocks(wire.batch_bytes(os.urandom(16), 1, 1, [record()]))
        host, _, port = os.environ["LOGD"].rpartition(":")
        with socket.create_connection((host, int(port)), 30) as connection:
            connection.sendall(request[:-1])
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                self.assertEqual(answer.read(), b"")
        self.assertEqual(self.client.stats()["next_id"], before)
