"""
A day in which everything happens that a journal can hold, a step at a time.

Each step is told to a world and finds its orders by the numbers that clients gave them, so the
rest of the day can be told to a world that died after any of the steps. Steps of clients carry an
idempotency key each.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from kavach.core.commands import (
    CancelCoverOrder,
    Command,
    EndSession,
    KeyedCommand,
    Kill,
    Leg,
    ModifyCoverOrder,
    OpenClient,
    OpenSession,
    PlaceCoverOrder,
    RenewToken,
    Shares,
    SquareOff,
)
from kavach.core.model.money.commands import ConvertPosition, GrantHoldings
from kavach.core.model.people.commands import (
    GrantCode,
    IssueToken,
    RedeemCode,
    RegisterApp,
    RevokeGrant,
    RevokeToken,
    SetCredentials,
)
from kavach.core.model.regular.commands import PlaceOrder
from kavach.core.refusals import Outcome
from kavach.units import (
    NS_PER_MS,
    Exchange,
    InstrumentKey,
    OrderType,
    Paise,
    Phase,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from tests.reliability.crash.kept import day_of_keeping
from tests.reliability.crash.orders import bracket_orders, regular_orders
from tests.reliability.crash.steps import Step
from tests.reliability.crash.world import World

IDEA: Final = InstrumentKey("NSE:14366")  # Closed at 13.00.
SBIN: Final = InstrumentKey("NSE:3045")  # Closed at 740.00; at most 150 000 an order.
BUY, SELL = Side.BUY, Side.SELL
STEP_NS: Final = 10 * NS_PER_MS  # Between two steps.


def tell(world: World, step: Step) -> Outcome | None:
    """Return what became of a step, which takes its time."""
    world.pass_time(STEP_NS)
    return step.act(world)


def day() -> list[Step]:
    """Return every step of the day."""
    return [
        *_morning(),
        *_fills(),
        *_changes(),
        *_keeping(),
        *_faults(),
        *_silence(),
        *_link(),
        *_many_slices(),
        *_other_orders(),
        *_portfolio(),
        *_evening(),
    ]


# --- Clients --------------------------------------------------------------------------------------


def opened(client: str, cash_paise: int) -> Step:
    """Return the step that opens an account."""
    command = OpenClient(client_id=client, cash_paise=Paise(cash_paise), token_digest=client)
    return Step(f"open {client}", lambda world: world.ask(command))


def place(
    number: int,
    side: Side,
    price: int,
    stop: int,
    *,
    quantity: int = 100,
    order_type: OrderType = OrderType.LIMIT,
    trigger: int = 0,
    key: InstrumentKey = IDEA,
    validity: Validity = Validity.DAY,
    product: Product = Product.MIS,
    trailing: int = 0,
    disclosed: int = 0,
    client: str = "A",
) -> Step:
    """Return the step that places a cover order."""
    command = PlaceCoverOrder(
        client_id=client,
        idempotency_key=f"place-{number}",
        fingerprint=f"{number}",
        instrument=key,
        side=side,
        order_type=order_type,
        quantity=Quantity(quantity),
        disclosed_quantity=Quantity(disclosed),
        price_pips=Pips(price),
        trigger_price_pips=Pips(trigger),
        validity=validity,
        product=product,
        stop_price_pips=Pips(stop),
        trailing_step_pips=Pips(trailing),
        user_order_id=number,
    )
    return Step(f"place {number}", lambda world: world.ask(command), keyed=True)


def buy(number: int, quantity: int, product: Product) -> Step:
    """Return the step that buys at the house's offer."""
    command = PlaceOrder(
        client_id="A",
        idempotency_key=f"buy-{number}",
        fingerprint=f"{number}",
        instrument=IDEA,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Quantity(quantity),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(130_500),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=product,
    )
    return Step(f"buy {number}", lambda world: world.ask(command), keyed=True)


def convert(number: int, quantity: int) -> Step:
    """Return the step that takes a part of an intraday position for delivery."""
    command = ConvertPosition(
        client_id="A",
        idempotency_key=f"convert-{number}",
        fingerprint=f"{number}",
        instrument=IDEA,
        side=Side.BUY,
        quantity=Quantity(quantity),
        product=Product.MIS,
        new_product=Product.CNC,
    )
    return Step(f"convert {number}", lambda world: world.ask(command), keyed=True)


