"""
What clients do: place, cancel, exit, change, ask again, and look where they should not.

Each deed draws what it needs from the chance of its decision and holds the answer against what
was promised to clients.

Source: docs/reliability.md; docs/wire/README.md, "Cancelling and getting out";
docs/spec/cover_order.md, "What must hold".
"""

from typing import Final
from zlib import crc32

import msgspec

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    Leg,
    ModifyCoverOrder,
    PlaceCoverOrder,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.instruments import Instrument
from kavach.units import (
    OrderType,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from tests.simulation.process import KINDS, LIVING_MAX, SHARES, Process

RUSH_MAX: Final = 8


class Clients(Process):
    """The process, and those who trade through it."""

    def pick(self) -> CoverOrder | None:
        """Return a cover order, the same one whether or not others exist."""
        if not self.alive:
            return None
        covers = list(self.engine.state.every_cover())
        if self.chance.randrange(4):
            covers = [cover for cover in covers if cover.ended is None] or covers

        def rank(cover: CoverOrder) -> int:
            return crc32(f"{self.number}/{self.decided.get(cover.order_id)}".encode())

        return max(covers, key=rank, default=None)

    def a_share(self) -> Instrument:
        """Return some share."""
        return self.chance.choice(SHARES)

    def a_product(self) -> Product:
        """Return what a cover order is placed in."""
        return Product.MIS

    def place(self) -> None:
        """Place a cover order, now and then twice with one key (INV-6)."""
        chance = self.chance
        share = self.a_share()
        side = chance.choice(list(Side))
        kind = chance.choice(KINDS)
        client = chance.choice(self.clients)
        tick = share.tick_pips
        sign = 1 if side is Side.BUY else -1
        last = self.last_pips(share) // tick * tick
        lots = chance.choice((1, 2, 5, 20, 40, 120, 130))
        limit = last + sign * tick * chance.choice((-3, -1, 0, 0, 1, 3))
        trigger = last + sign * tick * chance.choice((1, 2))
        trails = chance.randrange(3) == 0
        stop = last - sign * tick * chance.choice((4, 6, 10, 30))
        repeats = chance.randrange(4) == 0
        quick = chance.randrange(8) == 0
        bracket, target = chance.randrange(2) == 0, tick * chance.choice((1, 2, 4, 10))
        living = [c for c in self.engine.state.every_cover() if c.ended is None]
        if len(living) >= LIVING_MAX:
            return
        prices = {
            OrderType.LIMIT: (limit, 0),
            OrderType.MARKET: (0, 0),
            OrderType.SL: (trigger + sign * tick, trigger),
            OrderType.SLM: (0, trigger),
        }
        price, trigger = prices[kind]
        if bracket:
            lots = min(lots, share.slice_max // share.lot)
        reference = {OrderType.MARKET: self.last_pips(share), OrderType.SLM: trigger}.get(
            kind, price
        )
        command = PlaceCoverOrder(
            client_id=client,
            idempotency_key=f"K{self.number}",
            fingerprint="place",
            instrument=share.key,
            side=side,
            order_type=kind,
            quantity=Quantity(lots * share.lot),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(price),
            trigger_price_pips=Pips(trigger),
            validity=Validity.IOC if quick and kind is OrderType.LIMIT else Validity.DAY,
            product=self.a_product(),
            stop_price_pips=Pips(stop),
            trailing_step_pips=Pips(tick * chance.choice((1, 2)) if trails else 0),
            user_order_id=self.number,
            bracket=bracket,
            stop_offset_pips=Pips(abs(reference - stop) // tick * tick if bracket else 0),
            target_offset_pips=Pips(target if bracket else 0),
            protection_bp=300 if self.limited else 0,
        )
        first = self.execute(command)
        if first is None:
            return
        self.tally["brackets"] += bracket and isinstance(first, Answer)
        self.tally[f"place: {first.reason if isinstance(first, Refusal) else 'taken'}"] += 1
        if isinstance(first, Answer):
            self.decided[first.order_id] = self.number
            if repeats:
                sent = len(self.in_transit())
                again = self.execute(command)
                assert isinstance(again, Answer) and again.replayed, "INV-6: not replayed"
                assert again.order_id == first.order_id, "INV-6: another order"
                assert len(self.in_transit()) == sent, "INV-6: a repetition sent something"
        if self.limited:
            self._rush(command)

    def _rush(self, command: PlaceCoverOrder) -> None:
        """Place the same order again and again, until the house says that it is too much."""
        eager = self.chance.randrange(3) == 0
        one_lot = self.engine.state.instruments[command.instrument].lot
        for number in range(RUSH_MAX if eager else 0):
            again = msgspec.structs.replace(
                command, idempotency_key=f"K{self.number}.{number}", quantity=Quantity(one_lot)
            )
            outcome = self.execute(again)
            if isinstance(outcome, Refusal):
                self.tally[f"rush: {outcome.reason}"] += 1
                return

    def cancel(self, cover: CoverOrder, leg: Leg) -> CancelCoverOrder:
        """Return a cancel of a leg by the ids that its rows show."""
        entry = [o.exchange_order_id for o in cover.entries if o.exchange_order_id]
        exits = [o.exchange_order_id for o in cover.orders_of(leg) if o.exchange_order_id]
        known = entry if leg is Leg.ENTRY else exits or entry
        return CancelCoverOrder(
            client_id=cover.client_id,
            order_id=cover.order_id,
            leg=leg,
            exchange_order_id=known[0] if known else "unknown-yet",
        )

    def cancel_entry(self) -> None:
        """C1, and perhaps again at once (INV-7); the stop is not touched (INV-14)."""
        repeats = self.chance.randrange(3) == 0
        cover = self.pick()
        if cover is not None:
            self.tick()
            leaving = cover.exit_source is not None
            protected = cover.protected
            sent = len(self.in_transit())
            self.ask_twice(self.cancel(cover, Leg.ENTRY), repeats=repeats)
            if self.prompt or leaving:
                return
            assert cover.protected == protected, f"INV-14: {cover.order_id} is less protected"
            for thing in self.in_transit()[sent:]:
                assert not (
                    isinstance(thing, e.OrderCancelSent)
                    and not self.auditor.papers[thing.tag].entry
                ), "INV-14: C1 cancelled a stop"

    def exit(self) -> None:
        """C2, and perhaps again at once."""
        repeats = self.chance.randrange(3) == 0
        cover = self.pick()
        if cover is not None:
            leg = Leg.SECOND if cover.is_bracket and self.number % 2 else Leg.THIRD
            self.ask_twice(self.cancel(cover, leg), repeats=repeats)

    def ask_twice(self, command: CancelCoverOrder, *, repeats: bool) -> None:
        """Ask, and perhaps again: one effect, equal answers (INV-7)."""
        self.tick()
        cover = self.engine.state.covers[command.order_id]
        row = self.row(cover)
        first = self.execute(command)
        name = "C1" if command.leg is Leg.ENTRY else "C2"
        assert first is not None
        self.tally[f"{name}: {first.reason if isinstance(first, Refusal) else 'ok'}"] += 1
        if isinstance(first, Refusal) and first.reason is not Reason.VENUE_REFUSED:
            able = self.engine.state.sessions.all_continuous
            self.auditor.refused(command, first.reason, row, able=able)
        if not repeats:
            return
        sent = len(self.in_transit())
        second = self.execute(command)
        if isinstance(first, Answer):
            assert isinstance(second, Answer), f"INV-7: {name} again: {second}"
            assert (second.order_id, second.state) == (first.order_id, first.state), "INV-7"
            assert len(self.in_transit()) == sent, "INV-7: a repetition sent something"
        elif first.reason not in (Reason.VENUE_REFUSED, Reason.TOO_LATE):
            assert second == first, f"INV-7: {second} is not {first}"

    def modify_entry(self) -> None:
        """C3."""
        chance = self.chance
        more, reprices, cuts = chance.randint(-30, 60), chance.randrange(2), chance.randrange(4)
        cover = self.pick()
        if cover is None:
            return
        share = self.engine.state.instruments[cover.instrument]
        price = self.near_price(share, 3)
        quantity = max(1, cover.quantity // share.lot + more) * share.lot
        if cuts == 0 and cover.entry_filled:
            quantity = cover.entry_filled  # Race 22.
        command = ModifyCoverOrder(
            client_id=cover.client_id,
            order_id=cover.order_id,
            leg=Leg.ENTRY,
            quantity=Quantity(quantity),
            price_pips=price if reprices and cover.order_type is OrderType.LIMIT else None,
        )
        outcome = self.execute(command)
        assert outcome is not None
        self.tally[f"C3: {outcome.reason if isinstance(outcome, Refusal) else 'ok'}"] += 1

    def modify_stop(self) -> None:
        """C4, of the stop or of a bracket's target."""
        chance = self.chance
        ticks, trails = chance.choice((1, 3, 5, 8, 20)), chance.randrange(4)
        cover = self.pick()
        if cover is None:
            return
        share = self.engine.state.instruments[cover.instrument]
        sign = 1 if cover.side is Side.BUY else -1
        last = self.last_pips(share) // share.tick_pips * share.tick_pips
        command = ModifyCoverOrder(
            client_id=cover.client_id,
            order_id=cover.order_id,
            leg=Leg.THIRD,
            stop_price_pips=Pips(last - sign * share.tick_pips * ticks),
            trailing_step_pips=Pips(share.tick_pips * (trails - 1)) if trails else None,
        )
        if cover.is_bracket and self.number % 2:
            command = ModifyCoverOrder(
                client_id=cover.client_id,
                order_id=cover.order_id,
                leg=Leg.SECOND,
                price_pips=Pips(last + sign * share.tick_pips * (ticks - 1)),
            )
        outcome = self.execute(command)
        assert outcome is not None
        self.tally[f"C4: {outcome.reason if isinstance(outcome, Refusal) else 'ok'}"] += 1

    def snoop(self) -> None:
        """Another client's order and no order at all look alike (INV-20)."""
        cover = self.pick()
        if cover is None:
            return
        other = next(client for client in self.clients if client != cover.client_id)
        theirs = msgspec.structs.replace(self.cancel(cover, Leg.ENTRY), client_id=other)
        nobodys = msgspec.structs.replace(theirs, order_id=1)
        answers = {self.execute(theirs), self.execute(nobodys)}
        assert answers == {Refusal(Reason.ORDER_MUST_EXIST)}, f"INV-20: {answers}"
