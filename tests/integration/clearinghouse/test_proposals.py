"""Busts, corrections and withdrawals over HTTP on a real database: two people, once, all or
nothing.
"""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest

from clearinghouse.handlers import SettlementDesk
from clearinghouse.proposal_desk import ProposalDesk
from service_runtime.clock import ManualClock
from tests.integration.clearinghouse.conftest import Door
from tests.integration.clearinghouse.parties import Parties, code


@pytest.fixture
def parties(door: Door) -> Parties:
    return Parties(door)


def test_a_bust_puts_everything_back_and_tells_both_sides(parties: Parties) -> None:
    before = parties.standing()
    trade_id = parties.trade()
    assert parties.standing() == {"buyer": (5_000_000, 10), "seller": (5_000_000, 90)}
    proposal = parties.propose({"kind": "bust", "trade_id": trade_id})
    assert (proposal["status"], proposal["journal_id"]) == ("open", None)
    assert parties.standing()["buyer"] == (5_000_000, 10)
    done = parties.consent(proposal)
    assert (done["status"], done["decided_by"]) == ("done", parties.second)
    assert parties.standing() == before
    bought, sold = parties.reports()[-2:]
    assert (bought.settlement_kind, bought.side, bought.trade_id) == ("bust", "BUY", trade_id)
    assert (bought.cash_e4, bought.shares, bought.balance_e4) == (5_000_000, -10, 10_000_000)
    assert (sold.cash_e4, sold.shares, sold.holding) == (-5_000_000, 10, 100)
    assert (bought.order_id, sold.order_id, bought.price_e4, sold.quantity) == (5, 4, 500_000, 10)
    assert bought.memo == f"bust of trade {trade_id}: erroneous price"


def test_a_correction_of_the_price_moves_the_difference(parties: Parties) -> None:
    trade_id = parties.trade()
    body = {"kind": "correction", "trade_id": trade_id, "price": "45.00"}
    parties.consent(parties.propose(body))
    assert parties.standing() == {"buyer": (5_500_000, 10), "seller": (4_500_000, 90)}
    body = {"kind": "correction", "trade_id": trade_id, "quantity": 8}
    parties.consent(parties.propose(body))
    assert parties.standing() == {"buyer": (6_400_000, 8), "seller": (3_600_000, 92)}
    bought = parties.reports()[-2]
    assert (bought.settlement_kind, bought.price_e4, bought.quantity) == ("correction", 450_000, 8)
    parties.consent(parties.propose({"kind": "bust", "trade_id": trade_id}))
    assert parties.standing() == {"buyer": (10_000_000, 0), "seller": (0, 100)}


def test_who_proposed_can_not_consent_not_even_with_another_key(parties: Parties) -> None:
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    refused = parties.consent(proposal, 403, by=parties.boss)
    assert code(refused) == "proposal.second_person_required"
    key = parties.door.ask("POST", f"/v1/clients/{parties.boss}/keys", None, 201)["api_key"]
    parties.keys["another"] = key
    assert code(parties.consent(proposal, 403, by="another")) == "proposal.second_person_required"
    assert parties.standing()["buyer"] == (5_000_000, 10)


def test_a_trader_can_neither_propose_nor_consent(parties: Parties) -> None:
    body = {"kind": "bust", "trade_id": parties.trade()}
    assert code(parties.propose(body, 403, by=parties.buyer)) == "auth.forbidden"
    assert code(parties.consent(parties.propose(body), 403, by=parties.buyer)) == "auth.forbidden"


def test_a_suspended_administrator_can_not_consent(parties: Parties) -> None:
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    parties.door.ask("PUT", f"/v1/clients/{parties.second}/suspension", {})
    assert code(parties.consent(proposal, 403)) == "client.suspended"


def test_the_same_consent_again_gives_the_first_answer(parties: Parties) -> None:
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    first = parties.consent(proposal)
    again = parties.consent(proposal)
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert first | {"duplicate": True} == again
    refused = parties.consent(proposal, 409, by=parties.boss)
    assert code(refused) == "proposal.already_decided"


def test_twenty_consents_at_once_do_it_once(parties: Parties) -> None:
    before = parties.standing()
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    number = proposal["proposal_id"]
    with ThreadPoolExecutor(20) as threads:
        answers = list(
            threads.map(
                lambda _: parties.door.parts.proposals.consent(number, parties.second), range(20)
            )
        )
    assert sum(not answer.is_duplicate for answer in answers) == 1
    assert len({answer.proposal.journal_id for answer in answers}) == 1
    assert parties.standing() == before


