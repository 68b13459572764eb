"""Free TCP ports of the loopback address."""

import random
import socket
import sys
from collections.abc import Collection

PRIVATE_PORTS = range(20_000, 32_000)
"""Below the ports that the kernel hands out for outgoing connections: a stopped server finds its
port free again.
"""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def claim(port: int) -> socket.socket | None:
    """A claim on `port` that other launchers respect until it is closed or we die; None when one of
    them has it.

    Between the choice of a port and the moment its service listens, nothing else tells two
    launchers apart. The claim is a name in Linux's abstract socket space; elsewhere it binds
    nobody.
    """
    holder = socket.socket(socket.AF_UNIX)
    if sys.platform != "linux":
        return holder
    try:
        holder.bind(f"\0venue-port-{port}")
    except OSError:
        holder.close()
        return None
    return holder


def claim_free(first: int, host: str = "127.0.0.1") -> tuple[int, socket.socket]:
    """The first free port from `first` upwards, with a claim on it."""
    for port in range(first, 65_536):
        holder = claim(port) if is_free(port, host) else None
        if holder is not None:
            if is_free(port, host):
                return port, holder
            holder.close()
    raise OSError(f"no port from {first} upwards is free")


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
