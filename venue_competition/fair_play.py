"""The fair-play report: what an organiser should look at. It accuses nobody; it counts.

Four questions: who traded with whom more than chance explains, who sold to a friend and bought
back, whose trades moved the last mark to their own gain, and who sent orders that were never meant
to trade.
"""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence

import msgspec

from venue_competition.marks import average
from venue_competition.round_record import RoundRecord, RoundTrade, SentCommand
from venue_competition.rules import Rules
from venue_competition.scoring import RoundScores

_S = 1_000_000
LEAST_MEETINGS = 10
"""Fewer meetings of a pair say nothing."""
MOST_TIMES_CHANCE = 2
"""Habits that fit each other, such as a patient maker's and a hasty taker's, explain so much."""
MOST_LIKELY = 0.001
"""A pair is named when chance explains its trades less often than this, all pairs together."""
WASH_WINDOW_S = 60
LEAST_WASHED_SHARES = 20
LEAST_WASHED_PERCENT = 25
"""Of all that the less active of the two traded."""
LEAST_PAINTED_BPS = 5
"""Basis points of the equity that a player gained by its own trades near the mark."""
LEAST_STUFFED = 200
"""Commands in one second; fewer disturb nobody."""
MOST_COMMANDS_A_FILL = 100


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to look at."""

    kind: str
    """pair, wash, painted or stuffing."""
    players: list[str]
    says: str


def report(record: RoundRecord, rules: Rules, scores: RoundScores) -> list[Finding]:
    """The findings of a round, in the order of the four questions."""
    players = frozenset(rules.player_names())
    trades = [trade for trade in record.trades if is_in(record, trade.time_us)]
    commands = [command for command in record.commands if is_in(record, command.time_us)]
    return [
        *pairs(trades, players),
        *washes(trades, players),
        *painted(record, rules, scores),
        *stuffing(commands, trades, players),
    ]


def is_in(record: RoundRecord, time_us: int) -> bool:
    """Whether something happened between the start and the end of the round."""
    return record.start_us <= time_us <= record.end_us


def pairs(trades: Sequence[RoundTrade], players: frozenset[str]) -> list[Finding]:
    """Two players who met each other far more often than chance explains.

    Chance: in each minute and security every taker meets the makers in proportion to how often each
    of them made. Summed over minutes, a pair is expected so often; the tail of the Poisson
    distribution says how likely so many meetings are. A taker that takes from several orders of a
    maker in one instant meets it once.
    """
    expected, met = _meetings(trades)
    tested = [
        (pair, count)
        for pair, count in sorted(met.items())
        if count >= LEAST_MEETINGS and players.issuperset(pair)
    ]
    found = []
    for (one, other), count in tested:
        chance = expected[one, other]
        is_far_above = count > MOST_TIMES_CHANCE * chance
        if is_far_above and poisson_tail(count, chance) * len(tested) < MOST_LIKELY:
            says = f"{one} and {other} met {count} times; chance explains about {chance:.1f}"
            found.append(_finding("pair", [one, other], says))
    return found


def _meetings(
    trades: Sequence[RoundTrade],
) -> tuple[dict[tuple[str, str], float], Counter[tuple[str, str]]]:
    """How often each pair should have met, and how often it did."""
    instants = {
        (trade.time_us, trade.security, trade.taker or trade.buyer, _maker(trade))
        for trade in trades
    }
    takers: dict[str, Counter[str]] = defaultdict(Counter)
    makers: dict[str, Counter[str]] = defaultdict(Counter)
    met = Counter[tuple[str, str]]()
    for _, security, taker, maker in instants:
        takers[security][taker] += 1
        makers[security][maker] += 1
        met[min(taker, maker), max(taker, maker)] += 1
    expected: dict[tuple[str, str], float] = defaultdict(float)
    for one, other in sorted(met):
        for security in sorted(takers):
            took, made = takers[security], makers[security]
            both = took[one] * made[other] + took[other] * made[one]
            expected[one, other] += both / took.total()
    return expected, met


def _maker(trade: RoundTrade) -> str:
    """Whom the taker met; in an auction the seller."""
    return trade.buyer if trade.aggressor == "SELL" else trade.seller


def poisson_tail(count: int, expected: float) -> float:
    """Probability of at least `count` events where `expected` are expected."""
    if expected <= 0:
        return 0.0
    term = math.exp(count * math.log(expected) - expected - math.lgamma(count + 1))
    total, step = 0.0, count
    while term > total * 1e-12:
        total += term
        step += 1
        term *= expected / step
        if term == 0:
            break
    return min(total, 1.0)


def washes(trades: Sequence[RoundTrade], players: frozenset[str]) -> list[Finding]:
    """Two players who traded the same shares to and fro within a minute, and little else."""
    flows: dict[tuple[str, str, str], list[RoundTrade]] = defaultdict(list)
    for trade in trades:
        if players.issuperset((trade.buyer, trade.seller)) and trade.buyer != trade.seller:
            flows[*_pair(trade), trade.security].append(trade)
    volumes = Counter[str]()
    for trade in trades:
        volumes[trade.buyer] += trade.quantity
        volumes[trade.seller] += trade.quantity
    found = []
    for (one, other, security), between in sorted(flows.items()):
        washed = _washed(between, one)
        # Each washed share was traded twice: sold and bought back.
        share = 200 * washed / min(volumes[one], volumes[other])
        if washed >= LEAST_WASHED_SHARES and share >= LEAST_WASHED_PERCENT:
            says = (
                f"{one} and {other} sold each other {washed} shares of {security} and bought "
                f"them back within {WASH_WINDOW_S} s"
            )
            found.append(_finding("wash", [one, other], says))
    return found


def _washed(between: Sequence[RoundTrade], one: str) -> int:
    """Shares that came back: each counts once, with the oldest that it can undo."""
    waiting: dict[bool, deque[list[int]]] = {True: deque(), False: deque()}
    washed = 0
    for trade in between:
        is_bought, left = trade.buyer == one, trade.quantity
        opposite = waiting[not is_bought]
        while opposite and opposite[0][0] < trade.time_us - WASH_WINDOW_S * _S:
            opposite.popleft()
        while opposite and left:
            undone = min(left, opposite[0][1])
            washed, left = washed + undone, left - undone
            opposite[0][1] -= undone
            if not opposite[0][1]:
                opposite.popleft()
        if left:
            waiting[is_bought].append([trade.time_us, left])
    return washed


def painted(record: RoundRecord, rules: Rules, scores: RoundScores) -> list[Finding]:
    """Players whose own taking near the end moved the last mark to their gain.

    The average price of the last window with and without the trades that a player took; the
    difference times its shares at the end is what it gained by them.
    """
    since_us = record.end_us - rules.scoring.window_s * _S
    late: dict[str, list[RoundTrade]] = defaultdict(list)
    for trade in record.trades:
        if since_us < trade.time_us <= record.end_us:
            late[trade.security].append(trade)
    holdings = holdings_at(record, record.end_us)
    found = []
    for player in rules.player_names():
        gain_e4 = sum(
            _painted_e4(trades, player) * holdings.get((player, security), 0)
            for security, trades in late.items()
        )
        equity_e4 = max(scores.scores[player].start_equity_e4, 1)
        if gain_e4 * 10_000 >= LEAST_PAINTED_BPS * equity_e4:
            says = (
                f"{player} took shares in the last {rules.scoring.window_s} s at prices that raise "
                f"the value of its own by ${gain_e4 / 10_000:,.2f}"
            )
            found.append(_finding("painted", [player], says))
    return found


def _painted_e4(trades: Sequence[RoundTrade], player: str) -> int:
    """How far the player's own taking moved the average; 0 where nobody else traded."""
    others = [trade for trade in trades if trade.taker != player]
    if not others or len(others) == len(trades):
        return 0
    return _average(trades) - _average(others)


