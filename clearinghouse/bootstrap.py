"""The first state of a venue: its accounts, five securities, a market maker, a first key."""

import threading
from collections.abc import Callable
from functools import partial

from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.administration import Administration, require_listed
from clearinghouse.domain import endowment
from clearinghouse.handlers import SettlementDesk
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import SystemClock
from service_runtime.database import Database
from service_runtime.settings import SettingsError
from venue_protocol.refusals import Refused, RejectReason
from venue_protocol.securities import Security
from venue_protocol.topology import DATA_FEED

ISSUED_SHARES = 10_000_000
MARKET_MAKER = "market_maker"
MARKET_MAKER_CASH_E4 = 100_000_000 * 10_000
MARKET_MAKER_SHARES = 1_000_000

_BAND_BPS = 5_000
"""50 %: the first securities are for trying out; an organiser lists others with a narrower band."""


def _first_security(security_id: str, name: str) -> Security:
    """$100.00 a share, in cents, single shares."""
    return Security(
        security_id=security_id,
        name=name,
        shard=0,
        tick_e4=100,
        lot=1,
        band_bps=_BAND_BPS,
        reference_price_e4=1_000_000,
    )


SECURITIES = (
    _first_security("AAPL", "Apple Inc."),
    _first_security("MSFT", "Microsoft Corporation"),
    _first_security("GOOG", "Alphabet Inc."),
    _first_security("AMZN", "Amazon.com, Inc."),
    _first_security("TSLA", "Tesla, Inc."),
)


def seed(clearing_owner_url: str) -> bool:
    """Give an empty clearing_data its first state; whether it did.

    Nothing happens to one that has it. Reports of these first deposits are not published: no broker
    may be there yet. The feed notices the gap and reads them from the database.
    """
    database = Database(clearing_owner_url, "bootstrap", pool_size=2)
    try:
        with database.transaction() as cursor:
            # Of two launchers at once the second waits here and then finds nothing to do.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('venue first state'))")
            return make_first_state(_administration(database))
    finally:
        database.close()


def make_first_state(administration: Administration) -> bool:
    """Make the venue's own accounts, securities and market maker; whether some were missing.

    Each step is done or passed over, the market maker last: so a start that was cut off is
    completed by the next.
    """
    administration.ensure_venue_accounts()
    for security in SECURITIES:
        _unless_done(
            partial(administration.list_security, security, ISSUED_SHARES),
            RejectReason.SECURITY_EXISTS,
        )
    shares = {security.security_id: MARKET_MAKER_SHARES for security in SECURITIES}
    return _unless_done(
        lambda: administration.create_client(
            MARKET_MAKER, "market_maker", MARKET_MAKER_CASH_E4, shares
        ),
        RejectReason.CLIENT_EXISTS,
    )


def _unless_done(step: Callable[[], object], done: RejectReason) -> bool:
    """Do the step; False if it is refused because it was done before."""
    try:
        step()
    except Refused as refused:
        if refused.refusal.reason is not done:
            raise
        return False
    return True


def ensure_administrator(clearing_owner_url: str, key: str | None = None) -> str | None:
    """A new key of the venue's first administrator; None if `key` is a valid one already."""
    database = Database(clearing_owner_url, "bootstrap", pool_size=1)
    try:
        return _administration(database).ensure_administrator(key)
    finally:
        database.close()


def check_endowment(clearing_owner_url: str, text: str) -> None:
    """SettingsError, naming the part, if VENUE_ENDOWMENT can't be given to new traders."""
    try:
        shares = endowment.parse(text)
    except endowment.EndowmentFault as fault:
        raise SettingsError(f"VENUE_ENDOWMENT: {fault}") from fault
    database = Database(clearing_owner_url, "bootstrap", pool_size=1)
    try:
        require_listed(PostgresLedgerStore(database), shares)
    finally:
        database.close()


def _administration(database: Database) -> Administration:
    bus = MemoryBus()
    bus.declare([DATA_FEED])
    store = PostgresLedgerStore(database)
    desk = SettlementDesk(store, bus.publisher(), threading.Event())
    return Administration(desk, store, SystemClock())
