"""The report of a competition as one HTML page: no script, nothing loaded, every name escaped."""

from html import escape

from venue_competition import plots
from venue_competition.outcome import Results, ScoredRound
from venue_protocol.money import E4, format_for_people

_MOST_ROUNDS_DRAWN = 24
"""Equity curves of more rounds are in the CSV files only: the page stays small."""
MARKS_IN_WORDS = {
    "last_minute": "the volume-weighted price of the last {window_s} s, where at least "
    "{least_trades} trades of {least_clients} clients made it",
    "closing_auction": "the price of the closing auction, where at least {least_trades} trades of "
    "{least_clients} clients made it",
    "median_of_clients": "the middle of all clients' average prices, one voice each",
}
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .5rem;text-align:right;border-bottom:1px solid #8884}
th:nth-child(2),td:nth-child(2){text-align:left}
.left td,.left th{text-align:left}
svg{width:100%;height:auto;font-size:11px;fill:currentColor}
svg .axis{stroke:#8886;stroke-width:1}
.key{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}
.wide{overflow-x:auto}
"""


def page(results: Results) -> str:
    """The whole page."""
    title = escape(results.rules.name)
    body = [
        f"<h1>{title}</h1>",
        _summary(results),
        _ranking(results),
        "<h2>Profit a round</h2>",
        _intervals(results),
        _stopped(results),
        _findings(results),
        *[_round(results, each) for each in results.rounds[:_MOST_ROUNDS_DRAWN]],
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def _summary(results: Results) -> str:
    rules = results.rules
    scoring = rules.scoring
    mark = MARKS_IN_WORDS[scoring.mark].format(
        window_s=scoring.window_s,
        least_trades=scoring.least_trades,
        least_clients=scoring.least_clients,
    )
    how = "simulated" if results.rounds[0].course.is_simulated else "live"
    return (
        f"<p>{len(results.rounds)} rounds of {rules.seconds:,} s, {how}; "
        f"{len(rules.players)} players, ${format_for_people(rules.cash_e4)} each at the start of "
        f"each round. Shares are valued at {mark}. Ties go to the smaller drawdown, then to the "
        f"smaller turnover.</p><p>{escape(known_in_words(results))}</p>"
    )


def known_in_words(results: Results) -> str:
    """Whether the winner may be luck, in a sentence or two."""
    percent = f"{float(100 * results.rules.scoring.confidence):g} %"
    needed, played = results.rounds_until_known, len(results.rounds)
    if needed is None:
        return (
            f"These rounds do not say how many it takes until the winner is known with {percent}."
        )
    known = "they were played" if needed <= played else f"{played} were played: it may be luck"
    return f"The winner is known with {percent} after about {needed:,} such rounds; {known}."


def _ranking(results: Results) -> str:
    places = {name: place for place, name in enumerate(results.rules.player_names())}
    heads = (
        "rank player profit mean low high first drawdown profit/drawdown inventory turnover fills"
    )
    rows = []
    for each in results.ranking:
        found = results.confidences[each.player]
        cells = [
            str(each.rank),
            f"{_key(places[each.player])}{escape(each.player)}",
            *(
                format_for_people(amount)
                for amount in (each.profit_e4, found.mean_e4, found.low_e4, found.high_e4)
            ),
            f"{found.first_percent} %",
            format_for_people(each.max_drawdown_e4),
            each.profit_per_drawdown or "-",
            format_for_people(each.mean_inventory_e4),
            format_for_people(each.turnover_e4),
            f"{each.fills:,}",
        ]
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    return f'<div class="wide">{_table(heads.split(), rows)}</div>'


def _intervals(results: Results) -> str:
    rows = []
    for name in results.rules.player_names():
        found = results.confidences[name]
        rows.append((name, found.low_e4 / E4, found.mean_e4 / E4, found.high_e4 / E4))
    return plots.intervals(rows, "$")


def _stopped(results: Results) -> str:
    rows = [
        f"<td>{each.course.number}</td><td>{escape(stop.player)}</td>"
        f"<td>{escape(stop.reason)}</td><td>{escape(stop.says)}</td>"
        for each in results.rounds
        for stop in each.course.stopped
    ]
    heads = ["round", "player", "reason", "what happened"]
    return f"<h2>Stopped players</h2>{_table(heads, rows, 'left')}" if rows else ""


def _findings(results: Results) -> str:
    rows = [
        f"<td>{each.course.number}</td><td>{escape(finding.kind)}</td>"
        f"<td>{escape(finding.says)}</td>"
        for each in results.rounds
        for finding in each.findings
    ]
    if not rows:
        return "<h2>Fair play</h2><p>Nothing to look at.</p>"
    return f"<h2>Fair play</h2>{_table(['round', 'kind', 'what was seen'], rows, 'left')}"


def _round(results: Results, each: ScoredRound) -> str:
    names = results.rules.player_names()
    curves = {
        name: [
            ((point.time_us - each.course.start_us) / 1e6, point.equity_e4 / E4)
            for point in each.scores.curves[name]
        ]
        for name in names
    }
    keys = " ".join(f"{_key(place)}{escape(name)}" for place, name in enumerate(names))
    return (
        f"<h2>Round {each.course.number}</h2><p>Seed {each.course.seed}, "
        f"{each.trades:,} trades. {keys}</p>{plots.lines(curves, 'equity, $')}"
    )


def _key(place: int) -> str:
    return f'<span class="key" style="background:{plots.color(place)}"></span>'


def _table(heads: list[str], rows: list[str], style: str = "") -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table class="{style}"><tr>{head}</tr>{body}</table>'
