"""The frame of a bot's program: a client from the environment, and no order left behind."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from types import FrameType
from typing import NoReturn

from trading_bots.client import VenueClient
from trading_bots.refusal import Refused, VenueUnavailable

_CANCEL_PATIENCE_S = 10.0
"""How long a bot that ends tries to cancel its orders: a restart of one service takes 2 to 7 s."""
_LOOK_EVERY_S = 0.1


@contextmanager
def trading_session(environment: Mapping[str, str] = os.environ) -> Iterator[VenueClient]:
    """The client that the environment names; its open orders are canceled when the block ends.

    Ctrl-C and SIGTERM end the block, and the program goes on after it. A missing or wrong key, and
    a venue that does not answer, end the program with one line on standard error and exit code 2;
    other exceptions pass. For the main thread.
    """
    try:
        venue = VenueClient.from_environment(environment)
    except ValueError as error:
        _give_up(str(error))
    with closing(venue), _sigterm_as_ctrl_c():
        try:
            yield venue
        except KeyboardInterrupt:
            print("stopping: canceling the open orders …", file=sys.stderr, flush=True)
            _cancel_all(venue)
        except BaseException as error:
            if isinstance(error, Refused) and error.code.startswith("auth."):
                _give_up(str(error))
            _cancel_all(venue)
            if isinstance(error, VenueUnavailable):
                _give_up(
                    f"no venue answers at {venue.order_entry_url} and {venue.market_data_url} "
                    f"({error}): is it running? ./venue status says where"
                )
            raise
        else:
            _cancel_all(venue)


def _give_up(why: str) -> NoReturn:
    print(f"trading_bots: {why}", file=sys.stderr, flush=True)
    raise SystemExit(2)


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt within the block."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _cancel_all(venue: VenueClient) -> None:
    """Cancel what is open until nothing is: an order that was on its way may arrive late."""
    canceling = VenueClient(
        venue.client_id,
        venue.api_key,
        venue.order_entry_url,
        venue.market_data_url,
        patience_s=_CANCEL_PATIENCE_S,
    )
    deadline = time.monotonic() + _CANCEL_PATIENCE_S
    pause = threading.Event()
    try:
        canceling.cancel_all()
        while canceling.orders():
            if time.monotonic() > deadline:
                raise VenueUnavailable("orders are still listed as open")
            pause.wait(_LOOK_EVERY_S)
            canceling.cancel_all()
    except (Refused, VenueUnavailable, KeyboardInterrupt) as error:
        print(
            f"trading_bots: orders may still be open ({error or 'interrupted'})",
            file=sys.stderr,
            flush=True,
        )
    finally:
        canceling.close()
