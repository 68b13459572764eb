"""Parameters of a query that several lists of the feed take, for `/docs`."""

from service_runtime.http.openapi import Query

LONG_LIMIT = Query(
    "limit",
    "at most so many rows",
    {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000},
)
"""Of lists that most readers want as a whole."""
OF_CLIENT = Query("client_id", "for an administrator: whose", {"type": "string"})
