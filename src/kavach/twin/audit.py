"""
The auditor: every invariant of a cover order that can be checked at an instant, checked.

It trusts no sum that the rules keep. What an order has filled is folded from its trades; what
still lives is read from the exchange's own book; what a position is worth is added up anew. So
it finds what the rules' own assertions, which use the rules' own sums, could not.

Not checkable at an instant, because they speak of two moments or of other runs: INV-7, 8, 10,
12, 14, 18, 19. Of INV-13, 15 and 16 the facts that an order keeps are checked.

Source: cover-order 5.8.
"""

from collections import Counter
from collections.abc import Iterator

from kavach.core.state import OmsState
from kavach.exchange.messages import Phase
from kavach.exchange.snapshot import OrderRecord, Snapshot
from kavach.twin.audit_money import check_money
from kavach.twin.audit_orders import Seen, Violation, check_cover, see


class AuditReport:
    """What the auditor found."""

    def __init__(self, state: OmsState, violations: list[Violation], naked_ns_max: int) -> None:
        self.violations = violations
        self.cover_orders = sum(len(covers) for covers in state.covers_by_client.values())
        self.events = state.events
        self.naked_ns_max = naked_ns_max  # Those who are naked now included.


def audit(state: OmsState, exchange: Snapshot, now_ns: int) -> AuditReport:
    """Return what is wrong with the core's state, the exchange's, and the two together."""
    at_venue = {record.order_ref: record for record in exchange.orders}
    last_prices = {ticker.instrument: ticker.last_price_pips for ticker in exchange.tickers}
    violations: list[Violation] = []
    seen_by_client: dict[str, list[Seen]] = {}
    owners: dict[int, Seen] = {}
    naked_ns_max = state.naked_ns_max
    for client_id, covers in state.covers_by_client.items():
        looks = seen_by_client[client_id] = []
        for cover in covers:
            seen = see(state, cover, at_venue, last_prices[cover.instrument], now_ns)
            looks.append(seen)
            violations += check_cover(seen)
            violations += _check_owner(state, seen, client_id)
            if cover.ended is None and seen.unprotected > 0 and cover.naked_since_ns:
                naked_ns_max = max(naked_ns_max, now_ns - cover.naked_since_ns)
            for order in cover.entries + cover.exits:
                if order.tag in owners:
                    detail = f"the order with tag {order.tag} belongs to another one as well"
                    violations.append(Violation("INV-6", cover.cover_id, detail))
                owners[order.tag] = seen
    violations += _check_exchange(state, exchange, owners)
    violations += _check_answers(state)
    for client_id, looks in seen_by_client.items():
        violations += check_money(state, state.clients[client_id], looks)
    return AuditReport(state, violations, naked_ns_max)


def _check_owner(state: OmsState, seen: Seen, client_id: str) -> Iterator[Violation]:
    """A cover order belongs to one client, and is found under its own ids."""
    cover = seen.cover
    if cover.client_id != client_id:
        detail = f"{client_id} holds an order of {cover.client_id}"
        yield Violation("INV-20", cover.cover_id, detail)
    for order_id in (cover.cover_id, cover.basket_id, cover.stop_id):
        if order_id and state.covers.get(order_id) is not cover:
            yield Violation("INV-20", cover.cover_id, f"another order answers to {order_id}")


def _check_exchange(
    state: OmsState, exchange: Snapshot, owners: dict[int, Seen]
) -> Iterator[Violation]:
    """Whatever lives at the exchange belongs to a living cover order, in an open session."""
    phases = dict(exchange.phases)
    for tag, times in Counter(record.order_ref for record in exchange.orders).items():
        if times > 1:
            yield Violation("INV-6", 0, f"the exchange holds {times} orders with tag {tag}")
    for record in exchange.orders:
        seen = owners.get(record.order_ref)
        if seen is None:
            detail = f"exchange order {record.exchange_order_id} belongs to no cover order"
            yield Violation("INV-5", 0, detail)
            continue
        yield from _check_record(seen, record)
        segment = state.instruments[record.instrument].exchange
        if phases[segment] is not Phase.OPEN:
            detail = f"{record.exchange_order_id} lives while {segment.value} is closed"
            yield Violation("INV-17", seen.cover.cover_id, detail)
    for segment, phase in phases.items():
        if (phase is Phase.CLOSED) != (segment.value in state.sessions_closed):
            yield Violation("INV-17", 0, f"core and exchange disagree whether {segment} is open")


def _check_record(seen: Seen, record: OrderRecord) -> Iterator[Violation]:
    """An order at the exchange is known to its cover order as it is."""
    cover = seen.cover
    name = record.exchange_order_id
    if cover.ended is not None:
        yield Violation("INV-5", cover.cover_id, f"{name} lives, the cover order has ended")
    if record.account != cover.client_id or record.instrument != cover.instrument:
        owner = f"{record.account} on {record.instrument}"
        yield Violation("INV-20", cover.cover_id, f"{name} is at the exchange for {owner}")


def _check_answers(state: OmsState) -> Iterator[Violation]:
    """A kept answer speaks of an order of the client who asked."""
    for (client_id, key), answer in state.answers.items():
        cover = state.covers.get(answer.cover_id)
        if answer.client_id != client_id or cover is None or cover.client_id != client_id:
            detail = f"the answer kept for {client_id} under {key!r} is about a foreign order"
            yield Violation("INV-20", answer.cover_id, detail)
