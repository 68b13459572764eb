"""Orders of the clearinghouse: each is logged by the transaction that takes it, and so once."""

from collections.abc import Sequence

from order_entry_gateway.domain.coverage import Accepted, DoorState
from order_entry_gateway.domain.validation import Candidate, PlaceCandidate
from order_entry_gateway.ports import LogTransaction
from venue_protocol.commands import PlaceOrder
from venue_protocol.settlement import CLOSE_OUT


def lock(transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState) -> None:
    """Lock those of the batch that still wait, and note them in `state`."""
    names = {
        candidate.client_order_id
        for candidate in candidates
        if type(candidate) is PlaceCandidate and candidate.is_close_out
    }
    waiting = sorted(name for name in names if name is not None)
    if waiting:
        state.close_outs.update(transaction.lock_close_outs(waiting))


def remove(transaction: LogTransaction, fresh: Sequence[Accepted], state: DoorState) -> None:
    """What is logged waits no more; in the same transaction, so it is logged once."""
    logged = {
        accepted.command.client_order_id
        for accepted in fresh
        if type(accepted.command) is PlaceOrder and accepted.command.client_id == CLOSE_OUT
    }
    names = sorted(name for name in state.close_outs if name in logged)
    if names:
        transaction.remove_close_outs(names)
