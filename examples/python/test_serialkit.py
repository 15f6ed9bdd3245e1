"""Tests of the client: offline, with the vectors and with servers made of a few bytes, and online, with two daemons.

    python3 -m unittest test_serialkit.Offline test_serialkit.FakeServer

needs nothing. The classes Vectors and Calls need the addresses of two reference daemons, in the environment variables
SERIALKIT_BIG and SERIALKIT_LITTLE; without them they fail.
"""

import collections
import concurrent.futures
import contextlib
import doctest
import itertools
import json
import math
import os
import pathlib
import socket
import threading
import unittest

import serialkit
from serialkit import (
    BlockDecoder, Client, Failed, Malformed, NotRun, ProtocolError, Reader, ResponseDecoder, Unknown, Writer,
    decode_blocks, encode_blocks, encode_request,
)

VECTORS = json.loads(
    pathlib.Path(__file__).resolve().parents[2].joinpath("serialtest", "testdata", "vectors.json").read_text("utf-8"))

PATIENCE = 20  # seconds after which something that must come counts as missing

ECHO, SUM, SLEEP, FAIL, DROP, PANIC, SOURCE, SINK, PARTIAL, BROKEN, TICK = range(1, 12)

MIB = 1024 * 1024
PATTERN = bytes(range(251))


