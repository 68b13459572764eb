"""One schedule: a seed decides who acts next and what goes wrong; then everything must agree."""

import random
from collections.abc import Callable
from contextlib import suppress

from service_runtime.database import DatabaseUnavailable
from venue_protocol.holds import CASH
from venue_protocol.message_bounds import MessageBounds
from venue_protocol.refusals import Refused
from venue_protocol.topology import DATA_FEED, ORDER_EXECUTION, order_entry_queue, resend_queue
from venue_simulation import faults as kinds
from venue_simulation.administrator import Administrator
from venue_simulation.agreement import MOST_SKEW_US, Agreement
from venue_simulation.broker import SimulatedBus, SimulatedPublisher
from venue_simulation.broker_faults import BrokerFaults
from venue_simulation.clients import Client, ClientAction, InFlight, brief
from venue_simulation.faults import Faults, Killed
from venue_simulation.fee_changes import FeeChanges
from venue_simulation.oracle import Oracle
from venue_simulation.plan import Failure, Outcome, Plan, simulated_security
from venue_simulation.processes import (
    Clearing,
    Engine,
    Feed,
    Gateway,
    Process,
    RealParts,
    Surroundings,
)
from venue_simulation.violation import Violation
from venue_storage.memory_clearing_data import Moment

_GATEWAYS = 2
_CLIENTS = 4
_CALM_ROUNDS = 400
_MAIN_STEP_SHARE = 0.7
_AFTERSHOCK_ROUNDS = 10
_IMPATIENT_SHARE = 0.1
"""Share of requests that are sent twice without waiting."""
_LONGEST_PAUSE_US = 1_200_000
_CASH_E4 = 20_000_000
_SHARES = 40
_ISSUED = 10_000


def run(plan: Plan, parts: type[RealParts] = RealParts) -> Outcome:
    """Play one schedule. Failure when a promise is broken."""
    schedule = Schedule(plan, parts)
    try:
        return schedule.play()
    except (Exception, Killed) as error:
        raise Failure(plan, schedule.steps_done, schedule.trace, error) from error


