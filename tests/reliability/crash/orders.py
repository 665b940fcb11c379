"""
The part of the day that belongs to regular, after-market and bracket orders.

Orders are found by the numbers that their client gave them. A bracket's target trades in part and
its stop takes the rest; another is left by its target's row; a third loses its target's report.
"""

from collections.abc import Callable, Iterator
from typing import Any

from kavach.core.commands import CancelCoverOrder, KeyedCommand, Leg, PlaceCoverOrder
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.refusals import Outcome
from kavach.units import InstrumentKey, OrderType, Pips, Product, Quantity, Side, Validity
from tests.reliability.crash.steps import Step
from tests.reliability.crash.world import World

CLIENT = "A"
BUY, SELL = Side.BUY, Side.SELL
Move = Callable[[InstrumentKey, int], Step]
House = Callable[[InstrumentKey, Side, int | None, int], Step]
Quote = Callable[[InstrumentKey, int, int], Step]


def regular(number: int, key: InstrumentKey, price: int, **changes: Any) -> Step:
    """Return the step that places a regular order to buy 100."""
    fields: dict[str, Any] = {
        "client_id": CLIENT,
        "idempotency_key": f"regular-{number}",
        "fingerprint": f"{number}",
        "instrument": key,
        "side": BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Quantity(100),
        "disclosed_quantity": Quantity(0),
        "price_pips": Pips(price),
        "trigger_price_pips": Pips(0),
        "validity": Validity.DAY,
        "product": Product.MIS,
        "user_order_id": number,
    }
    command = PlaceOrder(**(fields | changes))
    return Step(f"regular {number}", lambda world: world.ask(command), keyed=True)


def change(number: int, turn: int, **changes: Any) -> Step:
    """Return the step that changes a regular order."""

    def command(order_id: int) -> KeyedCommand:
        key = f"change-{number}-{turn}"
        return ModifyOrder(
            client_id=CLIENT, idempotency_key=key, fingerprint=key, order_id=order_id, **changes
        )

    return _of_regular(f"change {number}", number, command)


def drop(number: int) -> Step:
    """Return the step that cancels a regular order."""
    key = f"drop-{number}"
    return _of_regular(
        f"drop {number}",
        number,
        lambda order_id: CancelOrder(
            client_id=CLIENT, idempotency_key=key, fingerprint=key, order_id=order_id
        ),
    )


def bracket(number: int, key: InstrumentKey, price: int) -> Step:
    """Return the step that places a bracket to buy 100, both exits half a rupee away."""
    command = PlaceCoverOrder(
        client_id=CLIENT,
        idempotency_key=f"bracket-{number}",
        fingerprint=f"{number}",
        instrument=key,
        side=BUY,
        order_type=OrderType.LIMIT,
        quantity=Quantity(100),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(price),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=Product.MIS,
        stop_price_pips=Pips(0),
        trailing_step_pips=Pips(0),
        user_order_id=number,
        bracket=True,
        stop_offset_pips=Pips(5_000),
        target_offset_pips=Pips(5_000),
    )
    return Step(f"bracket {number}", lambda world: world.ask(command), keyed=True)


def leave(number: int, leg: Leg) -> Step:
    """Return the step that cancels a bracket's entry, or gets out by one of its exits."""

    def act(world: World) -> Outcome:
        cover = _bracket(world, number)
        orders = [o for o in cover.orders_of(leg) if o.exchange_order_id] or list(cover.entries)
        return world.ask(
            CancelCoverOrder(
                client_id=CLIENT,
                idempotency_key=f"leave-{number}-{leg}",
                fingerprint=f"{number} {leg}",
                order_id=cover.order_id,
                leg=leg,
                exchange_order_id=orders[-1].exchange_order_id,
            )
        )

    return Step(f"leave {number} {leg}", act, keyed=True)


def regular_orders(key: InstrumentKey, house: House) -> Iterator[Step]:
    """Place, fill in part, change, cancel; sell what was bought; park for the next opening."""
    yield regular(101, key, 129_000)
    yield house(key, SELL, 129_000, 1_090)  # Through what stands before it, and 40 of it.
    yield change(101, 1, price_pips=Pips(128_900), quantity=Quantity(80))
    yield change(101, 2, quantity=Quantity(30))  # Refused: 40 are filled.
    yield drop(101)
    yield drop(101)  # The same again, under the same key.
    yield regular(102, key, 131_000, side=SELL, quantity=Quantity(40))
    yield regular(103, key, 0, order_type=OrderType.MARKET, validity=Validity.IOC)
    yield regular(104, key, 129_000, product=Product.CNC, side=SELL)  # A row: no shares.
    yield regular(105, key, 120_000, amo=True, product=Product.NRML)
    yield regular(106, key, 120_000, amo=True)
    yield change(106, 1, price_pips=Pips(121_000))
    yield regular(107, key, 120_000, amo=True)
    yield drop(107)


def bracket_orders(key: InstrumentKey, quote: Quote, house: House, trade: Move) -> Iterator[Step]:
    """A target that trades in part before the stop; a way out by its row; an entry cancelled."""
    yield bracket(111, key, 128_500)
    yield house(key, SELL, 128_500, 1_060)  # 60 of it.
    yield house(key, BUY, 133_500, 1_165)  # 25 of its target, beyond what is offered.
    yield quote(key, 129_500, 130_500)
    yield trade(key, 123_500)  # The stop takes the rest.
    yield bracket(112, key, 128_500)
    yield house(key, SELL, 128_500, 1_050)  # 100 of it: the stop before it took 50.
    yield quote(key, 129_500, 130_500)
    yield leave(112, Leg.SECOND)
    yield bracket(113, key, 126_000)
    yield leave(113, Leg.ENTRY)
    yield quote(key, 129_500, 130_500)
    yield bracket(114, key, 126_000)
    yield house(key, SELL, 126_000, 1_030)
    yield quote(key, 129_500, 130_500)
    yield leave(114, Leg.ENTRY)  # What has filled keeps both exits until the evening.


def _of_regular(name: str, number: int, command: Callable[[int], KeyedCommand]) -> Step:
    def act(world: World) -> Outcome:
        [order_id] = [
            order.order_id
            for order in world.engine.state.regulars.values()
            if order.user_order_id == number
        ]
        return world.ask(command(order_id))

    return Step(name, act, keyed=True)


def _bracket(world: World, number: int) -> CoverOrder:
    [cover] = world.covers(number)
    return cover
