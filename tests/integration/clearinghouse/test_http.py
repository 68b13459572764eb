"""The clearinghouse's HTTP on a real database: refusals, paging, the organiser's rescue."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.adapters.account_queries import ENTRIES
from clearinghouse.administration import require_listed
from migrations.provision import Provisioned
from service_runtime.settings import SettingsError
from tests.integration.clearinghouse.conftest import Door, numbers
from venue_protocol.events import EventBatch, OrderReduced, Trade
from venue_protocol.refusals import Refused, RejectReason

ROOT = Path(__file__).parents[3]


def test_shares_of_dollars_are_an_unknown_security(door: Door) -> None:
    """Row D2: one share of USD was credited as a ten-thousandth of a dollar."""
    ann = door.name("ann")
    door.ask("POST", "/v1/clients", {"client_id": ann}, 201)
    body = {"client_id": ann, "security": "USD", "shares": 1}
    refused = door.refused("POST", "/v1/deposits", body, 404, Idempotency_Key=ann)
    assert refused == "security.unknown security"
    more = {"client_id": door.name("x"), "role": "market_maker", "shares": {"USD": 5}}
    assert door.refused("POST", "/v1/clients", more, 404) == "security.unknown shares"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"lot": 1000, "max_quantity": 10}, "request.invalid_field max_quantity"),
        ({"lot": 100, "issued_shares": 1050}, "request.invalid_field issued_shares"),
        ({"name": "a" * 201}, "request.invalid_field name"),
        ({"tick": "0"}, "request.invalid_field tick"),
        ({"reference_price": "10.005"}, "request.invalid_field reference_price"),
        ({"band_bps": 10_001}, "request.invalid_field band_bps"),
        ({"security": "USD"}, "request.invalid_field security"),
    ],
)
def test_a_listing_that_nobody_can_trade_is_refused(
    door: Door, changes: dict[str, object], refused: str
) -> None:
    body = {"security": "ODD", "name": "Odd", "reference_price": "10.00"} | changes
    assert door.refused("POST", "/v1/securities", body, 400) == refused


def test_a_new_listing_has_a_band_of_ten_percent_unless_it_says_another(door: Door) -> None:
    for security, more in (("TEN", {}), ("WIDE", {"band_bps": 5000})):
        body = {"security": security, "name": "New", "reference_price": "10.00"} | more
        door.ask("POST", "/v1/securities", body, 201)
    bands = {
        row["security"]: row["band_bps"] for row in door.ask("GET", "/v1/securities")["securities"]
    }
    assert (bands["TEN"], bands["WIDE"]) == (1000, 5000)


def test_half_a_lot_is_given_to_nobody(door: Door) -> None:
    """It could never be sold: a sibling of row D9."""
    body = {"security": "HUN", "name": "H", "reference_price": "1.00", "lot": 100}
    door.ask("POST", "/v1/securities", body | {"issued_shares": 1000}, 201)
    ann = door.name("ann")
    door.ask("POST", "/v1/clients", {"client_id": ann}, 201)
    half = {"client_id": ann, "security": "HUN", "shares": 50}
    refused = door.refused("POST", "/v1/deposits", half, 422, Idempotency_Key=ann)
    assert refused == "quantity.off_lot shares"
    maker = {"client_id": door.name("m"), "role": "market_maker", "shares": {"HUN": 150}}
    assert door.refused("POST", "/v1/clients", maker, 422) == "quantity.off_lot shares"


def test_each_leg_of_the_ledger_comes_once_whatever_the_page(door: Door) -> None:
    """Row D3: a page that ended inside a journal lost the rest of it."""
    ann, bob = door.name("ann"), door.name("bob")
    door.ask("POST", "/v1/clients", {"client_id": ann}, 201)
    maker = {"client_id": bob, "role": "market_maker", "shares": {"AAPL": 100, "MSFT": 100}}
    door.ask("POST", "/v1/clients", maker, 201)
    shard = next(numbers)
    with door.database.transaction() as cursor:
        cursor.execute("UPDATE accounts SET held_e4 = 10000000 WHERE client_id = %s", (ann,))
        cursor.execute("UPDATE securities_deposits SET held = 10 WHERE client_id = %s", (bob,))
    trades = [
        Trade((shard << 40) + n, "AAPL", 1_000_000, 1, "BUY", 5, ann, 1_000_000, 0, 4, bob, 0)
        for n in range(1, 6)
    ]
    door.parts.desk.settle([EventBatch(1, shard, 1, 1, 1, 1, list(trades))])
    path = f"/v1/ledger-entries/{ann}"
    whole = door.ask("GET", path)["entries"]
    assert len(whole) == 1 + 2 * len(trades)
    assert len({(row["journal_id"], row["leg"]) for row in whole}) == len(whole)
    for limit in range(1, len(whole) + 1):
        assert door.everything(path, "entries", limit) == whole, f"pages of {limit}"
    third = whole[3]["journal_id"]
    assert door.ask("GET", f"{path}?after={third}")["entries"] == [
        row for row in whole if row["journal_id"] > third
    ]
    assert len(door.everything(f"/v1/ledger-entries/{bob}", "entries", 1)) == 2 + 2 * len(trades)


def test_a_page_of_the_ledger_looks_its_journals_up_by_their_key(door: Door) -> None:
    """It looked at each journal of the venue: 126 ms of 115,000, for any client and page."""
    values = {"client": "issuer", "journal": 5, "leg": 1, "first": 1, "failed": "x", "most": 101}
    with door.database.transaction() as cursor:
        # A table as small as this one's would be read whole in any case.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN (FORMAT JSON) " + ENTRIES, values)
        ((plan,),) = cursor.fetchall()
    nodes = list(nodes_of(plan[0]["Plan"]))
    of_journals = [node for node in nodes if node.get("Relation Name") == "journals"]
    assert of_journals and all("Index Cond" in node for node in of_journals), of_journals


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


def test_the_venues_own_accounts_show_every_leg_and_add_up(door: Door) -> None:
    """Bank, depository and clearinghouse get no reports, and their lists were empty."""
    ann, bob = door.name("ann"), door.name("bob")
    maker = {"role": "market_maker", "cash": "50.00", "shares": {"AAPL": 100}}
    for client_id in (ann, bob):
        door.ask("POST", "/v1/clients", maker | {"client_id": client_id}, 201)
    shard = next(numbers)
    with door.database.transaction() as cursor:
        cursor.execute("UPDATE accounts SET held_e4 = 20000 WHERE client_id = %s", (ann,))
        cursor.execute("UPDATE securities_deposits SET held = 2 WHERE client_id = %s", (bob,))
    trades = [
        Trade((shard << 40) + n, "AAPL", 10_000, 1, "BUY", 5, ann, 10_000, 0, 4, bob, 0)
        for n in range(1, 3)
    ]
    door.parts.desk.settle([EventBatch(1, shard, 1, 1, 1, 1, list(trades))])
    for account in ("bank", "depository", "issuer", "clearinghouse"):
        path = f"/v1/ledger-entries/{account}"
        rows = door.everything(path, "entries", 1_000)
        assert len(rows) >= 2, account
        assert sums_of(rows) == positions_of(door, account), account
        assert door.everything(path, "entries", 3) == rows, account
    last = door.everything("/v1/ledger-entries/clearinghouse", "entries", 1_000)[-8:]
    assert [row["trade_id"] for row in last] == [trades[0].trade_id] * 4 + [trades[1].trade_id] * 4


def sums_of(rows: list[dict[str, Any]]) -> dict[str, int]:
    """What the entries of an account add up to, by asset: ten-thousandths, or shares."""
    sums: dict[str, int] = {}
    for row in rows:
        is_cash = row["asset"] == "USD"
        amount = int(Decimal(row["amount"]) * 10_000) if is_cash else row["amount"]
        sums[row["asset"]] = sums.get(row["asset"], 0) + amount
    return {asset: amount for asset, amount in sums.items() if amount}


def positions_of(door: Door, account: str) -> dict[str, int]:
    """What an account has, by asset, where that is not zero."""
    with door.database.transaction() as cursor:
        cursor.execute(
            "SELECT 'USD', balance_e4 FROM accounts WHERE client_id = %(account)s"
            " UNION ALL SELECT security_id, quantity FROM securities_deposits"
            " WHERE client_id = %(account)s",
            {"account": account},
        )
        return {asset: amount for asset, amount in cursor if amount}


def test_a_batch_with_a_reduction_alone_is_settled(door: Door) -> None:
    """Row D13: its position was not among those locked, and the clearinghouse stopped."""
    ann = door.name("ann")
    door.ask("POST", "/v1/clients", {"client_id": ann}, 201)
    with door.database.transaction() as cursor:
        cursor.execute("UPDATE accounts SET held_e4 = 1000000 WHERE client_id = %s", (ann,))
    event = OrderReduced(5, ann, "AAPL", "BUY", 100_000, 4, 10, 6)
    door.parts.desk.settle([EventBatch(1, next(numbers), 1, 1, 1, 1, [event])])
    with door.database.transaction() as cursor:
        cursor.execute("SELECT held_e4 FROM accounts WHERE client_id = %s", (ann,))
        assert cursor.fetchone() == (600_000,)


@pytest.mark.parametrize(
    ("path", "name", "key"),
    [
        ("/v1/clients", "clients", "client_id"),
        ("/v1/securities", "securities", "security"),
        ("/v1/administrative-actions", "actions", "number"),
    ],
)
def test_every_list_pages_to_its_end(door: Door, path: str, name: str, key: str) -> None:
    whole = [row[key] for row in door.everything(path, name, 1000)]
    assert len(whole) > 3 and whole == sorted(set(whole))
    assert [row[key] for row in door.everything(path, name, 2)] == whole
    assert door.refused("GET", f"{path}?limit=1001", None, 400) == "request.invalid_field limit"


def test_a_suspended_client_reads_and_is_shown_with_its_reason(door: Door) -> None:
    ann = door.name("ann")
    key = door.ask("POST", "/v1/clients", {"client_id": ann}, 201)["api_key"]
    path = f"/v1/clients/{ann}/suspension"
    suspended = door.ask("PUT", path, {"reason": "trades with itself"})
    assert door.ask("PUT", path, {"reason": "another"}) == suspended
    (shown,) = [row for row in door.ask("GET", "/v1/clients")["clients"] if row["client_id"] == ann]
    assert shown["suspension_reason"] == "trades with itself"
    assert shown["suspended_us"] == suspended["suspended_us"]
    door.ask("GET", f"/v1/ledger-entries/{ann}", key=key)
    assert door.cancel_timers(ann) == 2
    assert door.ask("DELETE", path)["was_suspended"] is True
    assert door.ask("DELETE", path)["was_suspended"] is False
    assert door.cancel_timers(ann) == 0


def test_what_administrators_did_is_on_record_with_who_and_why(door: Door) -> None:
    ann = door.name("ann")
    door.ask("POST", "/v1/clients", {"client_id": ann}, 201)
    door.ask("PUT", f"/v1/clients/{ann}/suspension", {"reason": "painting"})
    door.ask("PATCH", f"/v1/clients/{ann}", {"rate_limit_per_second": 5})
    door.ask("PUT", f"/v1/clients/{ann}/keys")
    body = {"client_id": ann, "cash": "5.00"}
    for status in (201, 200):
        door.ask("POST", "/v1/deposits", body, status, Idempotency_Key=f"of {ann}")
    rows = door.ask("GET", f"/v1/administrative-actions?client_id={ann}")["actions"]
    assert [row["action"] for row in rows] == [
        "create_client",
        "suspend",
        "set_rate_limit",
        "rotate_keys",
        "deposit",
    ]
    assert rows[1]["reason"] == "painting"
    assert rows[2]["details"] == {"before": None, "after": 5}
    assert {row["administrator"][:4] for row in rows} == {"boss"}


@pytest.mark.parametrize("client_id", ["%00", "a%20b", "", "x" * 65])
def test_a_text_that_names_no_client_is_refused_in_the_record(door: Door, client_id: str) -> None:
    refused = door.refused("GET", f"/v1/administrative-actions?client_id={client_id}", None, 404)
    assert refused == "client.unknown client_id"


def test_a_rotated_key_replaces_all_others(door: Door) -> None:
    ann = door.name("ann")
    old = door.ask("POST", "/v1/clients", {"client_id": ann}, 201)["api_key"]
    new = door.ask("PUT", f"/v1/clients/{ann}/keys")["api_key"]
    door.ask("GET", f"/v1/ledger-entries/{ann}", key=new)
    door.ask("GET", f"/v1/ledger-entries/{ann}", status=401, key=old)


def test_the_rescue_is_for_administrators_alone(door: Door) -> None:
    ann = door.name("ann")
    key = door.ask("POST", "/v1/clients", {"client_id": ann}, 201)["api_key"]
    for method, path, body in (
        ("PUT", f"/v1/clients/{ann}/suspension", {}),
        ("DELETE", f"/v1/clients/{ann}/suspension", None),
        ("PUT", f"/v1/clients/{ann}/keys", None),
        ("PATCH", f"/v1/clients/{ann}", {"rate_limit_per_second": 5}),
        ("GET", "/v1/administrative-actions", None),
    ):
        assert door.refused(method, path, body, 403, key=key) == "auth.forbidden None"
        assert door.refused(method, path, body, 401, key="no key") == "auth.key_invalid None"


def test_the_last_administrator_keeps_its_key(provisioned: Provisioned, door: Door) -> None:
    """Row D10: locked out for good."""
    with door.database.transaction() as cursor:
        cursor.execute(
            "UPDATE api_keys SET revoked_us = 1 FROM clients WHERE role = 'administrator'"
            " AND clients.client_id = api_keys.client_id"
        )
    deputy, last = door.name("deputy"), door.name("last")
    first = door.parts.administration.create_client(deputy, "administrator")
    second = door.parts.administration.create_client(last, "administrator")
    door.ask("DELETE", f"/v1/clients/{deputy}/keys", key=first)
    refused = door.refused("DELETE", f"/v1/clients/{last}/keys", None, 409, key=second)
    assert refused == "client.last_administrator client_id"
    door.key = second


def test_administrators_who_suspend_each_other_at_once_leave_one_and_meet_no_fault(
    door: Door,
) -> None:
    """Locked one after the other, both waited until Postgres ended one of them: 503."""
    clients = door.parts.clients
    ours = {door.name("deputy"), door.name("deputy")}
    for client_id in ours:
        door.parts.administration.create_client(client_id, "administrator")
    with door.database.transaction() as cursor:
        cursor.execute(
            "UPDATE clients SET suspended_us = 1 WHERE role = 'administrator' AND client_id <> ALL"
            " (%s)",
            (list(ours),),
        )

    def suspend(client_id: str) -> bool:
        try:
            clients.suspend(client_id)
        except Refused as refused:
            assert refused.refusal.reason is RejectReason.LAST_ADMINISTRATOR
            return False
        return True

    try:
        for _ in range(20):
            with ThreadPoolExecutor(2) as pool:
                assert sorted(pool.map(suspend, ours)) == [False, True]
            for client_id in ours:
                clients.resume(client_id)
    finally:
        with door.database.transaction() as cursor:
            cursor.execute("UPDATE clients SET suspended_us = NULL WHERE suspended_us = 1")


@pytest.mark.parametrize("text", ["NOPE:5", "HUNDRED:150"])
def test_an_endowment_that_can_not_be_given_is_refused_at_the_start(door: Door, text: str) -> None:
    if text.startswith("HUNDRED"):
        body = {"security": "HUNDRED", "name": "H", "reference_price": "1.00", "lot": 100}
        door.ask("POST", "/v1/securities", body, 201)
    name, _, quantity = text.partition(":")
    with pytest.raises(SettingsError, match=text):
        require_listed(door.store, {name: int(quantity)})


@pytest.mark.parametrize("part", ["USD:10000", "AAPL:²", "AAPL:20", ":5"])
def test_a_malformed_endowment_ends_the_start_in_a_sentence(part: str) -> None:
    text = "AAPL:10,AAPL:20" if part == "AAPL:20" else part
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "clearinghouse"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "VENUE_ENDOWMENT": text},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "VENUE_ENDOWMENT" in ended.stderr and part in ended.stderr
    assert "Traceback" not in ended.stderr
