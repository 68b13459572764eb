"""A hundred orders at once, as fast as the venue takes them."""

import contextlib
import itertools
import json
import os
import urllib.error
import urllib.request

URL = os.environ["VENUE_ORDER_ENTRY_URL"] + "/v1/orders"
HEADERS = {
    "Content-Type": "application/json",
    "Authorization": f"Bearer {os.environ['VENUE_API_KEY']}",
}
ORDER = {"security": "ACME", "side": "BUY", "type": "limit", "quantity": 1, "price": "30.00"}

for _ in itertools.count():
    body = json.dumps([ORDER] * 100).encode()
    with contextlib.suppress(urllib.error.URLError):
        urllib.request.urlopen(urllib.request.Request(URL, body, HEADERS), timeout=5).read()
