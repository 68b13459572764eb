"""Faults of time: a gateway whose clock is far ahead or behind joins for a while."""

import signal
import sys
from random import Random

from venue_chaos.site import GATEWAY, Site
from venue_chaos.timetable import PlannedFault
from venue_launcher import ports, processes
from venue_launcher.processes import wait_until

_JUMPS_S = (86_400, -86_400, 3_600, -3_600, 90, -90)
"""A day or an hour: a wrong date or zone. A minute and a half: more than a clock service slews."""
_END_PATIENCE_S = 10.0


def join_skewed_gateway(site: Site, fault: PlannedFault) -> None:
    """A second gateway with another time commits what is due by its clock, then goes.

    Its log is beside those of the services.
    """
    ahead_s = Random(fault.dice).choice(_JUMPS_S)
    port, holder = ports.claim_free(site.skewed_port, "127.0.0.1")
    variables = dict(site.service(GATEWAY).environment) | {"VENUE_PORT": str(port)}
    with holder:
        gateway = processes.start(
            [sys.executable, "-P", "-m", "venue_chaos.skewed_gateway", str(ahead_s)],
            log=site.venue.state_dir / "logs" / "skewed_gateway.log",
            death_signal=signal.SIGKILL,
            environment=variables,
        )
        try:
            site.pause(fault.seconds)
        finally:
            processes.stop(gateway, signal.SIGTERM, _END_PATIENCE_S)
    wait_until(lambda: gateway.poll() is not None, _END_PATIENCE_S)
