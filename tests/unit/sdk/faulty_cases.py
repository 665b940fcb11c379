"""
How each public method is called in the table of faults, and how the truth is asked of the server.

A case prepares what its method needs through a client of its own, straight to the server; calls the
method of the client behind the proxy; and, if the method asks for a change, says afterwards whether
the change took place. The truth is read with plain HTTP from the server, not with the client.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import httpx

from kavach.sdk import MarginOrder, OAuthFlow, Pocket
from tests.twin_server import TwinServer
from tests.unit.sdk.faulty import FaultyProxy

EXPIRY: Final = "2027-06-30"
PASSWORD: Final = "a-long-password"
PIN: Final = "1357"
# Each worker has an instrument of its own, so that no order trades with another worker's.
INSTRUMENTS: Final[dict[int, int | str]] = {
    14366: 13,
    11915: "18.30",
    10666: "77.90",
    3045: 740,
    13342: 20,
    1594: 1600,
}


def tick(price: Decimal) -> Decimal:
    """Return a price on the tick."""
    return (price * 20).quantize(Decimal(1)) / 20


@dataclass
class World:
    """One worker's client, instrument, proxy, and way to the truth."""

    server: TwinServer
    proxy: FaultyProxy
    token: int
    client_id: str
    access_token: str
    straight: Pocket
    http: httpx.Client
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def close(self) -> Decimal:
        """The instrument's previous close."""
        return Decimal(INSTRUMENTS[self.token])

    def at(self, share: str) -> Decimal:
        """Return a share of the close, on the tick."""
        return tick(self.close * Decimal(share))

    def get(self, path: str, **query: str) -> Any:
        """Return the data of an answer, asked with plain HTTP."""
        answer = self.http.get(path, params=query | {"client_id": self.client_id})
        body: Any = answer.json()
        return body.get("data")

    def rows(self, **query: str) -> list[dict[str, Any]]:
        """Return rows of the order book."""
        found: list[dict[str, Any]] = self.get("/api/v1/orders", type="all", **query)["orders"]
        return found

    def row(self, order_id: str) -> dict[str, Any]:
        """Return the row of one leg."""
        return next(r for r in self.rows(oms_order_id=order_id) if r["oms_order_id"] == order_id)

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules."""
        found = self.get("/api/v1/event/gtt")
        return found if isinstance(found, list) else []

    def baskets(self) -> list[dict[str, Any]]:
        """Return the saved baskets."""
        return self.get("/api/v1/basket", login_id=self.client_id) or []

    def net(self, product: str) -> int:
        """Return what is held in a product."""
        held = self.get("/api/v1/positions", type="live")
        return sum(row["net_quantity"] for row in held if row["product"] == product)

    def order(self, price: Decimal | None = None) -> dict[str, Any]:
        """Return what every order of this world names."""
        return {
            "exchange": "NSE",
            "instrument_token": self.token,
            "side": "BUY",
            "quantity": 10,
            "price": self.at("0.98") if price is None else price,
        }

    def body(self) -> dict[str, Any]:
        """Return a regular order as the vendor's documents write it."""
        return {
            "client_id": self.client_id,
            "exchange": "NSE",
            "instrument_token": str(self.token),
            "order_side": "BUY",
            "order_type": "LIMIT",
            "price": float(self.at("0.98")),
            "trigger_price": 0,
            "quantity": 10,
            "disclosed_quantity": 0,
            "product": "CNC",
            "validity": "DAY",
            "user_order_id": self.number(),
        }

    def number(self) -> int:
        """Return a user order id that was not used before."""
        self.kept["number"] = self.kept.get("number", 10**9) + 1
        return int(self.kept["number"])

    def fill(self) -> None:
        """Let the market sell ten at the close, where only a filled case bids."""
        self.server.room(
            "POST",
            "market/order",
            exchange="NSE",
            instrument_token=self.token,
            side="SELL",
            price=float(self.close),
            quantity=10,
        )

    # --- Things to change -----------------------------------------------------------------------

    def cover(self, *, filled: bool = False) -> Any:
        """Return a cover order, resting or filled."""
        price = self.close if filled else None
        placed = self.straight.place_cover_order(**self.order(price), stop_loss=self.at("0.95"))
        if filled:
            self.fill()
        return self.straight.cover_order(placed)

    def bracket(self, *, filled: bool = False) -> Any:
        """Return a bracket order, resting or filled."""
        unconfirmed = tick(self.close * Decimal("0.02"))
        price = self.close if filled else None
        placed = self.straight.place_bracket_order(
            **self.order(price), target_distance=unconfirmed, stop_distance=unconfirmed
        )
        if filled:
            self.fill()
        return self.straight.bracket_order(placed)

    def regular(self) -> Any:
        """Return a regular order at rest."""
        return self.straight.place_order(**self.order(), product="CNC")

    def rule(self) -> Any:
        """Return a rule; the one before it is ended, so that there never are too many."""
        if "rule" in self.kept:
            self.straight.cancel_gtt(self.kept["rule"])
        self.kept["rule"] = self.straight.create_gtt(
            **self.order(), product="CNC", trigger_price=self.at("0.97"), expiry=EXPIRY
        )
        return self.kept["rule"]

    def basket(self) -> Any:
        """Return a basket with one order; those before it are deleted."""
        for old in self.baskets():
            self.straight.delete_basket(old["basket_id"])
        made = self.straight.create_basket(f"b{self.number()}")
        return self.straight.add_to_basket(made, **self.order(), product="CNC")


