"""
OUO groups (FIX ContingencyType 3): several live orders that share one quantity.

A target and a stop form a group. Orders of one account and side of a book with the same group
number belong together. A trade of one order reduces what the others can trade: the quantity of an
order in a group is a total that includes all trades of the group, ``leaves = quantity - filled of
the group``, in a new order and in an amend alike.

Theorem: a group never trades more than the largest quantity that any of its orders was given.
Proof: an order trades at most its leaves, so after each trade the group's filled quantity is at
most the quantity of the order that traded; and only trades increase it. Hence the arrival time of
an amend does not matter: an amend that crosses a trade of a sibling means the same total.

The book remembers until the session ends what a group has traded, also when none of its orders
lives, because a late order must not trade that quantity again. After the session the highest
number that traded is enough: a member numbers its groups upwards, and a number that is not above
it belongs to a finished group. So a member that missed the end of a session cannot restart a
group that has traded in part.

Source: docs/spec/exchange.md (linked orders).
"""

from kavach.exchange.ladder import Order
from kavach.units import Side

GroupKey = tuple[str, Side, int]  # Account, side, the member's number of the group.


class Group:
    """The live orders of a group, and the traded quantity of all its orders, dead ones included."""

    __slots__ = ("filled", "orders")

    def __init__(self, filled: int = 0) -> None:
        self.filled = filled
        self.orders: list[Order] = []


class OuoGroups:
    """The groups of one book."""

    __slots__ = ("_groups", "over")

    def __init__(self) -> None:
        self._groups: dict[GroupKey, Group] = {}
        self.over: dict[str, int] = {}  # By account: the highest number of an earlier session.

    def filled(self, account: str, side: Side, number: int) -> int:
        """Return what the orders of a group have traded in this session."""
        group = self._groups.get((account, side, number))
        return 0 if group is None else group.filled

    def is_over(self, account: str, number: int) -> bool:
        """Return whether a group is, or could be, one that traded in an earlier session."""
        return number <= self.over.get(account, 0)

    def fills(self) -> list[tuple[GroupKey, int]]:
        """Return every group that has traded and its traded quantity, sorted."""
        return sorted((key, group.filled) for key, group in self._groups.items() if group.filled)

    def join(self, order: Order) -> None:
        """Add a new live order to its group."""
        group = self._groups.setdefault(_key_of(order), Group())
        group.orders.append(order)
        order.counted = group.filled
        order.visible = min(order.visible, order.leaves)

    def count(self, order: Order, quantity: int) -> None:
        """Count a trade of one order against the other orders of its group."""
        group = self._groups[_key_of(order)]
        group.filled += quantity
        assert group.filled <= order.quantity, order.exchange_order_id
        for other in group.orders:
            if other is order:
                continue
            other.counted += quantity
            # An order with no leaves stays in the book until this step removes it.
            visible = min(other.visible, max(other.leaves, 0))
            if other.level is not None:
                other.level.visible += visible - other.visible
            other.visible = visible

    def exhausted_by(self, order: Order) -> list[Order]:
        """Return the orders of the group that have no leaves, oldest first."""
        gone = [other for other in self._groups[_key_of(order)].orders if other.leaves <= 0]
        return sorted(gone, key=lambda other: int(other.exchange_order_id))

    def leave(self, order: Order) -> None:
        """Remove a dead order; a group that never traded is forgotten with its last order."""
        key = _key_of(order)
        group = self._groups[key]
        group.orders.remove(order)
        if not group.orders and group.filled == 0:
            del self._groups[key]

    def remember(self, account: str, side: Side, number: int, filled: int) -> None:
        """Restore the traded quantity of a group from a snapshot."""
        self._groups[account, side, number] = Group(filled)

    def forget(self) -> None:
        """Clear all groups at the end of a session, when none of their orders lives."""
        assert not any(group.orders for group in self._groups.values())
        for account, _, number in (key for key, _ in self.fills()):
            self.over[account] = max(number, self.over.get(account, 0))
        self._groups.clear()


def _key_of(order: Order) -> GroupKey:
    return order.account, order.side, order.group
