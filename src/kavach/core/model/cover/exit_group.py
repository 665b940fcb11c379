"""
The sums of a bracket's exits: orders that share one quantity count once, not each.

Target and stop are linked at the venue: the total of each counts what both have traded, so that
together they never trade more than the largest total that either was ever given
(docs/spec/exchange.md, linked orders). Hence the most that a link could still trade is that
largest total less what it has traded. Every total that is sent is at most what the entry has
filled, less what exits of other links have or could; so F_x + W <= F_e holds for any number of
live exits, and no exit waits for another to be gone.

Links end with their session. In the next one a bracket that lives on begins a new link, which
counts what the old one could still have traded until its orders are known dead.

Quantities are shares.

Source: docs/spec/cover_order.md (brackets); docs/spec/cover_order.md, "Quantities".
"""

from kavach.core.model.orders.venue_order import VenueOrder

Orders = tuple[VenueOrder, ...]


def linked_most(exits: Orders) -> int:
    """Return W: the most that all exits together could still trade."""
    return sum(_most(orders) for orders in _by_link(exits))


def stops_most(exits: Orders) -> int:
    """Return the most that stops and exits could still trade, targets apart."""
    return sum(
        max((order.leaves_max for order in orders if not order.is_target), default=0)
        for orders in _by_link(exits)
    )


def stops_confirmed(exits: Orders) -> int:
    """Return P: what stops and exits the venue has confirmed."""
    return sum(
        max((order.confirmed_leaves for order in orders if not order.is_target), default=0)
        for orders in _by_link(exits)
    )


def unreported(exits: Orders) -> int:
    """Return what has traded by the way in which some orders ended, and was not told of yet."""
    return sum(max(order.link_owes for order in orders) for orders in _by_link(exits))


def uncovered(exits: Orders, link: int, position: int) -> int:
    """Return what a stop or an exit of this link is missing for.

    What stops and exits do not cover, less what has traded and was not told; and no more than
    exits of earlier links, the targets among them, leave.
    """
    open_now = position - stops_most(exits) - unreported(exits)
    return min(open_now, position - linked_most(_others(exits, link)))


def traded(exits: Orders, link: int) -> int:
    """Return what the orders of a link have traded."""
    return sum(order.filled_quantity for order in exits if order.link == link)


def total_for(exits: Orders, link: int, position: int) -> int:
    """Return the total of an exit of this link that is to close the whole position."""
    return traded(exits, link) + position - linked_most(_others(exits, link))


def could_have_traded(exits: Orders, order: VenueOrder) -> int:
    """Return the most that a trade of a linked order, of which we hear only now, can be."""
    if order.closed:
        return order.leaves_max
    siblings = [other for other in exits if other.link == order.link]
    largest = max(other.largest_total for other in siblings)
    left = largest - sum(other.filled_quantity for other in siblings)
    return min(order.total_max - order.filled_quantity, left)


def _most(orders: list[VenueOrder]) -> int:
    """Return the most that one link could still trade.

    Not the largest leaves: a trade that is told last need not have happened last, so the total of
    every order that has traded, or could have, is a bound.
    """
    if all(order.dead for order in orders):
        return 0
    largest = filled = owed = 0
    for order in orders:
        filled += order.filled_quantity
        if not order.dead or order.filled_quantity:
            largest = max(largest, order.largest_total)
        if order.closed:
            owed += order.leaves_max
    return max(largest - filled, owed)


def _others(exits: Orders, link: int) -> Orders:
    return tuple(order for order in exits if order.link != link)


def _by_link(exits: Orders) -> list[list[VenueOrder]]:
    groups: dict[int, list[VenueOrder]] = {}
    for order in exits:
        groups.setdefault(order.link, []).append(order)
    return list(groups.values())
