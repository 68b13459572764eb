"""What a venue stands on: Postgres, RabbitMQ, the processes of the services, and the folder of its state.

Finds, starts, watches and stops them. May import `migrations` and what the services say of themselves.
Promises: what it started it stops, in order, and starts again when it dies.
Begin with `running_venue`; `bootstrap` and `state_folder` run before the environment exists (standard library only).
"""
