"""The tables of the fee schedule, in memory."""

from venue_protocol.fee_schedule import NO_FEES, FeeRow, FeeSchedule


class FeeTables:
    """Rows of `fee_schedule` and `fee_tiers`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], FeeRow] = {}
        """By security and tier."""
        self.tiers: dict[str, str] = {}
        """By client_id, of those that are not in the standard tier."""

    def schedule(self) -> FeeSchedule:
        """The schedule as it stands."""
        return FeeSchedule(self.rows.values(), self.tiers) if self.rows else NO_FEES
