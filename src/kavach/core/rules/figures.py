"""
The figures that belong to a refusal: what would have been right.

A refused request has changed nothing, so what it was measured by still stands: the terms of its
instrument, its order, the last price. One function a reason, for every reason that has a value.

Prices are rupees as text, quantities shares.

Source: docs/wire/limits.md; docs/wire/errors.md.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from kavach.core.commands import Leg, PlaceCoverOrder
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.gtt.expiry import DAYS_MAX
from kavach.core.model.leg_row import leg_row
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.money.convert import offers
from kavach.core.rules.orders.field_rules import COVER_PRODUCTS, reference_price
from kavach.instruments import Instrument
from kavach.units import InstrumentKey, OrderType, Product, Side, opposite, rupees_text

R = Reason


class Case(NamedTuple):
    """What a refused request was measured by."""

    state: OmsState
    command: Any  # Any command of a client; its fields are asked for by name.
    instrument: Instrument
    parent: ParentOrder | None  # The order it names, if it names one.
    last_pips: int
    by: str

    def asked(self, name: str) -> Any:
        """Return what is asked for: the command's, its terms', or else the order's own."""
        for source in (self.command, getattr(self.command, "terms", None), self.parent):
            value = getattr(source, name, None)
            if value is not None:
                return value
        return 0

    @property
    def side(self) -> Side:
        """The side of the entry."""
        return self.parent.side if self.parent is not None else self.asked("side")

    @property
    def leg(self) -> Leg:
        """The leg that is spoken of."""
        leg = getattr(self.command, "leg", None)
        if leg is None and isinstance(self.parent, CoverOrder):
            order_id = self.command.order_id
            leg = None if order_id == self.parent.basket_id else self.parent.leg_of(order_id)
        return leg or Leg.ENTRY

    @property
    def reference_pips(self) -> int:
        """The price that the entry is measured by."""
        if self.parent is not None and self.leg is not Leg.ENTRY:
            return self.parent.reference_price_pips
        order_type, price = self.asked("order_type"), self.asked("price_pips")
        return reference_price(order_type, price, self.asked("trigger_price_pips"), self.last_pips)

    @property
    def by_offset(self) -> bool:
        """Whether an exit was asked for by its distance, as a bracket's is."""
        return not self.by and bool(
            getattr(self.command, "bracket", False) or getattr(self.parent, "is_bracket", False)
        )


def with_figures(
    state: OmsState, last_price: Callable[[InstrumentKey], int], command: Any, refusal: Refusal
) -> str:
    """Return what a person needs to see of a refusal: its own detail, or the right value."""
    figure = _FIGURES.get(refusal.reason)
    if refusal.detail or figure is None:
        return refusal.detail
    order_id = getattr(command, "order_id", 0)
    parent = state.covers.get(order_id) or state.regulars.get(order_id)
    terms = parent or getattr(command, "terms", None) or command
    rule = state.gtts.rules.get(getattr(command, "rule_id", ""))
    instrument = state.instruments.get((rule.terms if rule else terms).instrument)
    if instrument is None:
        return ""
    last_pips = last_price(instrument.key)
    return figure(Case(state, command, instrument, parent, last_pips, refusal.by))


def _one_of(words: Iterable[str]) -> str:
    """Return words as a sentence has them: CNC, MIS or NRML."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _tick(case: Case) -> str:
    return f"not {_ticks(case)}"


def _ticks(case: Case) -> str:
    return f"a multiple of the tick {rupees_text(case.instrument.tick_pips)}"


def _lots(case: Case) -> str:
    return f"a multiple of the lot {case.instrument.lot}"


def _band(case: Case) -> str:
    low, high = case.instrument.band_low_pips, case.instrument.band_high_pips
    return f"outside {rupees_text(low)} to {rupees_text(high)}"


def _stop_band(case: Case) -> str:
    return _within(case, wins=False) if case.by_offset else _band(case)


def _target_band(case: Case) -> str:
    return _within(case, wins=True) if case.by_offset else _band(case)


def _within(case: Case, *, wins: bool) -> str:
    """Return how far from the entry's price an exit can be at most."""
    up = (case.side is Side.BUY) is wins
    reference = case.reference_pips
    room = (
        case.instrument.band_high_pips - reference
        if up
        else reference - (case.instrument.band_low_pips)
    )
    return f"at most {rupees_text(max(0, room))}"


