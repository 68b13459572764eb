#!/bin/sh
# Reads another's account with its own key, then with a key that it made up; then it gives up.
code() {
    curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $1" \
        "$VENUE_MARKET_DATA_URL/balance/maker"
}
environment=$(env | grep -c 'KEY=')
echo "another's account $(code "$VENUE_API_KEY"), a wrong key $(code vk_guessed), keys $environment" >&2
exit 1
