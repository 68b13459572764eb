"""A client of the feed that stays subscribed through everything, and must miss nothing and hear
nothing twice.
"""

import threading

from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.stream import Stream

_TURN_S = 0.5


class Subscriber:
    """Follows one client's settlement reports with the bots' own library, from the first on."""

    def __init__(self, market_data_url: str, client_id: str, api_key: str) -> None:
        self.client_id = client_id
        self.heard: list[int] = []
        """client_sequence of each report, as they came."""
        self.refusals: list[str] = []
        self._stream = Stream(market_data_url, api_key)
        self._stream.subscribe("settlements", resume_from=0)

    def listen(self, stopping: threading.Event) -> None:
        """Listen until stopping."""
        while not stopping.is_set():
            try:
                message = self._stream.receive(_TURN_S)
            except VenueUnavailable:
                continue
            except Refused as refused:
                self.refusals.append(str(refused))
                return
            if message is not None:
                self.heard.append(int(message["client_sequence"]))
        self._stream.close()

    def faults(self, reports: int) -> list[str]:
        """What was missed, heard twice or refused, when the client has `reports` settlement
        reports.
        """
        faults = [
            f"the feed's subscriber {self.client_id} was refused: {refusal}"
            for refusal in self.refusals
        ]
        if self.heard != list(range(1, reports + 1)):
            missed = sorted(set(range(1, reports + 1)) - set(self.heard))[:5]
            faults.append(
                f"the feed's subscriber {self.client_id} heard {len(self.heard)} of {reports} "
                "settlement reports, "
                f"missed {missed or 'none'}, {len(self.heard) - len(set(self.heard))} twice"
            )
        return faults
