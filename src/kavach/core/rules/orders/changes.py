"""
What a request to change an order asks: each of its values against the row of the leg it names.

Clients send back the whole row with one thing changed, so a value that the row has asks for
nothing. Any other value is a wish, which is fulfilled or refused by the rules of what it changes,
or it is of a field that cannot change on that leg and is refused here, by name and with what it is.
Nothing is passed over in silence.

    field                            ENTRY     SECOND    THIRD
    order_type                       change    exit      exit       MARKET gets out at once
    quantity                         change    -         -          an exit is what has filled
    disclosed_quantity               change    -         -
    price                            change    change    -
    trigger_price                    change    -         change     not of an entry that has fired
    validity                         unsent    -         -          an exchange changes none
    stop_loss_value                  change    -         change
    square_off_value                 change    change    -
    trailing_stop_loss, is_trailing  change    -         change
    market_protection_percentage     change    -         -
    filled_quantity                  check     check     check      0 says nothing, as of the next
    remaining_quantity               check     check     check      also of the total asked for

``-``: another value than the row's is refused. ``user_order_id`` and ``device`` are of the request
and not of the order: clients send others with each. Prices are pips, quantities shares.

Source: docs/wire/README.md, "Modifying"; docs/wire/README.md, "Decisions"; docs/decisions/0022.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from msgspec.structs import replace

from kavach.core.commands import Leg, ModifyCoverOrder
from kavach.core.model.cover.offsets import from_reference
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.leg_row import LegRow, shown_row
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.commands import ModifyOrder
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.units import OrderType, percent_text, rupees_text

ENTRY, SECOND, THIRD = Leg
_NO_LEG: Final[frozenset[Leg]] = frozenset()

C = TypeVar("C", bound=ModifyCoverOrder | ModifyOrder)


class Seen(NamedTuple):
    """A leg as its row shows it."""

    parent: ParentOrder
    leg: Leg
    row: LegRow

    @property
    def of_entry(self) -> bool:
        """Whether it is the entry's row: only that shows what a client chose of these."""
        return self.leg is ENTRY


class Field(NamedTuple):
    """One field of a change: what the row has of it, and on which legs another value is a wish."""

    name: str  # In the command.
    shown: Callable[[Seen], Any]
    changes: frozenset[Leg]
    reason: Reason  # Of refusing another value on the other legs.
    words: Callable[[Any], str] = str


def _price(pips: int) -> str:
    return rupees_text(pips) if pips else "0"


def _percent(hundredths: int) -> str:
    return percent_text(hundredths)


def _of_plan(name: str) -> Callable[[Seen], Any]:
    """Return how a value of the plan is read, which only changes of a cover order name."""

    def shown(seen: Seen) -> Any:
        assert isinstance(seen.parent, CoverOrder), f"{seen.parent.order_id} has no plan"
        return getattr(seen.parent.plan_in(seen.leg), name)

    return shown


R = Reason
FIELDS: Final = (
    Field(
        "filled_quantity", lambda s: s.row.filled_quantity, _NO_LEG, R.FILLED_QUANTITY_MUST_MATCH
    ),
    Field(
        "order_type", lambda s: s.row.order_type, frozenset({ENTRY}), R.ORDER_TYPE_MUST_NOT_CHANGE
    ),
    Field("quantity", lambda s: s.row.quantity, frozenset({ENTRY}), R.LEG_QUANTITY_MUST_NOT_CHANGE),
    Field(
        "remaining_quantity",
        lambda s: s.row.remaining_quantity,
        _NO_LEG,
        R.REMAINING_QUANTITY_MUST_MATCH,
    ),
    Field(
        "disclosed_quantity",
        lambda s: s.parent.disclosed_quantity if s.of_entry else 0,
        frozenset({ENTRY}),
        R.DISCLOSED_QUANTITY_MUST_NOT_CHANGE,
    ),
    Field(
        "price_pips",
        lambda s: s.row.price_pips,
        frozenset({ENTRY, SECOND}),
        R.PRICE_MUST_NOT_CHANGE,
        _price,
    ),
    Field(
        "trigger_price_pips",
        lambda s: s.row.trigger_price_pips,
        frozenset({ENTRY, THIRD}),
        R.TRIGGER_PRICE_MUST_NOT_CHANGE,
        _price,
    ),
    Field(
        "validity",
        lambda s: s.parent.validity if s.of_entry else "DAY",
        _NO_LEG,
        R.VALIDITY_MUST_NOT_CHANGE,
    ),
    Field(
        "stop_price_pips",
        _of_plan("stop_price_pips"),
        frozenset({ENTRY, THIRD}),
        R.STOP_MUST_NOT_CHANGE,
        _price,
    ),
    Field(
        "stop_offset_pips",
        _of_plan("stop_offset_pips"),
        frozenset({ENTRY, THIRD}),
        R.STOP_MUST_NOT_CHANGE,
        _price,
    ),
    Field(
        "target_offset_pips",
        _of_plan("target_offset_pips"),
        frozenset({ENTRY, SECOND}),
        R.TARGET_MUST_NOT_CHANGE,
        _price,
    ),
    Field(
        "trailing_step_pips",
        _of_plan("trailing_step_pips"),
        frozenset({ENTRY, THIRD}),
        R.TRAILING_MUST_NOT_CHANGE,
        _price,
    ),
    Field(
        "protection_bp",
        lambda s: s.parent.protection_bp if s.of_entry else 0,
        frozenset({ENTRY}),
        R.PROTECTION_MUST_NOT_CHANGE,
        _percent,
    ),
)
_CHECKS: Final = frozenset({"filled_quantity", "remaining_quantity"})
_HINTS: Final[dict[Reason, str]] = {
    R.ORDER_TYPE_MUST_NOT_CHANGE: "or MARKET to get out",
    R.LEG_QUANTITY_MUST_NOT_CHANGE: "an exit is for all that has filled",
    R.VALIDITY_MUST_NOT_CHANGE: "it can't change at the exchange",
    R.STOP_MUST_NOT_CHANGE: "change it on ENTRY or THIRD",
    R.TRAILING_MUST_NOT_CHANGE: "change it on ENTRY or THIRD",
    R.TARGET_MUST_NOT_CHANGE: "change it on ENTRY or SECOND",
    R.PROTECTION_MUST_NOT_CHANGE: "an exit is priced by the system",
}


