"""Prometheus metrics of the gateway alone."""

from prometheus_client import Counter, Gauge

refusals_left_out = Counter(
    "venue_refusals_left_out_total", "Refused orders that could not be reported to the record"
)
clock_trouble = Gauge(
    "venue_clock_trouble", "1 while the gateway's clock is not confirmed, and no order is taken"
)
log_ahead_seconds = Gauge(
    "venue_log_ahead_seconds", "How far the time of the order log is ahead of the clock"
)
