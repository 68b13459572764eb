"""Prometheus metrics that every service has.

Each service is one process, so the default registry serves. What only one service counts stands in
its own `metrics.py`.
"""

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

messages_consumed = Counter(
    "venue_messages_consumed_total", "Messages taken from a queue", ["queue"]
)
messages_published = Counter(
    "venue_messages_published_total", "Messages published", ["routing_key"]
)
publisher_refusals = Counter(
    "venue_publisher_refusals_total",
    "Times that the broker did not take what was published: nack, channel_closed, blocked",
    ["cause"],
)
publishers_waiting = Gauge(
    "venue_publishers_waiting", "Publishers that the broker takes nothing from now"
)
messages_duplicate = Counter(
    "venue_messages_duplicate_total", "Messages whose content was known already", ["queue"]
)
gaps_noticed = Counter("venue_gaps_noticed_total", "Gaps noticed in a stream", ["stream"])
dead_letters = Counter("venue_dead_letters_total", "Messages moved to the dead letters", ["queue"])
requests = Counter(
    "venue_http_requests_total", "HTTP requests answered", ["method", "route", "status"]
)
request_seconds = Histogram(
    "venue_http_request_seconds",
    "Time from a request that has arrived whole to its answer",
    ["route"],
    buckets=_BUCKETS,
)
refusals = Counter("venue_refusals_total", "Requests refused, by reason", ["code"])
alarms = Counter("venue_alarms_total", "Things that must never happen and did", ["alarm"])
position = Gauge("venue_stream_position", "Newest number handled of a stream", ["stream"])
batch_size = Histogram(
    "venue_batch_size",
    "Items handled in one transaction",
    ["step"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
step_seconds = Histogram("venue_step_seconds", "Time of one step", ["step"], buckets=_BUCKETS)
