"""Who listens where: strangers reach the public services alone."""

from venue_launcher import services
from venue_launcher.running_venue import LOCAL, Hosts


def test_a_public_address_opens_order_entry_and_market_data_alone() -> None:
    hosts = Hosts("0.0.0.0")
    listening = {service.name: hosts.of(service) for service in services.STOP_ORDER}
    assert listening == {
        "order_entry_gateway": "0.0.0.0",
        "market_data_feed": "0.0.0.0",
        "clearinghouse": "127.0.0.1",
        "matching_engine": "127.0.0.1",
    }


def test_without_an_address_everything_is_on_this_machine_alone() -> None:
    assert {LOCAL.of(service) for service in services.STOP_ORDER} == {"127.0.0.1"}