def modify(number: int, turn: int, leg: Leg, **changes: Any) -> Step:
    """Return the step that changes the entry or the stop of an order."""
    return _of_order(
        f"modify {number} {leg}",
        number,
        lambda order_id, exchange_order_id: ModifyCoverOrder(
            client_id="A",
            idempotency_key=f"modify-{number}-{turn}",
            fingerprint=f"{number} {turn}",
            order_id=order_id,
            leg=leg,
            **changes,
        ),
    )


def cancel(number: int, leg: Leg, client: str = "A", turn: int = 1) -> Step:
    """Return the step that cancels the remainder (ENTRY) or gets out (THIRD)."""
    return _of_order(
        f"cancel {number} {leg}",
        number,
        lambda order_id, exchange_order_id: CancelCoverOrder(
            client_id=client,
            idempotency_key=f"cancel-{number}-{leg}-{turn}",
            fingerprint=f"{number} {leg}",
            order_id=order_id,
            leg=leg,
            exchange_order_id=exchange_order_id,
        ),
    )


def _of_order(name: str, number: int, command: Callable[[int, str], KeyedCommand]) -> Step:
    def act(world: World) -> Outcome:
        [cover] = world.covers(number)
        live = cover.exits if " THIRD" in name and cover.exits else cover.entries
        return world.ask(command(cover.order_id, live[-1].exchange_order_id))

    return Step(name, act, keyed=True)


# --- Everybody else -------------------------------------------------------------------------------


def quote(key: InstrumentKey, bid: int, ask: int, quantity: int = 1_000) -> Step:
    """Return the step in which the house quotes."""

    def act(world: World) -> None:
        exchange, size = world.venue.exchange, Quantity(quantity)
        world.market(
            key,
            lambda at_ns: exchange.liquidity_quote(key, Pips(bid), size, Pips(ask), size, at_ns),
        )

    return Step(f"quote {bid} {ask}", act)


def house(key: InstrumentKey, side: Side, price: int | None, quantity: int) -> Step:
    """Return the step in which somebody trades with what rests in the book."""

    def act(world: World) -> None:
        limit = None if price is None else Pips(price)
        world.market(
            key,
            lambda at_ns: world.venue.exchange.liquidity_order(
                key, side, limit, Quantity(quantity), at_ns
            )[2],
        )

    return Step(f"house {side} {quantity}", act)


def trade(key: InstrumentKey, price: int) -> Step:
    """Return the step in which a trade elsewhere moves the last price."""

    def act(world: World) -> None:
        exchange = world.venue.exchange
        world.market(key, lambda at_ns: exchange.print_trade(key, Pips(price), Quantity(1), at_ns))

    return Step(f"trade {price}", act)


def phase(exchange: Exchange, to: Phase) -> Step:
    """Return the step in which a session ends or begins."""

    def act(world: World) -> Outcome:
        command = OpenSession(exchange) if to is Phase.OPEN else EndSession(exchange)
        venue = world.venue
        return world.engine.change_phase(
            command,
            lambda at_ns: venue.reports_of(
                venue.exchange.set_phase(exchange, to, TimestampNs(at_ns)), InstrumentKey("")
            ),
            world.engine.now_ns(),
        )

    return Step(f"{exchange} {to}", act)


def wait(milliseconds: int) -> Step:
    """Return the step in which nothing happens but time."""
    return Step(f"wait {milliseconds}", lambda world: world.pass_time(milliseconds * NS_PER_MS))


def fault(
    effect: FaultEffect, on: FaultOn, inner: Step, leg: Leg | None = None, times: int = 1
) -> Step:
    """Return a step whose requests to the venue suffer; nothing of it is left afterwards."""

    def act(world: World) -> Outcome | None:
        world.venue.faults.add(
            Fault(
                fault_id="f",
                on=on,
                leg=leg,
                client_id=None,
                effect=effect,
                code=16418,
                reason="asked for",
                times=times,
                delay_ns=700 * NS_PER_MS,
            )
        )
        try:
            return inner.act(world)
        finally:
            world.venue.faults.clear()

    return Step(f"{effect} {inner.name}", act, keyed=inner.keyed)


# --- The day --------------------------------------------------------------------------------------


