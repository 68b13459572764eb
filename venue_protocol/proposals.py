"""Proposals: what the clearinghouse does only when a second person consents.

An administrator proposes to bust or correct a trade, to fine a client or to move something that
went to the wrong account; a client asks to take its own cash or shares out. Nothing moves before
somebody else, an administrator, consents.
"""

from typing import Literal

import msgspec

ProposalStatus = Literal["open", "done", "declined", "canceled"]
"""open: nobody decided yet. done: consented, and done. declined: by an administrator. canceled: by
whoever proposed it.
"""


class _Proposed(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """The shape that all of them share."""


class TradeBust(_Proposed, frozen=True, tag="bust"):
    """Undo a settled trade: cash, shares and fees go back."""

    trade_id: int


class TradeCorrection(_Proposed, frozen=True, tag="correction"):
    """Settle a trade at another price or quantity; the difference moves."""

    trade_id: int
    price_e4: int | None = None
    """Ten-thousandths of a dollar, > 0; None: as it is."""
    quantity: int | None = None
    """Shares, > 0; None: as it is."""


class Fine(_Proposed, frozen=True, tag="fine"):
    """Take cash from a client, into the venue's account of fines and fees."""

    client_id: str
    cash_e4: int
    """Ten-thousandths of a dollar, > 0."""


class Withdrawal(_Proposed, frozen=True, tag="withdrawal"):
    """Pay a client's cash out, or give its shares back to the issuer."""

    client_id: str
    asset: str
    """Cash, or a security."""
    amount: int
    """Ten-thousandths of a dollar or shares, > 0."""


Proposed = TradeBust | TradeCorrection | Fine | Withdrawal
ProposalKind = Literal["bust", "correction", "fine", "withdrawal"]
PROPOSAL_KINDS = ("bust", "correction", "fine", "withdrawal")

_decoder = msgspec.json.Decoder(Proposed)


def encode(proposed: Proposed) -> str:
    """The JSON that a proposal is stored as."""
    return msgspec.json.encode(proposed).decode()


def decode(text: str) -> Proposed:
    """What a stored proposal says; msgspec.MsgspecError if it is none."""
    found: Proposed = _decoder.decode(text)
    return found


def kind_of(proposed: Proposed) -> ProposalKind:
    """What a proposal is called."""
    return KINDS[type(proposed)]


KINDS: dict[type, ProposalKind] = {
    TradeBust: "bust",
    TradeCorrection: "correction",
    Fine: "fine",
    Withdrawal: "withdrawal",
}


def journal_reference(proposed: Proposed, proposal_id: int) -> str:
    """What the journal of a proposal is known by, so that it is done once.

    A bust is known by its trade: whatever happens, a trade is busted at most once.
    """
    if isinstance(proposed, TradeBust):
        return f"bust:{proposed.trade_id}"
    return f"proposal:{proposal_id}"