class Schedule:
    """A venue, its clients, and the dice that move them."""

    def __init__(self, plan: Plan, parts: type[RealParts]) -> None:
        self._plan = plan
        self._dice = random.Random(plan.seed)
        self.faults = Faults(self._dice.getrandbits(64), plan.kinds)
        self._shards = 2 if self._dice.random() < 0.25 else 1
        securities = [simulated_security("AAPL", 0), simulated_security("MSFT", self._shards - 1)]
        self.bus = SimulatedBus(self.faults, self._on_arrival)
        bounds = MessageBounds(most_items=plan.most_events)
        listed = {security.security_id: security for security in securities}
        self.around = Surroundings(self.bus, listed, self._shards, bounds)
        self.oracle = Oracle(self.around.clearing, self._shards, bounds)
        self.gateways = [
            Gateway(number, self.around, parts, self._dice.randint(-MOST_SKEW_US, MOST_SKEW_US))
            for number in range(_GATEWAYS)
        ]
        self.engines = [Engine(shard, self.around, parts) for shard in range(self._shards)]
        self.clearing = Clearing(self.around, parts)
        self.feed = Feed(self.around, parts)
        self.processes: list[Process] = [*self.gateways, *self.engines, self.clearing, self.feed]
        self._agreement = Agreement(self.around, self.oracle, self.engines, self.feed)
        self._broker_faults = BrokerFaults(
            self.around, self.faults, self._dice, self._note, self._some_publisher
        )
        names, now_us = list(self.around.securities), self.around.clock.now_us
        self.clients = [
            Client(f"client{number}", names, random.Random(self._dice.random()), now_us)
            for number in range(_CLIENTS)
        ]
        self._administrator = Administrator(self._dice, names, self.clients, now_us)
        self._in_flight: list[InFlight] = []
        self._deposits: list[tuple[str, str, int, str]] = []
        """Deposits that are not known to be made: client, asset, amount, key."""
        self._deposit_keys: set[str] = set()
        self._checked: dict[str, tuple[int, int]] = {}
        self._acting: list[Process] = []
        """The process that moves; a second one, if it gets in between."""
        self.messages = self.steps_done = 0
        self.trace: list[str] = []
        self._fee_changes = FeeChanges(self.clearing, self._dice, self.clients, self._step)
        self._acts, self._weights = self._draw_weights()

    def play(self) -> Outcome:
        """Open the venue, disturb it, calm it, compare."""
        self._open()
        while self.steps_done < self._plan.steps:
            self.steps_done += 1
            self.around.clock.advance(self._dice.randint(100, 40_000))
            self._dice.choices(self._acts, self._weights)[0]()
        self._calm_down()
        self._agreement.check(self._deposit_keys)
        trades = sum(shard.engine.trade_count for shard in self.oracle.shards)
        commands = sum(shard.engine.log_position for shard in self.oracle.shards)
        return Outcome(
            self.faults.counts, commands, trades, self.oracle.commits, self.messages, self.trace
        )

    def _open(self) -> None:
        """The first state of the venue, made by its own administration; no faults yet."""
        self.faults.is_calm = True
        queues = [order_entry_queue(engine.shard) for engine in self.engines]
        queues += [resend_queue(engine.shard) for engine in self.engines]
        queues += [ORDER_EXECUTION, DATA_FEED]
        self.bus.declare(queues)
        self._broker_faults.queues = queues
        self.clearing.start()
        administration = self.clearing.administration
        administration.ensure_venue_accounts()
        for security in self.around.securities.values():
            administration.list_security(security, _ISSUED)
        for client in self.clients:
            shares = dict.fromkeys(self.around.securities, _SHARES)
            administration.create_client(client.caller.client_id, "market_maker", _CASH_E4, shares)
        for process in self.processes[:-2]:
            process.start()
        self.feed.start()
        self.faults.is_calm = False
        self.around.clearing.faults = self._at_clearing
        self.around.record.faults = self.faults.at_database

    def _draw_weights(self) -> tuple[list[Callable[[], None]], list[float]]:
        """How often each act is chosen; drawn, so that in some schedules one part is slow."""
        acts: dict[Callable[[], None], float] = {
            self._client_sends: 10,
            self._answer_arrives: 8,
            self._process_steps: 30,
            self._publisher_sends: 14,
            self._publisher_hears: 8,
            self._time_passes: 2,
            self._restart: 4,
            self._administrator_deposits: 1,
            self._client_arms_switch: 0.5,
            self._administrator_commands: 1,
            self._fee_changes.act: 0.7,
            self._world_goes_wrong: 8,
        }
        return list(acts), [weight * self._dice.uniform(0.4, 1.6) for weight in acts.values()]

    def _note(self, text: str) -> None:
        self.trace.append(f"{self.steps_done:4d} {text}")

    def _on_arrival(self, routing_key: str, body: bytes) -> None:
        self.messages += 1
        self.oracle.on_arrival(routing_key, body)

    def _client_sends(self) -> None:
        client = self._dice.choice(self.clients)
        actions = client.next_actions(self.clients)
        for _ in range(2 if self._dice.random() < _IMPATIENT_SHARE else 1):
            self._send(client, actions)

    def _send(self, client: Client, actions: list[ClientAction]) -> None:
        gateway = self._dice.choice(self.gateways)
        client.sent(actions)
        self._note(
            f"{client.caller.client_id} sends {len(actions)} to {gateway.name}: {brief(actions)}"
        )
        if not gateway.is_up:
            client.ended(actions)
            client.abandoned(actions)
            return
        try:
            pending = gateway.desk.begin(client.caller, actions)
        except Refused as refused:
            client.answered(actions, [refused.refusal] * len(actions), self.around.clearing)
            return
        self._in_flight.append(InFlight(client, actions, pending, gateway))

    def _client_arms_switch(self) -> None:
        """A dead man's switch: at its end any gateway cancels all orders of the client."""
        client_id = self._dice.choice(self.clients).caller.client_id
        timeout_ms = self._dice.choice((0, 300, 2_000))
        gateway = self._dice.choice(self.gateways)

        def arm() -> None:
            with suppress(DatabaseUnavailable):
                gateway.timekeeper.cancel_after(client_id, timeout_ms)

        if gateway.is_up:
            self._step(gateway, f"arms the switch of {client_id} for {timeout_ms} ms", arm)

    def _answer_arrives(self) -> None:
        if not self._in_flight:
            return
        request = self._in_flight[self._dice.randrange(len(self._in_flight))]
        if not request.is_abandoned and self.faults.strikes(kinds.ANSWER_LOST):
            self._note(f"{request.client.caller.client_id} waits no longer")
            request.is_abandoned = True
            request.client.abandoned(request.actions)
        if request.pending.is_decided():
            self._deliver(request)

    def _deliver(self, request: InFlight) -> None:
        self._in_flight.remove(request)
        answers = request.pending.answers()
        if request.is_abandoned:
            request.client.ended(request.actions)
        else:
            request.client.answered(request.actions, answers, self.around.clearing)

    def _process_steps(self) -> None:
        process = self._dice.choice(self.processes)
        if process.is_up:
            steps = process.steps()
            is_main = self._dice.random() < _MAIN_STEP_SHARE
            self._step(process, *(steps[0] if is_main else self._dice.choice(steps)))

    def _at_clearing(self, moment: Moment) -> None:
        """A transaction is at this moment.

        While it has locked nothing, another process may get in between.
        """
        others = [
            process for process in self.processes if process.is_up and process not in self._acting
        ]
        if (
            moment == "read"
            and len(self._acting) == 1
            and others
            and self.faults.strikes(kinds.RACE)
        ):
            rivals = [process for process in others if isinstance(process, Gateway)]
            other = self._dice.choice(rivals or others if self._dice.random() < 0.5 else others)
            self._step(other, *other.steps()[0])
        self.faults.at_database(moment)

    def _step(self, process: Process, name: str, step: Callable[[], object]) -> None:
        """One move of one process, which may be its last."""
        self._acting.append(process)
        try:
            self._move(process, name, step)
        finally:
            self._acting.pop()

    def _move(self, process: Process, name: str, step: Callable[[], object]) -> None:
        try:
            result = step()
            self._note(f"{process.name} {name}" + (f" ({result})" if type(result) is int else ""))
        except Killed:
            self._note(f"{process.name} {name}, and is killed in the middle")
            self._crash(process)
        if process.is_up and isinstance(process, Engine):
            self._check_engine(process)

    def _check_engine(self, process: Engine) -> None:
        engine = process.desk.engine
        at = (process.runs, engine.log_position)
        if self._checked.get(process.name) != at:
            self._checked[process.name] = at
            self.oracle.check_engine(engine)

    def _crash(self, process: Process) -> None:
        process.crash(self._dice)
        lost = [request for request in self._in_flight if request.gateway is process]
        self._in_flight = [request for request in self._in_flight if request.gateway is not process]
        for request in lost:
            request.client.ended(request.actions)
            if not request.is_abandoned:
                request.client.abandoned(request.actions)

    def _restart(self) -> None:
        if down := [process for process in self.processes if not process.is_up]:
            process = self._dice.choice(down)
            self._step(process, "starts", process.start)

    def _publisher_sends(self) -> None:
        publisher = self._some_publisher()
        if publisher is not None and publisher is not self._broker_faults.blocked:
            publisher.send(self._dice.choice((1, 1, 2, 5, 20)))

    def _publisher_hears(self) -> None:
        publisher = self._some_publisher()
        if publisher is not None:
            publisher.confirm(self._dice.choice((1, 2, 5, 20)))

    def _some_publisher(self) -> SimulatedPublisher | None:
        busy = [
            publisher
            for process in self.processes
            for publisher in process.publishers
            if publisher.has_work()
        ]
        return self._dice.choice(busy) if busy else None

    def _time_passes(self) -> None:
        self.around.clock.advance(self._dice.randint(0, _LONGEST_PAUSE_US))

    def _administrator_commands(self) -> None:
        """A phase, bands, a corporate action or settlement, through any gateway."""
        gateway = self._dice.choice(self.gateways)
        for commands in self._administrator.next_commands(gateway.listed) if gateway.is_up else ():
            self._note(f"administrator commands {commands[0].command} at {gateway.name}")
            gateway.committer.enqueue(commands)

    def _administrator_deposits(self) -> None:
        if not self._deposits or self._dice.random() < 0.5:
            key = f"gift{len(self._deposit_keys)}"
            client = self._dice.choice(self.clients).caller.client_id
            asset = self._dice.choice([CASH, *self.around.securities])
            self._deposits.append((client, asset, self._dice.randint(1, 50), key))
            self._deposit_keys.add(f"deposit:{key}")
        self._deposit(self._dice.choice(self._deposits))

    def _deposit(self, deposit: tuple[str, str, int, str]) -> None:
        """Ask for a deposit; only a clear answer ends the asking."""

        def ask() -> None:
            try:
                self.clearing.administration.deposit(*deposit)
            except DatabaseUnavailable:
                return
            except Refused:
                # The issuer has no shares of a symbol that is no more.
                self._deposit_keys.discard(f"deposit:{deposit[3]}")
            if not self.faults.strikes(kinds.ANSWER_LOST):
                self._deposits.remove(deposit)

        if self.clearing.is_up:
            self._step(self.clearing, f"takes deposit {deposit}", ask)

    def _world_goes_wrong(self) -> None:
        """Each kind of fault that no process's step brings about has its chance."""
        up = [process for process in self.processes if process.is_up]
        if up and self.faults.strikes(kinds.KILLED_IDLE):
            process = self._dice.choice(up)
            self._note(f"{process.name} is killed")
            self._crash(process)
        self._broker_faults.strike()

    def _calm_down(self) -> None:
        """No more faults, no new orders; everybody goes on until nothing moves."""
        self._note("calm")
        self.faults.calm()
        self._broker_faults.block_or_unblock()
        shocks = self._draw_aftershocks()
        for number in range(_CALM_ROUNDS):
            self._one_calm_round(shocks.get(number))
            if number > max(shocks, default=2) and not self._unrest():
                return
        raise Violation(f"the venue does not come to rest: {self._unrest()}")

    def _draw_aftershocks(self) -> dict[int, Process]:
        """Rounds in which the broker loses everything just after this process has published.

        They are the hardest losses: no later message shows the gap.
        """
        count = self._dice.choice((0, 0, 1, 3))
        drawn = {
            self._dice.randrange(_AFTERSHOCK_ROUNDS): self._dice.choice(self.processes)
            for _ in range(count)
        }
        return drawn if kinds.BROKER_WIPED in self._plan.kinds else {}

    def _one_calm_round(self, shock_after: Process | None) -> None:
        self.around.clock.advance(400_000)
        for process in self.processes:
            if not process.is_up:
                self._step(process, "starts", process.start)
            for name, step in process.steps():
                self._step(process, name, step)
            for publisher in process.publishers:
                publisher.send(1_000)
                publisher.confirm(1_000)
            if process is shock_after:
                self._note("aftershock: the broker loses everything")
                self.faults.counts[kinds.BROKER_WIPED] += 1
                self.bus.wipe()
        for request in list(self._in_flight):
            if request.pending.is_decided():
                self._deliver(request)
        for client in self.clients:
            actions = client.retries()
            if actions:
                self._send(client, actions)
        for deposit in list(self._deposits):
            self._deposit(deposit)

    def _unrest(self) -> list[str]:
        """What is not where it should be yet."""
        waiting = [f"{client.caller.client_id} waits" for client in self.clients if client.unclear]
        waiting += [f"deposit {deposit}" for deposit in self._deposits]
        waiting += ["requests in flight"] if self._in_flight else []
        return waiting + self._agreement.missing()
