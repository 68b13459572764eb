"""Streams: numbered sequences of facts, how their ends are announced and gaps asked for."""

import msgspec

SETTLEMENTS = "settlements"


def order_log(shard: int) -> str:
    """Name of a shard's command stream."""
    return f"order_log.{shard}"


def events(shard: int) -> str:
    """Name of a shard's event stream."""
    return f"events.{shard}"


def event_shard(stream: str) -> int | None:
    """The shard whose events `stream` carries, or None if it carries something else."""
    name, _, shard = stream.partition(".")
    return (
        int(shard)
        if name == "events" and shard.isascii() and shard.isdigit() and len(shard) <= 5
        else None
    )


class StreamPosition(msgspec.Struct, frozen=True, tag_field="kind", tag="stream_position"):
    """The newest number of a stream, said about once a second: without it a lost last message would
    go unseen.
    """

    schema: int
    stream: str
    sequence: int


class ResendRequest(msgspec.Struct, frozen=True, tag_field="kind", tag="resend_request"):
    """Please publish again everything of `stream` after `after`, to the queue `reply_to` alone."""

    schema: int
    stream: str
    after: int
    reply_to: str


class OrderRejected(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An order the door refused (execution report, ExecType=Rejected).

    It never reached the order log.
    """

    client_id: str
    reason: str
    message: str
    client_order_id: str | None = None
    security_id: str | None = None
    side: str | None = None
    quantity: int | None = None


class OrderReports(msgspec.Struct, frozen=True, tag_field="kind", tag="order_reports"):
    """Refusals of one run of one gateway, for the record.

    `first` counts from 1 within `gateway_run`.
    """

    schema: int
    gateway_run: str
    first: int
    time_us: int
    reports: list[OrderRejected]

    @property
    def last(self) -> int:
        """Number of the last report."""
        return self.first + len(self.reports) - 1
