"""Producer against a collector and a way to it that loses answers. See test_logd for the environment."""

import json
import os
import pathlib
import tempfile

from client import Client
from producer import Producer
from relay import Relay
from test_logd import record
from test_reading import Reading as Stored


class Producers(Stored):
    def test_an_answer_that_is_lost_stores_nothing_twice(self):
        with Relay() as relay, Client(relay.address) as client:
            producer = Producer(client, pause=0)
            for n in range(3):
                relay.lose()
                self.assertEqual(producer.append([record(service=self.service, message=str(n))]), [])
            self.assertEqual(producer.sequence, 3)
        self.assertEqual([f.record.message for f in self.client.query(self.text)], ["0", "1", "2"])

    def test_refused_records_are_dropped_and_the_others_stored(self):
        producer = Producer(self.client, pause=0)
        made = [record(service=self.service, message=str(n), time=0 if n in (0, 2) else record().time) for n in range(4)]
        self.assertEqual([e.record for e in producer.append(made)], [0, 2])
        self.assertEqual([e.record for e in producer.append(made[:1])], [0])
        self.assertEqual(producer.append(made[1:2]), [])
        self.assertEqual([f.record.message for f in self.client.query(self.text)], ["1", "3", "1"])

    def test_a_gap_and_a_fence_begin_anew(self):
        producer = Producer(self.client, pause=0)
        producer.sequence = 7
        self.assertEqual(producer.append([record(service=self.service)]), [])
        self.assertEqual((producer.epoch, producer.sequence), (2, 1))
        fenced = producer.id
        self.append(record(), producer=fenced, epoch=9)
        self.assertEqual(producer.append([record(service=self.service)]), [])
        self.assertNotEqual(producer.id, fenced)
        self.assertEqual(len(list(self.client.query(self.text))), 2)

    def test_a_start_is_a_new_epoch_of_the_same_producer(self):
        with tempfile.TemporaryDirectory() as directory:
            state = pathlib.Path(directory, "state")
            first, kept = Producer(self.client, str(state)), json.loads(state.read_text())
            self.assertEqual(kept, {"id": first.id.hex(), "epoch": 1})
            first.append([record(service=self.service)])
            second = Producer(self.client, str(state))
            self.assertEqual((second.id, second.epoch), (first.id, 2))
            second.append([record(service=self.service)])
            self.assertEqual((second.id, second.epoch, second.sequence), (first.id, 2, 1))
        self.assertEqual(len(list(self.client.query(self.text))), 2)

    def test_what_has_no_encoding_is_refused_before_anything_is_sent(self):
        producer = Producer(self.client)
        with self.assertRaises(ValueError):
            producer.append([record(service=self.service), record(service="s" * 256)])
        self.assertEqual(list(self.client.query(self.text)), [])
