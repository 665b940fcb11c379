"""Every reason to say no: reachable, in the declared order, and without changing anything."""

from operator import attrgetter
from typing import Any, Final

import msgspec
import pytest

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    Kill,
    Leg,
    ModifyCoverOrder,
    OpenClient,
    PlaceCoverOrder,
    Shares,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.money.commands import GrantHoldings
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.rules.orders.changes import FIELDS
from kavach.units import (
    InstrumentKey,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from kavach.venues.scripted import ScriptedVenue, Told
from tests.unit.core.limits.house import REASONS as OF_LIMITS
from tests.unit.core.money.test_convert import REASONS as OF_CONVERSIONS
from tests.unit.core.scenario import Scene
from tests.unit.core.stocks import stock
from tests.unit.core.test_baskets import TOLD as OF_BASKETS
from tests.unit.core.test_brackets import REASONS as OF_BRACKETS
from tests.unit.core.test_gtt import TOLD as OF_GTT_RULES
from tests.unit.core.test_people import REFUSED as OF_PEOPLE
from tests.unit.core.test_regular import REASONS as OF_REGULAR_ORDERS
from tests.unit.core.test_regular import RegularScene

ITEM: Final = stock(lot=10, freeze=50, slm_allowed=False)
PRICES: Final = frozenset({"price_pips", "trigger_price_pips", "stop_price_pips"})

# A placement that is wrong in every way, and its repair step by step: what is refused, and the
# change that mends it. Prices are those of a buyer; a seller sees them in the mirror.
WRONG: Final[dict[str, Any]] = {
    "client_id": "nobody",
    "instrument": InstrumentKey("NSE:0"),
    "order_type": OrderType.SLM,
    "quantity": Quantity(0),
    "disclosed_quantity": Quantity(-10),
    "price_pips": Pips(0),
    "trigger_price_pips": Pips(0),
    "validity": Validity.IOC,
    "product": Product.MTF,
    "stop_price_pips": Pips(0),
    "trailing_step_pips": Pips(50),
    "user_order_id": 1,
}
REPAIRS: Final[tuple[tuple[Reason, str, Any], ...]] = (
    (Reason.CLIENT_MUST_EXIST, "client_id", "C"),
    (Reason.INSTRUMENT_MUST_EXIST, "instrument", ITEM.key),
    (Reason.PRODUCT_MUST_BE_OFFERED, "product", Product.MIS),
    (Reason.ORDER_TYPE_MUST_BE_OFFERED, "order_type", OrderType.SL),
    (Reason.VALIDITY_MUST_BE_OFFERED, "validity", Validity.DAY),
    (Reason.QUANTITY_MUST_BE_POSITIVE, "quantity", 15),
    (Reason.QUANTITY_MUST_BE_MULTIPLE_OF_LOT, "quantity", 1010),
    (Reason.QUANTITY_MUST_BE_WITHIN_LIMIT, "quantity", 100),
    (Reason.DISCLOSED_QUANTITY_MUST_FIT, "disclosed_quantity", 110),
    (Reason.DISCLOSED_QUANTITY_MUST_FIT, "disclosed_quantity", 15),
    (Reason.DISCLOSED_QUANTITY_MUST_FIT, "disclosed_quantity", 0),
    (Reason.PRICE_MUST_BE_POSITIVE, "price_pips", 132_050),
    (Reason.PRICE_MUST_BE_ON_TICK, "price_pips", 156_100),
    (Reason.PRICE_MUST_BE_IN_BAND, "price_pips", 132_000),
    (Reason.TRIGGER_PRICE_MUST_BE_POSITIVE, "trigger_price_pips", 131_050),
    (Reason.TRIGGER_PRICE_MUST_BE_ON_TICK, "trigger_price_pips", 156_100),
    (Reason.TRIGGER_PRICE_MUST_BE_IN_BAND, "trigger_price_pips", 130_000),
    (Reason.TRIGGER_PRICE_MUST_BE_BEYOND_LAST_PRICE, "trigger_price_pips", 132_100),
    (Reason.TRIGGER_PRICE_MUST_NOT_PASS_PRICE, "trigger_price_pips", 131_000),
    (Reason.STOP_MUST_BE_POSITIVE, "stop_price_pips", 120_050),
    (Reason.STOP_MUST_BE_ON_TICK, "stop_price_pips", 103_900),
    (Reason.STOP_MUST_BE_IN_BAND, "stop_price_pips", 132_000),
    (Reason.TRAILING_STEP_MUST_FIT, "trailing_step_pips", -100),
    (Reason.TRAILING_STEP_MUST_FIT, "trailing_step_pips", 100),
    (Reason.STOP_MUST_BE_ON_LOSING_SIDE, "stop_price_pips", 120_000),
)


def _placement(side: Side, said: dict[str, Any]) -> PlaceCoverOrder:
    mirror = side is Side.SELL
    fields: dict[str, Any] = {
        name: Pips(260_000 - value) if mirror and name in PRICES and value else value
        for name, value in said.items()
    }
    return PlaceCoverOrder(side=side, **fields)


@pytest.mark.parametrize("side", Side)
def test_reasons_are_looked_at_in_their_declared_order(side: Side) -> None:
    """An order wrong in every way is refused for the first reason; mended, for the next one."""
    scene = Scene(side, ITEM)
    said = dict(WRONG)
    before = scene.engine.state_hash()
    for reason, field, better in REPAIRS:
        outcome = scene.engine.execute(_placement(side, said))
        assert outcome == Refusal(reason, outcome.detail if isinstance(outcome, Refusal) else "")
        said[field] = better
    assert scene.engine.state_hash() == before, "a refused order changed something"
    assert isinstance(scene.engine.execute(_placement(side, said)), Answer)
    reasons = [reason for reason, _, _ in REPAIRS]
    assert reasons == sorted(reasons, key=list(Reason).index), "not in the declared order"


def _good(side: Side) -> PlaceCoverOrder:
    said = dict(WRONG)
    for _, field, better in REPAIRS:
        said[field] = better
    return _placement(side, said)


@pytest.mark.parametrize("side", Side)
def test_a_price_that_the_type_has_not_must_be_zero(side: Side) -> None:
    """A market order has no price, and an order that is no stop has no trigger."""
    scene = Scene(side, ITEM)
    good = _good(side)
    market = msgspec.structs.replace(good, order_type=OrderType.MARKET)
    assert scene.engine.execute(market) == Refusal(Reason.PRICE_MUST_BE_ZERO)
    limit = msgspec.structs.replace(good, order_type=OrderType.LIMIT)
    assert scene.engine.execute(limit) == Refusal(Reason.TRIGGER_PRICE_MUST_BE_ZERO)


def test_products_that_a_share_does_not_offer() -> None:
    """Delivery is for shares only, and trade-to-trade series know no cover orders at all."""
    future = stock(segment="FutOpt", lot=10)
    cnc = msgspec.structs.replace(_good(Side.BUY), product=Product.CNC)
    assert Scene(Side.BUY, future).engine.execute(cnc) == Refusal(Reason.PRODUCT_MUST_BE_OFFERED)
    trade_to_trade = stock(lot=10, intraday_allowed=False)
    outcome = Scene(Side.BUY, trade_to_trade).engine.execute(_good(Side.BUY))
    assert outcome == Refusal(Reason.PRODUCT_MUST_BE_OFFERED)


# --- What an order's state forbids ------------------------------------------------------------

OPEN: Final = ("place 100 @ 13 stop 12", "E1 acked")
COVERED: Final = (*OPEN, "E1 traded 100", "S1 acked")
STATES: Final[tuple[tuple[Reason, tuple[str, ...]], ...]] = (
    (
        Reason.KEY_MUST_NOT_BE_REUSED,
        ("place 100 @ 13 stop 12 key K", "place 50 @ 13 stop 12 key K"),
    ),
    (Reason.ENTRIES_MUST_BE_ALLOWED, (*OPEN, "kill", "place 100 @ 13 stop 12")),
    (Reason.ENTRIES_MUST_BE_ALLOWED, (*OPEN, "squareoff", "place 100 @ 13 stop 12")),
    (Reason.ENTRIES_MUST_BE_ALLOWED, (*OPEN, "end", "place 100 @ 13 stop 12")),
    (Reason.MARGIN_MUST_SUFFICE, ("place 9 @ 13 stop 12 cnc", "E1 acked", "C3 quantity 1000000")),
    (Reason.VENUE_MUST_BE_REACHABLE, (*OPEN, "link lost", "C3 quantity 90")),
    (Reason.REFERENCE_MUST_BE_CURRENT, (*OPEN, "C3 quantity 90 seen once")),
    (Reason.ENTRY_ALREADY_EXECUTED, (*COVERED, "C1")),
    (Reason.ENTRY_ALREADY_EXECUTED, (*COVERED, "C3 quantity 50")),
    (Reason.ENTRY_IN_FLIGHT, (*OPEN, "C3 quantity 90", "C3 quantity 80")),
    (Reason.ENTRY_BEING_CANCELLED, (*OPEN, "C1", "C3 quantity 90")),
    (Reason.VENUE_MUST_BE_REACHABLE, (*OPEN, "link lost", "C3 quantity 90")),
    (Reason.STOP_ALREADY_TRIGGERED, (*COVERED, "S1 triggered", "C4 stop 12.5")),
    (Reason.EXIT_IN_PROGRESS, (*COVERED, "C2", "C4 stop 12.5")),
    (Reason.ALREADY_CLOSED, (*OPEN, "C1", "E1 cancelled", "C3 quantity 90")),
    (Reason.ALREADY_EXITED, (*COVERED, "S1 traded 100", "C2")),
    (Reason.ALREADY_REJECTED, ("place 100 @ 13 stop 12", "E1 rejected", "C1")),
    (Reason.CARRIED_OVER, (*COVERED, "end", "S1 expired", "C2")),
    (Reason.QUANTITY_MUST_COVER_FILLS, (*OPEN, "E1 traded 40", "C3 quantity 39")),
    (Reason.QUANTITY_MUST_NOT_GROW, (*OPEN, "E1 traded 40", "S1 rejected", "C3 quantity 101")),
    (Reason.STOP_MUST_BE_BEYOND_LAST_PRICE, (*COVERED, "C4 stop 13")),
    (Reason.STOP_MUST_BE_ON_LOSING_SIDE, (*OPEN, "C4 stop 13")),
)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("reason", "story"), STATES)
def test_what_a_state_forbids(reason: Reason, story: tuple[str, ...], side: Side) -> None:
    """The last request is refused for this reason and changes nothing."""
    scene = Scene(side)
    owned = Shares(scene.item.key, Quantity(10**6), Pips(120_000))  # A delivery is sold of shares.
    scene.engine.execute(GrantHoldings(client_id="C", holdings=(owned,)))
    for words in story[:-1]:
        scene.tell(words)
    before = scene.engine.state_hash()
    said = scene.tell(story[-1])
    assert said.split(" | ")[0] == f"no: {reason}"
    assert scene.engine.state_hash() == before


