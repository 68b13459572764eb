"""The console's commands use the administrator's key of now, not that of the start."""

import os
from pathlib import Path

from venue_launcher import running_venue, services, state_file
from venue_launcher.processes import identify
from venue_launcher.state_file import VenueState


def test_a_key_that_was_rotated_is_the_one_that_commands_use(tmp_path: Path) -> None:
    ours = identify(os.getpid())
    assert ours is not None
    addresses = {service.name: "http://127.0.0.1:1" for service in services.STOP_ORDER}
    state = VenueState(
        ours.pid, ours.started, is_ready=True, admin_key="vk_first", addresses=addresses
    )
    state_file.write(tmp_path, state)
    assert running_venue.attach(tmp_path).admin_key == "vk_first"
    state_file.keep_administrator_key(tmp_path, "vk_second")
    # A launcher that writes its state again still knows the first key.
    state_file.write(tmp_path, state)
    assert running_venue.attach(tmp_path).admin_key == "vk_second"
    assert (tmp_path / "admin.key").stat().st_mode & 0o777 == 0o600
