"""
The sums of a position's exits: orders that share one quantity count once, not each.

Exits of a bracket are one *group* at the venue, an OUO group in FIX's words (ContingencyType 3):
the total of each counts what all have traded, so that together they never trade more than the
largest total that any was ever given (docs/spec/exchange.md, linked orders). Hence the most that a
group could still trade is that largest total less what it has traded. The stop of a plain cover
order shares its quantity with no other: it is a group of one.

Every total that is sent is at most what the entry has filled, less what exits of other groups have
or could; so F_x + W <= F_e holds for any number of live exits, and no exit waits for another to be
gone.

A group ends with its session. In the next one a bracket that lives on begins a new group, which
counts what the old one could still have traded until its orders are known dead.

Quantities are shares.

Source: docs/spec/cover_order.md, "Quantities" and "Brackets".
"""

from collections.abc import Iterable, Sequence

from kavach.core.model.orders.venue_order import VenueOrder

Orders = tuple[VenueOrder, ...]


def most(exits: Orders) -> int:
    """Return W: the most that all exits together could still trade."""
    total = 0
    for group in _groups(exits):
        total += _most(group)
    return total


def confirmed(exits: Orders) -> int:
    """Return P: what stops and exits the venue has confirmed; a target protects nothing."""
    total = 0
    for group in _groups(exits):
        total += max((one.confirmed_leaves for one in group if not one.is_target), default=0)
    return total


def uncovered(exits: Orders, link: int, position: int) -> int:
    """Return the position for which a stop or an exit of this group is missing.

    It is what stops and exits do not cover, less what has traded and was not reported; and no more
    than exits of earlier groups, the targets among them, leave.
    """
    open_now = position
    for group in _groups(exits):
        open_now -= max((one.leaves_max for one in group if not one.is_target), default=0)
        open_now -= max(one.link_owes for one in group)
    return min(open_now, position - most(_others(exits, link)))


def traded(exits: Orders, link: int) -> int:
    """Return what the orders of a link have traded."""
    return sum(order.filled_quantity for order in exits if order.link == link)


def total_for(exits: Orders, link: int, position: int) -> int:
    """Return the total of an exit of this link that is to close the whole position."""
    return traded(exits, link) + position - most(_others(exits, link))


def could_have_traded(exits: Orders, order: VenueOrder) -> int:
    """Return the most that a late reported trade of a linked order can be."""
    if order.closed:
        return order.leaves_max
    siblings = [other for other in exits if other.link == order.link]
    largest = max(other.largest_total for other in siblings)
    left = largest - sum(other.filled_quantity for other in siblings)
    return min(order.total_max - order.filled_quantity, left)


def _most(group: Sequence[VenueOrder]) -> int:
    """Return the most that one group could still trade.

    Of a group it is not the largest leaves: a trade that is reported last need not have happened
    last, so the total of every order that has traded, or could have, is a bound.
    """
    if not group[0].link:
        return group[0].leaves_max
    if all(order.dead for order in group):
        return 0
    largest = filled = owed = 0
    for order in group:
        filled += order.filled_quantity
        if not order.dead or order.filled_quantity:
            largest = max(largest, order.largest_total)
        if order.closed:
            owed += order.leaves_max
    return max(largest - filled, owed)


def _others(exits: Orders, link: int) -> Orders:
    return tuple(order for order in exits if order.link and order.link != link)


def _groups(exits: Orders) -> Iterable[Sequence[VenueOrder]]:
    """Return the orders by group; one that shares its quantity with no other is alone."""
    if len(exits) == 1:  # As nearly always.
        return (exits,)
    groups: dict[int, list[VenueOrder]] = {}
    for order in exits:
        groups.setdefault(order.link or -order.tag, []).append(order)
    return groups.values()
