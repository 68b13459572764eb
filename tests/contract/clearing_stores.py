"""`clearing_data` in its two bodies, for the contracts of the order log and of the ledger store."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

import psycopg2

from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.administration import Administration
from clearinghouse.bootstrap import make_first_state
from clearinghouse.client_administration import ClientAdministration
from clearinghouse.handlers import SettlementDesk
from clearinghouse.ports import LedgerStore
from migrations.provision import Provisioned
from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.adapters.order_log_store import PostgresOrderLog
from order_entry_gateway.ports import OrderLog
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from service_runtime.database import Database
from venue_protocol.topology import DATA_FEED
from venue_simulation.memory_ledger_store import MemoryLedgerStore
from venue_storage.memory_clearing_data import ConstraintViolated, MemoryClearing


@dataclass
class Stores:
    """Both doors to one database, and its administration."""

    log: OrderLog
    ledger: LedgerStore
    refused: type[Exception]
    """What a row against a constraint raises."""
    close: Callable[[], None]

    def __post_init__(self) -> None:
        bus = MemoryBus()
        bus.declare([DATA_FEED])
        desk = SettlementDesk(self.ledger, bus.publisher(), Event())
        self.administration = Administration(desk, self.ledger, ManualClock())
        self.clients = ClientAdministration(self.ledger, ManualClock())


def memory_stores() -> Stores:
    """A fresh venue in memory."""
    clearing = MemoryClearing()
    stores = Stores(
        MemoryOrderLog(clearing), MemoryLedgerStore(clearing), ConstraintViolated, lambda: None
    )
    make_first_state(stores.administration)
    return stores


def postgres_stores(provisioned: Provisioned) -> Stores:
    """The module's databases, each service with its own role."""
    gateway = Database(provisioned.clearing_url("order_entry_gateway"), "test", pool_size=3)
    clearinghouse = Database(provisioned.clearing_url("clearinghouse"), "test", pool_size=3)

    def close() -> None:
        gateway.close()
        clearinghouse.close()

    return Stores(
        PostgresOrderLog(gateway),
        PostgresLedgerStore(clearinghouse),
        psycopg2.IntegrityError,
        close,
    )