def _average(trades: Sequence[RoundTrade]) -> int:
    return average(
        sum(trade.price_e4 * trade.quantity for trade in trades),
        sum(trade.quantity for trade in trades),
    )


def holdings_at(record: RoundRecord, time_us: int) -> dict[tuple[str, str], int]:
    """Shares by client and security after all movements until then."""
    holdings: dict[tuple[str, str], int] = defaultdict(int)
    for movement in record.movements:
        if movement.security is not None and movement.time_us <= time_us:
            holdings[movement.client_id, movement.security] += movement.shares
    return dict(holdings)


def stuffing(
    commands: Sequence[SentCommand], trades: Sequence[RoundTrade], players: frozenset[str]
) -> list[Finding]:
    """Players who sent many commands in a second, and hardly ever traded."""
    seconds: dict[str, Counter[int]] = defaultdict(Counter)
    for command in commands:
        if command.client_id in players:
            seconds[command.client_id][command.time_us // _S] += 1
    fills = Counter(client for trade in trades for client in (trade.buyer, trade.seller))
    return [
        _finding("stuffing", [player], _stuffed(player, counts, fills))
        for player, counts in sorted(seconds.items())
        if max(counts.values()) >= LEAST_STUFFED
        and counts.total() > MOST_COMMANDS_A_FILL * fills[player]
    ]


def _stuffed(player: str, counts: Counter[int], fills: Mapping[str, int]) -> str:
    return (
        f"{player} sent up to {max(counts.values())} commands in a second, {counts.total()} in "
        f"all, and traded {fills[player]} times"
    )


def _pair(trade: RoundTrade) -> tuple[str, str]:
    return min(trade.buyer, trade.seller), max(trade.buyer, trade.seller)


def _finding(kind: str, players: list[str], says: str) -> Finding:
    return Finding(kind=kind, players=players, says=says)
