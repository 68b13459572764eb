"""The players: outsiders who see nothing but the public API.

Client library (`VenueClient`, `Stream`), strategies, and the runner that plays them live.
Keeps no state: a bot that is started again reads its open orders from the venue and goes on.
"""
