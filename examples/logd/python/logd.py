"""A client of logd in Python: what a program imports, and a command line.

    import logd
    with logd.Client("127.0.0.1:7600") as client:
        logd.Producer(client).append([logd.Record(time.time_ns(), logd.INFO, "api", "hello")])
        for found in client.query("service:api hello"):
            print(found.id, found.record.message)
"""

import argparse
import json
import sys
import time

from client import Client, Incomplete
from connection import Failed, NotRun, Unknown
from logdwire import (BOOL, DEBUG, ERROR, FATAL, INFO, JSON, NUMBER, STRING, TRACE, WARN, End, Fenced, Field, Found, Gap, Invalid,
                      Missed, Position, ReadOnly, Record, Refused)
from producer import Producer

__all__ = ["BOOL", "DEBUG", "ERROR", "FATAL", "INFO", "JSON", "NUMBER", "STRING", "TRACE", "WARN", "Client", "End", "Failed",
           "Fenced", "Field", "Found", "Gap", "Incomplete", "Invalid", "Missed", "NotRun", "Position", "Producer", "ReadOnly",
           "Record", "Refused", "Unknown"]


def line(found):
    """A record as one line of JSON."""
    r = found.record
    fields = [[f.key, f.value] for f in r.fields]
    return json.dumps({"id": found.id, "time": r.time, "level": r.level, "service": r.service, "host": r.host,
                       "message": r.message, "fields": fields}, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-to", default="127.0.0.1:7600", help="the collector's address")
    commands = parser.add_subparsers(dest="command", required=True)
    append = commands.add_parser("append", help="lines of standard input as records")
    append.add_argument("service")
    for name in ("query", "tail"):
        commands.add_parser(name).add_argument("text", nargs="?", default="")
    commands.add_parser("stats")
    args = parser.parse_args()
    with Client(args.to) as client:
        run(client, args)


def run(client, args):
    if args.command == "stats":
        print(json.dumps(client.stats(), indent=1))
    elif args.command == "append":
        records = [Record(time.time_ns(), INFO, args.service, text.rstrip("\n")) for text in sys.stdin]
        for refused in Producer(client).append(records):
            print(refused, file=sys.stderr)
    else:
        frames = client.query(args.text) if args.command == "query" else client.tail(args.text)
        for frame in frames:
            print(line(frame) if isinstance(frame, Found) else frame, flush=True)


if __name__ == "__main__":
    main()
