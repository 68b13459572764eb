"""An administrator's cancel: which commands it logs, and in what bites."""

from collections.abc import Sequence

import pytest

from order_entry_gateway.domain.coverage import Accepted, Decision
from order_entry_gateway.domain.validation import CancelAllCandidate, Candidate
from order_entry_gateway.mass_cancel_desk import MassCancelDesk, MassCancelRequest
from venue_protocol.commands import CancelAllOrders
from venue_protocol.refusals import Refusal, Refused, RejectReason
from venue_protocol.securities import Security

SECURITIES = {
    "ACME": Security("ACME", "Acme", 0, 100, 1, 5_000, 1_000_000),
    "OTHER": Security("OTHER", "Other", 1, 100, 1, 5_000, 1_000_000),
}


class Log:
    """Takes what is submitted; refuses the `refuses`-th submission."""

    def __init__(self, refuses: int | None = None) -> None:
        self.submitted: list[list[CancelAllCandidate]] = []
        self._refuses = refuses

    def submit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        if len(self.submitted) == self._refuses:
            return [Refusal(RejectReason.OVERLOADED, "too many wait")] * len(candidates)
        found = [each for each in candidates if isinstance(each, CancelAllCandidate)]
        self.submitted.append(found)
        return [
            Accepted(each.shard, CancelAllOrders(each.client_id, each.security_id))
            for each in found
        ]

    def commands(self) -> list[tuple[str, int, str | None]]:
        return [
            (each.client_id, each.shard, each.security_id)
            for bite in self.submitted
            for each in bite
        ]


class Owners:
    def __init__(self, *clients: str) -> None:
        self._clients = list(clients)

    def with_open_orders(self, security_id: str | None) -> list[str]:
        return self._clients

    def exists(self, client_id: str) -> bool:
        return client_id in self._clients


def cancel(log: Log, owners: Owners, request: MassCancelRequest) -> int:
    return MassCancelDesk(log, SECURITIES, owners).cancel(request, "boss")  # type: ignore[arg-type]


def test_one_clients_orders_are_canceled_on_every_shard() -> None:
    log = Log()
    assert cancel(log, Owners("ann", "bob"), MassCancelRequest(client_id="ann")) == 1
    assert log.commands() == [("ann", 0, None), ("ann", 1, None)]


def test_one_securitys_orders_are_canceled_on_its_shard_for_each_owner() -> None:
    log = Log()
    assert cancel(log, Owners("ann", "bob"), MassCancelRequest(security="OTHER")) == 2
    assert log.commands() == [("ann", 1, "OTHER"), ("bob", 1, "OTHER")]


def test_all_is_every_owner_on_every_shard() -> None:
    log = Log()
    assert cancel(log, Owners("ann", "bob"), MassCancelRequest(all=True)) == 2
    assert len(log.commands()) == 4


def test_a_cancel_of_many_clients_is_logged_in_commits_of_bounded_size() -> None:
    log = Log()
    owners = Owners(*(f"c{number}" for number in range(501)))
    assert cancel(log, owners, MassCancelRequest(security="ACME")) == 501
    assert [len(bite) for bite in log.submitted] == [200, 200, 101]


def test_a_full_log_ends_it_with_the_refusal() -> None:
    log = Log(refuses=1)
    owners = Owners(*(f"c{number}" for number in range(501)))
    with pytest.raises(Refused) as refused:
        cancel(log, owners, MassCancelRequest(security="ACME"))
    assert refused.value.refusal.reason is RejectReason.OVERLOADED
    assert len(log.submitted) == 1


@pytest.mark.parametrize(
    "request_",
    [
        MassCancelRequest(),
        MassCancelRequest(all=True, client_id="ann"),
        MassCancelRequest(all=True, security="ACME"),
    ],
)
def test_what_is_to_be_canceled_must_be_said_in_one_way(request_: MassCancelRequest) -> None:
    log = Log()
    with pytest.raises(Refused):
        cancel(log, Owners("ann"), request_)
    assert not log.submitted
