"""What a client may send: orders, what can't be read, and reads count alike."""

import pytest
import requests

from tests.acceptance.api import Client, code_of
from tests.acceptance.conftest import Administrator

RATE = 10
AT_ONCE = 5 * RATE


def slow(administrator: Administrator) -> Client:
    """A client with ten commands a second."""
    return administrator.client("slow", rate_limit_per_second=RATE)


def is_limited(answer: requests.Response) -> bool:
    limited = answer.status_code == 429
    assert not limited or (code_of(answer) == "rate.limited" and "Retry-After" in answer.headers)
    return limited


def orders(security: str, count: int) -> list[dict[str, object]]:
    order = {"security": security, "side": "BUY", "type": "limit", "quantity": 1, "price": "99"}
    return [order] * count


def test_a_list_above_five_seconds_worth_is_worked_off(
    administrator: Administrator, security: str
) -> None:
    client = slow(administrator)
    first = client.gateway("POST", "/v1/orders", json=orders(security, 3 * AT_ONCE))
    assert first.status_code == 200 and len(first.json()["results"]) == 3 * AT_ONCE
    again = client.gateway("POST", "/v1/orders", json=orders(security, AT_ONCE + 1))
    assert is_limited(again) and int(again.headers["Retry-After"]) > 9
    assert is_limited(client.gateway("POST", "/v1/orders", json=orders(security, 1)[0]))


def test_what_can_not_be_read_counts_against_the_rate(administrator: Administrator) -> None:
    client = slow(administrator)
    garbage = b"[" + b" " * (20 * 4_096)
    answers = [client.gateway("POST", "/v1/orders", data=garbage) for _ in range(4)]
    assert [answer.status_code for answer in answers[:2]] == [400, 400]
    assert is_limited(answers[3])


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/session"])
def test_reads_count_against_the_rate(administrator: Administrator, path: str) -> None:
    client = slow(administrator)
    answers = [client.gateway("GET", path) for _ in range(AT_ONCE + 3 * RATE)]
    assert answers[0].status_code == 200
    assert any(map(is_limited, answers))


def test_another_clients_rate_is_its_own(administrator: Administrator, security: str) -> None:
    busy, other = slow(administrator), slow(administrator)
    assert busy.gateway("POST", "/v1/orders", json=orders(security, 1_000)).status_code == 200
    assert other.placed("BUY", 1, "99", security)
