"""
What the auditor checks of one cover order, from its trades and from the exchange's book.

A venue may be slow, silent or out of reach. Then the core cannot know what the exchange holds,
and what it believes is compared with the exchange only where no answer is outstanding; what must
hold whatever the venue does (INV-3 above all) is checked always.

Quantities as in the specification, but computed here from other sources than the rules use:
F_e and F_x are folded from distinct trades, W counts every exit that is not known dead at the
most it could still fill, P is what the exchange itself holds for the exits.

Source: docs/spec/cover_order.md, "Quantities"; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Iterator, Mapping

from kavach.core.commands import Leg
from kavach.core.events import Purpose
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import State
from kavach.core.model.orders.life import CLOSED, InFlight, Life
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.state import OmsState
from kavach.exchange.snapshot import OrderRecord
from kavach.twin.audit_seen import SeenOrder, Violation, folded
from kavach.units import OrderType, Side

STOPS = frozenset({OrderType.SL, OrderType.SLM})
NEVER_CLOSED = -1


class Seen(SeenOrder, frozen=True):
    """A cover order and what was found out about it without asking it."""

    @property
    def cover(self) -> CoverOrder:
        """The cover order."""
        assert isinstance(self.parent, CoverOrder), f"{self.parent.order_id} is no cover order"
        return self.parent

    @property
    def exits_could_fill(self) -> int:
        """W: the most that exits not known dead could still fill, linked ones together."""
        return sum(
            max(self._could_fill_linked(order) for order in linked)
            for linked in _by_link(self.cover.exits)
        )

    def _could_fill_linked(self, order: VenueOrder) -> int:
        could = _could_fill(order)
        return max(0, could - self._filled_beside(order)) if _is_open(order) else could

    def _filled_beside(self, order: VenueOrder) -> int:
        """What the others of an order's link have filled: it counts against its quantity."""
        if not order.link:
            return 0
        others = (other for other in self.cover.exits if other.link == order.link)
        return self.filled_of(tuple(other for other in others if other is not order))

    @property
    def protected(self) -> int:
        """P: what the exchange holds to take the position back."""
        stops = tuple(order for order in self.cover.exits if order.purpose is not Purpose.TARGET)
        return sum(max(self._held_by(order) for order in linked) for linked in _by_link(stops))

    def _held_by(self, order: VenueOrder) -> int:
        """What an order at the exchange still takes back."""
        record = self.at_venue.get(order.tag)
        if record is None:
            return 0
        return max(0, record.quantity - record.filled_quantity - self._filled_beside(order))

    @property
    def targets(self) -> list[tuple[VenueOrder, int]]:
        """The targets at the exchange, each with what it could still sell."""
        targets = [order for order in self.cover.exits if order.purpose is Purpose.TARGET]
        return [(order, self._held_by(order)) for order in targets if order.tag in self.at_venue]

    @property
    def unprotected(self) -> int:
        """G: the position that nothing at the exchange takes back."""
        return self.position - self.protected

    @property
    def exits_unanswered(self) -> bool:
        """Whether the venue owes an answer about an exit, or cannot be reached."""
        return self.venue_disconnected or any(_unanswered(order) for order in self.cover.exits)

    @property
    def unanswered(self) -> bool:
        """Whether the venue owes an answer about any order, or cannot be reached."""
        return self.exits_unanswered or any(_unanswered(order) for order in self.cover.entries)

    @property
    def flattening(self) -> bool:
        """Whether the position is on its way out, or the ladder runs."""
        cover = self.cover
        return bool(cover.exit_source or cover.triggered_at_ns or cover.stop.lost)


def see(
    state: OmsState,
    cover: CoverOrder,
    at_venue: Mapping[int, OrderRecord],
    last_price_pips: int,
    now_ns: int,
) -> Seen:
    """Return a cover order with what trades and exchange say of it."""
    instrument = state.instruments[cover.instrument]
    tags = [order.tag for order in cover.entries + cover.exits]
    return Seen(
        cover,
        instrument,
        state.settings,
        {tag: at_venue[tag] for tag in tags if tag in at_venue},
        folded(cover),
        last_price_pips,
        state.sessions.is_closed(instrument),
        state.venue_disconnected,
        now_ns,
    )