# --- What an order's address forbids ----------------------------------------------------------


def _covered() -> tuple[Scene, CoverOrder]:
    scene = Scene()
    for words in COVERED:
        scene.tell(words)
    assert scene.cover is not None
    return scene, scene.cover


def test_a_modify_that_speaks_of_another_order() -> None:
    """The checks of a change's address come in their order, each with its own reason."""
    scene, cover = _covered()
    wrong = ModifyCoverOrder(
        client_id="C",
        order_id=1,
        leg=Leg.ENTRY,
        exchange_order_id="9",
        instrument=InstrumentKey("NSE:1"),
        side=Side.SELL,
        product=Product.CNC,
        last_activity_ns=1,
        quantity=Quantity(50),
    )
    entry_id = cover.entries[0].exchange_order_id
    seen = cover.leg_updated_at_ns(Leg.ENTRY)
    repairs: tuple[tuple[Reason, dict[str, Any]], ...] = (
        (Reason.ORDER_MUST_EXIST, {"order_id": cover.stop.order_id}),
        (Reason.LEG_MUST_MATCH_ID, {"order_id": cover.order_id}),
        (Reason.EXCHANGE_ORDER_ID_MUST_MATCH, {"exchange_order_id": entry_id}),
        (Reason.INSTRUMENT_MUST_NOT_CHANGE, {"instrument": cover.instrument}),
        (Reason.SIDE_MUST_NOT_CHANGE, {"side": Side.BUY}),
        (Reason.PRODUCT_MUST_NOT_CHANGE, {"product": Product.MIS}),
        (Reason.REFERENCE_MUST_BE_CURRENT, {"last_activity_ns": seen}),
        (Reason.ENTRY_ALREADY_EXECUTED, {}),
    )
    for reason, better in repairs:
        assert scene.engine.execute(wrong) == Refusal(reason)
        wrong = msgspec.structs.replace(wrong, **better)