def test_consents_by_two_clearinghouses_at_once_do_it_once(parties: Parties) -> None:
    """No lock of a process helps here: the rows in the database do."""
    before, door = parties.standing(), parties.door
    desks = [
        ProposalDesk(
            SettlementDesk(door.store, door.bus.publisher(), threading.Event()), ManualClock()
        )
        for _ in range(2)
    ]
    for _ in range(5):
        number = parties.propose({"kind": "bust", "trade_id": parties.trade()})["proposal_id"]
        with ThreadPoolExecutor(2) as threads:
            answers = list(
                threads.map(ProposalDesk.consent, desks, [number] * 2, [parties.second] * 2)
            )
        assert sorted(answer.is_duplicate for answer in answers) == [False, True]
        assert parties.standing() == before


def test_one_trade_has_one_open_proposal_and_one_bust(parties: Parties) -> None:
    body = {"kind": "bust", "trade_id": parties.trade()}
    first = parties.propose(body)
    assert code(parties.propose(body, 409, by=parties.second)) == "proposal.exists"
    parties.consent(first)
    assert code(parties.propose(body, 409)) == "trade.already_busted"
    corrected = body | {"kind": "correction", "price": "1.00"}
    assert code(parties.propose(corrected, 409)) == "trade.already_busted"


def test_ten_administrators_who_propose_one_bust_at_once_make_one_proposal(
    parties: Parties,
) -> None:
    body = {"kind": "bust", "trade_id": parties.trade(), "reason": "twice"}
    statuses: list[int] = []

    def propose(_: int) -> None:
        answer = parties.door.client.application.test_client().post(
            "/v1/proposals",
            json=body,
            headers={
                "Authorization": f"Bearer {parties.keys[parties.boss]}",
                "Idempotency-Key": secrets.token_hex(8),
            },
        )
        statuses.append(answer.status_code)

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(propose, range(10)))
    assert sorted(statuses) == [201] + [409] * 9


def test_a_bust_of_shares_that_are_sold_says_who_lacks_what(parties: Parties) -> None:
    trade_id = parties.trade()
    withdrawal = {"client_id": parties.buyer, "security": "AAPL", "shares": 4}
    parties.door.ask(
        "POST", "/v1/withdrawals", withdrawal, 201, Idempotency_Key="sold" + str(trade_id)
    )
    before = parties.standing()
    proposal = parties.propose({"kind": "bust", "trade_id": trade_id})
    refused = parties.consent(proposal, 422)
    assert code(refused) == "risk.insufficient_shares"
    assert refused["error"]["details"] == {"client_id": parties.buyer, "asset": "AAPL"}
    assert parties.standing() == before
    shown = parties.door.ask("GET", f"/v1/proposals/{proposal['proposal_id']}")
    assert shown["status"] == "open"
    parties.door.ask(
        "POST", "/v1/deposits", withdrawal, 201, Idempotency_Key="back" + str(trade_id)
    )
    assert parties.consent(proposal)["status"] == "done"


def test_a_bust_never_takes_what_an_order_holds(parties: Parties) -> None:
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    with parties.door.database.transaction() as cursor:
        cursor.execute("UPDATE accounts SET held_e4 = 1 WHERE client_id = %s", (parties.seller,))
    assert code(parties.consent(proposal, 422)) == "risk.insufficient_funds"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"kind": "bust", "trade_id": 12_345_678}, 404, "trade.unknown"),
        ({"kind": "bust", "trade_id": 0}, 404, "trade.unknown"),
        ({"kind": "bust", "trade_id": 1 << 80}, 404, "trade.unknown"),
        ({"kind": "bust"}, 400, "request.missing_field"),
        ({"kind": "bust", "trade_id": 1, "price": "1.00"}, 400, "request.invalid_field"),
        ({"kind": "bust", "trade_id": 1, "reason": ""}, 400, "request.invalid_field"),
        ({"kind": "bust", "trade_id": 1, "reason": "x" * 201}, 400, "request.invalid_field"),
        ({"kind": "gift", "trade_id": 1}, 400, "request.invalid_field"),
    ],
)
def test_what_can_not_be_proposed_is_refused(
    parties: Parties, body: dict[str, Any], status: int, told: str
) -> None:
    assert code(parties.propose(body, status)) == told


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, 422, "trade.correction_changes_nothing"),
        ({"price": "50.00", "quantity": 10}, 422, "trade.correction_changes_nothing"),
        ({"price": "0.00"}, 422, "price.not_positive"),
        ({"price": "-1.00"}, 422, "price.not_positive"),
        ({"quantity": 0}, 422, "quantity.not_positive"),
        ({"price": "100000000000000.00"}, 400, "request.invalid_field"),
        ({"quantity": 10**15}, 400, "request.invalid_field"),
    ],
)
def test_what_is_no_correction_is_refused(
    parties: Parties, change: dict[str, Any], status: int, told: str
) -> None:
    body = {"kind": "correction", "trade_id": parties.trade()} | change
    assert code(parties.propose(body, status)) == told