def check_cover(seen: Seen) -> Iterator[Violation]:
    """Yield what is wrong with one cover order."""
    for check in _CHECKS:
        for invariant, detail in check(seen):
            yield Violation(invariant, seen.cover.order_id, detail)


Found = Iterator[tuple[str, str]]


def _could_fill(order: VenueOrder) -> int:
    """The most that an order could still fill: none if it is closed and its trades are known."""
    if order.final_filled != NEVER_CLOSED:
        return order.final_filled - order.filled_quantity
    in_flight = order.amend.quantity if order.amend is not None else 0
    return max(order.quantity, in_flight) - order.filled_quantity


def _is_open(order: VenueOrder) -> bool:
    return order.final_filled == NEVER_CLOSED


def _by_link(orders: tuple[VenueOrder, ...]) -> list[list[VenueOrder]]:
    """Orders that share one quantity, together; one that shares it with none, alone."""
    groups: dict[tuple[int, int], list[VenueOrder]] = {}
    for order in orders:
        groups.setdefault((order.link, 0 if order.link else order.tag), []).append(order)
    return list(groups.values())


def _unanswered(order: VenueOrder) -> bool:
    """Whether an order's acceptance, or a change of it, is still unanswered."""
    if not order.exchange_order_id:
        return order.life not in CLOSED
    return order.in_flight is not InFlight.NONE


def _alive(order: VenueOrder) -> bool:
    return order.life is Life.WAITING or order.life is Life.WORKING


# --- INV-1: the stop is as large as the position, never larger, never too early ----------------


def _sizing(seen: Seen) -> Found:
    cover, position, protected = seen.cover, seen.position, seen.protected
    if cover.exits and seen.filled_of(cover.entries) == 0:
        yield "INV-1", "an exit was sent before the entry had filled anything"
    if protected > position:
        yield "INV-1", f"exits for {protected} are at the exchange, the position is {position}"
    if cover.ended is not None or seen.flattening or seen.exits_unanswered:
        return
    if protected < position:
        yield "INV-1", f"the stop is for {protected}, the position is {position}"
    for order in cover.exits:
        # A venue that will not move a stop leaves it where it is, and the plan is remembered.
        stands = (order.trigger_price_pips, order.refused_trigger_pips)
        if order.life is Life.WAITING and cover.stop.price_pips not in stands:
            yield "INV-1", f"a stop stands at {stands[0]} pips, not {cover.stop.price_pips}"


def _targets(seen: Seen) -> Found:
    """A target is for no more than is held, and stands where it shall; on the way out it goes."""
    cover = seen.cover
    for order, leaves in seen.targets:
        if leaves > seen.position:
            yield "INV-1", f"target {order.tag} is for {leaves}, the position is {seen.position}"
        settled = not _unanswered(order) and not order.limit_refused and cover.ended is None
        if not settled or seen.venue_disconnected or seen.flattening or seen.exits_unanswered:
            continue
        shall = cover.exit_of(Leg.SECOND).price_pips
        if order.price_pips != shall:
            yield "INV-1", f"target {order.tag} stands at {order.price_pips} pips, not {shall}"
    if cover.exit_source is None or seen.venue_disconnected:
        return
    for order in cover.exits:
        stays = _unanswered(order) or order.cancel_refused_at_ns or seen.unanswered
        if order.purpose is Purpose.TARGET and _alive(order) and not stays:
            yield "INV-15", f"target {order.tag} works on the way out, and nobody cancels it"


# --- INV-2: never naked in silence ------------------------------------------------------------


