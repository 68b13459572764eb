"""The bodies of the bus: RabbitMQ, and an in-memory one for tests and simulation."""