def pattern(size):
    """size bytes, byte i is i mod 251."""
    return (PATTERN * (size // 251 + 1))[:size]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def crc_table():
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        yield value


CRC_TABLE = list(crc_table())


class Messages:
    """What a client makes of the bytes it receives, in the form of the vectors."""

    def __init__(self):
        self.decoder = ResponseDecoder()
        self.complete = []
        self.partial = b""
        self.violations = []

    def feed(self, data):
        self._take(self.decoder.feed(data))

    def _take(self, events):
        for kind, value in events:
            if kind == "data":
                self.partial += value
            elif kind == "end":
                self.complete.append({"ok": self.partial.hex()})
                self.partial = b""
            elif kind == "error":
                self.complete.append({"error": value})
            elif kind == "goodbye":
                self.complete.append({"goodbye": True})
            elif kind == "violation":
                self.violations.append(value)

    def at_end(self, awaited):
        """The messages if the connection ends now, and responses to so many requests have been awaited."""
        self._take(self.decoder.close())
        if len(self.complete) < awaited and self.complete[-1:] != [{"goodbye": True}]:
            return self.complete + [{"cut": self.partial.hex()}]
        return self.complete


def cuts(data):
    """data as a whole, cut at every place into two, and byte by byte."""
    yield [data]
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
    yield [data[at:at + 1] for at in range(len(data))]


class Offline(unittest.TestCase):
    """What needs no connection."""

    def test_vectors_are_there(self):
        self.assertGreater(len(VECTORS), 50)
        self.assertEqual({"big", "little"}, {vector["order"] for vector in VECTORS})
        self.assertEqual({"open", "goodbye", "cut"}, {vector["end"] for vector in VECTORS})

    def test_receive_gives_messages_however_it_is_cut(self):
        for vector in VECTORS:
            with self.subTest(vector["name"]):
                for pieces in cuts(bytes.fromhex(vector["receive"])):
                    messages = Messages()
                    for piece in pieces:
                        messages.feed(piece)
                    got = messages.at_end(len(vector["messages"]))
                    self.assertEqual((vector["messages"], []), (got, messages.violations))

    def test_a_cut_receive_is_never_taken_as_whole(self):
        for vector in VECTORS:
            receive, want = bytes.fromhex(vector["receive"]), vector["messages"]
            with self.subTest(vector["name"]):
                for size in range(len(receive)):
                    messages = Messages()
                    messages.feed(receive[:size])
                    got = messages.at_end(len(want))
                    self.assertNotEqual(want, got)
                    self.assertEqual({"cut"}, set(got[-1]))
                    self.assertEqual(want[:len(got) - 1], got[:-1])

    def test_a_cut_block_stream_is_never_taken_as_whole(self):
        for size in (0, 1, 254, 255, 256, 510, 511):
            stream = encode_blocks(pattern(size))
            for end in range(len(stream)):
                with self.assertRaises(ProtocolError):
                    decode_blocks(stream[:end])
                decoder = BlockDecoder()
                decoder.feed(stream[:end])
                self.assertFalse(decoder.done)

    def test_block_streams(self):
        for size in list(range(0, 520)) + [1000, 65535, 65536, MIB]:
            message = pattern(size)
            stream = encode_blocks(message)
            self.assertEqual(size + math.ceil(size / 255) + 1, len(stream))
            self.assertEqual(message, decode_blocks(stream))
        for stream in ("03010203010400", "040102030400", "010101020103010400"):
            self.assertEqual(bytes([1, 2, 3, 4]), decode_blocks(bytes.fromhex(stream)))

    def test_block_decoder_stops_at_the_end(self):
        decoder = BlockDecoder()
        self.assertEqual((b"ab", 4), decoder.feed(b"\x02ab\x00\x01x\x00"))
        self.assertTrue(decoder.done)
        self.assertEqual((b"", 1), decoder.feed(b"zz", 1))
        with self.assertRaises(ProtocolError):
            decode_blocks(b"\x00\x00")

    def test_encodes_requests_like_the_vectors(self):
        sends = {bytes.fromhex(vector["send"]) for vector in VECTORS}
        for code, message in ((ECHO, b""), (ECHO, b"hello"), (ECHO, pattern(255)), (ECHO, pattern(256)), (250, b"")):
            self.assertIn(encode_request(code, message), sends)

    def test_violations(self):
        ok = [("ok", None), ("end", None)]
        for receive, violation in (
            ("04", "response code 04"),
            ("ff", "response code ff"),
            ("03", "response code 03 (Processing), which was not negotiated"),
            ("0202", "something follows Goodbye"),
            ("020000", "something follows Goodbye"),
        ):
            for pieces in cuts(bytes.fromhex("0000" + receive)):
                decoder, events = ResponseDecoder(), []
                for piece in pieces:
                    events += decoder.feed(piece)
                self.assertEqual(ok, events[:2])
                self.assertEqual(("violation", violation), events[-1])
                self.assertEqual([], decoder.feed(b"\x00\x00"))

    def test_end_of_the_connection(self):
        for receive, within in (("", False), ("00", True), ("000161", True), ("00016100", False), ("01", True),
                                ("0107", False), ("02", False), ("000000", True)):
            decoder = ResponseDecoder()
            decoder.feed(bytes.fromhex(receive))
            self.assertEqual([("closed", within)], decoder.close(), receive)

    def test_typed_values_of_the_document(self):
        for write, big, little in (
            (lambda w: w.uint32(258), "00 00 01 02", "02 01 00 00"),
            (lambda w: w.int16(-2), "ff fe", "fe ff"),
            (lambda w: w.float64(1.5), "3f f8 00 00 00 00 00 00", "00 00 00 00 00 00 f8 3f"),
            (lambda w: w.string("hé"), "00 00 00 03 68 c3 a9", "03 00 00 00 68 c3 a9"),
            (lambda w: w.duration(10**9), "00 00 00 00 3b 9a ca 00", "00 ca 9a 3b 00 00 00 00"),
            (lambda w: w.time(1_500_000_000),
             "00 00 00 00 00 00 00 01 1d cd 65 00", "01 00 00 00 00 00 00 00 00 65 cd 1d"),
        ):
            self.assertEqual(big, write(Writer("big")).message().hex(" "))
            self.assertEqual(little, write(Writer("little")).message().hex(" "))

    def test_typed_values_there_and_back(self):
        values = [("bool", True), ("bool", False), ("float32", 0.25), ("float64", -1e300), ("float64", math.inf)]
        for bits in (8, 16, 32, 64):
            values += [(f"int{bits}", -2 ** (bits - 1)), (f"int{bits}", -1), (f"int{bits}", 2 ** (bits - 1) - 1)]
            values += [(f"uint{bits}", 0), (f"uint{bits}", 2 ** bits - 1)]
        values += [("string", ""), ("string", "Grüße, 世界"), ("bytes", b""), ("bytes", pattern(1000))]
        values += [("duration", -1), ("duration", 2 ** 63 - 1)]
        values += [("time", t) for t in (0, -1, -500_000_000, 1_700_000_000_123_456_789, (2 ** 63) * 10**9 - 1)]
        for order in ("big", "little"):
            writer = Writer(order)
            for kind, value in values:
                getattr(writer, kind)(value)
            reader = Reader(order, writer.message())
            for kind, value in values:
                self.assertEqual(value, getattr(reader, kind)(), kind)
            reader.end()
        before = Writer("big").time(-500_000_000).message()
        self.assertEqual("ff ff ff ff ff ff ff ff 1d cd 65 00", before.hex(" "))
        reader = Reader("big", bytes.fromhex("00000002 ff41"))
        text = reader.string()
        self.assertEqual("00000002ff41", Writer("big").string(text).message().hex())

    def test_malformed_typed_values(self):
        for kind, message in (
            ("bool", "02"), ("bool", "ff"), ("bool", ""), ("uint16", "00"), ("int64", "00" * 7),
            ("string", "00000003 6161"), ("bytes", "ffffffff 00"), ("string", "000000"),
            ("time", "0000000000000000 3b9aca00"), ("time", "0000000000000000 ffffffff"), ("time", "00" * 11),
        ):
            with self.subTest(kind, message=message), self.assertRaises(Malformed):
                getattr(Reader("big", bytes.fromhex(message)), kind)()
        for kind, value in (("uint8", 256), ("uint8", -1), ("int8", 128), ("uint64", 2 ** 64), ("float32", 1e300),
                            ("duration", 2 ** 63), ("time", 2 ** 63 * 10**9)):
            with self.subTest(kind, value=value), self.assertRaises(ValueError):
                getattr(Writer("big"), kind)(value)

    def test_doctests(self):
        self.assertEqual(0, doctest.testmod(serialkit).failed)


class FakeServer(unittest.TestCase):
    """The client and a peer that is made for the case: what it is told after which failure."""

    def connect(self, **options):
        ours, peer = socket.socketpair()
        options.setdefault("timeout", PATIENCE)
        client = Client(ours, **options)
        peer.settimeout(PATIENCE)
        self.addCleanup(peer.close)
        self.addCleanup(client.close)
        return client, peer

    def answering(self, hexadecimal, end=False, **options):
        """A client whose peer has answered already what the client is going to ask. That is no violation as long as
        the client does not look before it has sent."""
        client, peer = self.connect(**options)
        self.at_send(client, peer, bytes.fromhex(hexadecimal), end)
        return client, peer

    @contextlib.contextmanager
    def serving(self, peer, serve):
        """Runs serve(peer) beside the body, and expects it to end well."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            served = pool.submit(serve, peer)
            yield
            served.result(PATIENCE)

    def at_send(self, client, peer, data, end):
        """Lets the peer answer at the moment at which the client has sent its first bytes."""
        class Socket:
            def __init__(self, sock):
                self.sock = sock

            def __getattr__(self, name):
                return getattr(self.sock, name)

            def send(self, out):
                count = self.sock.send(out)
                if peer.fileno() >= 0 and not self.answered:
                    self.answered = True
                    peer.sendall(data)
                    if end == "close":  # whatever of the request has not been read
                        peer.close()
                    elif end:
                        peer.shutdown(socket.SHUT_WR)
                return count

            answered = False

        real = client._sock
        client._sock = Socket(real)
        client._selector.unregister(real)
        client._selector.register(client._sock, 1)

    def check(self, error, kind, cause=None):
        self.assertIs(kind, type(error), repr(error))
        self.assertEqual(kind is NotRun, error.safe_to_retry)
        self.assertEqual({NotRun: "not run", Failed: "failed", Unknown: "unknown"}[kind], error.outcome)
        if cause:
            self.assertIsInstance(error.__cause__, cause)

    def failing(self, client, kind, cause=None, code=1, message=b"x", closed=True):
        with self.assertRaises(serialkit.CallError) as caught:
            client.call(code, message)
        self.check(caught.exception, kind, cause)
        self.assertEqual(closed, client.closed)
        return caught.exception

    def test_answer(self):
        client, peer = self.answering("00 01 61 01 62 00")
        self.assertEqual(b"ab", client.call(7, b"x" * 256))
        self.assertEqual(encode_request(7, b"x" * 256), peer.recv(1000))

    def test_error(self):
        client, _ = self.answering("01 07")
        self.assertEqual(7, self.failing(client, Failed, closed=False).code)

    def test_goodbye_as_the_answer(self):
        client, _ = self.answering("02", end=True)
        self.failing(client, NotRun)
        self.failing(client, NotRun)  # and it stays closed

    def test_end_without_an_answer(self):
        client, _ = self.answering("", end=True)
        self.failing(client, Unknown, ConnectionError)

    def test_incomplete_answers(self):
        for receive in ("00", "00 05", "00 05 61 61", "00 01 61", "01"):
            client, _ = self.answering(receive, end=True)
            self.failing(client, Unknown, ConnectionError)

    def test_violations(self):
        for receive in ("03", "04", "ff", "03 00 00"):
            client, _ = self.answering(receive)
            self.failing(client, Unknown, ProtocolError)

    def test_goodbye_on_an_idle_connection(self):
        client, peer = self.connect()
        peer.sendall(b"\x02")
        peer.shutdown(socket.SHUT_WR)
        self.failing(client, NotRun)
        self.assertEqual(b"", peer.recv(1))

    def test_end_of_an_idle_connection(self):
        client, peer = self.connect()
        peer.shutdown(socket.SHUT_WR)
        self.failing(client, NotRun)
        self.assertEqual(b"", peer.recv(1))

    def test_response_to_no_request(self):
        for receive in ("00 00", "00", "01", "01 07", "07"):
            client, peer = self.connect()
            peer.sendall(bytes.fromhex(receive))
            self.failing(client, NotRun, ProtocolError)

    def test_response_too_many(self):
        client, _ = self.answering("00 00 00 00")
        self.assertEqual(b"", client.call(1))
        self.failing(client, NotRun, ProtocolError)

    def test_reset(self):
        client, peer = self.connect()

        def serve(peer):
            peer.recv(1)
            peer.close()  # with unread input

        with self.serving(peer, serve):
            self.failing(client, Unknown, ConnectionError, message=pattern(1000))

    def test_reset_of_an_idle_connection(self):
        client, peer = self.connect()
        client._sock.send(b"x")
        peer.close()
        self.failing(client, NotRun)

    def test_response_before_the_server_stopped_reading(self):
        client, _ = self.answering("00 02 6f 6b 00", end="close")
        self.assertEqual(b"ok", client.call(1, bytes(MIB)))
        client, _ = self.answering("01 07", end="close")
        self.failing(client, Failed, message=bytes(MIB))
        client, _ = self.answering("02", end="close")
        self.failing(client, NotRun, message=bytes(MIB))

    def test_timeout(self):
        client, _ = self.connect(timeout=0.05)
        self.failing(client, Unknown, TimeoutError)
        client, _ = self.connect()
        with self.assertRaises(Unknown):
            client.call(1, timeout=0.05)
        self.assertTrue(client.closed)

    def test_timeout_within_an_answer(self):
        client, _ = self.answering("00 02 61", timeout=0.05)
        self.failing(client, Unknown, TimeoutError)

    def test_timeout_within_an_answer_that_does_not_end(self):
        client, peer = self.connect(timeout=0.05, max_response=64 * MIB)

        def serve(peer):
            peer.sendall(b"\x00")
            with self.assertRaises(ConnectionError):
                while True:
                    peer.sendall(encode_blocks(pattern(1000))[:-1])

        with self.serving(peer, lambda peer: (peer.recv(1), serve(peer))):
            self.failing(client, Unknown, TimeoutError)

    def test_timeout_before_a_byte_was_sent(self):
        client, _ = self.connect(timeout=0.05)
        with self.assertRaises(BlockingIOError):
            while True:
                client._sock.send(b"\x00" * 65536)
        self.failing(client, NotRun, TimeoutError)

    def test_answer_is_bounded(self):
        client, _ = self.answering(encode_request(0, pattern(1000)).hex(), max_response=1000)
        self.assertEqual(pattern(1000), client.call(1))
        client, _ = self.answering(encode_request(0, pattern(1001)).hex(), max_response=1000)
        self.failing(client, Unknown)
        client, _ = self.answering("00" + "01 61" * 1001, max_response=1000)  # and before its end
        self.failing(client, Unknown)

    def test_an_answer_before_its_request_does_not_deadlock(self):
        client, peer = self.connect(max_response=8 * MIB)
        request, answer = encode_request(1, bytes(4 * MIB)), encode_request(0, bytes(8 * MIB))
        client._unread[1] = 8 * MIB

        def serve(peer):
            got = peer.recv(1)
            peer.sendall(answer)
            while len(got) < len(request):
                piece = peer.recv(MIB)
                self.assertTrue(piece)
                got += piece
            self.assertTrue(request == got)

        with self.serving(peer, serve):
            self.assertEqual(bytes(8 * MIB), client.call(1, bytes(4 * MIB)))
        self.assertFalse(client.closed)

    def test_early_response_to_a_long_request(self):
        client, peer = self.connect()

        def serve(peer):
            peer.recv(1)
            peer.sendall(b"\x01\xff")
            while peer.recv(65536):  # until the client closes
                pass

        with self.serving(peer, serve):
            self.assertEqual(255, self.failing(client, Failed, message=bytes(64 * MIB)).code)

    def test_early_response_and_then_goodbye(self):
        client, peer = self.connect()
        client._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # so that the request is still being sent

        def serve(peer):
            peer.recv(1)
            peer.sendall(b"\x00\x02ok\x00\x02")
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass

        with self.serving(peer, serve):
            self.assertEqual(b"ok", client.call(1, bytes(256 * 1024)))
            self.failing(client, NotRun)

    def test_pipeline_goodbye(self):
        client, _ = self.answering("00 01 61 00 01 07 02", end=True)
        results = client.pipeline([(1, b"a"), (2, b""), (3, b""), (4, b"")])
        self.assertEqual(b"a", results[0])
        self.check(results[1], Failed)
        self.check(results[2], NotRun)
        self.check(results[3], NotRun)
        self.assertTrue(client.closed)

    def test_pipeline_end(self):
        client, _ = self.answering("00 01 61 00 00 01", end=True)
        results = client.pipeline([(1, b"a"), (2, b""), (3, b"")])
        self.assertEqual(b"a", results[0])
        self.check(results[1], Unknown, ConnectionError)
        self.check(results[2], Unknown, ConnectionError)  # it had been sent

    def test_pipeline_end_before_the_last_were_sent(self):
        client, _ = self.answering("", end=True)
        results = client.pipeline([(1, bytes(64 * MIB)), (2, b"")])
        self.check(results[0], Unknown, ConnectionError)
        self.check(results[1], NotRun)

    def test_pipeline_early_response_to_a_long_request(self):
        client, _ = self.answering("01 07")
        results = client.pipeline([(1, bytes(64 * MIB)), (2, b"")])
        self.check(results[0], Failed)
        self.check(results[1], NotRun)
        self.assertTrue(client.closed)

    def test_pipeline_response_to_a_request_that_was_not_sent(self):
        client, _ = self.answering("00 00 00 00")
        client._unread[1] = 64 * MIB
        results = client.pipeline([(1, bytes(64 * MIB)), (2, b"")])
        self.assertEqual(b"", results[0])
        self.check(results[1], NotRun, ProtocolError)
        self.assertTrue(client.closed)

    def test_pipeline_on_a_closed_connection(self):
        client, _ = self.connect()
        client.close()
        self.assertEqual([NotRun, NotRun], [type(result) for result in client.pipeline([(1, b""), (2, b"")])])

    def test_pipeline_of_nothing(self):
        client, _ = self.connect()
        self.assertEqual([], client.pipeline([]))

    def test_stream_that_waits_first(self):
        client, peer = self.answering("00 01 61")
        got = []

        def chunks():
            while not got:
                yield None
            peer.sendall(b"\x00")
            yield b"x"

        for piece in client.stream(1, chunks()):
            got.append(piece)
        self.assertEqual([b"a"], got)

    def test_stream_that_breaks_off(self):
        def chunks():
            yield b"one"
            raise LookupError("no more")

        client, peer = self.connect()
        with self.assertRaises(Unknown) as caught:
            list(client.stream(1, chunks()))
        self.check(caught.exception, Unknown, LookupError)
        self.assertTrue(client.closed)
        self.assertEqual(b"\x01\x03one", peer.recv(100))  # and no end
        self.assertEqual(b"", peer.recv(100))

    def test_stream_that_does_not_begin(self):
        client, peer = self.connect()
        with self.assertRaises(NotRun) as caught:
            list(client.stream(1, (1 // 0 for _ in "x")))
        self.check(caught.exception, NotRun, ZeroDivisionError)
        self.assertFalse(client.closed)  # the connection is in step
        self.at_send(client, peer, b"\x00\x00", False)
        self.assertEqual(b"", client.call(1))

    def test_stream_with_incomplete_answer(self):
        client, _ = self.answering("00 01 61", end=True)
        stream = client.stream(1)
        self.assertEqual(b"a", next(stream))
        with self.assertRaises(Unknown):
            next(stream)
        self.assertRaises(StopIteration, next, stream)

    def test_stream_error_before_its_request_ends(self):
        client, _ = self.answering("01 07")
        chunks = itertools.count()
        with self.assertRaises(Failed):
            list(client.stream(1, (b"x" * 1000 for _ in chunks)))
        self.assertTrue(client.closed)
        self.assertLess(next(chunks), 10)

    def test_stream_goodbye(self):
        client, _ = self.answering("02")
        with self.assertRaises(NotRun):
            list(client.stream(1))
        self.assertTrue(client.closed)

    def test_stream_given_up(self):
        client, _ = self.answering("00 01 61")
        with client.stream(1) as stream:
            next(stream)
            with self.assertRaises(RuntimeError):
                client.call(1)
        self.assertTrue(client.closed)
        self.failing(client, NotRun)

    def test_disconnect(self):
        client, peer = self.connect()

        def serve(peer):
            self.assertEqual(b"\xff\x00", peer.recv(2, socket.MSG_WAITALL))
            peer.sendall(b"\x02")
            self.assertEqual(b"", peer.recv(1))

        with self.serving(peer, lambda peer: (serve(peer), peer.close())):
            client.disconnect()
        self.assertTrue(client.closed)
        client.disconnect()

    def test_disconnect_answered_otherwise(self):
        for receive in ("00 00", "01 07", "02 02", ""):
            client, _ = self.answering(receive, end=True)
            with self.assertRaises(Unknown):
                client.disconnect()
            self.assertTrue(client.closed)

    def test_describe(self):
        document = {"server": "s", "new": 1, "tasks": [{"code": 5, "name": "n", "limits": {"unread_input_bytes": 9}}]}
        client, _ = self.answering(encode_request(0, json.dumps(document).encode()).hex())
        self.assertEqual(document, client.describe())
        self.assertEqual({5: 9}, client._unread)
        for bad in (b"", b"[]", b"{}", b"\xff"):
            client, _ = self.answering(encode_request(0, bad).hex())
            with self.assertRaises(ProtocolError):
                client.describe()

    def test_keepalive_answered_otherwise(self):
        client, _ = self.answering("00 01 61 00")
        with self.assertRaises(ProtocolError):
            client.keepalive()


def address(order):
    """Where the daemon of a byte order is."""
    variable = "SERIALKIT_" + order.upper()
    value = os.environ.get(variable, "")
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit():
        raise AssertionError(
            f"{variable} must be HOST:PORT of a daemon: go run ./examples/interop -addr 127.0.0.1:0 -order {order}; "
            f"it is {value!r}")
    return host.strip("[]"), int(port)


class Transcript:
    """One connection on which a vector is sent in pieces."""

    KEEPALIVE = encode_request(250)

    def __init__(self, vector, pieces):
        self.vector, self.pieces = vector, pieces
        self.about = f"{vector['name']!r} in pieces of {[len(piece) for piece in pieces][:3]}..."
        self.sock = socket.create_connection(address(vector["order"]), PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.messages = Messages()

    def send(self, index):
        if index < len(self.pieces):
            try:
                self.sock.sendall(self.pieces[index])
            except ConnectionError:
                if self.vector["end"] == "open":
                    raise

    def receive(self):
        """Receives something. Returns False at the end of the connection."""
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            if self.vector["receive"]:
                raise  # it may destroy what has been sent before
            data = b""
        self.messages.feed(data)
        return bool(data)

    def finish(self):
        """Receives the answers and checks them and the end."""
        want = self.vector["messages"]
        if self.vector["end"] != "open":
            while self.receive():
                pass
            return self._compare(self.messages.at_end(len(want)), want)
        while len(self.messages.complete) < len(want) and self.receive():
            pass
        self._compare(self.messages.complete, want)
        self.sock.sendall(self.KEEPALIVE)
        self.sock.shutdown(socket.SHUT_WR)
        while self.receive():
            pass
        self._compare(self.messages.at_end(len(want) + 1), want + [{"ok": ""}])

    def _compare(self, got, want):
        if got != want or self.messages.violations:
            raise AssertionError(f"{self.about}: got {got} {self.messages.violations}, want {want}")

    @classmethod
    def run(cls, batch):
        """Runs many connections at the same time: while the others send their piece, the server has the time to see
        each piece by itself."""
        transcripts = []
        try:
            for vector, pieces in batch:
                transcripts.append(cls(vector, pieces))
            for index in range(max(len(pieces) for _, pieces in batch)):
                for transcript in transcripts:
                    transcript.send(index)
            for transcript in transcripts:
                try:
                    transcript.finish()
                except OSError as error:
                    raise AssertionError(f"{transcript.about}: {error!r}") from error
        finally:
            for transcript in transcripts:
                transcript.sock.close()
        return len(batch)


class Vectors(unittest.TestCase):
    """Each vector, sent to a daemon."""

    BATCH = 64

    def setUp(self):
        for order in ("big", "little"):
            address(order)

    def send(self, division):
        jobs = [(vector, pieces) for vector in VECTORS for pieces in division(bytes.fromhex(vector["send"]))]
        batches = [jobs[at:at + self.BATCH] for at in range(0, len(jobs), self.BATCH)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(Transcript.run, batch) for batch in batches]
            try:
                self.assertEqual(len(jobs), sum(future.result() for future in futures))
            finally:
                for future in futures:
                    future.cancel()
        return len(jobs)

    def test_whole(self):
        self.assertEqual(len(VECTORS), self.send(lambda send: [[send]]))

    def test_cut_at_every_byte(self):
        count = self.send(lambda send: [[send[:at], send[at:]] for at in range(1, len(send))])
        self.assertEqual(sum(len(vector["send"]) // 2 - 1 for vector in VECTORS), count)

    def test_one_byte_at_a_time(self):
        self.assertEqual(len(VECTORS), self.send(lambda send: [[send[at:at + 1] for at in range(len(send))]]))


class Calls(unittest.TestCase):
    """Calls through the client, to a daemon of each byte order."""

    def setUp(self):
        for order in ("big", "little"):
            address(order)

    def connect(self, order="big", **options):
        client = Client.connect(address(order), PATIENCE, **options)
        self.addCleanup(client.close)
        return client

    def each(self):
        """A client and its byte order, for both."""
        for order in ("big", "little"):
            with self.subTest(order=order):
                yield self.connect(order), order

    def test_echo(self):
        client = self.connect()
        for size in (0, 1, 254, 255, 256, MIB):
            self.assertEqual(pattern(size), client.call(ECHO, pattern(size)))
        client.disconnect()

    def test_stream_echo(self):
        client = self.connect()
        chunk = pattern(65537)
        count, total, got = 0, 8 * MIB, bytearray()
        with client.stream(ECHO, (chunk[:min(len(chunk), total - at)] for at in range(0, total, len(chunk)))) as stream:
            for piece in stream:
                got += piece
                count += 1
        self.assertEqual((chunk * (total // len(chunk) + 1))[:total], bytes(got))
        self.assertGreater(count, 1)
        client.keepalive()

    def test_echo_is_live(self):
        """Each chunk is sent only after the chunk before has come back."""
        client, got = self.connect(), []

        def chunks():
            for number in range(100):
                while len(got) < number:
                    yield None
                yield bytes([number])

        for piece in client.stream(ECHO, chunks()):
            got.append(piece)
        self.assertEqual([bytes([number]) for number in range(100)], got)

    def test_tick_arrives_live(self):
        for client, order in self.each():
            pieces = list(client.stream(TICK, [Writer(order).uint32(5).uint32(50).message()]))
            self.assertEqual(5, len(b"".join(pieces)))
            self.assertGreater(len(pieces), 1, "all of the ticks came at once")

    def test_sum(self):
        for client, order in self.each():
            numbers = [1, -2, 2 ** 62, -(2 ** 40)] + list(range(1000))
            message = Writer(order).uint32(len(numbers))
            for number in numbers:
                message.int64(number)
            answer = Reader(order, client.call(SUM, message.message()))
            self.assertEqual(sum(numbers), answer.int64())
            answer.end()

    def test_source(self):
        for client, order in self.each():
            for size in (0, 1, 255, 3 * MIB):
                answer = client.call(SOURCE, Writer(order).uint64(size).message())
                self.assertTrue(pattern(size) == answer, size)

    def test_answer_is_bounded(self):
        client = self.connect(max_response=MIB)
        with self.assertRaises(Unknown):
            client.call(SOURCE, Writer("big").uint64(2 ** 40).message())
        self.assertTrue(client.closed)

    def test_sink(self):
        for client, order in self.each():
            data = pattern(300_000)
            want = (len(data), crc32c(data))
            for answer in (client.call(SINK, data),
                           b"".join(client.stream(SINK, (data[at:at + 999] for at in range(0, len(data), 999))))):
                reader = Reader(order, answer)
                self.assertEqual(want, (reader.uint64(), reader.uint32()))
                reader.end()

    def test_errors(self):
        client = self.connect()
        for code in range(256):
            with self.assertRaises(Failed) as caught:
                client.call(FAIL, bytes([code]))
            self.assertEqual(code, caught.exception.code)
        for code in (0, 99, 249, 252, 253, 254):
            with self.assertRaises(Failed) as caught:
                client.call(code, pattern(1000))
            self.assertEqual(serialkit.UNKNOWN_TASK, caught.exception.code)
        with self.assertRaises(Failed) as caught:
            list(client.stream(SUM, [b"\x00"]))
        self.assertEqual(10, caught.exception.code)
        client.keepalive()

    def test_sleep(self):
        for client, order in self.each():
            self.assertEqual(b"", client.call(SLEEP, Writer(order).uint32(20).message()))

    def test_timeout(self):
        client = self.connect()
        with self.assertRaises(Unknown) as caught:
            client.call(SLEEP, Writer("big").uint32(60_000).message(), timeout=0.1)
        self.assertIsInstance(caught.exception.__cause__, TimeoutError)
        self.assertTrue(client.closed)

    def test_early_answer(self):
        for client, order in self.each():
            for size in (0, 1000, 250_000):
                answer = client.call(PARTIAL, Writer(order).uint32(0).raw(bytes(size)).message())
                self.assertEqual(b"ok", answer)
            client.keepalive()
            answer = client.call(PARTIAL, Writer(order).uint32(10).raw(bytes(8 * MIB)).message())
            self.assertEqual(b"ok", answer)
            with self.assertRaises(NotRun):  # whether the client or the server closes
                client.keepalive()

    def test_pipeline(self):
        for client, order in self.each():
            requests, want = [], []
            for number in range(1000):
                message = Writer(order).uint32(number).message() * (number % 100)
                if number % 10 == 9:
                    requests.append((FAIL, bytes([number % 256])))
                    want.append(number % 256)
                else:
                    requests.append((ECHO, message))
                    want.append(message)
            got = client.pipeline(requests)
            self.assertEqual(want, [result.code if isinstance(result, Failed) else result for result in got])
            client.keepalive()

    def test_pipeline_larger_than_all_buffers(self):
        client = self.connect()
        requests = [(ECHO, pattern(64 * 1024))] * 200
        self.assertTrue(all(result == pattern(64 * 1024) for result in client.pipeline(requests)))

    def test_pipeline_with_a_drop(self):
        client = self.connect()
        results = client.pipeline([(ECHO, b"a"), (DROP, b""), (ECHO, b"b")])
        self.assertEqual(b"a", results[0])
        self.assertEqual([Unknown, Unknown], [type(result) for result in results[1:]])

    def test_pipeline_with_a_disconnect(self):
        client = self.connect()
        results = client.pipeline([(ECHO, b"a"), (255, b""), (ECHO, b"b")])
        self.assertEqual(b"a", results[0])
        self.assertEqual([NotRun, NotRun], [type(result) for result in results[1:]])

    def test_drop_panic_and_broken(self):
        for code in (DROP, PANIC, BROKEN):
            client = self.connect()
            with self.assertRaises(Unknown) as caught:
                client.call(code)
            self.assertFalse(caught.exception.safe_to_retry)
            self.assertTrue(client.closed)
            with self.assertRaises(NotRun):
                client.call(ECHO)

    def test_broken_stream(self):
        got = b""
        with self.assertRaises(Unknown):
            for piece in self.connect().stream(BROKEN):
                got += piece
        self.assertEqual(pattern(1000), got)

    def test_keepalive(self):
        client = self.connect()
        for _ in range(3):
            client.keepalive()
        self.assertEqual([b"", b"x", b""], client.pipeline([(250, b""), (ECHO, b"x"), (250, b"discarded")]))

    def test_describe(self):
        client = self.connect()
        document = client.describe()
        codes = [task["code"] for task in document["tasks"]]
        self.assertEqual(list(range(1, 12)), codes)
        names = "echo sum sleep fail drop panic source sink partial broken tick".split()
        self.assertEqual(names, [task["name"] for task in document["tasks"]])
        self.assertIsInstance(document["server"], str)
        self.assertEqual({"wait_ms", "read_ms", "write_ms", "min_rate_bytes_per_second", "min_rate_window_ms"},
                         set(document["limits"]))
        client.keepalive()

    def test_disconnect(self):
        client = self.connect()
        client.call(ECHO, b"last")
        client.disconnect()
        self.assertTrue(client.closed)
        with self.assertRaises(NotRun):
            client.call(ECHO)

    def test_clients_side_by_side(self):
        """Many clients in many threads, each with its own messages."""
        mixed = collections.Counter()
        lock = threading.Lock()

        def run(number):
            message = bytes([number]) * 10_000
            with Client.connect(address("big" if number % 2 else "little"), PATIENCE) as client:
                for _ in range(10):
                    answer = client.call(ECHO, message)
                    with lock:
                        mixed[answer == message] += 1
                client.disconnect()

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(run, range(16)))
        self.assertEqual({True: 160}, dict(mixed))


if __name__ == "__main__":
    unittest.main()
