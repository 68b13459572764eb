"""Answers that contradict each other or should not be are kept as such; so the campaign can
fail.
"""

from typing import Any

from venue_chaos.evidence import Evidence
from venue_chaos.recoveries import Outages
from venue_chaos.retrying_client import code_of
from venue_chaos.subscriber import Subscriber

ORDER: dict[str, Any] = {"client_order_id": "o-1", "security": "AAPL", "side": "BUY", "quantity": 5}


def refusal(code: str) -> dict[str, Any]:
    return {"error": {"code": code}}


def test_the_same_answer_twice_is_no_contradiction() -> None:
    evidence = Evidence()
    assert evidence.order("alice", ORDER, {"order_id": 7}) == 7
    assert evidence.order("alice", ORDER, {"order_id": 7, "duplicate": True}) == 7
    assert evidence.contradictions == []


def test_another_order_id_for_the_same_name_is_a_contradiction() -> None:
    evidence = Evidence()
    evidence.order("alice", ORDER, {"order_id": 7})
    evidence.order("alice", ORDER, {"order_id": 8})
    assert "alice" in evidence.contradictions[0]


def test_accepted_and_then_refused_is_a_contradiction() -> None:
    evidence = Evidence()
    evidence.order("alice", ORDER, {"order_id": 7})
    assert evidence.order("alice", ORDER, refusal("risk.insufficient_funds")) is None
    assert "refused" in evidence.contradictions[0]


def test_a_fault_of_the_venue_is_a_contradiction_and_a_refusal_for_cause_is_not() -> None:
    evidence = Evidence()
    evidence.order("alice", ORDER, refusal("risk.insufficient_funds"))
    assert evidence.contradictions == []
    evidence.order("bob", ORDER, refusal("service.internal"))
    assert "service.internal" in evidence.contradictions[0]


def test_a_deposit_has_one_journal() -> None:
    evidence = Evidence()
    evidence.deposit("d-1", 4)
    evidence.deposit("d-1", 4)
    assert evidence.contradictions == []
    evidence.deposit("d-1", 5)
    assert "d-1" in evidence.contradictions[0]


def test_a_subscriber_names_what_it_missed_and_heard_twice() -> None:
    subscriber = Subscriber("http://127.0.0.1:1", "alice", "key")
    subscriber.heard = [1, 2, 4, 4]
    (fault,) = subscriber.faults(4)
    assert "missed [3]" in fault and "1 twice" in fault
    subscriber.heard = [1, 2, 3, 4]
    assert subscriber.faults(4) == []


def test_an_outage_of_something_else_spoils_a_recovery_and_its_own_does_not() -> None:
    outages = Outages()
    own = outages.begin("gateway")
    own.end()
    assert not outages.others_touch(own, own.began, own.ended + 1)
    other = outages.begin("broker")
    other.end()
    assert outages.others_touch(own, own.began, other.ended + 1)
    assert not outages.others_touch(own, other.ended + 1, other.ended + 2)
    assert not outages.others_touch(own, own.began, other.ended + 1, targets=["Postgres"])


def test_codes_are_found_in_error_answers_alone() -> None:
    assert code_of(refusal("service.not_ready")) == "service.not_ready"
    assert code_of({"order_id": 1}) is None
    assert code_of(None) is None


def test_a_refusal_for_the_phase_is_final_only_without_an_unanswered_copy() -> None:
    evidence = Evidence()
    evidence.order("alice", ORDER, refusal("session.closed"), is_only_copy=False)
    assert evidence.refused == {}
    evidence.order("bob", ORDER, refusal("session.closed"))
    evidence.order("carol", ORDER, refusal("risk.insufficient_funds"), is_only_copy=False)
    assert set(evidence.refused) == {("bob", "o-1"), ("carol", "o-1")}
    assert evidence.contradictions == []
