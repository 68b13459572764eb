"""Postgres and RabbitMQ for the venue: given, local, private or downloaded.

`finder.start` finds or starts both, and its module says in which order;
`private.throw_away` starts a pair of one's own for a test.
"""
