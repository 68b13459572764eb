"""The server under every service: uvicorn on uvloop, with the bounds of this package."""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any

import uvicorn

from service_runtime.http.asgi_application import Application
from service_runtime.http.connections import Connections, Limits
from service_runtime.http.http_protocol import MAX_BODY_BYTES, BoundedHttpProtocol
from service_runtime.http.websocket_protocol import BoundedWebSocketProtocol

log = logging.getLogger(__name__)

_DRAIN_S = 3
"""What was begun when the stop signal came may take so long."""
_STOP_PATIENCE_S = 0.5
"""A request that was not whole when the stop signal came may still arrive so long."""
_PING_S = 20.0
"""A WebSocket is asked for a sign of life so often, and has as long to give it."""
_BACKLOG = 2048
_NEVER_S = 86_400
"""uvicorn's own timer for idle connections: `Connections` has a stricter one."""


class HttpServer(uvicorn.Server):
    """Serves one application until SIGTERM or SIGINT, then finishes what was begun."""

    def __init__(
        self,
        application: Application,
        host: str,
        port: int,
        limits: Limits,
        on_drain: Callable[[], object],
    ) -> None:
        self.registry = Connections(limits)
        self._on_drain = on_drain
        bounds: dict[str, Any] = {
            "registry": self.registry,
            "websocket_paths": application.websocket_paths(),
        }
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            loop="uvloop",
            http=type("HttpProtocol", (BoundedHttpProtocol,), bounds),
            ws=BoundedWebSocketProtocol,
            ws_max_size=MAX_BODY_BYTES,
            ws_ping_interval=_PING_S,
            ws_ping_timeout=_PING_S,
            ws_per_message_deflate=False,
            lifespan="off",
            interface="asgi3",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_NEVER_S,
            timeout_graceful_shutdown=_DRAIN_S,
        )
        # Its own lines are for people at a terminal, but for warnings and errors.
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        super().__init__(config)

    def serve_until_signal(self) -> None:
        """Serve; returns when the stop signal came and what was begun is finished.

        Raises SystemExit when the address can't be had.
        """
        # uvicorn raises the signal again at the end, for whoever handled it before.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)
        self.run()

    async def startup(self, sockets: Any = None) -> None:
        """Listen."""
        self.registry.run_on(asyncio.get_running_loop())
        await super().startup(sockets)
        log.info("service started", extra={"host": self.config.host, "port": self.config.port})

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: who took too long is cut off."""
        self.registry.sweep()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: Any = None) -> None:
        """Say that the service is leaving, then finish what was begun."""
        self._on_drain()
        asyncio.get_running_loop().call_later(_STOP_PATIENCE_S, self.registry.cut_unfinished)
        await super().shutdown(sockets)
