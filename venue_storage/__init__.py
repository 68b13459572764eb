"""The tables of both databases, their rows, and the bodies that hold them in memory.

What several services share of `clearing_data` and `market_data`.
May import `service_runtime` and `venue_protocol`.
Promises: the metadata here are exactly what the migrations make (a test compares them).
Begin with `clearing_data` and `market_data`.
"""
