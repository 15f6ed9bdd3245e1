"""The transcripts of ../docs/protocol.md against logdwire, without a collector."""

import pathlib
import re
import unittest

import logdwire as wire
from connection import blocks

DOCUMENT = pathlib.Path(__file__).parent.parent / "docs" / "protocol.md"
PRODUCER = bytes(range(16))
RECORD = wire.Record(1_700_000_000_000_000_000, wire.WARN, "api", "slow", "h1", (wire.Field("ms", "250", wire.NUMBER),))


def transcripts():
    found = {}
    for name, text in re.findall(r"```hex ([a-z-]+)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S):
        found[name] = bytes.fromhex("".join(line.split("|")[0] for line in text.splitlines()))
    return found


def answer(data):
    """What a client makes of an answer of append."""
    read, left = wire.cursor_of(data)
    try:
        wire.read_status(read)
        made = wire.read_appended(read)
    except wire.Refused as e:
        made = type(e), vars(e), e.args
    assert left() == 0
    return made


def frame(data):
    read, left = wire.cursor_of(data)
    value = wire.read_frame(read)
    assert left() == 0
    return value


class Transcripts(unittest.TestCase):
    def test_what_a_client_sends(self):
        shown = transcripts()
        self.assertEqual(shown["record"], wire.record_bytes(RECORD))
        self.assertEqual(shown["batch"], wire.batch_bytes(PRODUCER, 1, 2, [RECORD]))
        self.assertEqual(shown["query"], wire.query_bytes("level>=warn", wire.NEWEST_FIRST, 10))
        self.assertEqual(shown["tail"], wire.tail_bytes("service:api", 1001))

    def test_what_a_client_reads(self):
        shown = transcripts()
        self.assertEqual(wire.read_record(shown["record"]), RECORD)
        self.assertEqual(answer(shown["ok"]), wire.Appended(True, 2, 1001))
        self.assertEqual(answer(shown["repeat"]), wire.Appended(False, 2, 0))
        invalid = {"kind": wire.OUT_OF_RANGE, "record": 0, "field": "time", "detail": "late"}
        self.assertEqual(answer(shown["invalid"])[:2], (wire.Invalid, invalid))
        self.assertEqual(answer(shown["gap"])[:2], (wire.Gap, {"expected": 2}))
        self.assertEqual(answer(shown["fenced"])[:2], (wire.Fenced, {"epoch": 3}))
        self.assertEqual(answer(shown["read-only"]), (wire.ReadOnly, {}, ("disk full",)))
        self.assertEqual(frame(shown["record-frame"]), wire.Found(1001, RECORD))
        self.assertEqual(frame(shown["missed"]), wire.Missed(40, 1042))
        self.assertEqual(frame(shown["position"]), wire.Position(1002))

    def test_every_transcript_is_known(self):
        self.assertEqual(set(transcripts()), {
            "record", "batch", "query", "tail", "ok", "repeat", "invalid", "gap", "fenced", "read-only", "record-frame",
            "missed", "position"})

    def test_an_answer_that_is_cut_is_malformed(self):
        shown = transcripts()
        for name in ("record-frame", "missed", "position"):
            for n in range(len(shown[name])):
                with self.subTest(name, n=n), self.assertRaises(wire.Malformed):
                    frame(shown[name][:n])
        for n in range(len(shown["record"])):
            with self.subTest("record", n=n), self.assertRaises(wire.Malformed):
                wire.read_record(shown["record"][:n])
        with self.assertRaises(wire.Malformed):
            wire.read_record(shown["record"] + b"\0")

    def test_what_the_document_does_not_list_is_malformed(self):
        for data in (b"\x00", b"\x05"):
            with self.subTest(data), self.assertRaises(wire.Malformed):
                frame(data)
        with self.assertRaises(wire.Malformed):
            answer(b"\x05")
        with self.assertRaises(wire.Malformed):
            answer(b"\x00\x02" + bytes(16))

    def test_batches_are_divided_at_their_limits(self):
        self.assertEqual([len(b) for b in wire.batches([b"r"] * 10_001)], [10_000, 1])
        full = [bytes(131_068)] * 15 + [bytes(131_072 - 4 - wire.BATCH_HEAD)]
        self.assertEqual(len(wire.batch_bytes(PRODUCER, 1, 1, full)), wire.MAX_BATCH)
        self.assertEqual([len(b) for b in wire.batches(full)], [16])
        self.assertEqual([len(b) for b in wire.batches(full[:-1] + [full[-1] + b"r"])], [15, 1])

    def test_a_record_without_an_encoding_is_a_value_error(self):
        for record in (wire.Record(0, wire.INFO, "s" * 256), wire.Record(2**63, wire.INFO, "s"), wire.Record(0, wire.INFO, "\ud800")):
            with self.assertRaises(ValueError):
                wire.record_bytes(record)

    def test_block_streams(self):
        self.assertEqual(blocks(b""), b"\0")
        self.assertEqual(blocks(b"ab"), b"\x02ab\0")
        self.assertEqual(blocks(b"x" * 256), b"\xff" + b"x" * 255 + b"\x01x\0")
