"""The gateway's doors to the outside: SQL, HTTP, WebSocket."""
