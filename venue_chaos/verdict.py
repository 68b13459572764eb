"""The proof after a campaign: what clients were told against the log and the journals, then the
whole audit.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import psycopg2

from venue_audit.proof import EngineState, audit
from venue_chaos.broker_faults import channel
from venue_chaos.evidence import Evidence, Told
from venue_chaos.site import SERVICES, Site
from venue_launcher.quiescence import engine_state
from venue_launcher.running_venue import RunningVenue
from venue_protocol import codec
from venue_protocol.commands import (
    ApplyCorporateAction,
    PlaceOrder,
    SetPhase,
    SetVolatilityBands,
)
from venue_protocol.identifiers import sharded_id
from venue_protocol.topology import DEAD_LETTERS

_LOGGED = (
    "SELECT shard, sequence, client_id, client_order_id, command FROM order_log WHERE "
    "client_order_id IS NOT NULL"
)
_UNNAMED = (
    "SELECT shard, sequence, command FROM order_log WHERE client_order_id IS NULL ORDER BY shard, "
    "sequence"
)
_PHASES = "SELECT shard, security_id, sequence FROM session_phases"
_HEADS = "SELECT shard, last_sequence FROM order_log_heads"
_DEPOSITS = "SELECT reference, journal_id FROM journals WHERE reference LIKE 'deposit:%'"
_MOST_SAID = 20


def judge(site: Site, evidence: Evidence) -> tuple[list[str], dict[str, int]]:
    """Every violation found, and how much was compared. The venue must be at rest."""
    violations = list(evidence.contradictions)
    violations += [f"no definite answer: {what}" for what in evidence.unresolved]
    violations += _orders(site, evidence)
    violations += session_violations(
        list(_session_rows(site, evidence.began_after)), _stored_phases(site), evidence
    )
    violations += action_violations(_actions(site, evidence.began_after), evidence)
    violations += _deposits(site, evidence)
    violations += _own_ends(site)
    dead = _dead_letters(site)
    if dead:
        violations.append(f"{dead} messages were put to the dead letters")
    said, counts = _audit(site)
    return violations + said, counts


def log_heads(venue: RunningVenue) -> dict[int, int]:
    """The last sequence of each shard's log."""
    return dict(_rows(venue.owner_clearing_url, _HEADS))