Truth = Callable[[], bool]
Prepared = tuple[Callable[[Any], Any], Truth | None]
Case = Callable[[World], Prepared]


def read(name: str, *arguments: Any, **named: Any) -> Case:
    """Return the case of a method that changes nothing."""
    return lambda world: (lambda pocket: getattr(pocket, name)(*arguments, **named), None)


def with_made(
    make: Callable[[World], Any],
    call: Callable[[Any, Any], Any],
    truth: Callable[[World], Truth] | None = None,
) -> Case:
    """Return the case of a method that is given something made beforehand."""

    def case(world: World) -> Prepared:
        made = make(world)
        return (lambda pocket: call(pocket, made)), None if truth is None else truth(world)

    return case


def placed(world: World) -> Truth:
    """Return whether the order is there that the proxy was asked to place."""

    def truth() -> bool:
        sent = [seen.json["user_order_id"] for seen in world.proxy.changes]
        return any(bool(world.rows(user_order_id=str(number))) for number in sent)

    return truth


def typed_placement(name: str, **more: Any) -> Case:
    """Return the case of a placement by a typed method."""

    def case(world: World) -> Prepared:
        made = {key: value(world) if callable(value) else value for key, value in more.items()}
        return (lambda pocket: getattr(pocket, name)(**world.order(), **made)), placed(world)

    return case


def on_row(name: str, make: Callable[[World], Any], call: Any, holds: Any, leg: str = "") -> Case:
    """Return the case of a change of one row; ``holds`` says whether the row shows it."""

    def case(world: World) -> Prepared:
        made = make(world)
        row = made if not leg else made.row_of(leg)
        named = (row if leg else made).oms_order_id
        return (
            lambda pocket: call(world, getattr(pocket, name), made),
            lambda: bool(holds(world, world.row(named))),
        )

    return case


def ended(world: World, row: dict[str, Any]) -> bool:
    """Return whether a row was cancelled."""
    return bool(row["order_status"] == "CANCEL_CONFIRMED")


def cheaper(world: World, row: dict[str, Any]) -> bool:
    """Return whether a row has the price that the cases of a modify ask for."""
    return Decimal(str(row["price"])) == world.at("0.97")


def _modify(world: World, method: Any, made: Any) -> Any:
    return method(made, price=world.at("0.97"))


def _just(world: World, method: Any, made: Any) -> Any:
    return method(made)


def _modified_body(world: World, made: Any, **more: Any) -> dict[str, Any]:
    row = getattr(made, "entry", made)
    kept = {"user_order_id"}
    body = {key: value for key, value in world.body().items() if key not in kept}
    named = {"oms_order_id": row.oms_order_id, "exchange_order_id": row.exchange_order_id}
    return body | named | {"price": float(world.at("0.97")), "product": row.product} | more


