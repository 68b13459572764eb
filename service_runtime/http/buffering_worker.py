"""gunicorn's threaded worker, made patient: a request takes a thread only once it has arrived
whole.

gunicorn hands each new connection to a thread, which waits for the request there: as many silent or
slow clients as there are threads stop everybody else. Here the main loop waits for all of them: it
looks at what has arrived without taking it (MSG_PEEK), and lets the kernel say when enough is there
(SO_RCVLOWAT). Closing waits for the client in the main loop too, for gunicorn's own way blocks it.
"""

import fcntl
import logging
import re
import selectors
import signal
import socket
import struct
import termios
import time
from functools import partial
from typing import Any

import msgspec
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import TConn, ThreadWorker

from service_runtime.http.socket_timeouts import MAX_BODY_BYTES, SILENCE_S
from venue_protocol.refusals import RejectReason

log = logging.getLogger(__name__)

_MOST_HEAD_BYTES = 65_536
_LINGER_S = 2.0
_DRAIN_S = 3
_STOP_PATIENCE_S = 0.5
_TRANSFER_ENCODING = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Unacceptable(ParseException):  # type: ignore[misc]
    """A request that is refused by its head, before any thread sees it."""

    def __init__(self, reason: RejectReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def missing_bytes(arrived: bytes, available: int) -> int:
    """How many bytes the request that begins with `arrived` still lacks, as far as can be said; 0:
    hand it over.

    `available` counts all that waits; `arrived` is its beginning, at most _MOST_HEAD_BYTES of it.
    Raises LimitRequestHeaders for a head that is longer than that, and Unacceptable for a body
    whose length is not said, or too large: a thread that read it would be at the mercy of its
    sender's pace.
    """
    head_end = arrived.find(b"\r\n\r\n")
    if head_end < 0:
        if len(arrived) >= _MOST_HEAD_BYTES:
            raise LimitRequestHeaders(f"its head is longer than {_MOST_HEAD_BYTES} bytes")
        return 1
    head = arrived[: head_end + 4]
    if _TRANSFER_ENCODING.search(head):
        raise Unacceptable(RejectReason.LENGTH_REQUIRED, "send the body with a Content-Length")
    length = _CONTENT_LENGTH.search(head)
    body_bytes = int(length.group(1)) if length else 0
    if body_bytes > MAX_BODY_BYTES:
        raise Unacceptable(RejectReason.TOO_LARGE, f"the body has more than {MAX_BODY_BYTES} bytes")
    return max(0, len(head) + body_bytes - available)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """One process, one loop that waits, threads that work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines: dict[TConn, float] = {}
        """Connections the loop watches for a request or for their end, and when it gives up."""
        self._seen: dict[TConn, int] = {}
        """Bytes of an unfinished request that had arrived when last looked."""
        self._continued: set[TConn] = set()
        """Connections that were told to send the body they asked about."""

    def init_process(self) -> None:
        """Run the worker.

        It drains its connections in less time than the master grants for the whole stop.
        """
        self.cfg.set("graceful_timeout", _DRAIN_S)
        super().init_process()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: drain and stop; at once when there is nothing to drain because the app is still
        being built.
        """
        if not self.booted:
            raise SystemExit(0)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGINT or SIGQUIT: stop at once, in order. Ctrl-C sends the first, then the master the
        second: one does.
        """
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        # Not ThreadWorker's: it takes a lock of the thread pool, which the interrupted code may
        # hold.
        Worker.handle_quit(self, sig, frame)

    def accept(self, listener: Any) -> None:
        """Take a connection and wait for its request in the loop."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # No file descriptors or memory left: those who are served go on, the newcomer waits in
            # the backlog.
            log.error("can't accept a connection now", extra={"error": str(error)})
            time.sleep(0.05)
            return
        self.nr_conns += 1
        self._await_request(
            TConn(self.cfg, client, address, listener.getsockname()), self.cfg.keepalive
        )

    def on_client_socket_readable(self, conn: TConn, client: Any) -> None:
        """A kept-alive connection speaks again: its next request is waited for like the first."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn, SILENCE_S)

    def murder_pending(self) -> None:
        """Cut off who took too long to send a request, or to close."""
        now_s = time.monotonic()
        for conn in [conn for conn, deadline_s in self._deadlines.items() if deadline_s <= now_s]:
            self._forget(conn)
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """We stop: who has not sent a request by now is not waited for."""
        super()._cap_keepalive(deadline)
        soon_s = time.monotonic() + _STOP_PATIENCE_S
        self._deadlines = {
            conn: min(deadline_s, soon_s) for conn, deadline_s in self._deadlines.items()
        }

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Keep the connection for its next request, or close it without waiting for the client
        here.
        """
        if fs.cancelled() or fs.exception() is not None or not fs.result():
            self._linger(conn)
        else:
            super().finish_request(conn, fs)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is not HTTP in the shape of all our errors."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        if isinstance(exc, Unacceptable):
            reason, message = exc.reason, str(exc)
        else:
            is_long = isinstance(exc, LimitRequestLine | LimitRequestHeaders)
            reason = RejectReason.TOO_LARGE if is_long else RejectReason.MALFORMED
            message = f"the request is not HTTP: {exc}"
        try:
            client.setblocking(False)
            client.send(_error_response(reason, message[:300]))
        except OSError:
            log.debug("the client was gone before its error was told")

    def _await_request(self, conn: TConn, patience_s: float) -> None:
        conn.data_ready = True
        try:
            conn.sock.setblocking(False)
            is_arriving = self._is_arriving(conn)
        except ParseException as error:
            self._refuse(conn, error)
        except OSError:
            self._continued.discard(conn)
            self._drop(conn)
        else:
            if is_arriving:
                self._watch(
                    conn, SILENCE_S if conn in self._seen else patience_s, self._on_arriving
                )
            else:
                self.enqueue_req(conn)

    def _on_arriving(self, conn: TConn, client: Any) -> None:
        seen = self._seen.get(conn)
        try:
            is_arriving = self._is_arriving(conn)
        except ParseException as error:
            self._forget(conn)
            self._refuse(conn, error)
            return
        except OSError:
            self._forget(conn)
            self._drop(conn)
            return
        if is_arriving and self._seen.get(conn) != seen:
            if seen is None:
                self._deadlines[conn] = time.monotonic() + SILENCE_S
            return
        # Whole; or nothing new although the socket is readable: its end has come, or the window is
        # full.
        self._forget(conn)
        _set_low_water(client, 1)
        self.enqueue_req(conn)

    def _is_arriving(self, conn: TConn) -> bool:
        """Whether more must come before a thread is needed; the loop is then woken when it is
        there.

        Raises ParseException for what will not be read, and OSError when the connection is broken.
        """
        try:
            arrived = conn.sock.recv(_MOST_HEAD_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        if not arrived:
            return False
        available = _available(conn.sock) if len(arrived) == _MOST_HEAD_BYTES else len(arrived)
        missing = missing_bytes(arrived, available)
        if missing:
            if conn not in self._continued and _EXPECT.search(arrived):
                self._continued.add(conn)
                conn.sock.send(_CONTINUE)
            self._seen[conn] = available
            _set_low_water(conn.sock, available + missing)
        return missing > 0

    def _refuse(self, conn: TConn, error: ParseException) -> None:
        self.handle_error(None, conn.sock, conn.client, error)
        _set_low_water(conn.sock, 1)
        self._linger(conn)

    def _linger(self, conn: TConn) -> None:
        """Say that we are done, and close when the client did: closing at once could destroy the
        answer (RFC 9112).
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self._watch(conn, _LINGER_S, self._on_lingering)
        except OSError:
            self._drop(conn)

    def _on_lingering(self, conn: TConn, client: Any) -> None:
        try:
            ended = not client.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._forget(conn)
            self._drop(conn)

    def _watch(self, conn: TConn, patience_s: float, on_readable: Any) -> None:
        self._deadlines[conn] = time.monotonic() + patience_s
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(on_readable, conn))

    def _forget(self, conn: TConn) -> None:
        self._deadlines.pop(conn, None)
        self._seen.pop(conn, None)
        self._continued.discard(conn)
        self.poller.unregister(conn.sock)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


def _available(client: Any) -> int:
    """Bytes that wait to be received."""
    count: int = struct.unpack("i", fcntl.ioctl(client, termios.FIONREAD, b"\0\0\0\0"))[0]
    return count


def _set_low_water(client: Any, count: int) -> None:
    """The loop is woken when so many bytes wait, or the connection ends."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)


def _error_response(reason: RejectReason, message: str) -> bytes:
    fields: dict[str, object] = {
        "code": reason.code,
        "message": message,
        "field": None,
        "details": {},
        "request_id": None,
    }
    body = msgspec.json.encode({"error": fields})
    head = (
        f"HTTP/1.1 {reason.http_status} Refused\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