def _nakedness(seen: Seen) -> Found:
    cover = seen.cover
    if cover.ended is not None or seen.unprotected <= 0 or seen.exits_unanswered:
        return
    if not cover.naked_since_ns:
        yield "INV-2", f"{seen.unprotected} are without a stop, and no clock runs on it"
    if not seen.flattening:
        yield "INV-2", f"{seen.unprotected} are without a stop, and nothing is under way"
    settings = seen.settings
    patience_ns = settings.t_naked_ns + settings.t_reprice_ns
    naked_ns = seen.now_ns - cover.naked_since_ns
    ladder_only = cover.stop.lost and cover.exit_source is None and not cover.triggered_at_ns
    if cover.naked_since_ns and ladder_only and naked_ns > patience_ns:
        yield "INV-2", f"{seen.unprotected} are without a stop for {naked_ns} ns"


# --- INV-3: never reversed --------------------------------------------------------------------


def _reversal(seen: Seen) -> Found:
    position, could_fill = seen.position, seen.exits_could_fill
    if position < 0:
        yield "INV-3", f"the exits have filled {-position} more than the entry"
    elif could_fill > position:
        yield "INV-3", f"exits could still fill {could_fill}, the position is {position}"
    for order in seen.cover.entries + seen.cover.exits:
        if not 0 <= order.filled_quantity <= order.quantity:
            yield "INV-3", f"order {order.tag} filled {order.filled_quantity} of {order.quantity}"


# --- INV-4 and INV-5: the end is the end, and nothing lives alone -----------------------------


def _terminals(seen: Seen) -> Found:
    cover = seen.cover
    if cover.ended is None:
        return
    for order in cover.entries + cover.exits:
        if order.final_filled == NEVER_CLOSED or _could_fill(order):
            yield "INV-4", f"{cover.ended}, yet order {order.tag} is not known dead"
    if seen.position and cover.ended is not State.CARRIED:
        yield "INV-4", f"{cover.ended} with a position of {seen.position}"


def _presence(seen: Seen) -> Found:
    """What the core believes to live is at the exchange, as the core believes it."""
    for order in seen.cover.entries + seen.cover.exits:
        if not _alive(order) or _unanswered(order) or seen.venue_disconnected:
            continue
        record = seen.at_venue.get(order.tag)
        if record is None:
            yield "INV-5", f"order {order.tag} is not at the exchange"
            continue
        believed = _believed(order)
        found = _found(record)
        for what, value in believed.items():
            if found[what] != value:
                yield "INV-5", f"order {order.tag}: {what} is {found[what]}, believed {value}"


def _believed(order: VenueOrder) -> dict[str, object]:
    waits = order.life is Life.WAITING
    terms: dict[str, object] = {
        "id": order.exchange_order_id,
        "side": order.side,
        "leaves": order.quantity - order.filled_quantity,
        "waiting": waits,
    }
    if waits:
        terms["trigger"] = order.trigger_price_pips
    elif order.order_type is OrderType.LIMIT:
        terms["price"] = order.price_pips
    return terms


def _found(record: OrderRecord) -> dict[str, object]:
    return {
        "id": record.exchange_order_id,
        "side": record.side,
        "leaves": record.quantity - record.filled_quantity,
        "waiting": record.order_type in STOPS and not record.triggered,
        "trigger": record.trigger_price_pips,
        "price": record.price_pips,
    }


# --- INV-9, INV-13, INV-15: what was decided is carried out, and not taken back ---------------


def _exit_liveness(seen: Seen) -> Found:
    cover = seen.cover
    if cover.exit_source is None or cover.ended is not None or seen.position <= 0:
        return
    if seen.exits_unanswered or any(_alive(order) for order in cover.exits):
        return
    # One that was lost is sent anew only a while after, longer each time: whichever it was, not the
    # newest of them, which may be a target that went when the exit began.
    patience_ns = seen.settings.t_naked_ns + seen.settings.t_reprice_ns
    last_ns = max((order.updated_at_ns for order in cover.exits if not order.is_target), default=0)
    if seen.now_ns - last_ns > patience_ns:
        yield "INV-9", f"{seen.position} shall be flattened, and no exit is on its way"


