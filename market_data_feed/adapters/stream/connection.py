"""One connection's conversation: who it is, what it wants to hear. A bad frame gets an error, not a
disconnect.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from market_data_feed.adapters.stream.catch_up import RESUMABLE, CatchUp, InThread
from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.adapters.stream.subscriber import KEY_REVOKED, Subscriber
from market_data_feed.adapters.stream.topics import PRIVATE, PUBLIC, TopicKey
from market_data_feed.domain.stream_budget import BudgetLimits, replay_cost, snapshot_cost
from service_runtime.database import DatabaseUnavailable
from service_runtime.http.answers import error_body
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.http.request_body import decode_strictly
from venue_protocol.refusals import Refusal, Refused, RejectReason, refuse
from venue_storage.listed_securities import ListedSecurities

log = logging.getLogger(__name__)

LONGEST_WAIT_S = BudgetLimits().longest_wait_s
_CHECK_KEY_S = 5.0
_MOST_SEQUENCE = 2**53


class _Action(
    msgspec.Struct, frozen=True, tag_field="action", forbid_unknown_fields=True, kw_only=True
):
    """A frame of the client. `id` comes back in the answer."""

    id: str | int | None = None


class Authenticate(_Action, frozen=True, tag="authenticate", kw_only=True):
    """Show a key, for the private channels."""

    key: str


class Subscribe(_Action, frozen=True, tag="subscribe", kw_only=True):
    """Hear a channel. `resume_from`: the last sequence already seen."""

    channel: str
    security: str | None = None
    resume_from: int | None = None


class Unsubscribe(_Action, frozen=True, tag="unsubscribe", kw_only=True):
    """Hear a channel no more."""

    channel: str
    security: str | None = None


_decoder = msgspec.json.Decoder(Authenticate | Subscribe | Unsubscribe)


@dataclass(frozen=True, kw_only=True)
class StreamParts:
    """What all sessions share."""

    hub: Hub
    catch_up: CatchUp
    listings: ListedSecurities
    authenticator: Authenticator
    charge: Callable[[str, int], float]
    """Charges tokens to a payer (domain/stream_budget.py); the seconds until they are paid."""


class Session:
    """The client's side of one stream: what it says is answered, one frame at a time.

    The transport calls `answer` for each frame of the client, in the order they came and never two
    at once, in a thread (it reads the database), and not before the client has read most of what
    waits for it. Then it runs `catch_up`, on the loop, and reads nothing for `pause_s` seconds, so
    that a client that asks for much is slowed by its own socket. It calls `check_key` about every
    half a second, also while the client is silent, and `Hub.leave` once the stream ends. What the
    session answers is queued at the subscriber.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        parts: StreamParts,
        address: str,
        identify: Callable[[str], None],
    ) -> None:
        """`address`: of the client, which pays while no key is shown. `identify`: the transport
        learns whose stream this is, and raises Refused where that client has too many.
        """
        self._subscriber = subscriber
        self._parts = parts
        self._hub = parts.hub
        self._payer = f"address {address}"
        self._identify = identify
        self._key: str | None = None
        self._caller: Caller | None = None
        self._check_key_at = 0.0
        self.is_listening = False
        """Whether it subscribed to anything; a stranger that did not goes first."""
        self.pause_s = 0.0
        """How long the transport must not read the client's next frame."""
        self._resume: tuple[Subscribe, TopicKey, int] | None = None
        """What is to be replayed, and after which sequence."""

    def begin(self, key: str | None) -> None:
        """Authenticate by the key of the handshake, if it had one."""
        if key is not None:
            self.answer(msgspec.json.encode(Authenticate(key=key)))

    def answer(self, frame: bytes | str) -> None:
        """Do what the client's frame asks for; whatever it is, it gets an answer."""
        action_id = None
        try:
            self._charge(1)
            action = decode_strictly(_decoder, frame)
            action_id = action.id
            if isinstance(action, Authenticate):
                self._authenticate(action)
            elif isinstance(action, Subscribe):
                self._subscribe(action)
            else:
                self._unsubscribe(action)
        except Refused as refused:
            self._hub.send(self._subscriber, {"id": action_id} | error_body(refused.refusal))
        except DatabaseUnavailable:
            refusal = Refusal(RejectReason.NOT_READY, "the database is away, ask again")
            self._hub.send(self._subscriber, {"id": action_id} | error_body(refusal))

    def _charge(self, tokens: int) -> None:
        """Charge for an action that comes; Refused where the payer is too deep in debt."""
        wait_s = self._parts.charge(self._payer, tokens)
        self.pause_s = min(wait_s, LONGEST_WAIT_S)
        if wait_s > LONGEST_WAIT_S:
            raise refuse(
                RejectReason.RATE_LIMITED,
                f"{self._payer} asked for too much: try again in {math.ceil(wait_s)} s",
                retry_after_ms=math.ceil(wait_s * 1000),
            )

    def _charge_done(self, tokens: int) -> None:
        """Charge for what was done already, once its size is known."""
        self.pause_s = min(self._parts.charge(self._payer, tokens), LONGEST_WAIT_S)

    def _authenticate(self, action: Authenticate) -> None:
        caller = self._parts.authenticator.caller_of(action.key)
        if self._caller is not None and caller.client_id != self._caller.client_id:
            raise refuse(
                RejectReason.FORBIDDEN,
                "this stream belongs to another client: open a new one",
                "key",
            )
        self._identify(caller.client_id)
        self._key, self._caller = action.key, caller
        self._payer = f"client {caller.client_id}"
        self._check_key_at = time.monotonic() + _CHECK_KEY_S
        answer = {"id": action.id, "action": "authenticated", "client_id": caller.client_id}
        self._hub.send(self._subscriber, answer)

    def _subscribe(self, action: Subscribe) -> None:
        key = self._topic(action)
        self._hub.require_started()
        after = action.resume_from
        if after is not None:
            self._check_resume(key, after)
        self._hub.unsubscribe(key, self._subscriber)
        self.is_listening = True
        answer = {
            "id": action.id,
            "action": "subscribed",
            "channel": action.channel,
            "security": action.security,
        }
        if after is not None:
            self._hub.send(self._subscriber, answer | {"sequence": after})
            self._resume = (action, key, after)
        elif action.channel == "book":
            self._subscribe_book(key[1], answer)
        else:
            newest = self._parts.catch_up.newest(key)
            self._hub.subscribe(key, self._subscriber, answer, newest)

    def _subscribe_book(self, security_id: str, answer: dict[str, Any]) -> None:
        """Send a snapshot. The one before it was read: of one stream, one at most waits."""
        levels = self._hub.subscribe_book(security_id, self._subscriber, answer)
        self._charge_done(snapshot_cost(levels))

    async def catch_up(self, in_thread: InThread) -> None:
        """Replay what the last action asked for, if anything; waits for the client to read."""
        if self._resume is None:
            return
        (action, key, after), self._resume = self._resume, None
        try:
            replayed = await self._parts.catch_up.run(key, self._subscriber, after, in_thread)
        except DatabaseUnavailable:
            refusal = Refusal(RejectReason.NOT_READY, "the database is away, ask again")
            self._hub.send(self._subscriber, {"id": action.id} | error_body(refusal))
        else:
            self._charge_done(replay_cost(replayed))

    def _unsubscribe(self, action: Unsubscribe) -> None:
        was_subscribed = self._hub.unsubscribe(self._topic(action), self._subscriber)
        answer = {
            "id": action.id,
            "action": "unsubscribed",
            "channel": action.channel,
            "security": action.security,
        }
        self._hub.send(self._subscriber, answer | {"was_subscribed": was_subscribed})

    def _topic(self, action: Subscribe | Unsubscribe) -> TopicKey:
        """The topic an action names; Refused if there is none, or not for this client."""
        channel = action.channel
        if channel in PRIVATE:
            if self._caller is None:
                raise refuse(
                    RejectReason.KEY_MISSING, f"{channel} is private: authenticate first", "channel"
                )
            _refuse_security(action)
            return channel, self._caller.client_id
        if channel not in PUBLIC:
            names = ", ".join((*PUBLIC, *PRIVATE))
            raise refuse(
                RejectReason.INVALID_FIELD,
                f"no channel {channel[:32]!r}; there are {names}",
                "channel",
            )
        if channel == "status":
            _refuse_security(action)
            return channel, ""
        if action.security is None:
            raise refuse(
                RejectReason.MISSING_FIELD, f"channel {channel} needs a security", "security"
            )
        if self._parts.listings.find(action.security) is None:
            raise refuse(
                RejectReason.UNKNOWN_SECURITY, f"no security {action.security[:32]!r}", "security"
            )
        return channel, action.security

    def _check_resume(self, key: TopicKey, after: int) -> None:
        if key[0] not in RESUMABLE:
            raise refuse(
                RejectReason.INVALID_FIELD,
                f"{key[0]} starts with a snapshot and can't be resumed",
                "resume_from",
            )
        published = self._hub.published(key)
        if not 0 <= after <= min(published, _MOST_SEQUENCE):
            message = (
                f"resume_from {after} is not between 0 and {published}, where the stream is now"
            )
            raise refuse(RejectReason.INVALID_FIELD, message, "resume_from", newest=published)

    def is_key_due(self) -> bool:
        """Whether `check_key` would ask now."""
        return self._key is not None and time.monotonic() >= self._check_key_at

    def check_key(self) -> None:
        """End the stream if its key was revoked meanwhile. Asks the database every five seconds."""
        if self._key is None or not self.is_key_due():
            return
        self._check_key_at = time.monotonic() + _CHECK_KEY_S
        try:
            self._parts.authenticator.caller_of(self._key)
        except Refused:
            self._hub.leave(self._subscriber)
            self._hub.end(self._subscriber, KEY_REVOKED, "the key was revoked")
        except DatabaseUnavailable:
            log.debug("key not checked: the database is away")


def _refuse_security(action: Subscribe | Unsubscribe) -> None:
    """Refuse a security for a channel that is about all of them.

    To ignore it would let a client believe that it hears one security; it would then take the
    messages of the others for holes.
    """
    if action.security is not None:
        raise refuse(
            RejectReason.INVALID_FIELD,
            f"{action.channel} is about all securities: leave security out",
            "security",
        )