def test_a_trade_is_corrected_twenty_times_at_most(parties: Parties) -> None:
    trade_id = parties.trade()
    for cents in range(1, 21):
        body = {"kind": "correction", "trade_id": trade_id, "price": f"50.{cents:02}"}
        parties.consent(parties.propose(body))
    body = {"kind": "correction", "trade_id": trade_id, "price": "50.21"}
    assert code(parties.propose(body, 429)) == "proposal.too_many"
    parties.consent(parties.propose({"kind": "bust", "trade_id": trade_id}))
    assert parties.standing() == {"buyer": (10_000_000, 0), "seller": (0, 100)}


def test_a_declined_proposal_is_over_and_another_may_be_made(parties: Parties) -> None:
    body = {"kind": "bust", "trade_id": parties.trade()}
    proposal = parties.propose(body)
    path = f"/v1/proposals/{proposal['proposal_id']}/decline"
    declined = parties.door.ask(
        "POST", path, {"reason": "the price was good"}, key=parties.keys[parties.second]
    )
    assert (declined["status"], declined["decision_reason"]) == ("declined", "the price was good")
    assert code(parties.consent(proposal, 409)) == "proposal.already_decided"
    again = parties.propose(body)
    path = f"/v1/proposals/{again['proposal_id']}/decline"
    own = parties.door.ask("POST", path, {}, key=parties.keys[parties.boss])
    assert own["status"] == "canceled"


def test_the_same_key_proposes_once_and_never_something_else(parties: Parties) -> None:
    body = {"kind": "bust", "trade_id": parties.trade(), "reason": "why"}
    sent = {"key": parties.keys[parties.boss], "Idempotency_Key": "one"}
    first = parties.door.ask("POST", "/v1/proposals", body, 201, **sent)
    again = parties.door.ask("POST", "/v1/proposals", body, 200, **sent)
    assert again == first | {"duplicate": True}
    other = parties.door.ask("POST", "/v1/proposals", body | {"reason": "else"}, 409, **sent)
    assert code(other) == "request.idempotency_key_reused"
    without = parties.door.ask("POST", "/v1/proposals", body, 400, key=sent["key"])
    assert code(without) == "request.missing_field"


def test_the_database_refuses_a_consent_of_the_proposer_and_a_second_decision(
    parties: Parties,
) -> None:
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    number = proposal["proposal_id"]
    with (
        pytest.raises(psycopg2.errors.CheckViolation),
        parties.door.database.transaction() as cursor,
    ):
        cursor.execute(
            "UPDATE proposals SET status = 'done', decided_by = proposed_by, decided_us = 1,"
            " journal_id = 1 WHERE proposal_id = %s",
            (number,),
        )
    parties.consent(proposal)
    with (
        pytest.raises(psycopg2.errors.RaiseException),
        parties.door.database.transaction() as cursor,
    ):
        cursor.execute("UPDATE proposals SET decided_us = 1 WHERE proposal_id = %s", (number,))


class Killed(Exception):
    """The process ends here."""


def test_a_kill_between_commit_and_publish_loses_no_report(
    parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not published stands in the table that the feed heals its gaps from, and the same
    consent after the restart does nothing again.
    """
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    desk = parties.door.parts.desk

    def die(settlement: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(desk, "_publish", die)
        with pytest.raises(Killed):
            parties.door.parts.proposals.consent(proposal["proposal_id"], parties.second)
    assert [report.settlement_kind for report in parties.reports()[-2:]] == ["bust", "bust"]
    again = parties.consent(proposal)
    assert again["duplicate"]
    assert parties.standing() == {"buyer": (10_000_000, 0), "seller": (0, 100)}


def test_a_kill_before_the_commit_leaves_the_proposal_open(
    parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = parties.propose({"kind": "bust", "trade_id": parties.trade()})
    before = parties.standing()

    def die(self: object, row: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("clearinghouse.adapters.proposal_store.PostgresProposals.decide", die)
        with pytest.raises(Killed):
            parties.door.parts.proposals.consent(proposal["proposal_id"], parties.second)
    assert parties.standing() == before
    assert not parties.consent(proposal)["duplicate"]
