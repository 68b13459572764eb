"""HTTP and WebSocket: the server, requests, refusals, keys, and the pages of the API."""
