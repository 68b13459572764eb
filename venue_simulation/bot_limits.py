"""What a bot may do: the first limit that it breaks, in words."""

from venue_protocol.money import format_e4, parse_e4
from venue_simulation.seat import Seat
from venue_simulation.timeline import SECOND_US
from venue_storage.memory_clearing_data import DepositRow


def broken_by_commands(seat: Seat, commands: int, now_us: int) -> str | None:
    """After so many commands have arrived; None while the limit holds."""
    most = seat.spec.limits.commands_per_second
    if most is None:
        return None
    times = seat.command_times
    times.extend([now_us] * commands)
    while times and times[0] <= now_us - SECOND_US:
        times.popleft()
    return (
        f"limit: {len(times)} commands in a second, {most} allowed" if len(times) > most else None
    )


def broken_by_orders(seat: Seat) -> str | None:
    """After its open orders have changed."""
    most = seat.spec.limits.open_orders
    if most is None or seat.open_orders <= most:
        return None
    return f"limit: {seat.open_orders} open orders, {most} allowed"


def broken_by_position(seat: Seat, security: str, row: DepositRow) -> str | None:
    """After its shares of a security have changed."""
    most = seat.spec.limits.position
    held = row.quantity - seat.spec.shares.get(security, 0)
    if most is None or abs(held) <= most:
        return None
    return f"limit: position {held} in {security}, {most} allowed"


def broken_by_loss(seat: Seat, equity_e4: int) -> str | None:
    """After its equity has changed."""
    most = seat.spec.limits.loss
    if most is None or seat.start_e4 - equity_e4 <= parse_e4(most):
        return None
    return f"limit: loss of {format_e4(seat.start_e4 - equity_e4)}, {most} allowed"
