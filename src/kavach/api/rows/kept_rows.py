"""
Rows of the books as bytes: worded when somebody reads them first, and again when they change.

The rows of an order are kept in ``OmsState.derived``, from which the core takes an order whenever
something touches it. A trade's row says how things were when it traded, so it is worded once for
ever; a further fill adds a row. Both go with the state.

Source: docs/decisions/0026-what-is-open-and-what-was.md.
"""

from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from kavach.api.http.call import encode
from kavach.api.http.listing import ROWS_PER_STEP, Plan, Steps, weight_of
from kavach.api.rows import order_rows as rows
from kavach.api.rows.legs import legs_of
from kavach.core.model.orders.parent_order import LegChange, ParentOrder
from kavach.core.model.state import OmsState
from kavach.wire.orders.statuses import is_completed

ORDERS_MAX: Final = 200_000  # Whose rows are kept; some 1.4 kB a row.
ROUNDS_MAX: Final = 8  # How often a book is gone through again because orders change meanwhile.

Find = Callable[[], list[ParentOrder]]
Row = tuple[bool, bytes]  # Whether it is completed, and what it says.


class Made:
    """What was made of an order as it is; it goes when the order changes."""

    __slots__ = ("rows", "told")

    def __init__(self) -> None:
        self.rows: list[Row] | None = None  # Of the books, one a leg.
        self.told: tuple[bytes, bytes] | None = None  # By the feed: orders and trades.


def order_rows(state: OmsState, find: Find, wanted: frozenset[bool]) -> Plan:
    """Return the plan of the order book, as it is at the moment in which the plan ends.

    ``find`` returns the orders that belong to it; ``wanted``: completed rows (True), others
    (False), or both.
    """
    derived = state.derived
    if len(derived) > ORDERS_MAX:
        derived.clear()
    steps = Steps()
    for _ in range(ROUNDS_MAX):
        orders = find()
        whole = weight_of(len(orders))
        if whole > 1:
            yield whole
        missing = [one for one in orders if rows_kept(state, one) is None]
        if len(missing) <= ROWS_PER_STEP // 2:
            break
        yield 1
        for parent in missing:
            if rows_kept(state, parent) is None and steps.worded(len(rows_of_order(state, parent))):
                yield 1
    return [
        said
        for parent in find()
        for completed, said in (rows_kept(state, parent) or rows_of_order(state, parent))
        if completed in wanted
    ]


def made_of(state: OmsState, parent: ParentOrder) -> Made:
    """Return what is kept of an order, to be added to."""
    made: Made | None = state.derived.get(parent.order_id)
    if made is None:
        made = state.derived[parent.order_id] = Made()
    return made


def rows_kept(state: OmsState, parent: ParentOrder) -> list[Row] | None:
    """Return the rows of an order if they were worded since it changed last."""
    made: Made | None = state.derived.get(parent.order_id)
    return None if made is None else made.rows


def rows_of_order(state: OmsState, parent: ParentOrder) -> list[Row]:
    """Return the rows of an order, one a leg, and keep them."""
    found = [
        (is_completed(view.status), encode(rows.order_row(view)))
        for view in legs_of(parent, state.instruments)
    ]
    made_of(state, parent).rows = found
    return found


class _KeptTrades:
    """The rows of an order's trades; a trade's row says how things were then, and stays."""

    __slots__ = ("lines_seen", "said")

    def __init__(self) -> None:
        self.lines_seen = 0  # Of the order's history.
        self.said: list[tuple[int, bytes]] = []  # When it traded, and the row.

    def word(self, state: OmsState, parent: ParentOrder) -> int:
        """Word the next trades, as many as a step may; return how many."""
        known = len(self.said)
        trades = (parent.trades or [])[known : known + ROWS_PER_STEP]
        lines: list[LegChange] = []
        changes = parent.changes or []
        while len(lines) < len(trades):
            line = changes[self.lines_seen]
            self.lines_seen += 1
            if line.what == "traded":
                lines.append(line)
        made = rows.rows_of_trades(parent, state.instruments, trades, lines)
        self.said += [(trade.at_ns, encode(row)) for trade, row in zip(trades, made, strict=True)]
        return len(trades)


_KEPT: Final[WeakKeyDictionary[OmsState, dict[int, _KeptTrades]]] = WeakKeyDictionary()


def trade_rows(state: OmsState, parents: list[ParentOrder], start_ns: int, end_ns: int) -> Plan:
    """Return the plan of the trades of these orders, from start to before end, by order."""
    kept = _KEPT.setdefault(state, {})
    if len(kept) > ORDERS_MAX:
        kept.clear()
    steps = Steps()
    found: list[bytes] = []
    for parent in parents:
        if steps.looked():
            yield 1
        if not parent.trades:
            continue
        trades = kept.setdefault(parent.order_id, _KeptTrades())
        while len(trades.said) < len(parent.trades):
            if steps.worded(trades.word(state, parent)):
                yield 1
        found += [said for at_ns, said in trades.said if start_ns <= at_ns < end_ns]
    return found
