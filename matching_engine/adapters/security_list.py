"""Which securities belong to a shard, whether anybody has traded them yet or not."""

from service_runtime.database import Database
from venue_protocol.identifiers import is_security_id


class SecurityList:
    """Reads the listed securities of one shard.

    Raises DatabaseUnavailable while the database is away.
    """

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self._shard = shard

    def has(self, security_id: str) -> bool:
        """Whether this security is listed on the shard."""
        if not is_security_id(security_id):
            return False
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT 1 FROM securities WHERE security_id = %s AND shard = %s",
                (security_id, self._shard),
            )
            return cursor.fetchone() is not None
