"""Is there a RabbitMQ, and does it let us in?"""

import logging
import socket

import pika
from pika.exceptions import AMQPError

from venue_launcher.infrastructure.urls import without_password


def speaks_amqp(port: int, host: str = "127.0.0.1") -> bool:
    """Whether an AMQP 0-9-1 broker answers the protocol header (with a method frame, first byte
    1).
    """
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def refusal(url: str) -> str | None:
    """Why the broker at `url` does not let us into its virtual host; None when it does."""
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError) as error:
        return f"{without_password(url)} is not an amqp:// URL ({error})"
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = 5
    parameters.connection_attempts = 1
    try:
        pika.BlockingConnection(parameters).close()
    except (AMQPError, OSError) as error:
        return f"{without_password(url)} does not let us in ({type(error).__name__})"
    return None
