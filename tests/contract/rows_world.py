"""
A desk for questions about rows: the engine over the exchange inside, a clock that stands still.

Everything is the real thing but for the socket: orders are commands, rows are made by the code
that answers ``GET orders``, and the book is the exchange's own. Time passes when a test says so,
which is also when late reports arrive and silent requests are asked about.
"""

from typing import Any, Final

import msgspec

from kavach.api.rows.history import history_rows
from kavach.api.rows.legs import LegView
from kavach.api.rows.order_rows import order_row, trade_rows
from kavach.core.commands import Command, Leg, ModifyCoverOrder, OpenClient, PlaceCoverOrder
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.commands import ModifyOrder, PlaceOrder
from kavach.core.refusals import Answer, Outcome, Refusal
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.venue_port import ExecutionReport
from kavach.exchange.snapshot import OrderRecord
from kavach.journal.memory import MemoryJournal
from kavach.twin.audit import audit
from kavach.units import (
    NS_PER_SECOND,
    InstrumentKey,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
    opposite,
)
from kavach.venues.embedded import DelayedReportSource, EmbeddedVenue
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from kavach.wire.activity import time_of

Row = dict[str, Any]

START_NS: Final = 1_795_060_800_000_000_000  # 2026-11-19 09:30 in India, a Thursday.
IDEA: Final = InstrumentKey("NSE:14366")
FUTURE: Final = InstrumentKey("NFO:35001")
LOT: Final = 65  # Of the future; one order may hold 1 800, so 1 755.
SLICE: Final = 1_755
OVER: Final = frozenset({"COMPLETE", "CANCEL_CONFIRMED", "REJECTED"})


class StandingClock:
    """A clock that stands where the test has put it."""

    def __init__(self) -> None:
        self.at_ns = START_NS

    def now_ns(self) -> int:
        """Return where it stands."""
        return self.at_ns


def pips(rupees: object) -> Pips:
    """Return a row's price in pips."""
    return Pips(round(float(str(rupees)) * 10_000))


