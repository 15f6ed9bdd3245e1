"""What a collector refuses, as exceptions."""


class Malformed(Exception):
    """An answer is not what the document says. The connection is of no further use."""


class Refused(Exception):
    """The collector has answered a status other than OK, and has done nothing."""


class Invalid(Refused):
    """Status 01. record is an index in the batch, or -1; kind is MALFORMED to BAD_QUERY."""

    def __init__(self, kind, record, field, detail):
        super().__init__(f"kind {kind}, record {record}, {field}: {detail}")
        self.kind, self.record, self.field, self.detail = kind, record, field, detail


class Gap(Refused):
    """Status 02: the batch with the number expected has to come first."""

    def __init__(self, expected):
        super().__init__(f"gap: expected {expected}")
        self.expected = expected


class Fenced(Refused):
    """Status 03: the producer has begun the higher epoch."""

    def __init__(self, epoch):
        super().__init__(f"fenced by epoch {epoch}")
        self.epoch = epoch


class ReadOnly(Refused):
    """Status 04: the collector stores nothing for now, and says why."""