def _entry_cancel(seen: Seen) -> Found:
    cover = seen.cover
    if cover.cancel_source is None or cover.ended is not None:
        return
    for order in cover.entries:
        # A growth in flight may have been asked for before the cancel was: it says nothing.
        asked = _unanswered(order) or order.cancel_refused_at_ns or seen.venue_disconnected
        if _alive(order) and not asked:
            yield "INV-13", f"entry order {order.tag} shall be cancelled, and nobody asks for it"


def _exit_intent(seen: Seen) -> Found:
    cover = seen.cover
    if cover.exit_source is None:
        return
    since_ns = cover.exit_since_ns
    for order in cover.exits:
        if order.purpose is Purpose.STOP and order.sent_at_ns > since_ns:
            yield "INV-15", f"stop {order.tag} was sent after the exit had begun"
    entries = {order.tag for order in cover.entries}
    filled_by_then = sum(
        trade.quantity
        for trade in cover.trades or ()
        if trade.tag in entries and trade.at_ns <= since_ns
    )
    for change in cover.changes or ():
        stop = change.leg is Leg.THIRD and change.order_type in STOPS and change.what == "amended"
        if stop and change.at_ns > since_ns and change.quantity > filled_by_then:
            yield "INV-15", f"the stop grew to {change.quantity} after the exit had begun"


# --- INV-11: filled is what traded ------------------------------------------------------------


def _ledger(seen: Seen) -> Found:
    cover = seen.cover
    trades = cover.trades or []
    if len({(trade.tag, trade.trade_id) for trade in trades}) != len(trades):
        yield "INV-11", "a trade is booked twice"
    orders = cover.entries + cover.exits
    for tag in seen.filled:
        if all(order.tag != tag for order in orders):
            yield "INV-11", f"a trade is of order {tag}, which is none of this cover order"
    for order in orders:
        quantity, value = seen.filled.get(order.tag, (0, 0))
        if (order.filled_quantity, order.filled_value) != (quantity, value):
            said = f"{order.filled_quantity} for {order.filled_value}"
            yield "INV-11", f"order {order.tag} says {said}, its trades {quantity} for {value}"
    sums = (cover.entry_filled, cover.exits_filled)
    folded = (seen.filled_of(cover.entries), seen.filled_of(cover.exits))
    if sums != folded:
        yield "INV-11", f"entry and exits say {sums}, their trades {folded}"


# --- INV-16, INV-17: where a stop may stand, and when an order may live -----------------------


def _trailing(seen: Seen) -> Found:
    cover, instrument = seen.cover, seen.instrument
    if cover.stop.price_pips % instrument.tick_pips:
        yield "INV-16", f"the stop's plan {cover.stop.price_pips} is off tick"
    if not instrument.band_low_pips <= cover.stop.price_pips <= instrument.band_high_pips:
        yield "INV-16", f"the stop's plan {cover.stop.price_pips} is outside the band"
    for order in cover.exits:
        record = seen.at_venue.get(order.tag)
        if record is None or record.triggered or record.order_type not in STOPS:
            continue
        trigger, last = record.trigger_price_pips, seen.last_price_pips
        if trigger % instrument.tick_pips:
            yield "INV-16", f"stop {order.tag} stands off tick at {trigger}"
        if trigger <= last if order.side is Side.BUY else trigger >= last:
            yield "INV-16", f"stop {order.tag} at {trigger} is through the last price {last}"


def _session(seen: Seen) -> Found:
    cover = seen.cover
    if seen.session_closed and cover.ended is None and not seen.unanswered:
        yield "INV-17", "the session is closed, the cover order has not ended"


_CHECKS = (
    _sizing,
    _targets,
    _nakedness,
    _reversal,
    _terminals,
    _presence,
    _exit_liveness,
    _ledger,
    _entry_cancel,
    _exit_intent,
    _trailing,
    _session,
)
