"""A statement as a page to read and to print: one HTML text without scripts or outside parts."""

from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby

from venue_protocol.money import format_for_people
from venue_protocol.statements.statement import (
    CAUSES,
    EARNINGS,
    Line,
    SecurityLine,
    Statement,
)
from venue_protocol.times import format_utc

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
STYLE = """
@page { size: A4; margin: 15mm 14mm 16mm; }
* { box-sizing: border-box; }
body { font: 10pt/1.45 "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif;
  color: #1d2733; max-width: 190mm; margin: 0 auto; padding: 12mm 6mm; background: #fff; }
h1 { font-size: 20pt; font-weight: 600; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 11.5pt; font-weight: 600; margin: 9mm 0 2mm; padding-bottom: 1mm;
  border-bottom: 1.5pt solid #1d2733; break-after: avoid; }
header { display: flex; justify-content: space-between; align-items: flex-end; }
header p { margin: 0; color: #5c6875; text-align: right; }
.client { font-size: 13pt; color: #1d2733; font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 3mm; margin: 7mm 0 0; }
.tile { background: #f2f5f8; border-radius: 2mm; padding: 3mm 3.5mm; }
.tile b { display: block; font-size: 13pt; font-weight: 600; margin-top: .5mm; }
.tile span, .small { color: #5c6875; font-size: 8.5pt; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 9mm; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .9mm 0 .9mm 2mm; text-align: right; vertical-align: top; white-space: nowrap; }
td:first-child, th:first-child { padding-left: 0; }
th { font-size: 8.5pt; font-weight: 500; color: #5c6875; border-bottom: .5pt solid #aeb8c2; }
.word { text-align: left; white-space: normal; overflow-wrap: anywhere; }
tbody tr { border-bottom: .5pt solid #e4e9ee; break-inside: avoid; }
tr.sum { border-top: 1pt solid #1d2733; border-bottom: none; font-weight: 600; }
tr.sum td { padding-top: 1.4mm; }
.movements { font-size: 8.5pt; }
.movements .day td { font-weight: 600; padding-top: 3.5mm; border-bottom: .5pt solid #aeb8c2; }
.movements .day { break-after: avoid; }
thead { display: table-header-group; }
.faint { color: #a9b3bd; }
.fits { color: #17703c; font-weight: 600; }
.parts { background: #fdecea; border: 1pt solid #b3261e; color: #8c1d18; padding: 3mm;
  border-radius: 2mm; margin-top: 6mm; }
footer { margin-top: 9mm; padding-top: 3mm; border-top: .5pt solid #aeb8c2; color: #5c6875;
  font-size: 8pt; }
footer p { margin: 0 0 1.5mm; }
code { font: 7.5pt ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
@media print { body { padding: 0; max-width: none; } }
"""


def page(made: Statement, lines: Iterable[Line], venue: str = "") -> str:
    """The whole page."""
    title = f"Statement of {made.client_id}"
    body = [
        _head(made, venue),
        _tiles(made),
        _faults(made.faults),
        '<div class="two"><div>',
        _cash(made),
        "</div><div>",
        _result(made),
        "</div></div>",
        _shares(made.securities),
        _movements(made, list(lines)),
        _notes(made),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title>\n<style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def money(amount_e4: int, *, signed: bool = False) -> str:
    """With commas and four decimals, of which the last two are faint where they are zero.

    So each column lines up, and a ten-thousandth still meets the eye.
    """
    text = format_for_people(abs(amount_e4))
    whole, _, decimals = text.partition(".")
    faint = '<span class="faint">00</span>' if len(decimals) == 2 else ""
    sign = "&minus;" if amount_e4 < 0 else "+" if signed and amount_e4 > 0 else ""
    return f"{sign}{whole}.{decimals}{faint}"


def _dollars(amount_e4: int, *, signed: bool = False) -> str:
    """A single amount, without faint decimals."""
    sign = "&minus;" if amount_e4 < 0 else "+" if signed and amount_e4 > 0 else ""
    return f"{sign}${format_for_people(abs(amount_e4))}"


def _head(made: Statement, venue: str) -> str:
    since, until = _moment(made.opening.time_us), _moment(made.closing.time_us)
    said = f"<p>{escape(venue)}</p>" if venue else ""
    return (
        f"<header><div><h1>Statement of account</h1>"
        f'<span class="client">{escape(made.client_id)}</span></div>'
        f"<div>{said}<p>from {since}</p><p>to {until}</p></div></header>"
    )


def _tiles(made: Statement) -> str:
    earned_e4 = sum(made.earned.values())
    tiles = (
        ("Opening equity", _dollars(made.opening.equity_e4)),
        ("Paid in", _dollars(made.paid_in_e4, signed=True)),
        ("Result", _dollars(earned_e4, signed=True)),
        ("Closing equity", _dollars(made.closing.equity_e4)),
    )
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><span>{name}</span><b>{said}</b></div>' for name, said in tiles
        )
        + "</div>"
    )


def _faults(faults: list[str]) -> str:
    if not faults:
        return ""
    said = "".join(f"<br>{escape(fault)}" for fault in faults)
    asked = "<b>These sums do not fit.</b> Ask the organiser for an audit."
    return f'<div class="parts">{asked}{said}</div>'


def _cash(made: Statement) -> str:
    closing, later = made.closing.cash_e4, made.unsettled_e4
    return (
        "<h2>Cash</h2><table><tbody>"
        + _row("opening balance", money(made.opening.cash_e4))
        + _amounts(made.cash, CAUSES)
        + _row("closing balance", money(closing), "sum")
        + (_row("of it to be settled", money(later, signed=True)) if later else "")
        + "</tbody></table>"
        + _verdict(made, "the balance in the ledger")
    )


