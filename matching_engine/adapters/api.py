"""What the engine can be asked, by operators on the venue's own machine."""

from service_runtime.http.openapi import Operation, Query

OPERATIONS = (
    Operation(
        "GET",
        "/v1/books/<security_id>",
        "The book of one security as it is in memory.",
        "anybody",
        {
            200: {
                "security": "AAPL",
                "sequence": 3372,
                "bids": [{"price": "105.10", "quantity": 10}],
                "asks": [{"price": "105.20", "quantity": 6}],
            }
        },
        query=(
            Query(
                "depth",
                "levels a side",
                {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10},
            ),
        ),
    ),
    Operation(
        "GET",
        "/v1/engine",
        "How far the engine has come, and a hash of its state.",
        "anybody",
        {
            200: {
                "shard": 0,
                "log_position": 1200,
                "event_position": 3372,
                "trades": 417,
                "open_orders": 35,
                "state_hash": "ae2f4637357c033e20c5c046419f32812feb94ca00970a64b41b72ad46b20acd",
            }
        },
    ),
)
