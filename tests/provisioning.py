"""Fresh databases with the first state of a venue in them, as the launcher makes them."""

from clearinghouse.bootstrap import seed
from migrations.provision import Provisioned, provision


def provision_seeded(postgres_url: str, instance: str) -> Provisioned:
    """Databases, roles and schemas of this instance, with its first accounts and securities."""
    provisioned = provision(postgres_url, instance)
    seed(provisioned.owner_clearing_url)
    return provisioned
