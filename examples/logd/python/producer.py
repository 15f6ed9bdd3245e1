"""Appends records to logd so that each is stored once, whatever connections do."""

import json
import os
import time

import logdwire as wire
from connection import TOO_LARGE, Failed, NotRun, Unknown

PAUSE = 1.0  # seconds between two attempts


class Producer:
    """Appends with an id, an epoch and sequence numbers, so that what is sent again is stored once.

    Without state it has a new random id. With state, a file's path, the id stays and each start is a new epoch; the
    directory must be one process's alone. One batch is under way at a time.
    """

    def __init__(self, client, state=None, attempts=10, pause=PAUSE):
        self._client, self._state = client, state
        self._attempts, self._pause = attempts, pause
        self.id, self.epoch, self.sequence = os.urandom(16), 0, 0
        if state and os.path.exists(state):
            with open(state, encoding="utf-8") as f:
                kept = json.load(f)
            self.id, self.epoch = bytes.fromhex(kept["id"]), kept["epoch"]
        self._begin_epoch()

    def append(self, records):
        """Stores records, in as many batches as it takes, and returns the Invalids of those that were refused and dropped.

        The record of an Invalid is an index in records here. ValueError says that a record has no encoding, and that
        nothing was sent. Otherwise it raises what the last attempt at a batch did, if none came through. The batch may be stored then, and its number is
        taken: the next append begins a new epoch.
        """
        dropped, first = [], 0
        for batch in wire.batches([wire.record_bytes(record) for record in records]):
            places = list(range(first, first + len(batch)))
            first += len(batch)
            self.sequence += 1
            try:
                dropped += self._append(batch, places)
            except (NotRun, Unknown, Failed, wire.Refused):
                self._begin_epoch()
                raise
        return dropped

    def _append(self, records, places):
        """Appends one batch, under its number or what its refusals make of that."""
        dropped, asked = [], False
        while records:
            try:
                self._send(records)
                return dropped
            except wire.Invalid as e:
                if not 0 <= e.record < len(records):
                    raise
                del records[e.record]
                e.record = places.pop(e.record)
                dropped.append(e)
            except wire.Fenced:
                self.id = os.urandom(16)
                self._begin_epoch(first=1)
            except wire.Gap:
                if asked:
                    self._begin_epoch(first=1)
                else:
                    time.sleep(self._pause)
                asked = True
        self._begin_epoch()
        return dropped

    def _send(self, records):
        """The same bytes until they are answered; the answer may have been lost with a connection."""
        message = wire.batch_bytes(self.id, self.epoch, self.sequence, records)
        for left in reversed(range(self._attempts)):
            try:
                return self._client.append_message(message)
            except Failed as e:
                if e.code == TOO_LARGE or left == 0:
                    raise
            except (NotRun, Unknown, wire.ReadOnly):
                if left == 0:
                    raise
            time.sleep(self._pause)

    def _begin_epoch(self, first=0):
        """The next epoch, on disk before anything is sent in it."""
        self.epoch, self.sequence = self.epoch + 1, first
        if not self._state:
            return
        with open(self._state + ".new", "w", encoding="utf-8") as f:
            json.dump({"id": self.id.hex(), "epoch": self.epoch}, f)
            f.flush()
            os.fsync(f.fileno())
        os.replace(self._state + ".new", self._state)
        directory = os.open(os.path.dirname(os.path.abspath(self._state)), os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