def _kart(world: World, made: Any) -> dict[str, Any]:
    return {
        "client_id": world.client_id,
        "oms_order_id": made.oms_order_id,
        "exchange_order_id": made.exchange_order_id,
        "execution_type": "CO",
        "leg_order_indicator": "ENTRY",
    }


def rule_case(name: str, call: Any, holds: Callable[[World, dict[str, Any]], bool]) -> Case:
    """Return the case of a change of a rule."""

    def case(world: World) -> Prepared:
        made = world.rule()
        return (
            lambda pocket: call(world, getattr(pocket, name), made),
            lambda: holds(world, next(r for r in world.rules() if r["id"] == made.id)),
        )

    return case


def new_rule(name: str, call: Any) -> Case:
    """Return the case of a rule that is made."""

    def case(world: World) -> Prepared:
        world.rule()
        before = {rule["id"] for rule in world.rules()}

        def truth() -> bool:
            made = [rule for rule in world.rules() if rule["id"] not in before]
            for rule in made:
                world.straight.cancel_gtt(rule["id"])
            return bool(made)

        return (lambda pocket: call(world, getattr(pocket, name))), truth

    return case


def basket_case(name: str, call: Any, holds: Any) -> Case:
    """Return the case of a change of a basket; ``holds`` is told it, ``None`` if it is gone."""

    def case(world: World) -> Prepared:
        made = world.basket()

        def truth() -> bool:
            found = [one for one in world.baskets() if one["basket_id"] == made.basket_id]
            return bool(holds(world, found[0] if found else None, made))

        return (lambda pocket: call(world, getattr(pocket, name), made)), truth

    return case


def new_basket(name: str, call: Any) -> Case:
    """Return the case of a basket that is made."""

    def case(world: World) -> Prepared:
        world.basket()
        wanted = f"n{world.number()}"
        return (
            lambda pocket: call(getattr(pocket, name), wanted, world),
            lambda: wanted in [one["name"] for one in world.baskets()],
        )

    return case


def conversion(name: str, call: Any) -> Case:
    """Return the case of a position that is converted, one share at a time."""

    def case(world: World) -> Prepared:
        if world.net("MIS") < 1:
            world.straight.place_order(**world.order(world.close), product="MIS")
            world.fill()
        before = world.net("CNC")
        return (
            lambda pocket: call(world, getattr(pocket, name)),
            lambda: world.net("CNC") == before + 1,
        )

    return case


def logged_out(world: World) -> Prepared:
    """Return the case of a logout, of a session made for it."""
    login = Pocket(world.client_id, base_url=world.server.url)
    token = login.login(password=PASSWORD, pin=PIN)
    login.close()

    def call(pocket: Any) -> Any:
        kept = pocket._account.access_token
        try:
            pocket._account.now_is(world.client_id, token)
            return pocket.logout()
        finally:
            pocket._account.now_is(world.client_id, kept)

    return call, None


def _with_code(world: World) -> Prepared:
    flow = OAuthFlow(world.server.url, "APP", "a-secret", "http://127.0.0.1/back")
    back = f"http://127.0.0.1/back?state={flow.state}&code=none"
    return (lambda pocket: pocket.login_with_code(flow, back)), None


def _login(name: str, *arguments: Any) -> Case:
    """Return the case of a login, which leaves the client's token as it was."""

    def case(world: World) -> Prepared:
        def call(pocket: Any) -> Any:
            kept = pocket._account.access_token
            try:
                if name == "login":
                    return pocket.login(password=PASSWORD, pin=PIN)
                return getattr(pocket, name)(world.client_id, *arguments)
            finally:
                pocket._account.now_is(world.client_id, kept)

        return call, None

    return case


