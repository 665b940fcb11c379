"""
The part of the day in which clients keep things for later: baskets, and rules for prices.

Rules are found by the number that the client gave them, baskets by their names. Every order that is
placed here trades at once, or is refused, so the rest of the day is about other things.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from kavach.core.commands import KeyedCommand
from kavach.core.model.baskets.basket import BasketType, SavedBasket
from kavach.core.model.baskets.commands import (
    AddBasketOrder,
    CreateBasket,
    DeleteBasket,
    EditBasketOrder,
    ExecuteBasket,
    RemoveBasketOrder,
    RenameBasket,
)
from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish, ModifyGtt
from kavach.core.model.gtt.rule import GttAction, GttRule
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.refusals import Outcome
from kavach.units import InstrumentKey, OrderType, Pips, Product, Quantity, Side, Validity
from tests.reliability.crash.steps import Step
from tests.reliability.crash.world import World

TODAY: Final = 20_261_123


def terms(number: int, key: InstrumentKey, price: int = 0, quantity: int = 10) -> OrderTerms:
    """Return an order to be kept: at the market, unless it has a price."""
    return OrderTerms(
        instrument=key,
        side=Side.BUY,
        order_type=OrderType.LIMIT if price else OrderType.MARKET,
        quantity=Quantity(quantity),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(price),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=Product.MIS,
        user_order_id=number,
    )


def rule(number: int, key: InstrumentKey, *at: int, price: int = 0, days: int = 0) -> Step:
    """Return the step that makes a rule with one trigger or two."""
    wishes = tuple(GttWish(Pips(one), Pips(price), Quantity(10)) for one in at)
    return _asked(
        f"rule {number}",
        lambda world: CreateGtt(
            client_id="A",
            action=GttAction.SINGLE if len(at) == 1 else GttAction.OCO,
            terms=terms(number, key, price),
            wishes=wishes,
            expiry_day=TODAY + days,
        ),
    )


def change_rule(number: int, at: int) -> Step:
    """Return the step that moves a rule's trigger."""
    return _asked(
        f"change rule {number}",
        lambda world: ModifyGtt(
            client_id="A",
            rule_id=_rule(world, number).rule_id,
            action=GttAction.SINGLE,
            terms=_rule(world, number).terms,
            wishes=(GttWish(Pips(at), Pips(0), Quantity(20)),),
            expiry_day=TODAY + 1,
        ),
    )


def cancel_rule(number: int) -> Step:
    """Return the step that cancels a rule."""
    return _asked(
        f"cancel rule {number}",
        lambda world: CancelGtt(client_id="A", rule_id=_rule(world, number).rule_id),
    )


def basket(name: str) -> Step:
    """Return the step that makes a basket."""
    return _asked(
        f"basket {name}",
        lambda world: CreateBasket(client_id="A", name=name, basket_type=BasketType.NORMAL),
    )


def in_basket(which: str, what: str, kind: type[Any], **fields: Any) -> Step:
    """Return the step that asks something about a basket, or about its last order."""

    def command(world: World) -> KeyedCommand:
        kept = _basket(world, which)
        if "line_id" in kind.__struct_fields__:
            fields["line_id"] = kept.orders[-1].line_id if kept and kept.orders else ""
        made: KeyedCommand = kind(client_id="A", basket_id=kept.basket_id if kept else "", **fields)
        return made

    return _asked(f"{what} {which}", command)


def day_of_keeping(
    idea: InstrumentKey, sbin: InstrumentKey, trade: Callable[[InstrumentKey, int], Step]
) -> Iterator[Step]:
    """Yield what is kept, and what comes of it; the last price is below everything at first."""
    yield rule(70, idea, 130_400)
    yield rule(71, idea, 131_400, 120_000)
    yield rule(72, idea, 140_000, days=1)
    yield change_rule(72, 139_000)
    yield rule(73, idea, 141_000)  # Expires with the session.
    yield rule(74, idea, 130_300, price=170_000)  # Its order will be refused.
    yield cancel_rule(72)
    yield cancel_rule(72)  # Asked twice, under the same key.
    yield basket("one")
    yield in_basket("one", "add to", AddBasketOrder, terms=terms(80, idea))
    yield in_basket("one", "add more to", AddBasketOrder, terms=terms(81, sbin))
    yield in_basket("one", "edit in", EditBasketOrder, terms=terms(81, sbin, quantity=20))
    yield basket("two")
    yield in_basket("two", "add to", AddBasketOrder, terms=terms(82, idea))
    yield in_basket("two", "remove from", RemoveBasketOrder)
    yield in_basket("two", "rename", RenameBasket, name="three")
    yield in_basket("three", "delete", DeleteBasket)
    yield in_basket("one", "execute", ExecuteBasket)
    yield in_basket("one", "execute", ExecuteBasket)  # The same again, under the same key.
    yield trade(idea, 130_400)  # Fires 74, which is refused, and 70, whose order trades.
    yield trade(idea, 131_400)  # Fires 71 on one side.
    yield in_basket("one", "square off", ExecuteBasket, square_off=True)


def _rule(world: World, number: int) -> GttRule:
    rules = world.engine.state.gtts.of("A")
    [found] = [one for one in rules if one.terms.user_order_id == number]
    return found


def _basket(world: World, name: str) -> SavedBasket | None:
    kept = world.engine.state.shelf.of("A")
    return next((one for one in kept if one.name == name), None)


def _asked(name: str, command: Callable[[World], KeyedCommand]) -> Step:
    def act(world: World) -> Outcome:
        made = command(world)
        fields = {field: getattr(made, field) for field in made.__struct_fields__}
        return world.ask(type(made)(**fields | {"idempotency_key": name, "fingerprint": name}))

    return Step(name, act, keyed=True)
