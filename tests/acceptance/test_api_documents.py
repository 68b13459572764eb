"""The three OpenAPI documents against the running services, with requests drawn by schemathesis.

A few examples of each operation in CI, always the same. A longer run by hand, on new ones:
`VENUE_API_EXAMPLES=500 ./venue test tests/acceptance/test_api_documents.py`.
"""

import os
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.openapi.checks import JsonSchemaError, UndefinedContentType, UndefinedStatusCode

from tests.acceptance.conftest import Administrator
from venue_launcher.running_venue import RunningVenue

_EXAMPLES = int(os.environ.get("VENUE_API_EXAMPLES", "2"))
_IS_BOUNDED = "VENUE_API_EXAMPLES" not in os.environ
_STOPPED = {503}
"""A service that is behind may say so; every other 5xx is a fault."""
_CHANGES_THE_DAY = "/v1/session"
"""An administrator's drawn phases would close the market for the other tests of this venue."""
_LOCKS_OUT = {"DELETE", "PUT"}
"""Drawn requests of an administrator would revoke keys and suspend clients of other tests."""


@pytest.mark.parametrize("service", ["gateway_url", "market_data_url", "clearinghouse_url"])
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_in_the_document_and_none_is_an_error_of_ours(
    venue: RunningVenue, administrator: Administrator, service: str, mode: GenerationMode
) -> None:
    url = getattr(venue, service)
    client = administrator.client("fuzz", role="market_maker", cash="1000000.00")
    keys = {"client": client.key, "administrator": venue.admin_key}
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found: list[str] = []
    for operation in (result.ok() for result in schema.get_all_operations()):
        for name, key in keys.items():
            if name == "administrator" and _harms_others(operation):
                continue
            found += _faults_of(operation, mode, key, url)
    assert found == [], "\n".join(found)


def _harms_others(operation: Any) -> bool:
    method = operation.method.upper()
    return method in _LOCKS_OUT or (method == "POST" and _CHANGES_THE_DAY in operation.full_path)


def _faults_of(operation: Any, mode: GenerationMode, key: str, url: str) -> list[str]:
    """What differs from the document in answers to drawn requests, one line each."""
    found: list[str] = []

    @settings(
        max_examples=_EXAMPLES,
        derandomize=_IS_BOUNDED,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        answer = case.call(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        said = f"{case.method} {case.formatted_path} {case.query} {case.body!r}"[:400]
        if answer.status_code >= 500 and answer.status_code not in _STOPPED:
            found.append(f"{answer.status_code} to {said}: {answer.text[:300]}")
        try:
            operation.validate_response(answer)
        except (Failure, FailureGroup) as failure:
            failures = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
            found.extend(
                f"{type(each).__name__} {answer.status_code} to {said}: {answer.text[:300]} {each}"
                for each in failures
                if isinstance(each, JsonSchemaError | UndefinedContentType | UndefinedStatusCode)
            )

    # An operation without parameters has no wrong requests to draw.
    with suppress(Unsatisfiable):
        ask()
    return found
