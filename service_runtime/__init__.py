"""The plumbing: bus (RabbitMQ; in memory), database, clock, settings, logs, metrics, service loop,
web.

Says no word of the market: a test reads it. The only package that speaks AMQP and opens database
connections.
"""
