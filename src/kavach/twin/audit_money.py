"""
What the auditor checks of a client's money: everything, against what its history makes (INV-11).

Positions, shares, cash, profit and what is blocked are compared with ``audit_ledger``; what is
blocked is worked out anew from the orders that live.

Values are pips times shares; cash, profit and margin are paise.

Source: docs/spec/cover_order.md, "What must hold"; docs/decisions/0015-the-end-of-a-day.md.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from math import ceil, floor

from kavach.core.model.money.account import Client
from kavach.core.model.money.events import DaySettled, LedgerLine, PositionConverted
from kavach.core.model.money.position import Position
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.state import OmsState
from kavach.twin.audit_ledger import BUY, SELL, Account, Book
from kavach.twin.audit_seen import SeenOrder, Violation
from kavach.units import PIPS_PER_PAISA, InstrumentKey, Product, Side


def check_money(state: OmsState, client: Client, looks: Sequence[SeenOrder]) -> Iterator[Violation]:
    """Yield what of an account differs from what its history makes of it."""
    for detail in _differences(state, client, looks):
        yield Violation("INV-11", 0, f"{client.client_id}: {detail}")


def _differences(state: OmsState, client: Client, looks: Sequence[SeenOrder]) -> Iterator[str]:
    account = _account(state, client, [seen.parent for seen in looks])
    yield from _check_positions(account, client)
    yield from _check_shares(account, client)
    cash = Fraction(client.cash_rest_pips, PIPS_PER_PAISA) + client.cash_paise
    if cash != account.cash or not 0 <= client.cash_rest_pips < PIPS_PER_PAISA:
        yield f"the cash is {float(cash)} paise, its history makes {float(account.cash)}"
    profit = sum(
        _profit(book, state.instruments[instrument].multiplier)
        for (instrument, _), book in account.books.items()
    )
    if profit != client.realised_paise:
        yield f"the realised profit is {client.realised_paise} paise, trades make {profit}"
    yield from _check_blocked(state, account, client, looks)


def _account(state: OmsState, client: Client, orders: Sequence[ParentOrder]) -> Account:
    """Return what everything that happened makes, in its order."""
    assert client.deposit_paise is not None
    account = Account(client.deposit_paise)
    story: list[tuple[int, Callable[[], None]]] = []
    for order in orders:
        known: set[tuple[int, str]] = set()
        for trade in order.trades or ():
            if (trade.tag, trade.trade_id) not in known:
                known.add((trade.tag, trade.trade_id))
                story.append((trade.serial, partial(account.trade, order, trade)))
    for line in state.ledger:
        story.append((line.serial, partial(_apply, state, account, client, orders, line)))
    for _, happen in sorted(story, key=lambda happened: happened[0]):
        happen()
    return account


def _apply(
    state: OmsState,
    account: Account,
    client: Client,
    orders: Sequence[ParentOrder],
    line: LedgerLine,
) -> None:
    event = line.event
    if isinstance(event, DaySettled):
        paid_out: dict[tuple[InstrumentKey, Product], int] = {}
        for order in orders:
            if order.settled_serial == line.serial and order.settled_quantity:
                sign = 1 if order.side is BUY else -1
                key = (order.instrument, order.product)
                paid_out[key] = paid_out.get(key, 0) + sign * order.settled_quantity
        account.settle(event, state.instruments, paid_out)
    elif event.client_id == client.client_id:
        if isinstance(event, PositionConverted):
            account.convert(event)
        else:
            account.grant(event)


def _check_positions(account: Account, client: Client) -> Iterator[str]:
    empty = Book().told()
    kept = {(p.instrument, p.product): _told(p) for p in client.positions}
    for key in account.books.keys() | kept.keys():
        book = account.books.get(key)
        made = book.told() if book is not None else empty
        if kept.get(key, empty) != made:
            name = f"{key[0]} {key[1].value}"
            yield f"the position {name} is {kept.get(key, empty)}, its history makes {made}"


def _told(position: Position) -> tuple[object, ...]:
    bought = (
        position.buy_quantity,
        position.buy_value,
        position.carried_buy_quantity,
        position.carried_buy_value,
    )
    sold = (
        position.sell_quantity,
        position.sell_value,
        position.carried_sell_quantity,
        position.carried_sell_value,
    )
    return bought, sold, position.plain_net


def _check_shares(account: Account, client: Client) -> Iterator[str]:
    made = {key: tuple(shares) for key, shares in account.shares.items() if shares[0] + shares[1]}
    kept = {
        holding.instrument: (holding.free_quantity, holding.t1_quantity, holding.cost_value)
        for holding in client.holdings
    }
    for key in made.keys() | kept.keys():
        if made.get(key) != kept.get(key):
            yield f"the holding {key} is {kept.get(key)}, its history makes {made.get(key)}"


def _check_blocked(
    state: OmsState, account: Account, client: Client, looks: Sequence[SeenOrder]
) -> Iterator[str]:
    blocked = sum(seen.parent.blocked_paise for seen in looks)
    for position in client.positions:
        blocked += position.blocked_paise
        opened = _opened(looks, position)
        if opened is None:
            continue
        must = _margin(state, account, position, opened)
        if position.blocked_paise != must:
            name = f"{position.instrument} {position.product.value}"
            yield f"the position {name} blocks {position.blocked_paise} paise, not {must}"
    if blocked != client.blocked_paise:
        yield f"blocked are {client.blocked_paise} paise, its orders block {blocked}"
    for seen in looks:
        parent = seen.parent
        if parent.over and seen.position == 0 and parent.blocked_paise:
            yield f"{parent.order_id} has ended and still blocks {parent.blocked_paise} paise"


def _opened(looks: Sequence[SeenOrder], position: Position) -> dict[Side, tuple[int, int]] | None:
    """Return what living regular orders could still trade of a position, and its value.

    None while the venue owes an answer about one of them: then it is counted when it is known.
    """
    opened = {BUY: (0, 0), SELL: (0, 0)}
    for seen in looks:
        order = seen.parent
        here = (order.instrument, order.product) == (position.instrument, position.product)
        if not (here and isinstance(order, RegularOrder)) or order.over:
            continue
        if any(one.waits or one.amend is not None for one in order.entries):
            return None
        leaves = order.quantity - seen.filled_of(order.entries)
        quantity, value = opened[order.side]
        worth = value + leaves * order.reference_price_pips
        opened[order.side] = (quantity + leaves, worth)
    return opened


def _margin(
    state: OmsState,
    account: Account,
    position: Position,
    opened: dict[Side, tuple[int, int]],
) -> int:
    """Return what regular orders must block for what they hold and could still trade."""
    book = account.book(position.instrument, position.product)
    instrument = state.instruments[position.instrument]
    rate = Fraction(state.settings.margin_permille[position.product], 1000 * PIPS_PER_PAISA)
    delivery = position.product is Product.CNC
    held = abs(book.plain)
    if delivery and book.plain < 0:
        held = max(0, held - sum(account.shares.get(position.instrument, (0, 0, 0))[:2]))
    own, other = (BUY, SELL) if book.plain > 0 else (SELL, BUY)
    quantity, value = book.total(own) if book.total(own)[0] else book.total(other)
    total = ceil(ceil(Fraction(value * held, quantity or 1)) * instrument.multiplier * rate)
    for side, closes in ((BUY, max(0, -book.plain)), (SELL, max(0, book.plain))):
        leaves, worth = opened[side]
        opens = max(0, leaves - closes)
        if opens and not (delivery and side is SELL):
            opens_worth = ceil(Fraction(worth * opens, leaves))
            total += ceil(opens_worth * instrument.multiplier * rate)
    return total


def _profit(book: Book, multiplier: int) -> int:
    """Return the profit of what was both bought and sold, at average prices, in paise."""
    (bought, paid), (sold, earned) = book.total(BUY), book.total(SELL)
    closed = min(bought, sold)
    if closed == 0:
        return 0
    # The account rounds down twice, to whole pips and then to paise.
    pips = floor(Fraction(earned * closed, sold) - Fraction(paid * closed, bought))
    return pips * multiplier // PIPS_PER_PAISA
