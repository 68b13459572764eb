"""Counts answered requests and their time by route."""

import time
from functools import lru_cache

from prometheus_client import Counter, Histogram

from service_runtime import metrics

_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))


def count(method: str, route: str, status: int, began_s: float) -> None:
    """One request on `route` was answered; `began_s` by time.perf_counter."""
    _requests(method if method in _METHODS else "other", route, status).inc()
    _seconds(route).observe(time.perf_counter() - began_s)


# Looking up the labels costs more than counting, and there are few of them: routes, not paths.
@lru_cache(maxsize=4096)
def _requests(method: str, route: str, status: int) -> Counter:
    return metrics.requests.labels(method, route, status)


@lru_cache(maxsize=1024)
def _seconds(route: str) -> Histogram:
    return metrics.request_seconds.labels(route)
