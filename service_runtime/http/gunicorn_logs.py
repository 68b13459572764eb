"""gunicorn's words in our log format: warnings and worse."""

import logging
import sys
from typing import Any

from gunicorn.glogging import Logger


class QuietLogger(Logger):  # type: ignore[misc]
    """Sends gunicorn's errors to the root handlers, drops its chatter and access log."""

    def setup(self, cfg: object) -> None:
        """Replace gunicorn's own handlers."""
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        self.access_log.handlers[:] = []
        self.access_log.propagate = False

    def exception(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """As an error with its traceback; a client that fell silent and was cut off is no error."""
        if not isinstance(sys.exc_info()[1], BlockingIOError):
            super().exception(msg, *args, **kwargs)
