"""
The same exchange, written to be obviously right: one list of orders, sorted whenever asked.

No ladder, no level, no event application: it changes its list and says what it did in the
exchange's own words, so that whole event lists and whole snapshots can be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from kavach.exchange import messages as m
from kavach.exchange.codes import TEXT, Code
from kavach.exchange.snapshot import (
    GroupOver,
    GroupRecord,
    OrderRecord,
    ReferenceRecord,
    Snapshot,
    TickerRecord,
)
from kavach.instruments import SESSIONS, Instrument
from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from tests.unit.exchange.naive_auction import (
    barred,
    change_book,
    in_auction_band,
    market_orders,
    takes,
    trades,
    unchangeable,
)

STOPS = (OrderType.SL, OrderType.SLM)
PREFIX = {"NSE": "11", "NFO": "12", "CDS": "13", "BSE": "14", "BFO": "15", "MCX": "2"}
Levels = Sequence[tuple[int, int]]


@dataclass(eq=False)
class Resting:
    """An order, client's (``ref`` above 0) or house's, wherever it is."""

    key: str
    ref: int
    id: str
    account: str
    side: Side
    type: OrderType
    quantity: int
    disclosed: int
    price: int
    trigger: int
    validity: Validity
    flag: m.SelfTrade
    group: int
    priority: int
    place: int  # Arrival in its queue, the house's orders counted too.
    quote: bool = False
    filled: int = 0
    visible: int = 0
    triggered: bool = False

    @property
    def family(self) -> tuple[str, str, str, int]:
        """What all orders linked to this one have in common."""
        return self.key, self.account, self.side.value, self.group


@dataclass
class Tape:
    """What everybody sees of an instrument."""

    last: int
    at: int = 0
    last_id: str = ""
    last_quantity: int = 0
    day: list[tuple[int, int]] = field(default_factory=list)  # Price and quantity of each trade.
    trades: list[tuple[int, int, int]] = field(default_factory=list)  # And when, of all days.


class NaiveExchange:
    """Slow and plain."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.instruments = {i.key: i for i in instruments}
        self.tapes: dict[str, Tape] = {i.key: Tape(i.previous_close_pips) for i in instruments}
        self.live: list[Resting] = []
        self.issued: list[str] = []
        self.phases = {name: Phase.OPEN for names in SESSIONS.values() for name in names}
        self.trades = 0
        self.priority = 0
        self.places = 0
        self.touched: list[int] = []
        self.linked_trades: list[tuple[tuple[str, str, str, int], int]] = []
        self.over: list[tuple[str, str, int]] = []  # Links of earlier sessions that traded.
        self.said: list[m.Event] = []
        self.references: dict[str, int] = {}  # Of the closing auctions that are on.

    # --- Requests -------------------------------------------------------------------------

    def submit(self, new: m.NewOrder, at: int) -> list[m.Event]:
        """Take an order."""
        self.said = []
        code = self._new_fault(new)
        if code:
            self.say(m.Rejected(new.order_ref, int(code), TEXT[code]))
            return self.said
        order = Resting(
            new.instrument,
            new.order_ref,
            self._new_id(new.instrument),
            new.account,
            new.side,
            new.order_type,
            new.quantity,
            new.disclosed_quantity,
            new.price_pips,
            new.trigger_price_pips,
            new.validity,
            new.self_trade,
            new.group,
            *self.newest(),
        )
        self.show(order)
        self.live.append(order)
        self.say(m.Accepted(order.id, order.priority, new))
        self._activate(order, at)
        return self.said

    def amend(self, amend: m.AmendOrder, at: int) -> list[m.Event]:
        """Change an order."""
        self.said = []
        order = self._find(amend.exchange_order_id)
        code = self._amend_fault(order, amend)
        if code or order is None:
            ref = order.ref if order else 0
            self.say(m.AmendRejected(ref, amend.exchange_order_id, int(code), TEXT[code]))
            return self.said
        wish = (amend.order_type, amend.price_pips, amend.disclosed_quantity)
        trigger_stays = order.triggered or amend.trigger_price_pips == order.trigger
        if (
            wish == (order.type, order.price, order.disclosed)
            and trigger_stays
            and amend.quantity <= order.quantity
        ):
            order.quantity = amend.quantity
            order.visible = min(order.visible, self.left(order))
            self._say_amended(order, amend)
            return self.said
        order.type, order.price, order.disclosed = wish
        order.quantity, order.trigger = amend.quantity, amend.trigger_price_pips
        order.priority, order.place = self.newest()
        self.show(order)
        self._say_amended(order, amend)
        self._activate(order, at)
        return self.said

    def cancel(self, cancel: m.CancelOrder) -> list[m.Event]:
        """Cancel an order."""
        self.said = []
        order = self._find(cancel.exchange_order_id)
        if order is None:
            known = cancel.exchange_order_id in self.issued
            code = Code.CANNOT_CANCEL if known else Code.ORDER_NOT_FOUND
            self.say(m.CancelRejected(0, cancel.exchange_order_id, int(code), TEXT[code]))
        elif code := unchangeable(self._phase(order.key), order.type)[1]:
            self.say(m.CancelRejected(order.ref, order.id, int(code), TEXT[code]))
        else:
            self.end(order, m.Removal.CANCELLED, Code.NONE, "")
        return self.said

    def remove(self, order_id: str, code: int, reason: str) -> list[m.Event]:
        """Remove an order without being asked."""
        self.said = []
        order = self._find(order_id)
        if order is not None:
            self.end(order, m.Removal.REMOVED, code, reason)
        return self.said

    # --- The house ------------------------------------------------------------------------

    def liquidity_quotes(
        self, key: str, bids: Levels, asks: Levels, at: int
    ) -> list[m.Event] | None:
        """Replace the house's quotes; ``None`` when they can't be."""
        self.said = []
        real_bids = [price for price, quantity in bids if quantity]
        real_asks = [price for price, quantity in asks if quantity]
        lots = self._instrument(key).lot
        if (
            self._closed(key)
            or not all(self._price_is_fair(key, price) for price in real_bids + real_asks)
            or any(quantity < 0 or quantity % lots for _, quantity in [*bids, *asks])
            or (real_bids and real_asks and max(real_bids) >= min(real_asks))
        ):
            return None
        self.live = [o for o in self.live if not (o.key == key and o.quote)]
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
            for price, quantity in levels:
                if quantity:
                    order = self._liquidity(key, side, OrderType.LIMIT, price, quantity)
                    order.quote = True
                    self._activate(order, at)
        return self.said

    def liquidity_order(
        self, key: str, side: Side, price: int | None, quantity: int, at: int
    ) -> tuple[int, list[m.Event]] | None:
        """Send an anonymous order; ``None`` when it can't be."""
        self.said = []
        lots = self._instrument(key).lot
        priced = price is not None
        if self._closed(key) or quantity < 1 or quantity % lots:
            return None
        if not priced and barred(self._phase(key), OrderType.MARKET, Validity.DAY, 0):
            return None
        if price is not None and not self._price_is_fair(key, price):
            return None
        order_type = OrderType.LIMIT if priced else OrderType.MARKET
        order = self._liquidity(key, side, order_type, price or 0, quantity)
        self._activate(order, at)
        return order.filled, self.said

    def print_trade(self, key: str, price: int, quantity: int, at: int) -> list[m.Event] | None:
        """Let others trade; ``None`` when they can't."""
        self.said = []
        if self._phase(key) != Phase.OPEN or not self._price_is_fair(key, price):
            return None
        if quantity < 1 or quantity % self._instrument(key).lot:
            return None
        self.see(key, price, quantity, at)
        self.say_printed(key, price, quantity, at)
        self._fire(key, at)
        return self.said

    def set_phase(
        self, segment: Exchange, phase: Phase, at: int, session: str = ""
    ) -> list[m.Event]:
        """Bring a session, or all of an exchange, into a phase."""
        self.said = []
        named = [session] if session else [*SESSIONS[segment]]
        changed = [name for name in named if self.phases[name] != phase]
        for key, instrument in sorted(self.instruments.items()):
            if instrument.session not in changed:
                continue
            change_book(self, key, self.phases[instrument.session], phase, at)
            if phase == Phase.CLOSED:
                ended = [family for family, _ in self.linked_trades if family[0] == key]
                self.over += [(key, account, group) for _, account, _, group in ended]
                self.linked_trades = [t for t in self.linked_trades if t[0][0] != key]
            elif self.phases[instrument.session] == Phase.CLOSED:
                self.tapes[key].day = []
        for name in changed:
            self.phases[name] = phase
        for name in [""] if changed == [*SESSIONS[segment]] else changed:
            self.say(m.PhaseChanged(segment, phase, TimestampNs(at), name))
        return self.said

    # --- Trading --------------------------------------------------------------------------

    def _activate(self, order: Resting, at: int) -> None:
        if order.type in STOPS or not trades(self._phase(order.key)):
            return
        self._match(order, at)
        self._settle(order)
        self._fire(order.key, at)

    def _match(self, order: Resting, at: int) -> None:
        while order in self.live and self.left(order) > 0:
            rivals = [
                other
                for other in self.side(order.key, "BUY" if order.side == "SELL" else "SELL")
                if order.type == OrderType.MARKET
                or (
                    other.price <= order.price
                    if order.side == "BUY"
                    else other.price >= order.price
                )
            ]
            if not rivals:
                return
            best = rivals[0]
            if order.ref and best.account == order.account:
                gone = order if order.flag == m.SelfTrade.CANCEL_ACTIVE else best
                self.end(gone, m.Removal.REMOVED, Code.SELF_TRADE, TEXT[Code.SELF_TRADE])
            else:
                self._trade(order, best, at)

    def _trade(self, active: Resting, passive: Resting, at: int) -> None:
        quantity = min(self.left(active), passive.visible)
        for order in (active, passive):
            order.filled += quantity
            if order.group:
                self.linked_trades.append((order.family, quantity))
        self.show(active)
        passive.visible -= quantity
        self.see(active.key, passive.price, quantity, at)
        if not active.ref and not passive.ref:
            self.say_printed(active.key, passive.price, quantity, at)
        else:
            self.trades += 1
            self.tapes[active.key].last_id = str(10_000_000 + self.trades)
        if passive.visible == 0 and self.left(passive) > 0:
            self.show(passive)
            passive.priority, passive.place = self.newest()
        for order in (active, passive):
            if order.filled == order.quantity:
                self.live.remove(order)
            if order.ref:
                self.say(
                    m.Traded(
                        order.ref,
                        order.id,
                        self.tapes[active.key].last_id,
                        Quantity(quantity),
                        Pips(passive.price),
                        order is active,
                        order.priority,
                        TimestampNs(at),
                    )
                )
        for order in (active, passive):
            self.shrink_relatives(order)

    def shrink_relatives(self, traded: Resting) -> None:
        """Show no more of a linked order than is left; with nothing left it is removed."""
        for order in list(self.live):
            if traded.group and order.family == traded.family:
                order.visible = min(order.visible, self.left(order))
                if self.left(order) <= 0:
                    code = Code.GROUP_FILLED
                    self.end(order, m.Removal.REMOVED, code, TEXT[code])

    def _settle(self, order: Resting) -> None:
        if order not in self.live:
            return
        if order.validity == Validity.IOC:
            code = Code.IOC_UNMATCHED
            self.end(order, m.Removal.EXPIRED, code, TEXT[code])
        elif order.type == OrderType.MARKET and not order.ref:
            self.live.remove(order)
        elif order.type == OrderType.MARKET:
            order.type = OrderType.LIMIT
            order.price = self.tapes[order.key].last
            order.priority, order.place = self.newest()
            self.say(m.Priced(order.ref, order.id, Pips(order.price), order.priority))

    def _fire(self, key: str, at: int) -> None:
        while self.touched:
            buys = [o for o in self._waiting(key, "BUY") if o.trigger <= max(self.touched)]
            sells = [o for o in self._waiting(key, "SELL") if o.trigger >= min(self.touched)]
            first = sorted(buys[:1] + sells[:1], key=lambda o: o.priority)
            if not first:
                break
            order = first[0]
            order.type = OrderType.LIMIT if order.type == OrderType.SL else OrderType.MARKET
            order.triggered = True
            order.priority, order.place = self.newest()
            self.say(m.Triggered(order.ref, order.id, order.priority))
            self._match(order, at)
            self._settle(order)
        self.touched = []

    # --- Rules ----------------------------------------------------------------------------

    def _new_fault(self, new: m.NewOrder) -> Code:
        if new.instrument not in self.instruments:
            return Code.INSTRUMENT_UNKNOWN
        code = barred(
            self._phase(new.instrument), new.order_type, new.validity, new.disclosed_quantity
        )
        if code:
            return code
        family = new.instrument, new.account, new.side.value, new.group
        over = [group for key, whose, group in self.over if (key, whose) == family[:2]]
        if new.group and over and new.group <= max(over):
            return Code.GROUP_OVER
        if new.group and new.quantity <= self._traded_by(family):
            return Code.QUANTITY_TRADED_BY_GROUP
        return self._fault(
            new.instrument,
            new.side,
            new.order_type,
            new.quantity,
            new.disclosed_quantity,
            new.price_pips,
            new.trigger_price_pips,
        )

    def _amend_fault(self, order: Resting | None, amend: m.AmendOrder) -> Code:
        if order is None:
            known = amend.exchange_order_id in self.issued
            return Code.CANNOT_MODIFY if known else Code.ORDER_NOT_FOUND
        phase = self._phase(order.key)
        code = unchangeable(phase, order.type)[0]
        code = code or barred(phase, amend.order_type, order.validity, amend.disclosed_quantity)
        if code:
            return code
        if amend.quantity <= order.filled:
            return Code.CANNOT_MODIFY
        if order.group and amend.quantity <= self._traded_by(order.family):
            return Code.QUANTITY_TRADED_BY_GROUP
        if order.triggered and amend.order_type in STOPS:
            return Code.CANNOT_MODIFY
        return self._fault(
            order.key,
            order.side,
            amend.order_type,
            amend.quantity,
            amend.disclosed_quantity,
            amend.price_pips,
            amend.trigger_price_pips,
        )

    def _fault(
        self,
        key: str,
        side: Side,
        kind: OrderType,
        quantity: int,
        disclosed: int,
        price: int,
        trigger: int,
    ) -> Code:
        i, last = self._instrument(key), self.tapes[key].last
        stop, limited = kind in STOPS, kind in (OrderType.LIMIT, OrderType.SL)
        sign = 1 if side == Side.BUY else -1
        table = [
            (Code.QUANTITY_BELOW_LOT, quantity < i.lot),
            (Code.QUANTITY_NOT_IN_LOTS, quantity % i.lot != 0),
            (Code.QUANTITY_ABOVE_FREEZE, quantity > i.freeze_quantity),
            (Code.DISCLOSED_ABOVE_QUANTITY, disclosed < 0 or disclosed > quantity),
            (Code.DISCLOSED_NOT_IN_LOTS, disclosed % i.lot != 0),
            (Code.STOP_NOT_ALLOWED, kind == OrderType.SLM and not i.slm_allowed),
            (Code.PRICES_DO_NOT_FIT_TYPE, not stop and trigger != 0),
            (Code.PRICES_DO_NOT_FIT_TYPE, not limited and price != 0),
            (Code.PRICE_NOT_ON_TICK, limited and price % i.tick_pips != 0),
            (Code.PRICE_OUT_OF_BAND, limited and not self._in_band(key, price)),
            (Code.TRIGGER_NOT_ON_TICK, stop and trigger % i.tick_pips != 0),
            (Code.PRICE_OUT_OF_BAND, stop and not self._in_band(key, trigger)),
            (Code.LIMIT_WORSE_THAN_TRIGGER, stop and limited and price * sign < trigger * sign),
            (Code.TRIGGER_THROUGH_LAST_PRICE, stop and trigger * sign <= last * sign),
        ]
        return next((code for code, broken in table if broken), Code.NONE)

    def _price_is_fair(self, key: str, price: int) -> bool:
        return price % self._instrument(key).tick_pips == 0 and self._in_band(key, price)

    def _in_band(self, key: str, price: int) -> bool:
        i, phase = self._instrument(key), self._phase(key)
        if phase.value.startswith("closing"):
            return in_auction_band(self, i.key, price)
        if phase == Phase.POST_CLOSE:
            return price == self.tapes[key].last
        return i.band_low_pips <= price <= i.band_high_pips

    def _closed(self, key: str) -> bool:
        return not takes(self._phase(key))

    def _phase(self, key: str) -> Phase:
        return self.phases[self._instrument(key).session]

    # --- Looking --------------------------------------------------------------------------

    def depth(self, key: str) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """The whole depth: price, visible quantity, orders."""
        sides = []
        for side in ("BUY", "SELL"):
            orders = self.side(key, side)
            prices = list(dict.fromkeys(o.price for o in orders))
            queues = [[o.visible for o in orders if o.price == price] for price in prices]
            sides.append([(p, sum(q), len(q)) for p, q in zip(prices, queues, strict=True)])
        return sides[0], sides[1]

    def state_hash(self) -> str:
        """The hash of the snapshot that the exchange should have."""
        counts = {
            segment: sum(id_.startswith(PREFIX[segment.value]) for id_ in self.issued)
            for segment in Exchange
        }
        snapshot = Snapshot(
            phases=[(name, self.phases[name]) for s in Exchange for name in SESSIONS[s]],
            last_order_ids=[
                (s, int(self._id(s, counts[s])))
                for s in (
                    Exchange.NSE,
                    Exchange.NFO,
                    Exchange.CDS,
                    Exchange.BSE,
                    Exchange.BFO,
                    Exchange.MCX,
                )
            ],
            last_trade_id=10_000_000 + self.trades,
            priority=self.priority,
            tickers=[_ticker(key, tape) for key, tape in sorted(self.tapes.items()) if tape.at],
            orders=[
                _record(order)
                for key in sorted(self.instruments)
                for order in self.in_book_order(key)
                if order.ref
            ],
            groups=[
                GroupRecord(
                    InstrumentKey(key),
                    account,
                    Side(side),
                    group,
                    Quantity(self._traded_by((key, account, side, group))),
                )
                for instrument in sorted(self.instruments)
                for key, account, side, group in sorted(
                    {family for family, _ in self.linked_trades}
                )
                if key == instrument
            ],
            groups_over=[
                GroupOver(
                    InstrumentKey(key),
                    account,
                    max(group for k, a, group in self.over if (k, a) == (key, account)),
                )
                for key in sorted(self.instruments)
                for account in sorted({a for k, a, _ in self.over if k == key})
            ],
            references=[
                ReferenceRecord(InstrumentKey(key), Pips(price))
                for key, price in sorted(self.references.items())
            ],
        )
        return sha256(msgspec.msgpack.encode(snapshot)).hexdigest()

    # --- Inside ---------------------------------------------------------------------------

    def _instrument(self, key: str) -> Instrument:
        return self.instruments[InstrumentKey(key)]

    def side(self, key: str, side: str) -> list[Resting]:
        sign = -1 if side == "BUY" else 1
        resting = [
            o for o in self.live if o.key == key and o.side == side and o.type == OrderType.LIMIT
        ]
        return sorted(resting, key=lambda o: (o.price * sign, o.place))

    def _waiting(self, key: str, side: str) -> list[Resting]:
        sign = 1 if side == "BUY" else -1
        waiting = [o for o in self.live if o.key == key and o.side == side and o.type in STOPS]
        return sorted(waiting, key=lambda o: (o.trigger * sign, o.place))

    def in_book_order(self, key: str) -> list[Resting]:
        book = self.side(key, "BUY") + self.side(key, "SELL")
        waiting = self._waiting(key, "BUY") + self._waiting(key, "SELL")
        return book + waiting + market_orders(self, key, "BUY") + market_orders(self, key, "SELL")

    def _find(self, order_id: str) -> Resting | None:
        return next((o for o in self.live if o.ref and o.id == order_id), None)

    def _traded_by(self, family: tuple[str, str, str, int]) -> int:
        """What all orders of a link have traded today, whatever became of them."""
        return sum(quantity for whose, quantity in self.linked_trades if whose == family)

    def left(self, order: Resting) -> int:
        """What an order may still trade."""
        gone = self._traded_by(order.family) if order.group else order.filled
        return order.quantity - gone

    def show(self, order: Resting) -> None:
        """Show as much as the order wishes, of what is left."""
        left = self.left(order)
        order.visible = min(order.disclosed, left) if order.disclosed else left

    def newest(self) -> tuple[int, int]:
        self.priority += 1
        self.places += 1
        return self.priority, self.places

    def _liquidity(
        self, key: str, side: Side, kind: OrderType, price: int, quantity: int
    ) -> Resting:
        self.places += 1
        flag, place = m.SelfTrade.CANCEL_ACTIVE, self.places
        day = Validity.DAY
        order = Resting(
            key, 0, "", "", side, kind, quantity, 0, price, 0, day, flag, 0, 0, place=place
        )
        self.show(order)
        self.live.append(order)
        return order

    def _new_id(self, key: str) -> str:
        segment = self._instrument(key).exchange
        count = sum(id_.startswith(PREFIX[segment.value]) for id_ in self.issued)
        self.issued.append(self._id(segment, count + 1))
        return self.issued[-1]

    def _id(self, segment: Exchange, count: int) -> str:
        prefix = PREFIX[segment.value]
        digits = 15 if segment == Exchange.MCX else 16
        return prefix + str(count).zfill(digits - len(prefix))

    def see(self, key: str, price: int, quantity: int, at: int) -> None:
        tape = self.tapes[key]
        tape.last, tape.last_quantity, tape.at = price, quantity, at
        tape.day.append((price, quantity))
        tape.trades.append((price, quantity, at))
        self.touched.append(price)

    def say(self, event: m.Event) -> None:
        self.said.append(event)

    def say_printed(self, key: str, price: int, quantity: int, at: int) -> None:
        instrument, trade = InstrumentKey(key), (Pips(price), Quantity(quantity))
        self.say(m.Printed(instrument, *trade, TimestampNs(at)))

    def _say_amended(self, order: Resting, amend: m.AmendOrder) -> None:
        self.say(
            m.Amended(
                order.ref,
                order.id,
                amend.order_type,
                amend.quantity,
                amend.disclosed_quantity,
                amend.price_pips,
                amend.trigger_price_pips,
                order.priority,
            )
        )

    def end(self, order: Resting, why: m.Removal, code: int, reason: str) -> None:
        self.live.remove(order)
        filled = Quantity(order.filled)
        self.say(m.Removed(order.ref, order.id, filled, why, int(code), reason))


def _ticker(key: str, tape: Tape) -> TickerRecord:
    prices = [price for price, _ in tape.day] or [0]
    return TickerRecord(
        InstrumentKey(key),
        Pips(tape.last),
        Pips(prices[0]),
        Pips(max(prices)),
        Pips(min(prices)),
        Quantity(sum(quantity for _, quantity in tape.day)),
        TimestampNs(tape.at),
        tape.last_id,
        sum(price * quantity for price, quantity in tape.day),
        Quantity(tape.last_quantity),
    )


def _record(order: Resting) -> OrderRecord:
    return OrderRecord(
        order.id,
        order.ref,
        order.account,
        InstrumentKey(order.key),
        order.side,
        order.type,
        Quantity(order.quantity),
        Quantity(order.filled),
        Quantity(order.disclosed),
        Quantity(order.visible),
        Pips(order.price),
        Pips(order.trigger),
        order.triggered,
        order.validity,
        order.flag,
        order.priority,
        order.group,
    )