def gets_out(leg: Leg, command: ModifyCoverOrder) -> bool:
    """Return whether a change of an exit is no change, but asks to get out at once."""
    return leg is not ENTRY and command.order_type is OrderType.MARKET


def asked(context: StepContext, parent: ParentOrder, leg: Leg, command: C) -> C | Refusal:
    """Return the change without what the leg's row has already, or why a value cannot change."""
    seen = Seen(parent, leg, shown_row(parent, leg, context.state.instruments[parent.instrument]))
    exits = isinstance(command, ModifyCoverOrder) and gets_out(leg, command)
    nothing: dict[str, None] = {}
    for field in FIELDS:
        value = getattr(command, field.name, None)
        if value is None:
            continue
        if _says_nothing(seen, field, value, command, exits=exits):
            nothing[field.name] = None
        elif not _may_change(seen, field, exits=exits):
            return Refusal(field.reason, _right(seen, field))
    if nothing:
        command = replace(command, **nothing)
    contradiction = _contradiction(seen, command) if isinstance(command, ModifyCoverOrder) else None
    return contradiction or command


def _says_nothing(
    seen: Seen, field: Field, value: Any, command: ModifyCoverOrder | ModifyOrder, *, exits: bool
) -> bool:
    """Return whether a value is what the row has, or a word for nothing beside the others."""
    name = field.name
    if value == field.shown(seen) or (value == 0 and name in _CHECKS):
        return True
    if name == "remaining_quantity":
        total = seen.row.quantity if command.quantity is None else command.quantity
        return value in (total, total - seen.row.filled_quantity)
    if exits:  # What has neither price nor trigger is sent with none; and for all that is held.
        priced = name in ("price_pips", "trigger_price_pips") and value == 0
        return priced or (name == "quantity" and value == seen.parent.position)
    if name == "trigger_price_pips" and value == 0 and seen.leg is THIRD:
        # Who changes the stop by its other name sends no trigger beside it.
        assert isinstance(command, ModifyCoverOrder), "only a cover order has a stop"
        assert isinstance(seen.parent, CoverOrder), "only a cover order has a stop"
        price, offset, plan = command.stop_price_pips, command.stop_offset_pips, seen.parent.plan
        wished = ((price, plan.stop_price_pips), (offset, plan.stop_offset_pips))
        return any(value is not None and value != own for value, own in wished)
    return False


def _may_change(seen: Seen, field: Field, *, exits: bool) -> bool:
    """Return whether another value than the row's is a wish that the rules may fulfil."""
    if exits:
        return field.name == "order_type"
    if field.name == "validity":
        return seen.of_entry and not seen.parent.entries
    if field.name == "trigger_price_pips" and seen.of_entry:
        return not any(order.triggered for order in seen.parent.entries)
    return seen.leg in field.changes


def _right(seen: Seen, field: Field) -> str:
    """Return what a field is, for people."""
    hint = _HINTS.get(field.reason, "")
    if field.reason is R.TRIGGER_PRICE_MUST_NOT_CHANGE and seen.of_entry:
        hint = "it has triggered"
    it_is = field.words(field.shown(seen))
    return f"{it_is}, {hint}" if hint else it_is


def _contradiction(seen: Seen, command: ModifyCoverOrder) -> Refusal | None:
    """Return why a change asks for one thing in two ways that are not the same."""
    parent, c = seen.parent, command
    assert isinstance(parent, CoverOrder), f"{parent.order_id} is no cover order"
    stop, target = from_reference(
        parent.side,
        parent.reference_price_pips,
        c.stop_offset_pips or 0,
        c.target_offset_pips or 0,
    )
    wanted = c.stop_price_pips if c.stop_offset_pips is None else stop
    trigger = c.trigger_price_pips
    if seen.leg is THIRD and wanted is not None and trigger is not None and wanted != trigger:
        return Refusal(R.TRIGGER_PRICE_MUST_NOT_CHANGE, f"{_price(wanted)}, or no stop_loss_value")
    both = c.target_offset_pips is not None and c.price_pips is not None
    if seen.leg is SECOND and both and target != c.price_pips:
        return Refusal(R.PRICE_MUST_NOT_CHANGE, f"{_price(target)}, or no square_off_value")
    return None