def _resolve(world: World) -> Prepared:
    from kavach.sdk import Attempt, OutcomeUnknown

    made = world.cover()
    attempt = Attempt(
        operation="cancel",
        idempotency_key="k",
        user_order_id=made.user_order_id,
        oms_order_id=made.oms_order_id,
        leg="ENTRY",
    )
    return (lambda pocket: pocket.resolve(OutcomeUnknown("lost", attempt))), None


def _has_line(world: World, found: Any, quantity: int) -> bool:
    return any(line["order_info"]["quantity"] == quantity for line in found["orders"])


def _line(made: Any) -> dict[str, Any]:
    return {
        "basket_id": made.basket_id,
        "name": made.name,
        "order_id": made.orders[0].order_id,
    }


def _executed(world: World, found: Any, made: Any) -> bool:
    number = found["orders"][0]["order_info"]["user_order_id"]
    return bool(world.rows(user_order_id=str(number)))


def _rule_body(world: World, quantity: int = 10) -> dict[str, Any]:
    order = world.body() | {
        "trigger_price": float(world.at("0.97")),
        "quantity": quantity,
        "device": "WEB",
        "market_protection_percentage": 0,
        "sl_order_price": 0,
        "sl_order_quantity": 0,
        "sl_trigger_price": 0,
    }
    return {"action_type": "single_order", "expiry_time": EXPIRY, "order": order}


def _price(name: str) -> Case:
    return lambda world: (lambda pocket: getattr(pocket, name)("NSE", world.token), None)


def _of_order(name: str, make: Callable[[World], Any]) -> Case:
    def case(world: World) -> Prepared:
        made = make(world)
        named = made.oms_order_id if name == "getOrderHistory" else made
        return (lambda pocket: getattr(pocket, name)(named)), None

    return case


def _margin(world: World) -> Prepared:
    order = MarginOrder(**world.order(), product="CNC")
    return (lambda pocket: pocket.margin([order])), None


