"""
What a step of the engine has done to the orders of a client, told as updates, in order.

Theory. Of each order only the number of its history lines is kept, so the new ones are
known at sight; a line is a step of its leg's life, as the row stood then. What leaves no line (an
order that waits for the venue, a request on its way, a new plan for the stop) shows in the row: it
is told when the row is not what was told last, its version included. So the last update of a leg
is always its row, and may be sent back.

Only those are told of whom somebody listens to; for others the lines are counted and no more.

Source: docs/wire/feeds.md, "Order updates".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kavach.api.feed.update_rows import order_update, step_update, trade_update
from kavach.api.rows.history import Step, step_of
from kavach.api.rows.legs import LegView, legs_of
from kavach.api.rows.order_rows import position_row
from kavach.core import events as e
from kavach.core.commands import Leg
from kavach.core.model.orders.parent_order import ParentOrder, Trade
from kavach.core.model.regular import events as regular
from kavach.core.model.state import OmsState
from kavach.instruments import Instrument
from kavach.units import InstrumentKey
from kavach.wire.feed.updates import Kind, OrderUpdate, ascii_json


@dataclass(frozen=True, slots=True)
class Told:
    """One update: what kind it is, and the JSON of its data."""

    kind: Kind
    body: bytes


Moment = tuple[LegView, Step]


class Storyteller:
    """What is known of the orders of one engine, and what has been told of them."""

    def __init__(self, state: OmsState, last_price: Callable[[Instrument], int]) -> None:
        self._state = state
        self._instruments: Mapping[InstrumentKey, Instrument] = state.instruments
        self._last_price = last_price
        self._lines = {one.order_id: len(one.changes) for one in state.every_order() if one.changes}
        # By order and leg: the hash of the row as it was told last; of living orders only.
        self._shown: dict[int, dict[Leg, int]] = {}

    def lines(self, parent: ParentOrder) -> int:
        """Return how many lines of an order's history were told."""
        return self._lines.get(parent.order_id, 0)

    def go_back(self, parent: ParentOrder, lines: int) -> None:
        """Take it that no more than so many lines were told, and not where the rows stand."""
        self._lines[parent.order_id] = min(lines, len(parent.changes or ()))
        self._shown[parent.order_id] = dict.fromkeys(Leg, 0)

    def forget(self, parent: ParentOrder) -> None:
        """Count the lines of an order that nobody listens to."""
        if parent.changes:
            self._lines[parent.order_id] = len(parent.changes)
        self._shown.pop(parent.order_id, None)

    def tell(self, parent: ParentOrder, events: Sequence[e.Event]) -> list[Told]:
        """Return what has become of an order in a step in which these events happened."""
        changes = (parent.changes or [])[self._lines.get(parent.order_id, 0) :]
        if changes:
            self._lines[parent.order_id] = len(parent.changes or ())
        traded = sum(1 for change in changes if change.what == "traded")
        trades = (parent.trades or [])[-traded:] if traded else []
        views = {view.leg: view for view in legs_of(parent, self._instruments)}
        line = iter(trades)
        last: dict[Leg, Step] = {}
        found: list[Told | Moment] = []
        for change in changes:
            view, step = views[change.leg], step_of(change)
            if change.what != "entered" and not _is_same(step, last.get(change.leg)):
                last[change.leg] = step
                found.append((view, step))
            if change.what == "traded":
                found.append(self._trade(view, next(line), step))
        told = list(self._worded(found, last))
        for view in views.values():
            lived = any(change.leg is view.leg for change in changes)
            told += self._row_if_news(view, last.get(view.leg), lived, events)
        if trades:
            told.append(self._position(parent))
        if parent.over:
            self._shown.pop(parent.order_id, None)
        return told

    def _worded(self, found: Iterable["Told | Moment"], last: Mapping[Leg, Step]) -> Iterator[Told]:
        """Yield the updates; a last step that is where the row stands is told as the row."""
        moved: set[Leg] = set()
        for item in found:
            if isinstance(item, Told):
                yield item
                continue
            view, step = item
            if step is last[view.leg] and _is_row(view, step):
                row = order_update(view)
                if view.leg in moved or not self._was_told(view, row):
                    yield self._row(view, row)
            else:
                moved.add(view.leg)
                yield Told(Kind.ORDER, ascii_json(step_update(view, step)))

    def _row_if_news(
        self, view: LegView, step: Step | None, lived: bool, events: Sequence[e.Event]
    ) -> Iterator[Told]:
        """Yield the row, unless it is what was told last of this leg.

        ``step`` is the last that was told just now, ``lived`` whether there were lines at all.
        """
        if step is not None and _is_row(view, step):
            return
        row = order_update(view)
        before = self._shown.get(view.parent.order_id, {}).get(view.leg)
        if before is None:
            news = lived or any(_shows(view, event) for event in events)
        else:
            news = step is not None or before != _looks(row)
        if news:
            yield self._row(view, row)

    def _was_told(self, view: LegView, row: OrderUpdate) -> bool:
        """Return whether this is what was told last: a change of nothing was confirmed."""
        return self._shown.get(view.parent.order_id, {}).get(view.leg) == _looks(row)

    def _row(self, view: LegView, row: OrderUpdate) -> Told:
        """Return the row, and remember that it was told."""
        self._shown.setdefault(view.parent.order_id, {})[view.leg] = _looks(row)
        return Told(Kind.ORDER, ascii_json(row))

    def _trade(self, view: LegView, trade: Trade, step: Step) -> Told:
        told = trade_update(view, trade, step.filled, step.remaining)
        return Told(Kind.TRADE, ascii_json(told))

    def _position(self, parent: ParentOrder) -> Told:
        client = self._state.clients[parent.client_id]
        position = client.position(parent.instrument, parent.product)
        assert position is not None, "who has traded has a position"
        instrument = self._instruments[parent.instrument]
        row = position_row(client, position, instrument, self._last_price(instrument))
        return Told(Kind.POSITION, ascii_json(row))


