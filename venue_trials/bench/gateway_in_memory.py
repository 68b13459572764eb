"""The gateway with its order log in memory, everything else real: run as the service is, with the
same environment.
"""

from order_entry_gateway import __main__ as gateway
from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from service_runtime import settings
from service_runtime.database import Database
from service_runtime.http.asgi_application import Application
from service_runtime.service import Service
from venue_protocol.securities import Security
from venue_storage.memory_clearing_data import AccountRow, DepositRow, MemoryClearing


def build(service: Service) -> Application:
    """The gateway on a copy of the accounts and deposits as they are now."""
    return gateway.build(service, MemoryOrderLog(_copy(service.settings.clearing_url)))


def _copy(clearing_url: str) -> MemoryClearing:
    clearing = MemoryClearing()
    tables = clearing.tables
    database = Database(clearing_url, "memory_door", pool_size=1)
    with database.transaction() as cursor:
        cursor.execute("SELECT client_id, role FROM clients")
        tables.clients.update(cursor)
        cursor.execute(
            "SELECT security_id, name, shard, tick_e4, lot, band_bps, reference_price_e4, "
            "max_quantity, action_id, delisted_us, successor FROM securities"
        )
        tables.securities.update({row[0]: Security(*row) for row in cursor})
        cursor.execute("SELECT client_id, balance_e4, held_e4, is_external FROM accounts")
        tables.accounts.update({client_id: AccountRow(*rest) for client_id, *rest in cursor})
        cursor.execute(
            "SELECT client_id, security_id, quantity, held, is_external FROM securities_deposits"
        )
        tables.deposits.update(
            {(client_id, security): DepositRow(*rest) for client_id, security, *rest in cursor}
        )
    database.close()
    return clearing


if __name__ == "__main__":
    Service("order_entry_gateway", settings.load()).run(build)
