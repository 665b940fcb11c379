"""
The auditor: every invariant of a cover order that can be checked at an instant, checked.

It trusts no sum that the rules keep. What an order has filled is folded from its trades; what
still lives is read from the exchange's own book; what a position is worth is added up anew. So
it finds what the rules' own assertions, which use the rules' own sums, could not.

Not checkable at an instant, because they speak of two moments or of other runs: INV-7, 8, 10,
12, 14, 18, 19, 26. Of INV-13, 15, 16, 23 and 24 the facts that an order keeps are checked, of
INV-25 last prices and fills (``audit_places``).

Source: docs/spec/cover_order.md, "What must hold".
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from kavach.core.events import RequestAnswered
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.exchange.snapshot import OrderRecord, Snapshot
from kavach.twin.audit_gtt import check_kept
from kavach.twin.audit_money import check_money
from kavach.twin.audit_orders import check_cover, see
from kavach.twin.audit_places import check_fills_told, check_last_prices
from kavach.twin.audit_rows import check_rows
from kavach.twin.audit_seen import SeenOrder, Violation, check_regular, see_regular
from kavach.units import InstrumentKey, Phase

NO_ORDER = 0  # No order has this id.


class AuditReport:
    """What the auditor found."""

    def __init__(self, state: OmsState, violations: list[Violation], naked_ns_max: int) -> None:
        self.violations = violations
        self.cover_orders = sum(1 for _ in state.every_cover())
        self.events = state.events
        self.naked_ns_max = naked_ns_max  # Those who are naked now included.


def audit(
    state: OmsState,
    exchange: Snapshot,
    now_ns: int,
    prices: Mapping[InstrumentKey, int] | None = None,
) -> AuditReport:
    """Return what is wrong with the core's state, the exchange's, and the two together.

    ``prices`` are the last prices that a running core goes by; a replayed one has none.
    """
    at_venue = {record.order_ref: record for record in exchange.orders}
    last_prices = {ticker.instrument: ticker.last_price_pips for ticker in exchange.tickers}
    violations: list[Violation] = []
    seen_by_client: dict[str, list[SeenOrder]] = {}
    owners: dict[int, SeenOrder] = {}
    naked_ns_max = state.naked_ns_max
    for client_id, orders in state.by_client.items():
        looks = seen_by_client[client_id] = []
        for parent in orders:
            close = state.instruments[parent.instrument].previous_close_pips
            last = last_prices.get(parent.instrument, close)
            seen: SeenOrder
            if isinstance(parent, CoverOrder):
                of_cover = seen = see(state, parent, at_venue, last, now_ns)
                violations += check_cover(of_cover)
                if not parent.over and of_cover.unprotected > 0 and parent.naked_since_ns:
                    naked_ns_max = max(naked_ns_max, now_ns - parent.naked_since_ns)
            else:
                assert isinstance(parent, RegularOrder), f"{parent.order_id}: of no known kind"
                seen = see_regular(state, parent, at_venue, last, now_ns)
                violations += check_regular(seen)
            looks.append(seen)
            violations += check_rows(parent)
            violations += check_fills_told(parent)
            violations += _check_owner(state, seen, client_id)
            for order in parent.entries + parent.exits:
                if order.tag in owners:
                    detail = f"the order with tag {order.tag} belongs to another one as well"
                    violations.append(Violation("INV-6", parent.order_id, detail))
                owners[order.tag] = seen
    violations += _check_exchange(state, exchange, owners)
    violations += _check_answers(state)
    violations += check_kept(state, last_prices, now_ns)
    if prices is not None:
        violations += check_last_prices(exchange, prices, state.instruments)
    for client_id, looks in seen_by_client.items():
        violations += check_money(state, state.clients[client_id], looks)
    return AuditReport(state, violations, naked_ns_max)


def _check_owner(state: OmsState, seen: SeenOrder, client_id: str) -> Iterator[Violation]:
    """An order belongs to one client, and is found under its own ids."""
    parent = seen.parent
    if parent.client_id != client_id:
        detail = f"{client_id} holds an order of {parent.client_id}"
        yield Violation("INV-20", parent.order_id, detail)
    own_ids = [parent.order_id]
    if isinstance(parent, CoverOrder):
        own_ids += [parent.id_of(leg) for leg in parent.legs[1:]]
        own_ids += [parent.basket_id] if parent.basket_id else []
    for own_id in own_ids:
        found = state.covers.get(own_id) or state.regulars.get(own_id)
        if found is not parent:
            yield Violation("INV-20", parent.order_id, f"another order answers to {own_id}")


def _check_exchange(
    state: OmsState, exchange: Snapshot, owners: dict[int, SeenOrder]
) -> Iterator[Violation]:
    """Whatever lives at the exchange belongs to a living cover order, in an open session."""
    phases = dict(exchange.phases)
    for tag, times in Counter(record.order_ref for record in exchange.orders).items():
        if times > 1:
            yield Violation("INV-6", 0, f"the exchange holds {times} orders with tag {tag}")
    for record in exchange.orders:
        seen = owners.get(record.order_ref)
        if seen is None:
            detail = f"exchange order {record.exchange_order_id} belongs to no order"
            yield Violation("INV-5", 0, detail)
            continue
        yield from _check_record(seen, record)
        session = state.instruments[record.instrument].session
        if phases[session] is Phase.CLOSED:
            detail = f"{record.exchange_order_id} lives while {session} is closed"
            yield Violation("INV-17", seen.parent.order_id, detail)
    for name, phase in phases.items():
        if phase is not state.sessions.phase(name):
            yield Violation("INV-17", 0, f"core and exchange disagree on the phase of {name}")


def _check_record(seen: SeenOrder, record: OrderRecord) -> Iterator[Violation]:
    """An order at the exchange is known to its owner as it is."""
    parent = seen.parent
    name = record.exchange_order_id
    if parent.over:
        yield Violation("INV-5", parent.order_id, f"{name} lives, its owner has ended")
    if record.account != parent.client_id or record.instrument != parent.instrument:
        owner = f"{record.account} on {record.instrument}"
        yield Violation("INV-20", parent.order_id, f"{name} is at the exchange for {owner}")


def _check_answers(state: OmsState) -> Iterator[Violation]:
    """A kept answer speaks of an order of the client who asked, or of a basket or rule of its."""
    for (client_id, key), answer in state.answers.items():
        if answer.client_id != client_id or not _is_own(state, client_id, answer):
            detail = f"the answer kept for {client_id} under {key!r} is about a foreign order"
            yield Violation("INV-20", answer.order_id, detail)


def _is_own(state: OmsState, client_id: str, answer: RequestAnswered) -> bool:
    """Return whether an answer is about something of the client's, or about nothing at all."""
    if answer.subject:
        kept = state.shelf.baskets.get(answer.subject) or state.gtts.rules.get(answer.subject)
        return kept is None or kept.client_id == client_id  # A basket may be gone.
    if answer.order_id == NO_ORDER:
        return True  # What was asked was about no order.
    about = state.covers.get(answer.order_id) or state.regulars.get(answer.order_id)
    return about is not None and about.client_id == client_id
