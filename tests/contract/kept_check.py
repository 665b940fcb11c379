"""Whether what is kept of orders, so that nobody need search, is what a search finds."""

from collections import Counter

from kavach.api.rows import kept_rows
from kavach.core.day import DAY_NS, next_midnight_ns
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.units import Product, Side


def check_index(state: OmsState) -> None:
    """Fail unless the index of orders agrees with going through every order."""
    index = state.index
    for client_id, every in state.by_client.items():
        living = [one for one in every if not one.over]
        assert index.living_of(client_id) == living, "the open orders"
        for day in {next_midnight_ns(one.placed_at_ns) for one in every}:
            for end_ns in (day, day + DAY_NS):
                found = index.between(client_id, end_ns - DAY_NS, end_ns)
                assert found == _between(every, end_ns - DAY_NS, end_ns), "the orders of a day"
        blocked: Counter[tuple[str, str]] = Counter()
        for one in every:
            if isinstance(one, CoverOrder):
                segment = state.instruments[one.instrument].segment
                blocked[segment, one.product] += one.blocked_paise
        assert blocked == Counter(dict(index.blocked[client_id])), "what orders block"
        covers = [one for one in every if isinstance(one, CoverOrder)]
        selling = [o for o in covers if o.side is Side.SELL and o.product is Product.CNC]
        lending = {o.order_id for o in selling if o.position or not o.over}
        assert lending <= {o.order_id for o in index.lenders(client_id)}, "who sells delivery"
        assert {o.order_id for o in covers if o.link} <= set(index.linked), "whose exits are linked"
        for one in every:
            if isinstance(one, RegularOrder) and one.squares_off:
                assert one in index.square_offs(client_id, one.instrument)


def _between(every: list[ParentOrder], start_ns: int, end_ns: int) -> list[ParentOrder]:
    return [
        one
        for one in every
        if one.placed_at_ns < end_ns
        and (one.placed_at_ns >= start_ns or not one.over or one.ended_at_ns >= start_ns)
    ]


def check_rows(state: OmsState) -> None:
    """Fail unless every row that is kept says what the order says; then keep all."""
    kept = dict(state.derived)
    for order_id, made in kept.items():
        parent = state.parents[order_id]
        said = made.rows
        if said is not None:
            assert kept_rows.rows_of_order(state, parent) == said, f"{order_id}: an old row"
    for parent in state.every_order():
        if parent.order_id not in kept:
            kept_rows.rows_of_order(state, parent)
