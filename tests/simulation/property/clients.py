"""
Clients of a small market, their deeds, and the auditor behind them.

Two clients trade two shares (one where stops need a limit and orders are cut at 50). Each deed
takes small numbers and does something lawful with them, or nothing: whoever draws the numbers,
Hypothesis or a seed, need not know the rules. What stands behind the engine, a venue far away
or the exchange inside, is the business of the two worlds derived from this one.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    Command,
    Kill,
    Leg,
    ModifyCoverOrder,
    OpenClient,
    PlaceCoverOrder,
    SquareOff,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import State
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.engine.venue_port import Venue
from kavach.journal.memory import MemoryJournal
from kavach.units import (
    NS_PER_MS,
    Exchange,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from tests.simulation.property.auditor import Auditor
from tests.unit.core.scenario import HandClock
from tests.unit.core.stocks import stock

SHARES: Final = (stock(), stock(token=2, freeze=50, slm_allowed=False))
COVERS_MAX: Final = 4
WAITS_MS: Final = (1, 50, 300, 500, 1000, 3000)


class Clients:
    """An engine, a venue, two clients and an auditor."""

    def __init__(self, venue: Venue) -> None:
        self.clock = HandClock()
        self.journal = MemoryJournal()
        self.engine = self.engine_of(self.journal, venue)
        self.auditor = Auditor(self.engine)
        self.prices = {share.key: 130_000 for share in SHARES}
        self.hashes = {0: self.engine.state_hash()}
        self.keys = 0
        self.open = True
        for client in "AB":
            accepted(self.engine.execute(OpenClient(client_id=client, cash_paise=Paise(10**9))))

    def engine_of(self, journal: MemoryJournal, venue: Venue) -> Engine:
        """Return an engine that has read a journal."""
        engine = Engine(SHARES, Settings(), journal, venue, self.clock, far=self.far)
        engine.recover()
        return engine

    # --- What a world brings ------------------------------------------------------------------

    far = False  # Whether the venue answers later than within the call.

    def requests(self) -> Sequence[e.Request]:
        """Return everything that was ever sent to the venue."""
        raise NotImplementedError

    def fresh_venue(self) -> Venue:
        """Return a venue for an engine that starts again."""
        raise NotImplementedError

    def look(self) -> None:
        """Let the auditor judge, and remember the state as it is after this record."""
        self.auditor.check()
        self.hashes[self.journal.durable_sequence] = self.engine.state_hash()

    def _execute(self, command: Command) -> Outcome:
        self.clock.at_ns += 1_000
        self.engine.catch_up(self.clock.at_ns)
        self.look()
        outcome = self.engine.execute(command)
        self.look()
        return outcome

    def _ask(self, client: str, command: Command) -> Outcome:
        """Execute a client's command; the other client must not notice (INV-20)."""
        self.engine.catch_up(self.clock.at_ns + 1_000)
        self.look()
        other = "B" if client == "A" else "A"
        before, told = self._everything_of(other), self.auditor.told_of[other]
        outcome = self._execute(command)
        if told == self.auditor.told_of[other]:  # They did not trade with each other.
            assert before == self._everything_of(other), "INV-20"
        return outcome

    def _everything_of(self, client: str) -> bytes:
        state = self.engine.state
        return msgspec.msgpack.encode((state.clients[client], state.covers_of(client)))

    # --- Deeds of clients ---------------------------------------------------------------------

    def place(self, who: int, kind: int, size: int, unconfirmed: int) -> None:
        """Place a cover or bracket order; the same key again must change nothing (INV-6)."""
        client, share = "AB"[who % 2], SHARES[who // 2 % 2]
        living = [c for c in self.engine.state.every_cover() if c.ended is None]
        if len(living) >= COVERS_MAX:
            return
        side = (Side.BUY, Side.SELL)[kind % 2]
        sign = 1 if side is Side.BUY else -1
        order_type = (OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET, OrderType.SL)[
            kind // 2 % 4
        ]
        last = self.prices[share.key]
        price = last if order_type is OrderType.LIMIT else last + sign * 300
        self.keys += 1
        bracket = unconfirmed % 2 == 0
        reference = last if order_type is OrderType.MARKET else price
        stop = last - sign * 100 * (10 + unconfirmed % 60)
        command = PlaceCoverOrder(
            client_id=client,
            idempotency_key=f"K{self.keys}",
            fingerprint="place",
            instrument=share.key,
            side=side,
            order_type=order_type,
            quantity=Quantity(1 + size % (share.slice_max if bracket else 120) % 120),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(0 if order_type is OrderType.MARKET else price),
            trigger_price_pips=Pips(last + sign * 200 if order_type is OrderType.SL else 0),
            validity=Validity.IOC
            if order_type is OrderType.LIMIT and kind % 16 > 13
            else Validity.DAY,
            product=Product.MIS if kind % 3 else Product.CNC,
            stop_price_pips=Pips(0 if bracket else stop),
            trailing_step_pips=Pips(500 * (unconfirmed // 2 % 2)),
            user_order_id=1,
            bracket=bracket,
            stop_offset_pips=Pips(abs(reference - stop) if bracket else 0),
            target_offset_pips=Pips(100 * (1 + unconfirmed % 25) if bracket else 0),
        )
        outcome = self._ask(client, command)
        written = self.journal.durable_sequence
        again = self._execute(command)
        if isinstance(outcome, Answer):
            self.auditor.wanted[outcome.order_id] = command.quantity
            assert isinstance(again, Answer) and again.replayed, "INV-6"
            assert again.order_id == outcome.order_id, "INV-6"
            assert self.journal.durable_sequence == written, "INV-6: a repetition wrote"

    def _cover(self, which: int) -> CoverOrder | None:
        covers = sorted(self.engine.state.every_cover(), key=lambda c: c.order_id)
        return covers[which % len(covers)] if covers else None

    def _cancel(self, cover: CoverOrder, leg: Leg) -> CancelCoverOrder:
        entry = [o.exchange_order_id for o in cover.entries if o.exchange_order_id]
        exits = [o.exchange_order_id for o in cover.orders_of(leg) if o.exchange_order_id]
        known = entry if leg is Leg.ENTRY else exits or entry
        return CancelCoverOrder(
            client_id=cover.client_id,
            order_id=cover.order_id,
            leg=leg,
            exchange_order_id=known[0] if known else "unknown-yet",
        )

    def cancel_entry(self, which: int) -> None:
        """C1, twice: the second has no effect and the same answer (INV-7, INV-14)."""
        cover = self._cover(which)
        if cover is None:
            return
        confirmed, position, exits = cover.protected, cover.position, len(cover.exits)
        command = self._cancel(cover, Leg.ENTRY)
        outcome = self._ask(cover.client_id, command)
        assert (cover.protected, cover.position) == (confirmed, position), "INV-14"
        if cover.exit_source is None:
            assert len(cover.exits) == exits, "INV-14: C1 touched the stop"
        if isinstance(outcome, Answer) and cover.ended is None:
            self.auditor.cancelled.add(cover.order_id)
        self._again(command, outcome)

    def exit(self, which: int) -> None:
        """C2, twice: never refused while something is held (INV-7, INV-12)."""
        cover = self._cover(which)
        if cover is None:
            return
        held, state = cover.position, cover.state
        target = cover.is_bracket and which % 2
        command = self._cancel(cover, Leg.SECOND if target else Leg.THIRD)
        outcome = self._ask(cover.client_id, command)
        if held and (state is not State.CARRIED or self.open):
            assert isinstance(outcome, Answer), f"INV-12: {outcome} in {state}"
        self._again(command, outcome)

    def _again(self, command: Command, first: Outcome) -> None:
        sent = len(self.requests())
        second = self._execute(command)
        if isinstance(first, Answer):
            assert len(self.requests()) == sent, "INV-7: a repetition sent something"
        if isinstance(first, Answer):
            assert isinstance(second, Answer), "INV-7"
            assert (second.order_id, second.state) == (first.order_id, first.state), "INV-7"
        elif first.reason not in (Reason.VENUE_REFUSED, Reason.TOO_LATE):
            assert second == first, "INV-7"

    def modify(self, which: int, what: int, size: int, unconfirmed: int) -> None:
        """C3 or C4, with anything."""
        cover = self._cover(which)
        if cover is None:
            return
        sign = 1 if cover.side is Side.BUY else -1
        last = self.prices[cover.instrument]
        stop = Pips(last - sign * 100 * (unconfirmed % 70)) if what % 3 else None
        exit_leg = Leg.SECOND if cover.is_bracket and what % 8 == 4 else Leg.THIRD
        offset = Pips(100 * (1 + unconfirmed % 40)) if cover.is_bracket and what % 3 else None
        command = ModifyCoverOrder(
            client_id=cover.client_id,
            order_id=cover.order_id,
            leg=Leg.ENTRY if what % 2 else exit_leg,
            quantity=Quantity(1 + size % 140) if what % 4 > 1 else None,
            price_pips=Pips(last + 100 * (unconfirmed % 5)) if what % 5 > 2 else None,
            stop_price_pips=None if offset else stop,
            stop_offset_pips=offset if what % 5 else None,
            target_offset_pips=offset if what % 7 > 2 else None,
        )
        planned = cover.plan, [cover.exit_of(leg).price_pips for leg in cover.legs[1:]]
        self.auditor.moved_by_client(cover.order_id)
        wanted = self.auditor.wanted[cover.order_id]
        if command.leg is Leg.ENTRY and command.quantity is not None:
            self.auditor.wanted[cover.order_id] = max(wanted, command.quantity)
        outcome = self._ask(cover.client_id, command)
        if isinstance(outcome, Refusal) and outcome.reason is not Reason.VENUE_REFUSED:
            now = cover.plan, [cover.exit_of(leg).price_pips for leg in cover.legs[1:]]
            assert now == planned, "a refused change changed the plan"
            self.auditor.wanted[cover.order_id] = wanted

    def snoop(self, which: int) -> None:
        """Another client's order and no order at all look alike (INV-20)."""
        cover = self._cover(which)
        if cover is None:
            return
        other = "B" if cover.client_id == "A" else "A"
        theirs = msgspec.structs.replace(self._cancel(cover, Leg.ENTRY), client_id=other)
        nobodys = msgspec.structs.replace(theirs, order_id=1)
        refused = self._ask(other, theirs)
        assert refused == self._ask(other, nobodys) == Refusal(Reason.ORDER_MUST_EXIST), "INV-20"

    # --- Deeds of the day ---------------------------------------------------------------------

    def wait(self, which: int) -> None:
        """Let time pass, and everything that is due happen."""
        self.clock.at_ns += WAITS_MS[which % len(WAITS_MS)] * NS_PER_MS
        self.engine.catch_up(self.clock.at_ns)
        self.look()

    def square_off(self) -> None:
        """T1."""
        accepted(self._execute(SquareOff(Exchange.NSE)))

    def kill(self, who: int) -> None:
        """K."""
        client = "AB"[who % 2]
        accepted(self._ask(client, Kill(client)))

    # --- The end ------------------------------------------------------------------------------

    def everybody_out(self) -> None:
        """Let the clients ask for the exit of whatever lives or is held."""
        for cover in list(self.engine.state.every_cover()):
            if cover.position or cover.ended is None:
                self._execute(self._cancel(cover, Leg.THIRD))

    def nobody_left(self) -> None:
        """Assert that every cover order has ended and nothing is held (INV-8, INV-9)."""
        for cover in self.engine.state.every_cover():
            assert cover.ended is not None, f"{cover.order_id} never ends: {cover.state}"
            assert cover.position == 0, f"{cover.order_id} is left with {cover.position}"

    def check_replay(self, prefix: int) -> None:
        """Read the journal up to some record and compare with the state of then (INV-19)."""
        known = sorted(self.hashes)
        upto = known[prefix % len(known)]
        journal = MemoryJournal()
        for sequence, body in self.journal.records():
            if sequence <= upto:
                journal.append(body)
        again = self.engine_of(journal, self.fresh_venue())
        assert again.state_hash() == self.hashes[upto], f"INV-19: replay of {upto} records"