def _morning() -> Iterator[Step]:
    yield opened("A", 50_000_000_00)
    yield opened("B", 1_000_000_00)
    renew = RenewToken(client_id="A", token_digest="another")
    yield Step("renew", lambda world: world.ask(renew))
    yield from _logins()
    yield quote(IDEA, 129_500, 130_500)
    yield place(1, BUY, 129_000, 125_000)
    yield place(2, SELL, 131_000, 135_000)
    yield place(3, BUY, 0, 125_000, order_type=OrderType.MARKET)
    yield place(4, SELL, 0, 135_000, order_type=OrderType.MARKET, quantity=50)
    yield place(5, BUY, 133_000, 126_000, order_type=OrderType.SL, trigger=132_000)
    yield place(6, SELL, 0, 134_000, order_type=OrderType.SLM, trigger=128_000)
    yield place(7, BUY, 128_900, 124_000, trailing=500, disclosed=50)
    yield place(8, BUY, 131_000, 125_000, validity=Validity.IOC, quantity=30)
    yield place(9, BUY, 129_000, 140_000)  # Refused: the stop is on the winning side.
    yield place(1, BUY, 129_000, 125_000)  # The same again, under the same key.
    yield place(10, SELL, 132_000, 136_000, client="B")


def _logins() -> Iterator[Step]:
    """People come and go: sessions, a logout, a code that is used and one that is shown twice."""
    commands: list[Command] = [
        SetCredentials(client_id="A", password_digest="p", pin_digest="q", totp_secret="r"),
        IssueToken(client_id="A", token_digest="session 1", totp_step=7),
        IssueToken(client_id="A", token_digest="session 2", totp_step=7),  # Refused: used.
        IssueToken(client_id="B", token_digest="session 3"),
        RevokeToken(token_digest="session 3"),
        RegisterApp(app_id="X", name="X", secret_digest="s", redirect_uris=("https://x/",)),
        _granted("code 1"),
        _granted("code 2"),
        RedeemCode(code_digest="code 1", app_id="X", token_digest="session 4"),
        RedeemCode(code_digest="code 1", app_id="X", token_digest="session 5"),  # Refused: used.
        RevokeGrant(code_digest="code 1", app_id="X"),
        RedeemCode(code_digest="code 2", app_id="X", token_digest="session 6"),
    ]
    for command in commands:
        yield _asked(command)


def _asked(command: Command) -> Step:
    return Step(type(command).__name__, lambda world: world.ask(command))


def _granted(code: str) -> GrantCode:
    return GrantCode(
        client_id="A", app_id="X", code_digest=code, redirect_uri="https://x/", scope="orders"
    )


def _fills() -> Iterator[Step]:
    yield house(IDEA, SELL, 129_000, 1_040)  # Through the quote, and 40 of order 1.
    yield house(IDEA, SELL, 129_000, 25)
    yield house(IDEA, SELL, 128_900, 60)
    yield trade(IDEA, 132_500)  # Fires the entry of 5, trails the stop of 7.
    yield quote(IDEA, 131_500, 132_500, 500)
    yield house(IDEA, BUY, 133_000, 700)
    yield trade(IDEA, 127_500)  # Fires the entry of 6.


def _changes() -> Iterator[Step]:
    yield quote(IDEA, 128_500, 129_500)
    yield place(11, BUY, 128_000, 124_000)
    yield modify(11, 1, Leg.ENTRY, price_pips=Pips(128_400), quantity=Quantity(120))
    yield modify(11, 2, Leg.ENTRY, quantity=Quantity(90))
    yield house(IDEA, SELL, 128_400, 1_030)
    yield modify(11, 3, Leg.ENTRY, quantity=Quantity(20))  # Refused: 30 are filled.
    yield modify(11, 4, Leg.THIRD, stop_price_pips=Pips(123_900))
    yield cancel(11, Leg.ENTRY)
    yield cancel(11, Leg.ENTRY, turn=2)  # Asked twice.
    yield modify(1, 1, Leg.ENTRY, price_pips=Pips(128_000))  # Refused: it has traded.
    yield modify(1, 2, Leg.THIRD, stop_price_pips=Pips(124_500))
    yield cancel(3, Leg.THIRD)
    yield cancel(1, Leg.THIRD)
    yield quote(IDEA, 124_500, 125_500)
    yield trade(IDEA, 124_000)  # Stops fire.
    yield wait(1_200)
    yield quote(IDEA, 129_500, 130_500)


def _keeping() -> Iterator[Step]:
    yield quote(SBIN, 7_399_500, 7_400_500)
    yield from day_of_keeping(IDEA, SBIN, trade)
    yield quote(IDEA, 129_500, 130_500)


