"""A TCP proxy whose connections a test can cut, refuse or freeze, so that no server needs to be
touched.
"""

import selectors
import socket
import threading
from contextlib import suppress


class TcpProxy:
    """Forwards a local port to `target`, in one thread."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._accepts = True
        self._closing = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        """Connections taken so far, those that were then refused included."""
        self._thread = threading.Thread(target=self._run, name="tcp proxy", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """End every connection there is; new ones are taken."""
        with self._lock:
            for end in list(self._peers):
                self._forget(end)

    def go_away(self) -> None:
        """End every connection, and each new one at once."""
        self._accepts = False
        self.cut()

    def come_back(self) -> None:
        """Take connections again."""
        self._accepts = True

    def close(self) -> None:
        """End all."""
        self._closing.set()
        self._thread.join(5)
        self.cut()
        self._listener.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(0.05):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    with self._lock:
                        self._forward(key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        self.accepted += 1
        if not self._accepts:
            near.close()
            return
        far = socket.create_connection(self._target)
        with self._lock:
            for end, peer in ((near, far), (far, near)):
                self._peers[end] = peer
                self._selector.register(end, selectors.EVENT_READ)

    def _forward(self, end: socket.socket) -> None:
        peer = self._peers.get(end)
        if peer is None:
            return
        try:
            received = end.recv(65_536)
            if received:
                peer.sendall(received)
                return
        except OSError:
            pass
        self._forget(end)

    def _forget(self, end: socket.socket) -> None:
        peer = self._peers.pop(end, None)
        if peer is None:
            return
        self._peers.pop(peer, None)
        for each in (end, peer):
            with suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()