def _beyond(side: Side, pips: int, what: str = "") -> str:
    return f"{'above' if side is Side.BUY else 'below'} {what}{rupees_text(pips)}"


def _losing_side(case: Case) -> str:
    return "above 0" if case.by_offset else _beyond(opposite(case.side), case.reference_pips)


def _winning_side(case: Case) -> str:
    parent = case.parent
    if isinstance(parent, CoverOrder) and parent.entry_filled:
        return _beyond(case.side, parent.stop.price_pips, "the stop ")
    return "above 0" if case.by_offset else _beyond(case.side, case.reference_pips)


def _limit(case: Case) -> str:
    """Return the largest quantity of an order."""
    instrument, settings = case.instrument, case.state.settings
    if not instrument.tradable:
        return "it can't be traded"
    most = settings.quantity_max
    parent = case.parent
    one_order = getattr(case.command, "bracket", False)
    if parent is not None:
        one_order = parent.whole or not parent.sliced
    if isinstance(case.command, PlaceCoverOrder) or parent is not None:
        most = min(most, instrument.slice_max * (1 if one_order else settings.slices_max))
    most -= most % instrument.lot
    return f"at most {most}" if case.asked("quantity") > most else "more than fits into one second"


def _disclosed(case: Case) -> str:
    quantity, disclosed = case.asked("quantity"), case.asked("disclosed_quantity")
    if disclosed <= quantity:
        return f"not {_lots(case)}"
    return f"0 to {quantity}"


def _products(case: Case) -> str:
    """Return the products in which an instrument can be ordered so, or held."""
    settings, instrument = case.state.settings, case.instrument
    offered = [one.value for one in Product if offers(instrument, settings, one)]
    if isinstance(case.command, PlaceCoverOrder):
        offered = [one for one in offered if one in COVER_PRODUCTS]
        if not instrument.intraday_allowed:
            return "no cover order of what can't be given back within the day"
    return _one_of(offered)


def _types(case: Case) -> str:
    slm = case.instrument.slm_allowed
    return _one_of(one.value for one in OrderType if slm or one is not OrderType.SLM)


def _kind(case: Case) -> str:
    parent = case.parent
    if isinstance(parent, RegularOrder):
        return "AMO" if parent.amo else "REGULAR"
    return "BO" if getattr(parent, "is_bracket", False) else "CO"


def _exchange_id(case: Case) -> str:
    if case.parent is None:
        return ""
    shown = leg_row(case.parent, case.leg).exchange_order_id
    return shown or "the exchange has given none yet"


def _own_leg(case: Case) -> str:
    assert isinstance(case.parent, CoverOrder), "a leg is of a cover order"
    return case.parent.leg_of(case.command.order_id).value


def _own_side(case: Case) -> str:
    exits = case.leg is not Leg.ENTRY
    return (opposite(case.side) if exits else case.side).value


