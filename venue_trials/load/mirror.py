"""A door that accepts everything at once and does nothing: what the load generator can do by
itself.
"""

import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ORDER = (
    '{{"order_id":{0},"client_order_id":"mirror-{0}","status":"new",'
    '"security":"MIRROR.1","side":"BUY","type":"limit","time_in_force":"GTC",'
    '"quantity":50,"price":"99.95","duplicate":false,"sequence":{0},"time_us":1795222480975640}}'
)
_READ_BYTES = 1 << 18
_WELCOME = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
_HTTP_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
_TURN_S = 0.1


@contextmanager
def mirror(commands: int) -> Iterator[str]:
    """The URL of a mirror that answers each request and each frame as if it had `commands`
    orders.
    """
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        thread = threading.Thread(
            target=_Mirror(listener, commands).serve, args=(stopping,), daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopping.set()
            thread.join()


class _Mirror:
    def __init__(self, listener: socket.socket, commands: int) -> None:
        orders = ",".join(_ORDER.format(number) for number in range(1, commands + 1))
        listed = f'{{"results":[{orders}]}}'.encode()
        frame = f"[{orders}]".encode()
        self._http = _HTTP_HEAD.format(len(listed)).encode() + listed
        self._frame = struct.pack("!BBQ", 0x81, 127, len(frame)) + frame
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._read: dict[socket.socket, bytearray] = {}
        self._sockets: set[socket.socket] = set()
        """Those that speak WebSocket."""

    def serve(self, stopping: threading.Event) -> None:
        """Answer until stopping."""
        while not stopping.is_set():
            for key, _ in self._selector.select(_TURN_S):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._answer(key.fileobj)  # type: ignore[arg-type]
        for connection in self._read:
            connection.close()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._read[connection] = bytearray()
        self._selector.register(connection, selectors.EVENT_READ)

    def _answer(self, connection: socket.socket) -> None:
        try:
            received = connection.recv(_READ_BYTES)
            read = self._read[connection]
            read += received
            while received and (answer := self._next(connection, read)):
                connection.sendall(answer)
        except OSError:
            received = b""
        if not received:
            self._selector.unregister(connection)
            del self._read[connection]
            connection.close()

    def _next(self, connection: socket.socket, read: bytearray) -> bytes:
        """The answer to the first whole request, which is taken out; nothing while it is not
        whole.
        """
        if connection in self._sockets:
            return self._frame if _take(read, _frame_size(read)) else b""
        head_end = read.find(b"\r\n\r\n")
        if head_end < 0:
            return b""
        head = bytes(read[:head_end]).lower()
        if b"upgrade: websocket" in head:
            self._sockets.add(connection)
            return _WELCOME if _take(read, head_end + 4) else b""
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return self._http if _take(read, head_end + 4 + length) else b""


def _take(read: bytearray, size: int) -> bool:
    if not 0 < size <= len(read):
        return False
    del read[:size]
    return True


def _frame_size(read: bytearray) -> int:
    """Of the first masked frame, head included; 0 while its head is not whole."""
    if len(read) < 10:
        return 0
    size = read[1] & 0x7F
    if size == 126:
        return 8 + int.from_bytes(read[2:4], "big")
    if size == 127:
        return 14 + int.from_bytes(read[2:10], "big")
    return 6 + size
