"""A recovery whose watch dies is no recovery: it is told, with the traceback."""

from typing import Any

from venue_chaos.recoveries import Outages, Recoveries


class SiteOfReadyServices:
    """All services are ready at once; the first process of a service is not known."""

    def service(self, name: str) -> Any:
        return self

    def readiness(self) -> None:
        return None

    def pid(self, name: str) -> None:
        return None


class Probe:
    """Its first trade after any time came through; or its record is broken."""

    def __init__(self, is_broken: bool) -> None:
        self._is_broken = is_broken

    def first_through(self, since: float) -> float:
        if self._is_broken:
            raise LookupError("no trade has this number")
        return since + 2.0


def watched(is_broken: bool) -> tuple[Recoveries, list[str]]:
    """What a watch of one kill found, and its failures."""
    outages, site = Outages(), SiteOfReadyServices()
    recoveries = Recoveries(site, Probe(is_broken), outages)  # type: ignore[arg-type]
    outage = outages.begin("clearinghouse")
    outage.end()
    recoveries.watch("service killed", "clearinghouse", ["clearinghouse"], outage.began, outage)
    return recoveries, recoveries.join()


def test_a_recovery_is_noted() -> None:
    recoveries, failures = watched(is_broken=False)
    (found,) = recoveries.found
    assert failures == [] and found.through_s == 2.0 and found.ready_s is not None


def test_a_watch_that_dies_is_a_failure_of_the_campaign_with_its_traceback() -> None:
    recoveries, (failure,) = watched(is_broken=True)
    assert recoveries.found == []
    assert failure.startswith(
        "the campaign itself failed in the recovery from service killed of clearinghouse:\n"
    )
    assert "Traceback" in failure and "LookupError: no trade has this number" in failure
