"""When each request is due, decided before anything is sent: a slow venue can't slow the question
down.
"""


class Schedule:
    """Requests at even distances from a start: number 0 at the start, the last before `seconds` are
    over.
    """

    def __init__(self, start_ns: int, requests_per_second: float, seconds: float) -> None:
        self.start_ns = start_ns
        self._step_ns = 1e9 / requests_per_second
        self.requests = max(1, int(requests_per_second * seconds))

    def due_ns(self, number: int) -> int:
        """When request `number` is due. Computed, not added up: no error piles up."""
        return self.start_ns + int(number * self._step_ns)

    @property
    def end_ns(self) -> int:
        """When the request after the last one would be due."""
        return self.due_ns(self.requests)