def _faults() -> Iterator[Step]:
    yield fault(FaultEffect.REJECT, FaultOn.NEW, place(20, BUY, 129_000, 125_000))
    yield place(21, BUY, 130_500, 125_000)
    yield fault(
        FaultEffect.REJECT, FaultOn.NEW, place(22, BUY, 130_500, 125_000), Leg.THIRD, times=2
    )
    yield wait(4_000)  # Naked too long: out.
    yield fault(FaultEffect.CANCEL_RESTING, FaultOn.NEW, place(23, SELL, 131_500, 135_000))
    yield fault(
        FaultEffect.CANCEL_RESTING, FaultOn.NEW, place(24, BUY, 130_500, 125_000), Leg.THIRD
    )
    yield place(25, SELL, 131_500, 135_000)
    yield fault(FaultEffect.REJECT, FaultOn.CANCEL, cancel(25, Leg.ENTRY))
    yield fault(FaultEffect.DUPLICATE_REPORT, FaultOn.NEW, place(26, BUY, 130_500, 125_000))
    yield fault(FaultEffect.REJECT, FaultOn.AMEND, cancel(21, Leg.THIRD))
    yield wait(600)


def _silence() -> Iterator[Step]:
    yield quote(IDEA, 129_500, 130_500)
    yield fault(FaultEffect.DROP_REQUEST, FaultOn.NEW, place(30, BUY, 129_000, 125_000))
    yield fault(FaultEffect.DROP_REPORT, FaultOn.NEW, place(31, BUY, 130_500, 125_000))
    yield fault(FaultEffect.DROP_REPORT, FaultOn.NEW, place(32, SELL, 131_000, 135_000))
    yield house(IDEA, BUY, 131_000, 1_030)  # Trades of an order that we know nothing of.
    yield fault(FaultEffect.DELAY, FaultOn.NEW, place(33, BUY, 129_000, 125_000))
    yield wait(800)
    yield wait(3_000)
    yield fault(FaultEffect.DROP_REPORT, FaultOn.CANCEL, cancel(33, Leg.ENTRY))
    yield wait(5_000)


def _link() -> Iterator[Step]:
    yield place(40, BUY, 129_000, 125_000)
    yield quote(IDEA, 129_500, 130_500)

    def lose(world: World) -> None:
        world.venue.set_link(up=False)
        world.engine.lose_link()

    yield Step("link lost", lose)
    yield house(IDEA, SELL, 129_000, 1_050)
    yield wait(300)
    yield Step("link back", World.reconnect)
    yield wait(2_000)


def _many_slices() -> Iterator[Step]:
    yield quote(SBIN, 7_399_500, 7_400_500, 200_000)
    yield place(50, BUY, 7_400_500, 7_300_000, key=SBIN, quantity=310_000, product=Product.MIS)
    yield quote(SBIN, 7_399_500, 7_400_500, 150_000)
    yield cancel(50, Leg.THIRD)
    yield wait(1_500)


def _other_orders() -> Iterator[Step]:
    yield quote(IDEA, 129_500, 130_500)
    yield from regular_orders(IDEA, house)
    yield quote(IDEA, 129_500, 130_500)
    yield from bracket_orders(IDEA, quote, house, trade)


def _portfolio() -> Iterator[Step]:
    """Shares given, bought and converted; the end of the session settles them."""
    given = GrantHoldings(client_id="A", holdings=(Shares(IDEA, Quantity(40), Pips(120_000)),))
    yield Step("own shares", lambda world: world.ask(given))
    yield quote(IDEA, 129_500, 130_500)
    yield buy(70, 50, Product.MIS)
    yield buy(71, 20, Product.NRML)
    yield convert(72, 30)
    yield convert(72, 30)  # The same again, under the same key.
    yield convert(73, 30)  # Refused: 20 are left.


def _evening() -> Iterator[Step]:
    yield quote(IDEA, 129_500, 130_500)
    yield place(60, BUY, 130_500, 125_000)
    yield place(61, BUY, 128_000, 125_000, client="B")
    yield Step("kill B", lambda world: world.ask(Kill(client_id="B")))
    yield place(62, BUY, 128_000, 125_000, client="B")  # Refused: killed.
    yield Step("square off", lambda world: world.ask(SquareOff(Exchange.NSE)))
    yield wait(1_000)
    yield phase(Exchange.NSE, Phase.CLOSED)
    yield place(63, BUY, 130_000, 125_000)
    yield phase(Exchange.NSE, Phase.OPEN)
    yield wait(3_000)
    yield place(64, BUY, 129_000, 125_000)