def _result(made: Statement) -> str:
    return (
        "<h2>Equity</h2><table><tbody>"
        + _row("opening cash and shares", money(made.opening.equity_e4))
        + _row("paid in, less paid out", money(made.paid_in_e4, signed=True))
        + _amounts(made.earned, EARNINGS)
        + _row("closing cash and shares", money(made.closing.equity_e4), "sum")
        + "</tbody></table>"
        + _verdict(made, "the value of what is held")
    )


def _verdict(made: Statement, what: str) -> str:
    return "" if made.faults else f'<p class="small"><span class="fits">fits</span> {what}</p>'


def _amounts(amounts: Mapping[str, int], words: Mapping[str, str]) -> str:
    return "".join(
        _row(says, money(amounts[cause], signed=True))
        for cause, says in words.items()
        if cause in amounts
    )


def _row(words: str, amount: str, kind: str = "") -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<tr{marked}><td class="word">{words}</td><td>{amount}</td></tr>'


def _shares(securities: list[SecurityLine]) -> str:
    if not securities:
        return ""
    names = (
        "opening",
        "bought",
        "sold",
        "other",
        "closing",
        "average cost",
        "price",
        "value",
        "unrealised",
        "realised",
    )
    heads = '<th class="word">security</th>' + "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(_security(line) for line in securities)
    return (
        f"<h2>Shares</h2><table class=movements><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}{_share_sums(securities)}</tbody></table>"
    )


def _security(line: SecurityLine) -> str:
    name = escape(line.security_id)
    for count, says in ((line.borrowed, "borrowed"), (line.unsettled, "to be settled")):
        if count:
            name += f' <br><span class="small">{_count(count)} {says}</span>'
    average = _dollars(line.cost_e4 // line.owned) if line.owned else ""
    cells = (
        _count(line.opening),
        _count(line.bought),
        _count(-line.sold),
        _count(line.other, signed=True),
        f"<b>{line.closing:,}</b>",
        average,
        _dollars(line.price_e4) if line.price_e4 is not None and line.owned else "",
        money(line.value_e4) if line.owned else "",
        money(line.unrealised_e4, signed=True) if line.owned else "",
        money(line.realised_e4, signed=True),
    )
    return (
        f'<tr><td class="word">{name}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _share_sums(securities: list[SecurityLine]) -> str:
    sums = (
        money(sum(line.value_e4 for line in securities)),
        money(sum(line.unrealised_e4 for line in securities), signed=True),
        money(sum(line.realised_e4 for line in securities), signed=True),
    )
    cells = "".join(f"<td>{cell}</td>" for cell in sums)
    return f'<tr class="sum"><td class="word" colspan="8">together</td>{cells}</tr>'


def _count(number: int, *, signed: bool = False) -> str:
    if not number:
        return '<span class="faint">0</span>'
    sign = "&minus;" if number < 0 else "+" if signed else ""
    return f"{sign}{abs(number):,}"


def _movements(made: Statement, lines: list[Line]) -> str:
    if not lines:
        return "<h2>Movements</h2><p>Nothing moved in this period.</p>"
    heads = (
        '<th class="word">time, UTC</th><th class="word">movement</th><th>shares</th>'
        "<th>price</th><th>fee</th><th>cash</th><th>balance</th>"
    )
    opening = (
        '<tr><td></td><td class="word">opening balance</td><td></td><td></td><td></td><td></td>'
        f"<td>{money(made.opening.cash_e4)}</td></tr>"
    )
    days = "".join(
        f'<tr class="day"><td class="word" colspan="7">{day}</td></tr>'
        + "".join(map(_line, of_day))
        for day, of_day in groupby(lines, lambda line: _day(line.time_us))
    )
    closing = (
        '<tr class="sum"><td></td><td class="word">closing balance</td><td></td><td></td><td></td>'
        f"<td></td><td>{money(made.closing.cash_e4)}</td></tr>"
    )
    return (
        f"<h2>Movements</h2><table class=movements><thead><tr>{heads}</tr></thead>"
        f"<tbody>{opening}{days}{closing}</tbody></table>"
    )


def _line(line: Line) -> str:
    found = f"journal {line.journal_id}" if line.journal_id else ""
    if line.trade_id is not None and f"trade {line.trade_id}" not in line.what:
        found = f"trade {line.trade_id}, {found}".rstrip(", ")
    cells = (
        _count(line.shares, signed=True) if line.shares else "",
        "" if line.price_e4 is None else _dollars(line.price_e4),
        money(line.fee_e4) if line.fee_e4 else "",
        money(line.cash_e4, signed=True) if line.cash_e4 else "",
        money(line.balance_e4),
    )
    time = format_utc(line.time_us)[11:19]
    return (
        f'<tr><td class="word">{time}</td><td class="word">{escape(line.what)} '
        f'<span class="small">{found}</span></td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _notes(made: Statement) -> str:
    return f"""<footer>
<p>Amounts are dollars, to a ten-thousandth. The cost of shares is their average cost without fees;
of a sale the cost is rounded to the nearest ten-thousandth, and the rest stays with the shares
that stay. Shares that came without a payment cost the reference price. Shares are valued at the
mark of the moment; borrowed shares are not yours and are not valued. After a bust or a correction
cost and profit are what they would be if the trade had never been so.</p>
<p>Made from {made.movements:,} movements; the last is settlement report {made.last_report:,},
whose hash seals all before it:<br><code>{escape(made.last_hash)}</code></p>
</footer>"""


def _moment(time_us: int) -> str:
    return f"{_day(time_us)}, {format_utc(time_us)[11:19]} UTC"


def _day(time_us: int) -> str:
    year, month, day = format_utc(time_us)[:10].split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}"
