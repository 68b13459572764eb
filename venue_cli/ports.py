"""Free TCP ports of the loopback address."""

import random
import socket
from collections.abc import Collection

PRIVATE_PORTS = range(20_000, 32_000)
"""Below the ports that the kernel hands out for outgoing connections: a stopped server finds its port free again."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def next_free(first: int, taken: Collection[int] = (), host: str = "127.0.0.1") -> int:
    """The first free port from `first` upwards that is not in `taken`."""
    return next(port for port in range(first, 65_536) if port not in taken and is_free(port, host))


def private_port(preferred: int | None, taken: Collection[int] = ()) -> int:
    """`preferred` when it is free, else a random free one of PRIVATE_PORTS."""
    if preferred and preferred not in taken and is_free(preferred):
        return preferred
    while True:
        port = random.choice(PRIVATE_PORTS)
        if port not in taken and is_free(port):
            return port


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
