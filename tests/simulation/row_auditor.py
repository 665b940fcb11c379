"""
A reader outside: holds every row against what the exchange's reports imply.

It shares no code with the product but the shapes of what goes over the wire. It hears what the
core hands over and is told, and reads rows, histories, trades and updates as clients do, as bytes.
After each step it reads the orders that the step has touched, and now and then all of them.

What was seen and shown is kept with the number of its journal record; when a process dies with
its last records, what belonged to them was never shown.

Source: docs/spec/cover_order.md (INV-22 to INV-24); docs/reliability.md.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    ModifyCoverOrder,
    OpenSession,
    PlaceCoverOrder,
)
from kavach.core.model.regular.commands import ModifyOrder, PlaceOrder
from kavach.core.refusals import Answer
from tests.simulation.auditor import Asked, Seen, Thing
from tests.simulation.row_rules import OVER, Leg, check_history, check_row, pips
from tests.simulation.slips import Slip
from tests.simulation.window import LegShown, Window

Json = dict[str, Any]
decode: Final = msgspec.json.decode
OLD_LINES: Final = 24  # An order with a longer history is old:
OLD_EVERY: Final = 8  # it is read whole every so many looks.
SWEEP_EVERY: Final = 25  # Looks, between two of them at everything.
# What an update has of its row; ``exchange_time`` and the version are those of the step.
UPDATED: Final = (
    "order_status",
    "quantity",
    "filled_quantity",
    "remaining_quantity",
    "average_price",
    "price",
    "trigger_price",
    "exchange_order_id",
    "order_type",
    "stop_loss_value",
    "square_off_value",
    "trailing_stop_loss",
)


class Shown(NamedTuple):
    """A leg as it was read last."""

    sequence: int  # Of the journal record that it belongs to.
    row: bytes
    history: list[bytes]
    proofs: int  # How much had been told by then that may change what has ended.
    plans: int  # How often its client had changed it.
    unmade: int  # How many changes of its stop had not been made.


class RowAuditor:
    """What was read, and what it must have been."""

    def __init__(self, t_absent_ns: int) -> None:
        self._t_absent_ns = t_absent_ns
        self._seen: list[Seen] = []
        self._shown: dict[str, list[Shown]] = defaultdict(list)  # By row, oldest first.
        self._trades: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        self._looks = 0
        self._old: set[int] = set()
        self.rows_read = 0
        # Where it is set, what is not so is counted by its label and looked past.
        self.findings: Counter[str] | None = None
        self._forget()

    def _forget(self) -> None:
        self.slips: dict[int, Slip] = {}
        self.of_parent: dict[int, list[Slip]] = defaultdict(list)
        self.wishes: dict[int, set[int]] = defaultdict(set)
        self.told: dict[int, int] = defaultdict(int)  # Trades, by parent.
        self.openings = 0  # Of sessions.
        self.plans: dict[int, int] = defaultdict(int)  # Changes and exits that were granted.

    # --- What it sees -------------------------------------------------------------------------

    def see(self, sequence: int, at_ns: int, thing: Thing) -> None:
        """Write down one thing on the wire."""
        self._seen.append(Seen(sequence, at_ns, thing))
        self._note(at_ns, thing)

    def forget_after(self, sequence: int) -> None:
        """Unsee and unread what the dead process did not write to disk."""
        kept = [seen for seen in self._seen if seen.sequence <= sequence]
        if len(kept) < len(self._seen):
            self._seen = kept
            self._forget()
            for seen in kept:
                self._note(seen.at_ns, seen.thing)
        for shown in self._shown.values():
            while shown and shown[-1].sequence > sequence:
                shown.pop()
        for trades in self._trades.values():
            while trades and trades[-1][0] > sequence:
                trades.pop()

    def _note(self, at_ns: int, thing: Thing) -> None:
        match thing:
            case Asked():
                self._asked(thing)
            case e.OrderSubmitted():
                slip = Slip(thing, at_ns)
                self.slips[thing.tag] = slip
                self.of_parent[thing.parent_id].append(slip)
            case e.OrderAmendSent():
                self.slips[thing.tag].change(thing, at_ns)
            case e.OrderCancelSent():
                self.slips[thing.tag].withdraw(thing, at_ns)
            case _ if isinstance(thing, e.ExecutionReport):
                self._told(thing)

    def _asked(self, asked: Asked) -> None:
        command, outcome = asked
        if not isinstance(outcome, Answer):
            return
        if isinstance(command, OpenSession):
            self.openings += 1
        if isinstance(command, ModifyCoverOrder | CancelCoverOrder):
            self.plans[command.order_id] += 1
        if isinstance(command, PlaceCoverOrder | PlaceOrder):
            self.wishes[outcome.order_id].add(int(command.quantity))
        elif isinstance(command, ModifyCoverOrder | ModifyOrder) and command.quantity is not None:
            self.wishes[command.order_id].add(int(command.quantity))

    def _told(self, said: e.ExecutionReport) -> None:
        slip = self.slips[said.tag]
        match said:
            case e.OrderAccepted():
                slip.accepted(said.exchange_order_id)
            case e.OrderTriggered():
                slip.fired = True
            case e.OrderTraded():
                self._traded(slip, said)
            case e.OrderAmended():
                slip.changed(said.serial, done=True)
            case e.OrderAmendRefused():
                slip.changed(said.serial, done=False)
            case e.OrderCancelRefused():
                slip.stays(said.serial)
            case e.OrderRejected():
                slip.refused()
            case e.OrderClosed():
                slip.closed(int(said.filled_quantity), said.closing)
            case e.OrderStatus():
                for trade in said.trades:
                    self._traded(slip, trade)
                slip.status(said, settled=self._settled(slip, said))
            case e.OrderAbsent():
                self._absent(slip, said)

    def _traded(self, slip: Slip, trade: e.OrderTraded) -> None:
        self.told[slip.asked.parent_id] += slip.traded(trade)

    def _absent(self, slip: Slip, said: e.OrderAbsent) -> None:
        if self._settled(slip, said):
            if slip.exchange_order_id:
                slip.closed(slip.filled)
            else:
                slip.refused(denied=True)

    def _settled(self, slip: Slip, said: e.OrderStatus | e.OrderAbsent) -> bool:
        """Return whether no request can be on its way: the exchange says so, or it is too long."""
        return said.settled or said.queried_at_ns - slip.asked_ns >= self._t_absent_ns

    # --- What it reads ------------------------------------------------------------------------

    def look(self, window: Window, sequence: int, now_ns: int, clients: Iterable[str]) -> None:
        """Read what the last step has touched, and now and then everything."""
        self._looks += 1
        touched, window.touched = window.touched, {}
        told, window.told = window.told, {}
        for parent_id, parent in touched.items():
            # The longer it has lived, the less often what it has lived is read.
            often = parent_id not in self._old or self._looks % OLD_EVERY == 0
            for leg in window.legs(parent, histories=often):
                if not often:
                    leg.history = self._past(leg.order_id)
                elif len(leg.history) > OLD_LINES:
                    self._old.add(parent_id)
                self._read(leg, parent_id, sequence, now_ns, told.get(leg.order_id), whole=often)
            self._read_trades(parent_id, window.trades(parent), sequence)
        if self._looks % SWEEP_EVERY == 0:
            self.sweep(window, sequence, clients)

    def sweep(self, window: Window, sequence: int, clients: Iterable[str]) -> None:
        """Read every book whole: what no step has touched is as it was (INV-24)."""
        for client_id in clients:
            for row in window.book(client_id):
                shown = self._shown.get(row["oms_order_id"])
                if shown:
                    self._demand(partial(_may_differ, decode(shown[-1].row), row, proved=False))

    def _read(
        self,
        leg: LegShown,
        parent_id: int,
        sequence: int,
        now_ns: int,
        update: Json | None,
        *,
        whole: bool,
    ) -> None:
        shown = self._shown[leg.order_id]
        row: Json = decode(leg.row)
        self.rows_read += 1
        filled = self._entry_filled(parent_id)
        proofs = self.told[parent_id]
        proofs += sum(slip.resurfaced for slip in self.of_parent[parent_id])
        if row["leg_order_indicator"] in ("SECOND", "THIRD"):
            # Each exit that is sent is another life of the leg, and so is what a client plans.
            # At an opening what was carried gets its exits again.
            proofs += len(self.of_parent[parent_id]) + self.plans[parent_id] + self.openings
        unmade, stands = self._stops(parent_id)
        self._demand(partial(check_row, row, self._leg(parent_id, row), now_ns, filled))
        if update is not None:
            self._demand(partial(_is_row, update, row))
        if shown:
            last = shown[-1]
            if leg.row == last.row and leg.history == last.history and proofs == last.proofs:
                return
            proved = proofs > last.proofs
            was = decode(last.row)
            self._demand(partial(_may_differ, was, row, proved=proved))
            if self.plans[parent_id] == last.plans:
                back = unmade > last.unmade and pips(row["stop_loss_value"]) in stands
                self._demand(partial(_trails, was, row, back=back))
            self._demand(partial(_goes_on, last.history, leg.history, f"history: {leg.order_id}"))
        if whole:
            self._demand(partial(check_history, row, [decode(line) for line in leg.history]))
        plans = self.plans[parent_id]
        shown.append(Shown(sequence, leg.row, leg.history, proofs, plans, unmade))

    def _past(self, order_id: str) -> list[bytes]:
        shown = self._shown.get(order_id)
        return shown[-1].history if shown else []

    def _read_trades(self, parent_id: int, rows: list[bytes], sequence: int) -> None:
        """The trades are those that were told, each once, and past ones stay as they were."""
        known = self._trades[parent_id]
        past = [row for _, row in known]
        self._demand(partial(_goes_on, past, rows, f"trades: {parent_id}"))
        for body in rows[len(known) :]:
            self._demand(partial(_check_trade, decode(body)))
            known.append((sequence, body))
        self._demand(partial(_all_there, parent_id, len(rows), self.told[parent_id]))

    def _demand(self, check: Callable[[], None]) -> None:
        """Raise what a check raises, or count it."""
        try:
            check()
        except AssertionError as wrong:
            if self.findings is None:
                raise
            self.findings[str(wrong).partition(":")[0]] += 1

    def _leg(self, parent_id: int, row: Json) -> Leg:
        word = row["leg_order_indicator"] or "ENTRY"
        slips = [slip for slip in self.of_parent[parent_id] if slip.leg == word]
        wishes = self.wishes[parent_id] if word == "ENTRY" else ()
        given: Counter[int] = Counter()
        for slip in self.of_parent[parent_id]:
            if slip.leg != "ENTRY":
                given[slip.asked.link] += slip.filled
        return Leg(slips, wishes, self._entry_filled(parent_id) - given.total(), given)

    def _stops(self, parent_id: int) -> tuple[int, set[int]]:
        """Return how many changes of its stop were not made, and the triggers that may stand."""
        slips = [slip for slip in self.of_parent[parent_id] if slip.leg == "THIRD"]
        stands = {terms.trigger for slip in slips if slip.lives for terms in slip.may_stand}
        return sum(slip.unmade for slip in slips), stands

    def _entry_filled(self, parent_id: int) -> int:
        return sum(slip.filled for slip in self.of_parent[parent_id] if slip.leg == "ENTRY")


def _is_row(update: Json, row: Json) -> None:
    """The last update of a leg is its row."""
    for column in UPDATED:
        told = f"{row['oms_order_id']} was told {update[column]}, and is {row[column]}"
        assert update[column] == row[column], f"feed {column}: {told}"


def _goes_on(past: list[bytes], now: list[bytes], name: str) -> None:
    """What was read before is there still, as it was."""
    for number, line in enumerate(past):
        told = f"{name}: line {number} has changed"
        assert number < len(now), f"INV-24 {told}"
        if now[number] != line:
            was, is_now = decode(line), decode(now[number])
            columns = [column for column in is_now if is_now[column] != was[column]]
            raise AssertionError(f"INV-24 {told} in {', '.join(columns)}")


def _may_differ(was: Json, now: Json, *, proved: bool) -> None:
    """A row that changes has a higher version, and one that has ended does not change."""
    if was == now:
        return
    name, version = now["oms_order_id"], "last_activity_reference"
    columns = sorted(column for column in now if now[column] != was[column])
    told = f"{name} {was['order_status']} has changed in {', '.join(columns)}"
    assert version in columns, f"INV-23: {told}"
    newer = now[version] > was[version] or now["order_status"] == "REJECTED"
    assert newer, f"INV-23: {told}: from {was[version]} to {now[version]}"
    ended = was["order_status"] in OVER
    assert proved or not ended, f"INV-24 ended: {told}, and is {now['order_status']}"


def _trails(was: Json, now: Json, *, back: bool) -> None:
    """A stop that nobody moves trails by whole steps.

    A change that was not made takes the plan ``back`` to where the stop stands.
    """
    step = pips(now["trailing_stop_loss"])
    if now["execution_type"] != "CO" or not step or was["trailing_stop_loss"] == 0:
        return
    moved = pips(now["stop_loss_value"]) - pips(was["stop_loss_value"])
    told = f"{now['oms_order_id']}: by {moved} pips with a step of {step}"
    whole = moved % step == 0
    assert back or whole or now["order_status"] == "REJECTED", f"INV-16 trail: {told}"


def _check_trade(row: Json) -> None:
    """A trade is within its order, and leaves what it says."""
    told = f"{row['trade_number']} of {row['oms_order_id']}"
    within = row["filled_quantity"] <= row["original_vol"]
    assert within, f"INV-22 trades: {told} is beyond {row['original_vol']}"
    left = row["remaining_quantity"] == row["original_vol"] - row["filled_quantity"]
    assert left, f"INV-22 trades: {told} leaves {row['remaining_quantity']}"


def _all_there(parent_id: int, shown: int, told: int) -> None:
    """Every trade that was told is shown, and no other."""
    assert shown == told, f"INV-22 trades: {parent_id} shows {shown} of {told}"