def report_count(venue: RunningVenue, client_id: str) -> int:
    """How many settlement reports a client has."""
    with (
        closing(psycopg2.connect(venue.owner_clearing_url)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM settlement_reports WHERE client_id = %s", (client_id,))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _orders(site: Site, evidence: Evidence) -> Iterator[str]:
    """Each acknowledged order is in the log once, as it was sent; each refused one is not."""
    logged: dict[tuple[str, str], Told] = {}
    for shard, sequence, client_id, name, text in _rows(site.venue.owner_clearing_url, _LOGGED):
        command = codec.decode_command(text)
        if isinstance(command, PlaceOrder):
            order_id = sharded_id(shard, sequence)
            found = Told(
                client_id, name, command.security_id, command.side, command.quantity, order_id
            )
            if logged.setdefault((client_id, name), found) is not found:
                yield f"order {client_id} {name} is in the log twice"
    for key, told in evidence.acknowledged.items():
        if logged.get(key) != told:
            yield f"order {key} was acknowledged as {told}, the log has {logged.get(key)}"
    for key, code in evidence.refused.items():
        if key in logged:
            yield f"order {key} was refused with {code}, the log has {logged[key]}"


SessionRow = tuple[int, int, SetPhase | SetVolatilityBands]
"""Shard, sequence and command."""


def session_violations(
    rows: Sequence[SessionRow], stored: Mapping[tuple[int, str], int], evidence: Evidence
) -> Iterator[str]:
    """Each phase known to be done is in the log, as it was sent and where it was told; none more
    often than it was asked for; bands as well. `stored` is the sequence of each security's phase
    ("": the shard's) as the door has it.
    """
    places: defaultdict[str | None, list[tuple[int, int]]] = defaultdict(list)
    bands: dict[tuple[int, int], tuple[str, int | None]] = {}
    last: dict[tuple[int, str], int] = {}
    for shard, sequence, command in rows:
        if isinstance(command, SetVolatilityBands):
            bands[shard, sequence] = (command.security_id, command.band_bps)
            continue
        last[shard, command.security_id or ""] = sequence
        places[command.reason].append((shard, sequence))
        sent = evidence.commanded.get(command.reason or "")
        lasts_s = None if command.lasts_us is None else command.lasts_us // 1_000_000
        if sent is None or (sent.phase, sent.security, sent.lasts_s) != (
            command.phase,
            command.security_id,
            lasts_s,
        ):
            yield f"the log has {command}, the administrator commanded {sent}"
    for reason, commanded in evidence.commanded.items():
        found = places[reason]
        if not set(commanded.logged) <= set(found) or (commanded.is_known and not found):
            yield f"phase {reason!r} was told as {commanded}, the log has it at {found}"
        if any(count > commanded.asked for count in Counter(shard for shard, _ in found).values()):
            yield (
                f"phase {reason!r} was asked for {commanded.asked} times, the log has it at {found}"
            )
    for place, told in evidence.bands.items():
        if bands.get(place) != told:
            yield f"bands {told} were told to be at {place}, the log has {bands.get(place)}"
    for name, sequence in last.items():
        if stored.get(name, 0) < sequence:
            yield (
                f"the last phase of {name} in the log is {sequence}, the door goes by "
                f"{stored.get(name)}"
            )


def _session_rows(site: Site, began_after: Mapping[int, int]) -> Iterator[SessionRow]:
    for shard, sequence, text in _rows(site.venue.owner_clearing_url, _UNNAMED):
        if sequence <= began_after.get(shard, 0):
            continue
        command = codec.decode_command(text)
        if isinstance(command, SetPhase | SetVolatilityBands):
            yield shard, sequence, command


def action_violations(logged: Mapping[tuple[int, int], str], evidence: Evidence) -> Iterator[str]:
    """Each corporate action that was told is in the log where it was told, and there are no more
    than were asked for. `logged`: security by shard and sequence.
    """
    for place, security in evidence.actions.items():
        if logged.get(place) != security:
            yield f"action of {security} was told at {place}, the log has {logged.get(place)}"
    if len(logged) > evidence.actions_asked:
        yield f"{evidence.actions_asked} actions were asked for, the log has {len(logged)}"


def _actions(site: Site, began_after: Mapping[int, int]) -> dict[tuple[int, int], str]:
    found = {}
    for shard, sequence, text in _rows(site.venue.owner_clearing_url, _UNNAMED):
        command = codec.decode_command(text)
        if sequence > began_after.get(shard, 0) and isinstance(command, ApplyCorporateAction):
            found[shard, sequence] = command.security_id
    return found


def _stored_phases(site: Site) -> dict[tuple[int, str], int]:
    return {
        (shard, name): sequence
        for shard, name, sequence in _rows(site.venue.owner_clearing_url, _PHASES)
    }


def _deposits(site: Site, evidence: Evidence) -> Iterator[str]:
    booked: dict[str, int] = {}
    for reference, journal_id in _rows(site.venue.owner_clearing_url, _DEPOSITS):
        key = str(reference).removeprefix("deposit:")
        if booked.setdefault(key, journal_id) != journal_id:
            yield f"deposit {key} was made twice"
    for key, journal_id in evidence.deposits.items():
        if booked.get(key) != journal_id:
            yield (
                f"deposit {key} was answered with journal {journal_id}, the ledger has "
                f"{booked.get(key)}"
            )


def _own_ends(site: Site) -> Iterator[str]:
    """A service that ended more often than it was ended has ended by itself: it should have
    waited.
    """
    for name in SERVICES:
        unasked = site.service(name).restarts - site.ended[name]
        if unasked > 0:
            yield f"{name} ended {unasked} times by itself; its log is {site.service(name).log}"


def _dead_letters(site: Site) -> int:
    with channel(site.broker.url) as open_channel:
        return int(open_channel.queue_declare(DEAD_LETTERS, passive=True).method.message_count)
    return 0


def _audit(site: Site) -> tuple[list[str], dict[str, int]]:
    state = engine_state(site.venue)
    engine = EngineState(
        state["shard"], state["log_position"], state["event_position"], state["state_hash"]
    )
    found = audit(site.venue.owner_clearing_url, site.venue.owner_market_url, [engine])
    said = [f"audit: {difference}" for difference in found.differences[:_MOST_SAID]]
    if found.found > len(said):
        said.append(f"audit: {found.found - len(said)} more differences")
    if found.unsettled_events or found.unrecorded_events:
        said.append(
            f"{found.unsettled_events} events are not settled, {found.unrecorded_events} not "
            "recorded"
        )
    return said, found.counts


def _rows(url: str, statement: str) -> Iterator[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor("chaos") as cursor:
        cursor.itersize = 10_000
        cursor.execute(statement)
        yield from cursor