def test_a_cancel_that_speaks_of_another_order() -> None:
    """A cancel must name an order of the client, a leg that has the id, and that leg's own id."""
    scene, cover = _covered()
    cancel = CancelCoverOrder(
        client_id="C", order_id=1, leg=Leg.ENTRY, exchange_order_id=cover.exits[0].exchange_order_id
    )
    assert scene.engine.execute(cancel) == Refusal(Reason.ORDER_MUST_EXIST)
    cancel = msgspec.structs.replace(cancel, order_id=cover.stop.order_id)
    assert scene.engine.execute(cancel) == Refusal(Reason.LEG_MUST_MATCH_ID)
    cancel = msgspec.structs.replace(cancel, order_id=cover.order_id)
    assert scene.engine.execute(cancel) == Refusal(Reason.EXCHANGE_ORDER_ID_MUST_MATCH)
    cancel = msgspec.structs.replace(cancel, leg=Leg.THIRD)
    assert isinstance(scene.engine.execute(cancel), Answer)


def test_a_foreign_order_looks_unknown() -> None:
    """Whoever names another client's order is told what he would be told of no order at all."""
    scene, cover = _covered()
    scene.engine.execute(OpenClient(client_id="D", cash_paise=Paise(1)))
    entry_id = cover.entries[0].exchange_order_id
    cancel = CancelCoverOrder(
        client_id="D", order_id=cover.order_id, leg=Leg.ENTRY, exchange_order_id=entry_id
    )
    modify = ModifyCoverOrder(
        client_id="D", order_id=cover.stop.order_id, stop_price_pips=Pips(121_000)
    )
    for foreign in (cancel, modify):
        unknown = msgspec.structs.replace(foreign, order_id=1)
        refused = scene.engine.execute(foreign)
        assert refused == scene.engine.execute(unknown) == Refusal(Reason.ORDER_MUST_EXIST)