class RowsDesk:
    """One client, one market, and what the client reads."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.journal = MemoryJournal()
        self.engine, self.venue = self._build()
        self.engine.recover()
        self._faults = 0
        self.execute(OpenClient(client_id="C", cash_paise=Paise(10**16)))

    def _build(self) -> tuple[Engine, EmbeddedVenue]:
        listed = load_instruments()
        venue = EmbeddedVenue(listed)
        engine = Engine(listed, Settings(), self.journal, venue, self.clock)
        engine.add_source(DelayedReportSource(engine, venue))
        return engine, venue

    # --- What a client does -------------------------------------------------------------------

    def execute(self, command: Command) -> Outcome:
        """Return what became of a command."""
        return self.engine.execute(command)

    def cover(self, quantity: int = 10, **changes: Any) -> int:
        """Place a cover order (of IDEA at 13, stop 12, unless changed); return its ENTRY's id."""
        fields: dict[str, Any] = {
            "instrument": IDEA,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "quantity": Quantity(quantity),
            "disclosed_quantity": Quantity(0),
            "price_pips": Pips(130_000),
            "trigger_price_pips": Pips(0),
            "validity": Validity.DAY,
            "product": Product.MIS,
            "stop_price_pips": Pips(120_000),
            "trailing_step_pips": Pips(0),
            "user_order_id": 1,
        }
        answer = self.execute(PlaceCoverOrder(client_id="C", **(fields | changes)))
        assert isinstance(answer, Answer), answer
        return answer.order_id

    def bracket(self, quantity: int = 10, **changes: Any) -> int:
        """Place a bracket of IDEA at 13, stop 12, target 14; return its ENTRY's id."""
        offsets = {"stop_offset_pips": Pips(10_000), "target_offset_pips": Pips(10_000)}
        return self.cover(quantity, bracket=True, stop_price_pips=Pips(0), **(offsets | changes))

    def regular(self, quantity: int = 10, **changes: Any) -> int:
        """Place a regular order (of IDEA at 13, unless changed); return its id."""
        fields: dict[str, Any] = {
            "instrument": IDEA,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "quantity": Quantity(quantity),
            "disclosed_quantity": Quantity(0),
            "price_pips": Pips(130_000),
            "trigger_price_pips": Pips(0),
            "validity": Validity.DAY,
            "product": Product.MIS,
        }
        answer = self.execute(PlaceOrder(client_id="C", **(fields | changes)))
        assert isinstance(answer, Answer), answer
        return answer.order_id

    def put(self, row: Row, **changes: Any) -> Outcome:
        """Send a whole row back, with these values of it changed, as clients do."""
        new = row | changes
        leg = Leg(row["leg_order_indicator"] or "ENTRY")
        bracket = row["execution_type"] == "BO"
        fields: dict[str, Any] = {
            "client_id": "C",
            "order_id": int(row["oms_order_id"]),
            "exchange_order_id": row["exchange_order_id"],
            "last_activity_ns": time_of(new["last_activity_reference"]),
            "order_type": OrderType(new["order_type"]),
            "quantity": Quantity(new["quantity"]),
            "disclosed_quantity": Quantity(new["disclosed_quantity"]),
            "price_pips": pips(new["price"]),
            "trigger_price_pips": pips(new["trigger_price"]),
            "validity": Validity(new["validity"]),
        }
        if row["leg_order_indicator"] is None:
            return self.execute(ModifyOrder(**fields))
        stop, target = pips(new["stop_loss_value"]), pips(new["square_off_value"])
        return self.execute(
            ModifyCoverOrder(
                leg=leg,
                bracket=bracket,
                stop_price_pips=None if bracket or leg is Leg.THIRD else stop,
                stop_offset_pips=stop if bracket else None,
                target_offset_pips=target if bracket else None,
                trailing_step_pips=pips(new["trailing_stop_loss"]),
                **fields,
            )
        )

    def done(self, row: Row, **changes: Any) -> None:
        """Send a row back, and have it taken."""
        outcome = self.put(row, **changes)
        assert isinstance(outcome, Answer), outcome

    def refused(self, row: Row, **changes: Any) -> Refusal:
        """Send a row back, and have it refused, with nothing changed."""
        before = self.engine.state_hash()
        outcome = self.put(row, **changes)
        assert isinstance(outcome, Refusal), outcome
        assert self.engine.state_hash() == before, "a refusal changed something"
        return outcome

    # --- What a client reads ------------------------------------------------------------------

    def parent(self, order_id: int) -> ParentOrder:
        """Return the order itself."""
        return self.engine.state.parents[order_id]

    def _view(self, order_id: int, leg: Leg) -> LegView:
        parent = self.parent(order_id)
        return LegView(parent, leg, self.engine.state.instruments[parent.instrument])

    def row(self, order_id: int, leg: Leg = Leg.ENTRY) -> Row:
        """Return a leg's row in the order book."""
        row: Row = msgspec.to_builtins(order_row(self._view(order_id, leg)))
        return row

    def rows(self, order_id: int) -> list[Row]:
        """Return the rows of all legs that have one."""
        parent = self.parent(order_id)
        legs = [Leg.ENTRY] + [
            leg for leg in (Leg.SECOND, Leg.THIRD) if getattr(parent, "id_of", _none)(leg)
        ]
        return [self.row(order_id, leg) for leg in legs]

    def history(self, order_id: int, leg: Leg = Leg.ENTRY) -> list[Row]:
        """Return a leg's history."""
        lines: list[Row] = msgspec.to_builtins(history_rows(self._view(order_id, leg)))
        return lines

    def trades(self, order_id: int) -> list[Row]:
        """Return the trades of an order."""
        found = list(trade_rows(self.parent(order_id), self.engine.state.instruments))
        rows: list[Row] = msgspec.to_builtins(found)
        return rows

    # --- The exchange -------------------------------------------------------------------------

    def book(self, order_id: int, leg: Leg = Leg.ENTRY) -> list[OrderRecord]:
        """Return what of a leg stands in the exchange's book."""
        tags = {order.tag for order in self.parent(order_id).orders_of(leg)}
        return [one for one in self.venue.exchange.snapshot().orders if one.order_ref in tags]

    def standing(self, order_id: int, leg: Leg = Leg.ENTRY) -> int:
        """Return how much of a leg the book could still trade."""
        return sum(one.quantity - one.filled_quantity for one in self.book(order_id, leg))

    def meet(self, side: Side, price_pips: int, quantity: int, key: InstrumentKey = IDEA) -> None:
        """Let an anonymous order come to the market."""

        def act(at_ns: int) -> ExecutionReport:
            _, _, events = self.venue.exchange.liquidity_order(
                key, side, Pips(price_pips), Quantity(quantity), TimestampNs(at_ns)
            )
            return self.venue.reports_of(events, key)

        self.engine.market_step(act, self.clock.at_ns)

    def fill(self, order_id: int, quantity: int, price_pips: int = 130_000) -> None:
        """Let an anonymous order trade this much with an entry that rests."""
        parent = self.parent(order_id)
        self.meet(opposite(parent.side), price_pips, quantity, parent.instrument)

    def print_trade(self, price_pips: int, key: InstrumentKey = IDEA) -> None:
        """Let the last price be this."""
        lot = Quantity(self.engine.state.instruments[key].lot)

        def act(at_ns: int) -> ExecutionReport:
            exchange = self.venue.exchange
            events = exchange.print_trade(key, Pips(price_pips), lot, TimestampNs(at_ns))
            return self.venue.reports_of(events, key)

        self.engine.market_step(act, self.clock.at_ns)

    def fault(self, effect: str, *, on: str = "amend", leg: Leg | None = None, **more: Any) -> None:
        """Let the next matching request suffer this."""
        self._faults += 1
        fields: dict[str, Any] = {
            "fault_id": str(self._faults),
            "client_id": None,
            "code": 16346,
            "reason": "no",
            "times": 1,
            "delay_ns": 5 * NS_PER_SECOND,
        }
        self.venue.faults.add(
            Fault(on=FaultOn(on), leg=leg, effect=FaultEffect(effect), **(fields | more))
        )

    def later(self, seconds: float) -> None:
        """Let time pass, with all that becomes due meanwhile."""
        self.clock.at_ns += round(seconds * NS_PER_SECOND)
        self.engine.catch_up(self.clock.at_ns)

    # --- What must always hold ----------------------------------------------------------------

    def check(self) -> None:
        """Assert what holds of every row, whatever was told, late or never (INV-22), and audit."""
        for parent in self.engine.state.every_order():
            for order in parent.entries + parent.exits:
                assert 0 <= order.filled_quantity <= order.quantity, order
            for row in self.rows(parent.order_id):
                assert 0 <= row["filled_quantity"] <= row["quantity"], row
                assert 0 <= row["remaining_quantity"] <= row["quantity"], row
                if row["order_status"] in OVER:
                    assert row["remaining_quantity"] == 0, row
            for trade in self.trades(parent.order_id):
                assert 0 <= trade["filled_quantity"] <= trade["original_vol"], trade
                assert trade["remaining_quantity"] >= 0, trade
        found = audit(self.engine.state, self.venue.exchange.snapshot(), self.clock.at_ns)
        assert found.violations == []

    def check_replay(self) -> None:
        """Assert that a program which starts from this journal shows the same rows."""
        engine, venue = self._build()
        engine.recover()
        assert engine.state_hash() == self.engine.state_hash(), "replay differs"
        kept, self.engine, self.venue = (self.engine, self.venue), engine, venue
        ids = list(engine.state.parents)
        again = [self.rows(order_id) for order_id in ids]
        self.engine, self.venue = kept
        assert again == [self.rows(order_id) for order_id in ids]


def _none(leg: Leg) -> int:
    """Return no id: a regular order has no legs beside itself."""
    return 0
