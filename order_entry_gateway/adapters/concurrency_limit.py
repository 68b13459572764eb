"""Long lists take turns, so that a single order that comes beside them is not the last of two
hundred to be read.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from venue_protocol.refusals import Refusal, Refused, RejectReason

AT_A_TIME = 4
"""More would only contend for the interpreter: reading and writing JSON waits for nothing else."""
SHORT_BYTES = 4_096
"""Up to here, about 25 orders, a request is read on the loop: some 100 µs. Longer ones would hold
up everybody's, so they are read in threads.
"""
_PATIENCE_S = 1.0


class ListTurns:
    """Few long lists at a time are read, and few answered; who is answered waits for nobody who
    comes.
    """

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._reading = asyncio.Semaphore(AT_A_TIME)
        self._writing = asyncio.Semaphore(AT_A_TIME)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """A turn to read a list; Refused when it does not come in time, with nothing done."""
        try:
            await asyncio.wait_for(self._reading.acquire(), self._patience_s)
        except TimeoutError:
            message = "too many lists wait at the door, nothing was done"
            raise Refused(Refusal(RejectReason.OVERLOADED, message)) from None
        try:
            yield
        finally:
            self._reading.release()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """A turn to write the answer to a list, however long it takes."""
        async with self._writing:
            yield
