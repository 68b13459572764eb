"""The plumbing: bus (RabbitMQ; in memory), database, clock, settings, logs, metrics, service loop,
web.

Knows nothing of orders or money. The only package that speaks AMQP and opens database connections.
"""