@pytest.mark.parametrize("name", ["order_id", "basket_id", "stop.order_id"])
def test_every_id_of_an_order_finds_it(name: str) -> None:
    """An exit may name the entry, the stop or the basket."""
    scene, cover = _covered()
    cancel = CancelCoverOrder(
        client_id="C",
        order_id=attrgetter(name)(cover),
        leg=Leg.THIRD,
        exchange_order_id=cover.exits[0].exchange_order_id,
    )
    outcome = scene.engine.execute(cancel)
    assert isinstance(outcome, Answer)
    assert outcome.order_id == cover.order_id


def test_an_account_is_opened_once_and_must_exist() -> None:
    """A client can't be opened twice, and the kill switch of nobody can't be thrown."""
    scene = Scene()
    again = OpenClient(client_id="C", cash_paise=Paise(1))
    assert scene.engine.execute(again) == Refusal(Reason.CLIENT_MUST_BE_NEW, "C")
    assert scene.engine.execute(Kill("D")) == Refusal(Reason.CLIENT_MUST_EXIST, "D")


# --- What the venue says before the answer is out ---------------------------------------------


class PromptVenue(ScriptedVenue):
    """A venue that answers a cancel within the call, as it is told to."""

    fills_first = False

    def send(self, request: e.Request, order: VenueOrder, parent: ParentOrder, at_ns: int) -> Told:
        """Return the acceptance of an order, and the failure of a cancel."""
        super().send(request, order, parent, at_ns)
        if isinstance(request, e.OrderSubmitted):
            return Told([self.accept(request.tag)])
        if not isinstance(request, e.OrderCancelSent):
            return Told([self.refuse_amend(request.tag, 16346, "no")])
        said: list[e.Report] = []
        if self.fills_first:
            said.append(self.trade(request.tag, self.orders[request.tag].open_quantity, 130_000))
        return Told([*said, self.refuse_cancel(request.tag, 16344, "no")])


