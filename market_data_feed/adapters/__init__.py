"""HTTP, WebSocket and SQL of the feed."""