GAP: Final = {
    "target_distance": lambda world: tick(world.close * Decimal("0.02")),
    "stop_distance": lambda world: tick(world.close * Decimal("0.02")),
}
CASES: Final[dict[str, Case]] = {
    "place_cover_order": typed_placement("place_cover_order", stop_loss=lambda w: w.at("0.95")),
    "modify_cover_order": on_row("modify_cover_order", World.cover, _modify, cheaper),
    "cancel_cover_order": on_row("cancel_cover_order", World.cover, _just, ended),
    "exit_cover_order": on_row("exit_cover_order", World.cover, _just, ended),
    "cover_order": _of_order("cover_order", World.cover),
    "place_bracket_order": typed_placement("place_bracket_order", **GAP),
    "modify_bracket_order": on_row("modify_bracket_order", World.bracket, _modify, cheaper),
    "move_bracket_target": on_row(
        "move_bracket_target",
        lambda world: world.bracket(filled=True),
        lambda world, method, made: method(made, world.at("1.03")),
        lambda world, row: Decimal(str(row["price"])) == world.at("1.03"),
        leg="SECOND",
    ),
    "move_bracket_stop": on_row(
        "move_bracket_stop",
        lambda world: world.bracket(filled=True),
        lambda world, method, made: method(made, world.at("0.97")),
        lambda world, row: Decimal(str(row["trigger_price"])) == world.at("0.97"),
        leg="THIRD",
    ),
    "cancel_bracket_order": on_row("cancel_bracket_order", World.bracket, _just, ended),
    "exit_bracket_order": on_row("exit_bracket_order", World.bracket, _just, ended),
    "bracket_order": _of_order("bracket_order", World.bracket),
    "place_order": typed_placement("place_order", product="CNC"),
    "modify_order": on_row("modify_order", World.regular, _modify, cheaper),
    "cancel_order": on_row("cancel_order", World.regular, _just, ended),
    "create_gtt": new_rule(
        "create_gtt",
        lambda world, method: method(
            **(world.order() | {"quantity": 7}),
            product="CNC",
            trigger_price=world.at("0.97"),
            expiry=EXPIRY,
        ),
    ),
    "modify_gtt": rule_case(
        "modify_gtt",
        lambda world, method, made: method(made, quantity=11),
        lambda world, rule: rule["order"]["quantity"] == 11,
    ),
    "cancel_gtt": rule_case("cancel_gtt", _just, lambda w, rule: rule["status"] != "Active"),
    "gtt_rule": with_made(World.rule, lambda pocket, rule: pocket.gtt_rule(rule)),
    "gtt_rules": read("gtt_rules"),
    "create_basket": new_basket("create_basket", lambda method, name, world: method(name)),
    "rename_basket": basket_case(
        "rename_basket",
        lambda world, method, made: method(made, f"r{made.name}"),
        lambda world, found, made: found["name"] == f"r{made.name}",
    ),
    "delete_basket": basket_case("delete_basket", _just, lambda world, found, made: found is None),
    "add_to_basket": basket_case(
        "add_to_basket",
        lambda world, method, made: method(
            made, **(world.order() | {"quantity": 7}), product="CNC"
        ),
        lambda world, found, made: _has_line(world, found, 7),
    ),
    "edit_basket_order": basket_case(
        "edit_basket_order",
        lambda world, method, made: method(made, made.orders[0].order_id, quantity=8),
        lambda world, found, made: _has_line(world, found, 8),
    ),
    "remove_from_basket": basket_case(
        "remove_from_basket",
        lambda world, method, made: method(made, made.orders[0].order_id),
        lambda world, found, made: not found["orders"],
    ),
    "execute_basket": basket_case("execute_basket", _just, _executed),
    "saved_basket": with_made(World.basket, lambda pocket, made: pocket.saved_basket(made)),
    "saved_baskets": read("saved_baskets"),
    "resolve": _resolve,
    "orders": read("orders"),
    "order_history": _of_order("order_history", World.cover),
    "trades": read("trades"),
    "positions": read("positions"),
    "convert_position": conversion(
        "convert_position",
        lambda world, method: method(
            exchange="NSE",
            instrument_token=world.token,
            side="BUY",
            quantity=1,
            product="MIS",
            new_product="CNC",
        ),
    ),
    "holdings": read("holdings"),
    "funds": read("funds"),
    "margin": _margin,
    "search": read("search", "IDEA"),
    "contract": read("contract", "NSE:IDEA-EQ"),
    "scrip_info": _price("scrip_info"),
    "option_chain": read("option_chain", 26000, price=26000),
    "quote": _price("quote"),
    "last_price": _price("last_price"),
    "close_price": _price("close_price"),
    "download_contracts": read("download_contracts", "NSE"),
    "login": _login("login"),
    "login_with_code": _with_code,
    "logout": logged_out,
    "profile": read("profile"),
    "trading_info": read("trading_info"),
    # --- The vendor's names ---------------------------------------------------------------------
    "placeOrder": with_made(World.body, lambda pocket, body: pocket.placeOrder(body), placed),
    "modifyOrder": on_row(
        "modifyOrder",
        World.regular,
        lambda world, method, made: method(_modified_body(world, made, execution_type="REGULAR")),
        cheaper,
    ),
    "cancelOrder": on_row(
        "cancelOrder",
        World.regular,
        lambda world, method, made: method(
            {"client_id": world.client_id, "oms_order_id": made.oms_order_id}
        ),
        ended,
    ),
    "placeConditionalOrder": with_made(
        lambda world: (
            world.body()
            | {
                "execution_type": "CO",
                "product": "MIS",
                "stop_loss_value": float(world.at("0.95")),
            }
        ),
        lambda pocket, body: pocket.placeConditionalOrder(body),
        placed,
    ),
    "modifyConditionalOrder": on_row(
        "modifyConditionalOrder",
        World.cover,
        lambda world, method, made: method(
            _modified_body(world, made, execution_type="CO", leg_order_indicator="ENTRY")
        ),
        cheaper,
    ),
    "cancelConditionalOrder": on_row(
        "cancelConditionalOrder",
        World.cover,
        lambda world, method, made: method(_kart(world, made)),
        ended,
    ),
    "getPendingOrder": read("getPendingOrder"),
    "getPendingOrderBook": read("getPendingOrderBook"),
    "getCompletedOrder": read("getCompletedOrder"),
    "getOrderHistory": _of_order("getOrderHistory", World.cover),
    "getTradeBook": read("getTradeBook"),
    "gttCreateRule": new_rule("gttCreateRule", lambda w, method: method(_rule_body(w, 7))),
    "gttModifyRule": rule_case(
        "gttModifyRule",
        lambda world, method, made: method(_rule_body(world, 11) | {"id": made.id}),
        lambda world, rule: rule["order"]["quantity"] == 11,
    ),
    "gttCancelRule": rule_case(
        "gttCancelRule",
        lambda world, method, made: method({"id": made.id}),
        lambda world, rule: rule["status"] != "Active",
    ),
    "gttFetchRule": read("gttFetchRule"),
    "createBasket": new_basket(
        "createBasket",
        lambda method, name, world: method(
            {
                "login_id": world.client_id,
                "name": name,
                "type": "NORMAL",
                "product_type": "ALL",
                "order_type": "ALL",
            }
        ),
    ),
    "fetchBasket": read("fetchBasket"),
    "renameBasket": basket_case(
        "renameBasket",
        lambda world, method, made: method({"basket_id": made.basket_id, "name": f"r{made.name}"}),
        lambda world, found, made: found["name"] == f"r{made.name}",
    ),
    "deleteBasket": basket_case(
        "deleteBasket",
        lambda world, method, made: method({"basket_id": made.basket_id, "name": made.name}),
        lambda world, found, made: found is None,
    ),
    "addInstrumentToBasket": basket_case(
        "addInstrumentToBasket",
        lambda world, method, made: method(
            {
                "basket_id": made.basket_id,
                "name": made.name,
                "order_info": world.body() | {"quantity": 7, "execution_type": "REGULAR"},
            }
        ),
        lambda world, found, made: _has_line(world, found, 7),
    ),
    "editBasketInstrument": basket_case(
        "editBasketInstrument",
        lambda world, method, made: method(
            _line(made)
            | {"order_info": world.body() | {"quantity": 8, "execution_type": "REGULAR"}}
        ),
        lambda world, found, made: _has_line(world, found, 8),
    ),
    "deleteBasketInstrument": basket_case(
        "deleteBasketInstrument",
        lambda world, method, made: method(_line(made)),
        lambda world, found, made: not found["orders"],
    ),
    "executeBasket": basket_case(
        "executeBasket",
        lambda world, method, made: method(
            {
                "basket_id": made.basket_id,
                "name": made.name,
                "client_id": world.client_id,
                "execution_type": "NML",
                "square_off": False,
                "execution_state": False,
            }
        ),
        _executed,
    ),
    "getPositionsDaywise": read("getPositionsDaywise"),
    "getPositionsNetwise": read("getPositionsNetwise"),
    "convertPosition": conversion(
        "convertPosition",
        lambda world, method: method(
            {
                "client_id": world.client_id,
                "exchange": "NSE",
                "instrument_token": world.token,
                "order_side": "BUY",
                "quantity": 1,
                "product": "MIS",
                "new_product": "CNC",
                "validity": "DAY",
            }
        ),
    ),
    "getDematHoldings": read("getDematHoldings"),
    "getFunds": read("getFunds"),
    "getProfile": read("getProfile"),
    "searchScrip": read("searchScrip", "IDEA"),
    "getScripInfo": _price("getScripInfo"),
    "getOptionChain": read("getOptionChain", 26000, 5, 26000),
    "getMarketdata": _price("getMarketdata"),
    "getLtp": _price("getLtp"),
    "getClosePrice": _price("getClosePrice"),
    "getFNOdata": read("getFNOdata", "NFO", 1),
    "getFNOltp": read("getFNOltp", "NFO", 1),
    "getFnoLtp": read("getFnoLtp", "NFO", 1),
    "getNFOltp": read("getNFOltp", "NFO", 1),
    "getDPRdata": _price("getDPRdata"),
    "generateSession": _login("generateSession", PASSWORD, PIN),
    "validate2FA": _login("validate2FA", "no-such-step", PIN, 1),
}
