"""Opens the stream of market data, subscribes to everything, and never reads."""

import base64
import json
import os
import socket
import struct
import time
from urllib.parse import urlsplit

place = urlsplit(os.environ["VENUE_MARKET_DATA_URL"])
connection = socket.create_connection((place.hostname, place.port))
key = base64.b64encode(os.urandom(16)).decode()
connection.sendall(
    f"GET /v1/stream HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
    f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
    f"Authorization: Bearer {os.environ['VENUE_API_KEY']}\r\n\r\n".encode()
)
message = json.dumps({"subscribe": ["book", "trades"], "securities": ["ACME"]}).encode()
mask = os.urandom(4)
masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(message))
connection.sendall(struct.pack("!BB", 0x81, 0x80 | len(message)) + mask + masked)
while True:
    time.sleep(60)
