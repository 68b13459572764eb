"""The book: price-time priority, and nothing else.

Consumes `order_entry` (a hint; the order log is the truth) and `resend_requests`; publishes
`order_execution` and `data_feed`. Owns the books, in memory; snapshots are a cache. Promises: same
log, same events, byte for byte.
"""