_FIGURES: Final[dict[Reason, Callable[[Case], str]]] = {
    **dict.fromkeys(
        (
            R.PRICE_MUST_BE_ON_TICK,
            R.TRIGGER_PRICE_MUST_BE_ON_TICK,
            R.STOP_MUST_BE_ON_TICK,
            R.TARGET_MUST_BE_ON_TICK,
            R.TRAILING_STEP_MUST_FIT,
        ),
        _tick,
    ),
    **dict.fromkeys((R.PRICE_MUST_BE_IN_BAND, R.TRIGGER_PRICE_MUST_BE_IN_BAND), _band),
    R.STOP_MUST_BE_IN_BAND: _stop_band,
    R.TARGET_MUST_BE_IN_BAND: _target_band,
    **dict.fromkeys(
        (
            R.PRICE_MUST_BE_POSITIVE,
            R.TRIGGER_PRICE_MUST_BE_POSITIVE,
            R.STOP_MUST_BE_POSITIVE,
            R.TARGET_MUST_BE_POSITIVE,
        ),
        lambda case: "above 0",
    ),
    R.PRICE_MUST_BE_ZERO: lambda case: f"{case.asked('order_type')} has no price: 0",
    R.TRIGGER_PRICE_MUST_BE_ZERO: lambda case: f"{case.asked('order_type')} has no trigger: 0",
    R.TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE: lambda case: _beyond(
        case.side, case.last_pips, "the last price "
    ),
    R.STOP_MUST_BE_BEYOND_LAST_PRICE: lambda case: _beyond(
        opposite(case.side), case.last_pips, "the last price "
    ),
    R.TRIGGER_PRICE_MUST_NOT_PASS_PRICE: lambda case: (
        f"not {_beyond(case.side, case.asked('price_pips'), 'the price ')}"
    ),
    R.STOP_MUST_BE_ON_LOSING_SIDE: _losing_side,
    R.TARGET_MUST_BE_ON_WINNING_SIDE: _winning_side,
    R.QUANTITY_MUST_BE_POSITIVE: lambda case: f"at least {case.instrument.lot}",
    R.QUANTITY_MUST_BE_MULTIPLE_OF_LOT: lambda case: f"not {_lots(case)}",
    R.QUANTITY_MUST_BE_WITHIN_LIMIT: _limit,
    R.DISCLOSED_QUANTITY_MUST_FIT: _disclosed,
    R.PRODUCT_MUST_BE_OFFERED: _products,
    R.NEW_PRODUCT_MUST_BE_OFFERED: _products,
    R.NEW_PRODUCT_MUST_DIFFER: lambda case: f"another than {case.asked('product')}",
    R.ORDER_TYPE_MUST_BE_OFFERED: _types,
    R.VALIDITY_MUST_BE_OFFERED: lambda case: "DAY, because a stop order waits",
    R.SIDE_MUST_BE_THE_POSITIONS: lambda case: opposite(case.command.side).value,
    R.EXECUTION_TYPE_MUST_MATCH: _kind,
    R.LEG_MUST_EXIST: lambda case: "ENTRY or THIRD",
    R.LEG_MUST_MATCH_ID: _own_leg,
    R.EXCHANGE_ORDER_ID_MUST_MATCH: _exchange_id,
    R.INSTRUMENT_MUST_NOT_CHANGE: lambda case: case.instrument.key,
    R.SIDE_MUST_NOT_CHANGE: _own_side,
    R.PRODUCT_MUST_NOT_CHANGE: lambda case: case.parent.product.value if case.parent else "",
    R.REFERENCE_MUST_BE_CURRENT: lambda case: "it has changed since, read the row again",
    R.QUANTITY_MUST_COVER_FILLS: lambda case: (
        f"{case.parent.entry_filled if case.parent else 0} have filled"
    ),
    R.QUANTITY_MUST_NOT_GROW: lambda case: "not more while the stop is missing",
    R.EXPIRY_MUST_BE_AHEAD: lambda case: "today or later",
    R.EXPIRY_MUST_BE_WITHIN_LIMIT: lambda case: f"at most {DAYS_MAX} days ahead",
    R.GTT_TRIGGER_MUST_NOT_BE_LAST_PRICE: lambda case: (
        f"another than the last price {rupees_text(case.last_pips)}"
    ),
    R.GTT_TRIGGERS_MUST_SURROUND_LAST_PRICE: lambda case: (
        f"on the other side of the last price {rupees_text(case.last_pips)} than trigger_price"
    ),
    R.GTT_STOP_TRIGGER_MUST_FIT: lambda case: f"above 0, {_ticks(case)}",
    R.GTT_STOP_PRICE_MUST_FIT: lambda case: f"above 0, {_ticks(case)}; 0 for MARKET and SLM",
}
