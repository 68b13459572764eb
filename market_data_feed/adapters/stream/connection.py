"""One connection's conversation: who it is, what it wants to hear. A bad frame gets an error, not a
disconnect.
"""

import logging
import time
from typing import Any

import msgspec
from simple_websocket import ConnectionClosed

from market_data_feed.adapters.listings import Listings
from market_data_feed.adapters.stream.catch_up import RESUMABLE, CatchUp
from market_data_feed.adapters.stream.hub import PRIVATE, PUBLIC, Hub, TopicKey
from market_data_feed.adapters.stream.subscriber import KEY_REVOKED, Subscriber
from service_runtime.database import DatabaseUnavailable
from service_runtime.http.application import error_body
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.http.request_body import decode_strictly
from venue_protocol.refusals import Refusal, Refused, RejectReason, refuse

log = logging.getLogger(__name__)

_LOOK_UP_S = 0.5
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


class Session:
    """The client's side of one stream, in a thread of its own."""

    def __init__(
        self,
        connection: Any,
        subscriber: Subscriber,
        hub: Hub,
        catch_up: CatchUp,
        listings: Listings,
        authenticator: Authenticator,
    ) -> None:
        self._connection = connection
        self._subscriber = subscriber
        self._hub = hub
        self._catch_up = catch_up
        self._listings = listings
        self._authenticator = authenticator
        self._key: str | None = None
        self._caller: Caller | None = None
        self._check_key_at = 0.0

    def run(self, key: str | None) -> None:
        """Talk until either side ends it. `key`: the one of the handshake, if it had one."""
        try:
            if key is not None:
                self._answer(msgspec.json.encode(Authenticate(key=key)))
            while not self._subscriber.is_ended:
                frame = self._connection.receive(timeout=_LOOK_UP_S)
                if frame is not None:
                    self._answer(frame)
                self._check_key()
        except ConnectionClosed:
            log.debug("stream closed by its client")

    def _answer(self, frame: bytes | str) -> None:
        action_id = None
        try:
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

    def _authenticate(self, action: Authenticate) -> None:
        caller = self._authenticator.caller_of(action.key)
        if self._caller is not None and caller.client_id != self._caller.client_id:
            raise refuse(
                RejectReason.FORBIDDEN,
                "this stream belongs to another client: open a new one",
                "key",
            )
        self._key, self._caller = action.key, caller
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
        answer = {
            "id": action.id,
            "action": "subscribed",
            "channel": action.channel,
            "security": action.security,
        }
        if after is None:
            self._hub.subscribe(key, self._subscriber, answer, self._catch_up.newest(key))
            return
        self._hub.send(self._subscriber, answer | {"sequence": after})
        self._catch_up.run(key, self._subscriber, after)

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
            return channel, self._caller.client_id
        if channel not in PUBLIC:
            names = ", ".join((*PUBLIC, *PRIVATE))
            raise refuse(
                RejectReason.INVALID_FIELD,
                f"no channel {channel[:32]!r}; there are {names}",
                "channel",
            )
        if channel == "status":
            return channel, ""
        if action.security is None:
            raise refuse(
                RejectReason.MISSING_FIELD, f"channel {channel} needs a security", "security"
            )
        if self._listings.get(action.security) is None:
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

    def _check_key(self) -> None:
        """End the stream if its key was revoked meanwhile."""
        if self._key is None or time.monotonic() < self._check_key_at:
            return
        self._check_key_at = time.monotonic() + _CHECK_KEY_S
        try:
            self._authenticator.caller_of(self._key)
        except Refused:
            self._hub.leave(self._subscriber)
            self._hub.end(self._subscriber, KEY_REVOKED, "the key was revoked")
        except DatabaseUnavailable:
            log.debug("key not checked: the database is away")
