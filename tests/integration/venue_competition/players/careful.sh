#!/bin/sh
# An honest player in shell and curl: a bid of one share below the market, every second.
while true; do
    curl -s -o /dev/null -X POST "$VENUE_ORDER_ENTRY_URL/v1/orders" \
        -H "Authorization: Bearer $VENUE_API_KEY" -H "Content-Type: application/json" \
        -d '{"security": "ACME", "side": "BUY", "type": "limit", "quantity": 1, "price": "49.00"}'
    sleep 1
done