def _prompt(*, fills_first: bool) -> tuple[Scene, CoverOrder]:
    venue = PromptVenue()
    venue.fills_first = fills_first
    scene = Scene(venue=venue)
    scene.tell("place 100 @ 13 stop 12")
    assert scene.cover is not None
    return scene, scene.cover


def test_the_venue_refused_in_time_to_be_told() -> None:
    """What the venue refuses before the answer is out is refused, with its code and words."""
    scene, cover = _prompt(fills_first=False)
    outcome = scene.engine.execute(
        CancelCoverOrder(
            client_id="C",
            order_id=cover.order_id,
            leg=Leg.ENTRY,
            exchange_order_id=cover.entries[0].exchange_order_id,
        )
    )
    assert outcome == Refusal(Reason.VENUE_REFUSED, "(16344)-no")
    modify = ModifyCoverOrder(client_id="C", order_id=cover.order_id, quantity=Quantity(50))
    assert scene.engine.execute(modify) == Refusal(Reason.VENUE_REFUSED, "(16346)-no")


def test_the_venue_refused_a_regular_order_in_time_to_be_told() -> None:
    """A cancel and a change of a regular order are refused with the venue's code and words, too."""
    scene = RegularScene(venue=PromptVenue())
    assert scene.tell("place 100 @ 13") == "E1 buy 100 @ 13, ok | OPEN"
    cancel = CancelOrder(client_id="C", order_id=scene.order.order_id)
    assert scene.engine.execute(cancel) == Refusal(Reason.VENUE_REFUSED, "(16344)-no")
    modify = ModifyOrder(client_id="C", order_id=scene.order.order_id, quantity=Quantity(50))
    assert scene.engine.execute(modify) == Refusal(Reason.VENUE_REFUSED, "(16346)-no")


def test_a_fill_that_wins_against_the_cancel() -> None:
    """Race 1: the entry filled first, so the cancel is too late, and the stop protects it all."""
    scene, cover = _prompt(fills_first=True)
    outcome = scene.engine.execute(
        CancelCoverOrder(
            client_id="C",
            order_id=cover.order_id,
            leg=Leg.ENTRY,
            exchange_order_id=cover.entries[0].exchange_order_id,
        )
    )
    assert outcome == Refusal(Reason.TOO_LATE)
    assert cover.protected == 100
    assert cover.state.value == "COVERED"


def test_margin_is_told_as_a_rejected_order() -> None:
    """Too little money does not refuse an order: it is taken, and its row says REJECTED and why."""
    scene = Scene(cash_paise=10_000)
    assert scene.tell("place 100 @ 13 stop 12") == "ok | REJECTED"
    assert scene.cover is not None
    wanted = "Margin Available : 100.00 : Required : 260.00, Margin ShortFall : -160.00"
    assert (scene.cover.ended_code, scene.cover.ended_reason) == (12001, wanted)


def test_every_reason_is_tested() -> None:
    """No reason is declared that no test here brings about."""
    told = {reason for reason, _, _ in REPAIRS} | {reason for reason, _ in STATES}
    told |= {
        Reason.CLIENT_MUST_BE_NEW,
        Reason.PRICE_MUST_BE_ZERO,
        Reason.TRIGGER_PRICE_MUST_BE_ZERO,
        Reason.ORDER_MUST_EXIST,
        Reason.ORDER_MUST_BE_THE_CLIENTS,  # tests/contract/test_b_owners.py
        Reason.HOLDING_MUST_SUFFICE,  # tests/unit/core/money/test_means.py
        Reason.LEG_MUST_MATCH_ID,
        Reason.EXCHANGE_ORDER_ID_MUST_MATCH,
        Reason.INSTRUMENT_MUST_NOT_CHANGE,
        Reason.SIDE_MUST_NOT_CHANGE,
        Reason.PRODUCT_MUST_NOT_CHANGE,
        Reason.VENUE_REFUSED,
        Reason.TOO_LATE,
    }
    told |= set(OF_REGULAR_ORDERS) | OF_BRACKETS | OF_GTT_RULES | OF_BASKETS
    told |= set(OF_CONVERSIONS) | set(OF_LIMITS)
    told |= {field.reason for field in FIELDS}  # tests/contract/test_a5_changes.py
    assert set(Reason) - told - OF_PEOPLE == set()
