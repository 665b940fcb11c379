"""
What a row must say: each column from what the exchange's reports imply, and from nothing else.

``Leg`` is the leg of an order by its slips. ``check_row`` holds a row against it, column by column;
``check_history`` holds the lines of its history against themselves and against the row. Where a
report is lost or late, a column may say what any report still to come could confirm, no more.

Rupees of a row are turned into pips; a value is pips times shares.

Source: docs/spec/cover_order.md (INV-22); docs/wire/README.md, "Rows".
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from kavach.units import NS_PER_MS
from tests.simulation.slips import Slip

Json = dict[str, Any]

PIPS_PER_RUPEE: Final = 10_000
OVER: Final = frozenset({"COMPLETE", "CANCEL_CONFIRMED", "REJECTED", "AMO_CANCEL_CONFIRMED"})
PARKED: Final = frozenset({"AMO_REQ_RECEIVED", "AMO_MODIFY_CONFIRMED", "AMO_CANCEL_CONFIRMED"})
UNPRICED: Final = frozenset({"MARKET", "SLM"})
ROUNDED: Final = Fraction(1, 10_000)  # Of an average, in rupees.
ANSWERED_NS: Final = 1_000 * NS_PER_MS  # Before this a request is not in doubt.


class Leg:
    """One leg, by what was asked and told of its slips."""

    def __init__(
        self,
        slips: Sequence[Slip],
        wishes: Iterable[int],
        position: int,
        given: Mapping[int, int] | None = None,
    ) -> None:
        self.slips = slips
        self.wishes = set(wishes)
        self.position = position  # What the entry has filled, less what the exits have given back.
        self.filled = sum(slip.filled for slip in slips)
        self.value = sum(slip.value for slip in slips)
        self.living = [slip for slip in slips if slip.lives]
        self.given = given or {}  # What the exits of the position have filled, by their link.

    @property
    def open(self) -> tuple[int, int]:
        """The least and the most that may stand in the book for it."""
        shared: dict[int, tuple[int, int]] = {}  # By link: what one trades counts against all.
        least = most = 0
        for slip in self.living:
            link, (low, high) = slip.asked.link, slip.open
            if link:
                others = self.given.get(link, 0) - slip.filled
                known = shared.get(link, (0, 0))
                shared[link] = max(known[0], low - others), max(known[1], high - others)
            else:
                least, most = least + low, most + high
        least += sum(low for low, _ in shared.values())
        return least, most + sum(high for _, high in shared.values())

    @property
    def totals(self) -> tuple[int, int]:
        """The smallest and largest sum of the totals of its slips."""
        spans = [slip.totals for slip in self.slips]
        return sum(low for low, _ in spans), sum(high for _, high in spans)

    @property
    def least_total(self) -> int:
        """The smallest sum of its totals, of slips that ended unasked what they have traded."""
        return sum(
            slip.totals[0] if slip.lives or slip.withdrawn else slip.filled for slip in self.slips
        )


def pips(rupees: float) -> int:
    """Return an amount of rupees in pips."""
    return round(rupees * PIPS_PER_RUPEE)


def check_row(row: Json, leg: Leg, now_ns: int, entry_filled: int) -> None:
    """Raise ``AssertionError`` naming the column that says what is not so."""
    name = f"{row['oms_order_id']} {row['leg_order_indicator'] or ''}".rstrip()
    filled, status = row["filled_quantity"], row["order_status"]
    assert filled == leg.filled, f"INV-22 filled: {name} says {filled}, not {leg.filled}"
    _check_quantity(name, row, leg, entry_filled)
    _check_average(name, row, leg)
    _check_status(name, row, leg, now_ns)
    if leg.slips and status != "REJECTED":
        _check_terms(name, row, leg)


def _check_quantity(name: str, row: Json, leg: Leg, entry_filled: int) -> None:
    quantity, remaining, filled = (
        row[column] for column in ("quantity", "remaining_quantity", "filled_quantity")
    )
    told = f"{name} {row['order_status']} says {quantity}, {filled} filled, {remaining} remaining"
    assert 0 <= filled <= quantity, f"INV-22 quantity: {told}"
    assert 0 <= remaining <= quantity - filled, f"INV-22 remaining: {told}"
    over = row["order_status"] in OVER
    if over:
        nothing = remaining == 0 or row["order_status"] == "REJECTED"
        assert nothing, f"INV-22 remaining: {told}, and it is over"
    if row["leg_order_indicator"] in ("SECOND", "THIRD"):
        low, high = leg.open
        given = sum(leg.given.values())
        fits = quantity == entry_filled or low <= quantity - given <= high
        fits = fits or (over and quantity <= entry_filled)  # It ended before the rest came.
        fits = fits or leg.totals[0] <= quantity <= leg.totals[1]
        assert fits, f"INV-22 quantity: {told}, entered were {entry_filled}"
        left = over or remaining == max(0, leg.position) or low <= remaining <= high
        assert left, f"INV-22 remaining: {told}, not {leg.position}, nor {low} to {high}"
        # What is left of the position stands, or an exit for it is still to come.
        bare = row["leg_order_indicator"] == "THIRD" and leg.position > 0 and not remaining
        assert over or not bare, f"INV-22 remaining: {told}, {leg.position} are held"
        return
    if not leg.slips:
        wished = not leg.wishes or quantity in leg.wishes
        assert wished, f"INV-22 quantity: {told}, wished for were {leg.wishes}"
        return
    if over:
        # What the exchange took out before a change is no part of what was changed.
        low, high = leg.least_total, leg.totals[1]
        fits = quantity in leg.wishes or low <= quantity <= high or quantity == filled
        fits = fits or (len(leg.slips) > 1 and len(leg.wishes) > 1 and 0 < quantity <= high)
        assert fits, f"INV-22 quantity: {told}, not {low} to {high}"
        return
    low, high = leg.open
    assert low <= remaining <= high, f"INV-22 remaining: {told}, in the book are {low} to {high}"
    # What was cancelled or has expired of an order that goes is in its total, and not in the book.
    reduced = len(leg.wishes) > 1 and row["order_status"] != "CANCEL_PENDING"
    gone = sum(slip.gone for slip in leg.slips if slip.expired or not reduced)
    fits = 0 <= quantity - filled - remaining <= gone
    assert fits or quantity in leg.wishes, f"INV-22 quantity: {told}, gone are {gone}"


def _check_average(name: str, row: Json, leg: Leg) -> None:
    average = row["average_price"]
    if not leg.filled:
        assert not average, f"INV-22 average: {name} says {average} of nothing"
        return
    right = Fraction(leg.value, leg.filled * PIPS_PER_RUPEE)
    off = abs(Fraction(average) - right)
    assert off <= ROUNDED, f"INV-22 average: {name} says {average}, not {float(right)}"


def _check_status(name: str, row: Json, leg: Leg, now_ns: int) -> None:
    status, filled = row["order_status"], row["filled_quantity"]
    told = f"{name} is {status}, {filled} of {row['quantity']} filled"
    if status == "REJECTED":
        assert not filled, f"INV-22 status: {told}"
    if status in PARKED or not leg.slips:
        assert not leg.living, f"INV-22 status: {told}, and it is at the exchange"
        return
    exit_owed = row["leg_order_indicator"] not in (None, "ENTRY") and leg.position > 0
    if not leg.living:
        complete = filled >= row["quantity"]
        owed = exit_owed and status == "PENDING"
        assert owed or status in OVER, f"INV-22 status: {told}, and nothing lives"
        assert owed or (status == "COMPLETE") is complete, f"INV-22 status: {told}"
        return
    assert status not in OVER, f"INV-22 status: {told}, and it lives"
    allowed = _statuses(leg, now_ns, entry=row["leg_order_indicator"] in (None, "ENTRY"))
    fits = not allowed or status in allowed
    assert fits, f"INV-22 status: {told}, not one of {sorted(allowed)}"


def _statuses(leg: Leg, now_ns: int, *, entry: bool) -> set[str]:
    """Return the words for a living leg; none if more than one view of it can be held."""
    living = leg.living
    doubted = any(not slip.sure and now_ns - slip.asked_ns >= ANSWERED_NS for slip in living)
    if doubted:
        return set()
    if any(slip.cancel is not None for slip in living):
        # An order that goes because there is to be less of it is a change, and no cancel.
        return {"CANCEL_PENDING", "MODIFY_PENDING"}
    if any(slip.amend is not None and not slip.proven for slip in living):
        return {"MODIFY_PENDING"}
    if any(slip.proven for slip in living):
        return set()
    if all(not slip.exchange_order_id and not slip.fired for slip in living):
        return {"PENDING"} if not leg.filled else {"PENDING", "PARTIAL_TRADE"}
    grows = entry and any(not slip.exchange_order_id for slip in living)
    if grows or any(len(slip.may_stand) > 1 for slip in living):
        return set()
    # An order that a change has added is a part of that change, as long as it is unanswered.
    changing = not all(slip.exchange_order_id or slip.fired for slip in living)
    if leg.filled and entry:
        return {"PARTIAL_TRADE", "MODIFY_PENDING"} if changing else {"PARTIAL_TRADE"}
    resting = {"CONFIRMED", "MODIFY_CONFIRMED", "TRIGGER_PENDING", "SL_TRIGGER_CONFIRMED"}
    resting |= {"MODIFY_PENDING"} if changing and entry else set()
    return resting | ({"PARTIAL_TRADE"} if leg.filled else set())


def _check_terms(name: str, row: Json, leg: Leg) -> None:
    """The id is that of one slip, a living one if there is one; the prices are that slip's."""
    named = row["exchange_order_id"]
    speakers = [slip for slip in leg.slips if slip.exchange_order_id == named]
    if named:
        assert speakers, f"INV-22 id: {name} says {named}, which is none of its orders"
        stale = leg.living and not any(slip.lives for slip in speakers)
        assert not stale, f"INV-22 id: {name} says {named}, which is over"
    if not speakers:
        return
    kind, price, trigger = row["order_type"], pips(row["price"]), pips(row["trigger_price"])
    stands = [terms for slip in speakers for terms in slip.may_stand]
    told = f"{name} {row['order_status']} says {kind} {price} {trigger}, there stand {stands}"
    entry = row["leg_order_indicator"] in (None, "ENTRY")
    if entry and kind in UNPRICED:
        assert price == 0, f"INV-22 price: {told}"
    elif any(slip.fired for slip in speakers) and any(t.kind == "SLM" for t in stands):
        pass  # What is left of it is priced by the exchange.
    else:
        assert price in {terms.price for terms in stands}, f"INV-22 price: {told}"
    if not entry or kind in ("SL", "SLM"):
        assert trigger in {terms.trigger for terms in stands}, f"INV-22 trigger: {told}"
    if not entry:
        assert kind in {terms.kind.value for terms in stands}, f"INV-22 type: {told}"


def check_history(row: Json, lines: Sequence[Json]) -> None:
    """Raise ``AssertionError`` if a line cannot be, or the last one is not where the row stands."""
    name, before = row["oms_order_id"], 0
    for number, line in enumerate(lines):
        filled, quantity = line["fill_quantity"], line["quantity"]
        told = f"line {number} of {name} says {filled} of {quantity} filled"
        assert 0 <= filled <= quantity, f"INV-22 history: {told}"
        left = line["remaining_quantity"] == quantity - filled
        assert left, f"INV-22 history: {told}, {line['remaining_quantity']} remaining"
        assert filled >= before, f"INV-22 history: {told}, after {before}"
        before = filled
    if lines:
        last = lines[-1]
        same = last["fill_quantity"] == row["filled_quantity"]
        assert same, f"INV-22 history: {name} ends with {last['fill_quantity']} filled"
        average = last["avg_price"] == row["average_price"]
        assert average, f"INV-22 history: {name} ends at {last['avg_price']}"
