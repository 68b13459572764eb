"""Which names the engine looks up."""

from typing import cast

from matching_engine.adapters.security_list import SecurityList
from service_runtime.database import Database


def test_what_is_no_name_is_not_asked_for() -> None:
    nowhere = cast(Database, None)
    assert not SecurityList(nowhere, 0).has("A\0")
