"""A cover order in the closing auction, played by the control room's calls alone."""

from kavach.core.model.cover.tables import State
from kavach.core.model.regular.commands import PlaceOrder
from kavach.core.model.regular.tables import RegularState
from kavach.engine.engine import accepted
from kavach.units import OrderType, Pips, Product, Quantity, Side, Validity
from tests.unit.twin.stage import ADDRESS, IDEA, Served

REGULAR = PlaceOrder(
    client_id="DEMO1",
    instrument=IDEA,
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Quantity(100),
    disclosed_quantity=Quantity(0),
    price_pips=Pips(130_000),
    trigger_price_pips=Pips(0),
    validity=Validity.DAY,
    product=Product.MIS,
    user_order_id=1,
    device="WEB",
    amo=False,
)


def enter(served: Served, phase: str) -> None:
    """Bring the shares with derivatives into a phase."""
    asked = {"exchange": "NSE", "session": "NSE-CAS", "phase": phase}
    assert served.post("session", **asked) == asked
    assert served.get("market/NSE/14366")["phase"] == phase
    assert served.get("audit")["violations"] == []


def buy(served: Served, price: float | None, quantity: int) -> None:
    """Let a stranger buy; in an auction that trades with no order yet."""
    answer = served.post("market/order", **ADDRESS, side="BUY", price=price, quantity=quantity)
    assert answer["filled"] == 0


def test_what_is_left_of_the_day_leaves_in_the_closing_auction(served: Served) -> None:
    """An intraday order exits at the auction's price; a delivery order gets its stop back."""
    intraday, delivery = served.place(), served.place(product=Product.CNC)
    served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=200)
    assert (intraday.state, delivery.state) == (State.COVERED, State.COVERED)
    enter(served, "closing_reference")
    assert (intraday.state, delivery.state) == (State.EXITING, State.CARRIED)
    assert served.stage.venue.exchange.snapshot().orders == []
    error = served.refused("market/order", {**ADDRESS, "side": "BUY", "price": 13, "quantity": 1})
    assert error == "exchange: NSE-CAS is closing_reference"
    enter(served, "closing_auction")
    buy(served, 13.1, 60)
    buy(served, 13.05, 90)
    error = served.refused("market/order", {**ADDRESS, "side": "BUY", "price": 13.4, "quantity": 1})
    assert error == "price: 13.40 is outside the auction's range 12.61 to 13.39"
    enter(served, "closing_auction_limit")
    error = served.refused("market/order", {**ADDRESS, "side": "BUY", "price": None, "quantity": 1})
    assert error == "price: Order entry or modification is not allowed in this phase"
    assert intraday.position == 100
    enter(served, "buffer")
    assert (intraday.state, intraday.position) == (State.EXITED, 0)
    seen = served.get("market/NSE/14366")
    assert (seen["last_price"], seen["bids"]) == (13.05, [])
    enter(served, "closed")
    enter(served, "open")
    assert delivery.state is State.COVERED


def test_no_buyer_in_the_closing_auction(served: Served) -> None:
    """What finds no counterparty is removed at the match, and carried when the session ends."""
    held = served.place()
    served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=100)
    for phase in ("closing_reference", "closing_auction", "closing_auction_limit", "buffer"):
        enter(served, phase)
    assert (held.state, held.position) == (State.EXITING, 100)
    assert served.stage.venue.exchange.snapshot().orders == []
    enter(served, "closed")
    assert held.state is State.CARRIED


def test_a_square_off_without_a_counterparty_waits_for_the_next_session(served: Served) -> None:
    """What is left of the auction is not sent into the minutes in which nothing is taken."""

    def place() -> None:
        accepted(served.stage.service.execute(REGULAR))

    served.do(place)
    served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=100)
    for phase in ("closing_reference", "closing_auction", "closing_auction_limit", "buffer"):
        enter(served, phase)
    served.post("clock", action="advance", seconds=300)
    orders = list(served.stage.engine.state.regulars.values())
    assert [order.state for order in orders] == [
        RegularState.FILLED,
        RegularState.EXPIRED,
        RegularState.NEW,
    ]
    assert [entry.order_type for entry in orders[1].entries] == [OrderType.MARKET]
    enter(served, "closed")
    assert orders[2].state is RegularState.CANCELLED


def test_a_regular_order_in_the_opening_auction(served: Served) -> None:
    """It trades at the price of the auction, which is where the day opens."""
    enter(served, "closed")
    enter(served, "pre_open")
    served.post("market/order", **ADDRESS, side="SELL", price=12.9, quantity=50)
    buy(served, 13.2, 40)
    buy(served, None, 20)
    enter(served, "buffer")
    seen = served.get("market/NSE/14366")
    assert (seen["last_price"], seen["bids"]) == (12.9, [[13.2, 10, 1]])
    enter(served, "open")
    assert served.get("market/NSE/14366")["bids"] == [[13.2, 10, 1]]


def test_a_cover_order_when_trading_stops_for_an_auction(served: Served) -> None:
    """Its stop is expired, and placed again when continuous trading goes on."""
    held = served.place(product=Product.CNC, stop_price_pips=Pips(125_000))
    served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=100)
    enter(served, "pre_open")
    states = [held.state]
    enter(served, "open")
    assert [*states, held.state] == [State.CARRIED, State.COVERED]
