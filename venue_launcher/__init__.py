"""Finds, starts, watches and stops the parts of a venue: Postgres, RabbitMQ and the services.

May import the services and everything below them, and `migrations`.
Promises: what it starts, it starts again when it dies, and stops in order.
Begin with `running_venue`; `bootstrap` and `state_folder` run before the environment exists, so
they use the standard library only.
"""
