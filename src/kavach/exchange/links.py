"""
Linked orders: several live orders that share one quantity, as a target and a stop do.

Orders of one account and side of a book with the same link form a group. What any of them trades
counts against each of them: the quantity of a linked order is a total that counts what the whole
group has traded, ``leaves = quantity - group_filled``, in a new order and in an amend alike.

Theorem: the most that a group can ever trade is the largest quantity that any of its orders was
ever given. Proof: an order trades at most its leaves, so after each trade
``group_filled <= quantity`` of the order that traded; and ``group_filled`` grows by trades alone.
So it does not matter when an amend arrives: one that crosses a trade of a sibling on its way means
the same total as before.

What a group has traded is remembered until the session ends, also when none of its orders lives:
an order that comes late must not trade it again. From then on it is enough to know the highest
number that traded: links are numbered upwards, and one that is not above it is over for ever. So a
member who has slept through the end of a session can't begin a half-traded link anew.

Source: docs/spec/exchange.md (linked orders).
"""

from kavach.exchange.ladder import Order
from kavach.units import Side

Link = tuple[str, Side, int]  # Account, side, and the member's number of the link.


class Group:
    """The living orders of one link, and what all its orders have traded, gone ones included."""

    __slots__ = ("filled", "orders")

    def __init__(self, filled: int = 0) -> None:
        self.filled = filled
        self.orders: list[Order] = []


class Links:
    """The groups of one book."""

    __slots__ = ("_groups", "over")

    def __init__(self) -> None:
        self._groups: dict[Link, Group] = {}
        self.over: dict[str, int] = {}  # By account: the highest link of an earlier session.

    def filled(self, account: str, side: Side, link: int) -> int:
        """Return what the orders of a link have traded in this session."""
        group = self._groups.get((account, side, link))
        return 0 if group is None else group.filled

    def is_over(self, account: str, link: int) -> bool:
        """Return whether a link is, or could be, one that traded in an earlier session."""
        return link <= self.over.get(account, 0)

    def fills(self) -> list[tuple[Link, int]]:
        """Return every link that has traded and how much, in an order that is always the same."""
        return sorted((link, group.filled) for link, group in self._groups.items() if group.filled)

    def join(self, order: Order) -> None:
        """Let an order that has just come to life share its link's quantity."""
        group = self._groups.setdefault(_link(order), Group())
        group.orders.append(order)
        order.counted = group.filled
        order.visible = min(order.visible, order.leaves)

    def count(self, order: Order, quantity: int) -> None:
        """Count a trade of one order against all others of its link: each shows what is left."""
        group = self._groups[_link(order)]
        group.filled += quantity
        assert group.filled <= order.quantity, order.exchange_order_id
        for other in group.orders:
            if other is order:
                continue
            other.counted += quantity
            # One with nothing left stands in the book until it is removed, in this same step.
            visible = min(other.visible, max(other.leaves, 0))
            if other.level is not None:
                other.level.visible += visible - other.visible
            other.visible = visible

    def exhausted_by(self, order: Order) -> list[Order]:
        """Return the orders of a link for which its trades have left nothing, oldest first."""
        gone = [other for other in self._groups[_link(order)].orders if other.leaves <= 0]
        return sorted(gone, key=lambda other: int(other.exchange_order_id))

    def leave(self, order: Order) -> None:
        """Let a dead order go; a link that never traded is forgotten with its last order."""
        link = _link(order)
        group = self._groups[link]
        group.orders.remove(order)
        if not group.orders and group.filled == 0:
            del self._groups[link]

    def remember(self, account: str, side: Side, link: int, filled: int) -> None:
        """Take over what a link had traded when a snapshot was taken."""
        self._groups[account, side, link] = Group(filled)

    def forget(self) -> None:
        """Begin anew: the session has ended, and no order of it lives."""
        assert not any(group.orders for group in self._groups.values())
        for account, _, link in (link for link, _ in self.fills()):
            self.over[account] = max(link, self.over.get(account, 0))
        self._groups.clear()


def _link(order: Order) -> Link:
    return order.account, order.side, order.link
