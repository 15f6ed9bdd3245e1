"""What is in logd's messages, as ../docs/protocol.md describes it: bytes to values and back, without a socket.

Encoders check nothing that the collector checks: a caller who wants to know what it refuses can send it. Decoders
raise Malformed for an answer that the document does not allow.
"""

import json
import struct
from dataclasses import dataclass, field

from refusals import Fenced, Gap, Invalid, Malformed, ReadOnly, Refused

APPEND, QUERY, TAIL, STATS = 1, 2, 3, 4
OK, INVALID, GAP, FENCED, READ_ONLY = 0, 1, 2, 3, 4
MALFORMED, OVER_LIMIT, INVALID_UTF8, OUT_OF_RANGE, BAD_QUERY = 1, 2, 3, 4, 5
TRACE, DEBUG, INFO, WARN, ERROR, FATAL = 1, 2, 3, 4, 5, 6
STRING, NUMBER, BOOL, JSON = 0, 1, 2, 3
OLDEST_FIRST, NEWEST_FIRST = 0, 1

MAX_END = 64 << 10
MAX_RECORD = 128 << 10
MAX_BATCH = 2 << 20
MAX_BATCH_RECORDS = 10_000
BATCH_HEAD = 37

_HEAD = struct.Struct(">qBBBBI")
_FIELD = struct.Struct(">BBI")


@dataclass(frozen=True)
class Field:
    key: str
    value: str
    kind: int = STRING


@dataclass(frozen=True)
class Record:
    time: int
    level: int
    service: str
    message: str = ""
    host: str = ""
    fields: tuple = field(default=())


@dataclass(frozen=True)
class Appended:
    stored: bool
    mark: int
    first_id: int


@dataclass(frozen=True)
class Found:
    id: int
    record: Record


@dataclass(frozen=True)
class End:
    cursor: int
    reason: str
    error: str
    plan: dict


@dataclass(frozen=True)
class Missed:
    count: int
    next: int


@dataclass(frozen=True)
class Position:
    next: int


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def record_bytes(record):
    """A record without its length. Texts may be given as bytes, which need not be UTF-8.

    Raises ValueError for what has no encoding at all, such as a service of 256 bytes.
    """
    try:
        return _record_bytes(record)
    except struct.error as e:
        raise ValueError(str(e)) from e


def _record_bytes(record):
    service, host, message = _bytes(record.service), _bytes(record.host), _bytes(record.message)
    out = [_HEAD.pack(record.time, record.level, len(service), len(host), len(record.fields), len(message))]
    out += [service, host, message]
    for f in record.fields:
        key, value = _bytes(f.key), _bytes(f.value)
        out += [_FIELD.pack(len(key), f.kind, len(value)), key, value]
    return b"".join(out)


def batch_bytes(producer, epoch, sequence, records):
    """The message of append. records are Records or the bytes of records."""
    out = [struct.pack(">B16sQQI", 1, producer, epoch, sequence, len(records))]
    for record in records:
        encoded = record if isinstance(record, bytes) else record_bytes(record)
        out += [struct.pack(">I", len(encoded)), encoded]
    return b"".join(out)


def batches(records):
    """Divides the bytes of records into lists that fit a batch. A record that is too large for any is alone in one."""
    batch, size = [], BATCH_HEAD
    for encoded in records:
        if batch and (len(batch) == MAX_BATCH_RECORDS or size + 4 + len(encoded) > MAX_BATCH):
            yield batch
            batch, size = [], BATCH_HEAD
        batch.append(encoded)
        size += 4 + len(encoded)
    if batch:
        yield batch


def query_bytes(text="", order=OLDEST_FIRST, limit=0, cursor=0):
    """The message of query. A limit of 0 is the collector's 100."""
    text = _bytes(text)
    return struct.pack(">BBIQH", 1, order, limit, cursor, len(text)) + text


def tail_bytes(text="", cursor=0):
    """The message of tail. A cursor of 0 is the next record that is stored."""
    text = _bytes(text)
    return struct.pack(">BQH", 1, cursor, len(text)) + text


def read_status(read):
    """Takes an answer's status from read(n), which gives exactly n bytes. Raises a Refused unless it is OK."""
    status = read(1)[0]
    if status == OK:
        return
    if status == INVALID:
        kind, record = struct.unpack(">Bi", read(5))
        where = _read_text(read)
        raise Invalid(kind, record, where, _read_text(read))
    if status == GAP:
        raise Gap(_number(read))
    if status == FENCED:
        raise Fenced(_number(read))
    if status == READ_ONLY:
        raise ReadOnly(_read_text(read))
    raise Malformed(f"status {status}")


def read_appended(read):
    """What follows the status of append."""
    stored = read(1)[0]
    if stored > 1:
        raise Malformed(f"stored is {stored}")
    return Appended(stored == 1, _number(read), _number(read))


def read_frame(read):
    """The next frame of query or tail."""
    kind = read(1)[0]
    if kind == 1:
        identity = _number(read)
        return Found(identity, read_record(read(_length(read, MAX_RECORD))))
    if kind == 2:
        end = read_json(read(_length(read, MAX_END)))
        return End(end["cursor"], end["reason"], end.get("error", ""), end.get("plan", {}))
    if kind == 3:
        return Missed(_number(read), _number(read))
    if kind == 4:
        return Position(_number(read))
    raise Malformed(f"frame kind {kind}")


def read_record(data):
    """The record that data holds, all of it."""
    time, level, s, h, count, m = _HEAD.unpack_from(data) if len(data) >= _HEAD.size else _short()
    read, left = cursor_of(data[_HEAD.size:])
    service, host, message = _text(read(s)), _text(read(h)), _text(read(m))
    fields = []
    for _ in range(count):
        k, kind, v = _FIELD.unpack(read(_FIELD.size))
        key = _text(read(k))
        fields.append(Field(key, _text(read(v)), kind))
    if left():
        raise Malformed("bytes behind the last field")
    return Record(time, level, service, message, host, tuple(fields))


def read_json(data):
    """A JSON object."""
    try:
        value = json.loads(data)
    except ValueError as e:
        raise Malformed(str(e)) from e
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def cursor_of(data):
    """A read(n) over data, and a function that tells how many bytes are left."""
    at = 0

    def read(n):
        nonlocal at
        if len(data) - at < n:
            _short()
        at += n
        return data[at - n:at]

    return read, lambda: len(data) - at


def _short():
    raise Malformed("the end comes too early")


def _number(read):
    return int.from_bytes(read(8), "big")


def _length(read, limit):
    n = int.from_bytes(read(4), "big")
    if n > limit:
        raise Malformed(f"a length of {n}, the limit is {limit}")
    return n


def _read_text(read):
    return _text(read(int.from_bytes(read(2), "big")))


def _text(data):
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        raise Malformed(str(e)) from e