def _is_same(step: Step, before: Step | None) -> bool:
    """Return whether a step shows what the one before has shown: of another slice, most likely."""
    return before is not None and (
        (step.status, step.quantity, step.filled, step.prices, step.reason)
        == (before.status, before.quantity, before.filled, before.prices, before.reason)
    )


def _is_row(view: LegView, step: Step) -> bool:
    """Return whether a step left the leg where its row stands."""
    return (
        str(step.status) == view.status.value
        and step.quantity == view.quantity
        and step.filled == view.filled
        and step.prices == (view.price_pips, view.trigger_price_pips)
    )


def _looks(row: OrderUpdate) -> int:
    """Return the hash of what a row shows, its version included, but for who wanted it."""
    return hash(tuple(getattr(row, name) for name in _VISIBLE))


_VISIBLE: Final = tuple(
    name for name in OrderUpdate.__struct_fields__ if name not in {"exchange_time", "mode"}
)

# What may change a row without leaving a line, for a leg of which nothing was told yet.
_OF_VENUE: Final = (e.OrderSubmitted, e.OrderAccepted, e.OrderAmendSent, e.OrderCancelSent)
_OF_ENTRIES: Final = (
    e.CoverOrderPlaced,
    regular.RegularOrderPlaced,
    regular.RegularOrderReleased,
)
_OF_STOPS: Final = (e.StopLegNamed,)
_OF_BOTH: Final = (e.StopPlanned,)
_OF_ENDS: Final = (
    e.CoverOrderEnded,
    e.CoverOrderReopened,
    e.CoverOrderResumed,
    regular.RegularOrderEnded,
    regular.RegularOrderReopened,
)


def _shows(view: LegView, event: e.Event) -> bool:
    """Return whether an event may have changed the row of a leg."""
    parent, entry = view.parent, view.leg is Leg.ENTRY
    if isinstance(event, _OF_VENUE):
        return any(order.tag == event.tag for order in view.orders)
    if getattr(event, "order_id", 0) != parent.order_id:
        return False
    if isinstance(event, e.EntryModifyRequested):
        return entry and not parent.entries  # Parked, so nobody else has to agree.
    if isinstance(event, _OF_ENTRIES):
        return entry
    if isinstance(event, _OF_STOPS):
        return not entry
    if isinstance(event, _OF_ENDS):
        return not parent.entries if entry else parent.position != 0
    return isinstance(event, _OF_BOTH)
