"""From ports to running parts: the same for the real service and for the simulation."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clearinghouse.administration import Administration
from clearinghouse.client_administration import ClientAdministration
from clearinghouse.enrollment import EnrolledAccounts
from clearinghouse.fee_changes import RecordedFeeChanges
from clearinghouse.handlers import SettlementDesk
from clearinghouse.lending.administration import LoanAdministration
from clearinghouse.lending.desk import LoanDesk
from clearinghouse.lending.margin_run import MarginRun
from clearinghouse.lending.marks import MarginMarks
from clearinghouse.loops.event_reader import EventReader
from clearinghouse.ports import LedgerStore
from clearinghouse.proposal_desk import ProposalDesk
from client_enrollment.desk import Enrollment
from service_runtime.bus import Consumer, Publisher
from service_runtime.clock import Clock
from trading_fees.desk import FeeDesk


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The clearinghouse, ready to run; `reader.run` is its loop."""

    desk: SettlementDesk
    reader: EventReader
    administration: Administration
    clients: ClientAdministration
    loans: LoanDesk
    loan_rules: LoanAdministration
    margin: MarginRun
    """Its `run` is a loop as well."""
    proposals: ProposalDesk
    enrollment: Enrollment
    fees: FeeDesk


def wire(
    store: LedgerStore,
    consumer: Consumer,
    publisher: Publisher,
    clock: Clock,
    stopping: threading.Event,
    *,
    endowment: Mapping[str, int] | None = None,
    now_s: Callable[[], float] = time.monotonic,
    settlement_desk: type[SettlementDesk] = SettlementDesk,
    event_reader: type[EventReader] = EventReader,
) -> Parts:
    """The parts on these ports. `now_s` paces retries; the classes are for tests that break one."""
    desk = settlement_desk(store, publisher, stopping)
    marks = MarginMarks()
    administration = Administration(desk, store, clock, endowment)
    return Parts(
        desk=desk,
        reader=event_reader(store, consumer, publisher, desk, stopping, now_s),
        administration=administration,
        enrollment=Enrollment(EnrolledAccounts(administration, store, clock), clock, now_s),
        clients=ClientAdministration(store, clock),
        loans=LoanDesk(desk, clock, marks),
        loan_rules=LoanAdministration(desk, store, clock, marks),
        margin=MarginRun(desk, store, clock, marks, stopping),
        proposals=ProposalDesk(desk, clock),
        fees=FeeDesk(RecordedFeeChanges(store, clock)),
    )
