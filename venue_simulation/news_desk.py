"""From what a commit did to what each bot is told of it, and when."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from venue_simulation import bot_limits
from venue_simulation.published_market import LevelChange, PublishedMarket
from venue_simulation.seat import PRIVATE, News, Seat
from venue_simulation.simulated_venue import Committed
from venue_simulation.timeline import BOT, Timeline
from venue_storage.memory_clearing_data import DepositRow, Tables


class NewsDesk:
    """Sends each bot what concerns it; wakes those that act on it."""

    def __init__(
        self,
        timeline: Timeline,
        tables: Tables,
        markets: Mapping[str, PublishedMarket],
        seats: Mapping[str, Seat],
        deliver: Callable[[Seat], None],
    ) -> None:
        self._timeline = timeline
        self._tables = tables
        self._markets = markets
        self._seats = seats
        self._deliver = deliver
        self._listeners: dict[str, list[Seat]] = {name: [] for name in markets}
        """Bots that are told of each change of a security."""
        self.stop: Callable[[str, str], None] = lambda client_id, reason: None
        self.equity_e4: Callable[[str], int] = lambda client_id: 0

    def listen(self, seat: Seat) -> None:
        """A bot that acts on books or trades is told of them."""
        if seat.wants & {"on_book", "on_trade"}:
            for name in seat.view.securities:
                self._listeners[name].append(seat)

    def publish(self, committed: Committed) -> None:
        """Tell everybody what a commit did."""
        effect = committed.effect
        levels: dict[str, list[LevelChange]] = {}
        for (security_id, side, price_e4), (shares, orders) in effect.levels.items():
            if shares or orders:
                levels.setdefault(security_id, []).append((side, price_e4, shares, orders))
        for change in committed.changes:
            security_id = change.security_id
            changed = levels.get(security_id, [])
            self._markets[security_id].changed(effect.time_us, changed, change.trades)
            for seat in self._listeners[security_id]:
                self._tell_public(seat, security_id, bool(changed), change.trades, effect.time_us)
        if effect.reports:
            self._tell_owners(committed)

    def post(self, seat: Seat, news: News, is_acted_on: bool) -> None:
        """Send news; a bot that acts on it is woken when it arrives."""
        if seat.stopped is not None:
            return
        sent_us = max(self._timeline.now_us, news.time_us)
        visible_us = seat.post(news._replace(visible_us=sent_us + seat.ways.feed_us()))
        if is_acted_on:
            self._timeline.at(visible_us, BOT, seat.number, partial(self._deliver, seat))

    def _tell_public(
        self,
        seat: Seat,
        security_id: str,
        is_deeper: bool,
        trades: Sequence[RecordedTrade],
        time_us: int,
    ) -> None:
        books = (security_id,) if is_deeper and "on_book" in seat.wants else ()
        told = trades if "on_trade" in seat.wants else ()
        if books or told:
            self.post(seat, News(0, time_us, books=books, trades=told), True)

    def _tell_owners(self, committed: Committed) -> None:
        """Reports and accounts to the owners of the orders."""
        effect = committed.effect
        by_owner: dict[str, list[ExecutionReport]] = {}
        for report in effect.reports:
            by_owner.setdefault(report.client_id, []).append(report)
        settlements = self._settlements(committed)
        for client_id, reports in by_owner.items():
            seat = self._seats.get(client_id)
            if seat is None:
                continue
            deposits = self._count(seat, reports)
            news = News(
                0,
                effect.time_us,
                reports,
                account=self._tables.accounts[client_id],
                deposits=deposits,
                settlements=settlements.get(client_id, ()),
            )
            self.post(seat, news, bool(seat.wants & PRIVATE))

    def _settlements(self, committed: Committed) -> dict[str, list[str]]:
        """The texts of the new settlement reports, of bots that read them."""
        texts: dict[str, list[str]] = {}
        for number in range(committed.first_report, committed.last_report + 1):
            row = self._tables.reports[number]
            seat = self._seats.get(row.client_id)
            if seat is not None and "on_settlement" in seat.wants:
                texts.setdefault(row.client_id, []).append(row.report)
        return texts

    def _count(self, seat: Seat, reports: Sequence[ExecutionReport]) -> dict[str, DepositRow]:
        """Count what happened to a bot's orders, and see whether a limit is broken; its shares."""
        client_id, numbers = seat.spec.client_id, seat.numbers
        deposits: dict[str, DepositRow] = {}
        has_traded = False
        for report in reports:
            kind = report.kind
            if kind == "new":
                numbers["orders"] += 1
                seat.open_orders += 1
            elif kind == "trade":
                has_traded = True
                numbers["fills"] += 1
                numbers["shares_traded"] += report.last_quantity or 0
                numbers["fees_e4"] += report.fee_e4 or 0
                numbers["turnover_e4"] += (report.last_quantity or 0) * (report.last_price_e4 or 0)
            elif kind == "canceled" or kind == "expired":
                numbers["canceled"] += 1
            if report.leaves == 0 and report.status in _ENDED and kind not in _REJECTED:
                seat.open_orders -= 1
            if report.security_id is not None:
                row = self._tables.deposits.get((client_id, report.security_id))
                if row is not None:
                    deposits[report.security_id] = row
        self._check_limits(seat, deposits, has_traded)
        return deposits

    def _check_limits(
        self, seat: Seat, deposits: Mapping[str, DepositRow], has_traded: bool
    ) -> None:
        limits = seat.spec.limits
        broken = bot_limits.broken_by_orders(seat)
        if has_traded and limits.position is not None:
            for security_id, row in deposits.items():
                broken = broken or bot_limits.broken_by_position(seat, security_id, row)
        if has_traded and limits.loss is not None:
            equity_e4 = self.equity_e4(seat.spec.client_id)
            broken = broken or bot_limits.broken_by_loss(seat, equity_e4)
        if broken is not None:
            self.stop(seat.spec.client_id, broken)


_ENDED = ("filled", "canceled", "expired")
_REJECTED = ("cancel_rejected", "amend_rejected")
