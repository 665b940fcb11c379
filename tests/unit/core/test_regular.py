"""
Regular and after-market orders, told in words: who asks or says what, and what follows.

A line is ``what happens -> everything that it caused | the state afterwards``, as for cover
orders; each table is played as it is and mirrored, and its journal is replayed.

Source: docs/spec/regular_order.md.
"""

from typing import Any, Final, cast

import msgspec
import pytest

from kavach.core.commands import PlaceCoverOrder
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.rules.figures import with_figures
from kavach.units import OrderType, Pips, Product, Quantity, Side, Validity
from tests.unit.core.scenario import Scene
from tests.unit.core.stocks import stock


class RegularScene(Scene):
    """A client with one regular order at a venue that says what it is told to say."""

    @property
    def order(self) -> RegularOrder:
        """The order that the scene is about."""
        return cast(RegularOrder, self.cover)

    def _act(self, words: str) -> Outcome | None:
        first = words.split()[0]
        if first in ("place", "amo"):
            return self._place_regular(words, amo=first == "amo")
        if first == "cancel":
            return self.engine.execute(CancelOrder(client_id="C", order_id=self.order.order_id))
        if first == "modify":
            return self._modify_regular(words)
        return super()._act(words)

    def _place_regular(self, words: str, *, amo: bool) -> Outcome:
        kind, price, trigger = self._terms(words)
        outcome = self.engine.execute(
            PlaceOrder(
                client_id="C",
                instrument=self.item.key,
                side=self.side,
                order_type=kind,
                quantity=Quantity(int(words.split()[1])),
                disclosed_quantity=Quantity(0),
                price_pips=price,
                trigger_price_pips=trigger,
                validity=Validity.IOC if "ioc" in words.split() else Validity.DAY,
                product=Product.NRML if "nrml" in words.split() else Product.MIS,
                amo=amo,
            )
        )
        if isinstance(outcome, Answer):
            self.cover = cast(CoverOrder, self.engine.state.regulars[outcome.order_id])
        return outcome

    def _modify_regular(self, words: str) -> Outcome:
        quantity = words.split()[words.split().index("quantity") + 1] if "quantity" in words else ""
        return self.engine.execute(
            ModifyOrder(
                client_id="C",
                order_id=self.order.order_id,
                quantity=Quantity(int(quantity)) if quantity else None,
                price_pips=self._price("@", words),
            )
        )


def play(table: str) -> int:
    """Play a table as it is and mirrored; return how many lines were played."""
    return sum(RegularScene(side).play(table) for side in Side)


OPEN: Final = """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    E1 acked           -> nothing                  | OPEN
"""
SCENES: Final = {
    "it fills in parts": OPEN
    + """
    E1 traded 40       -> nothing                  | OPEN
    E1 traded 60       -> nothing                  | FILLED
    cancel             -> no: order_already_executed | FILLED
    modify @ 12.90     -> no: order_already_executed | FILLED
    """,
    "it fills before it is acknowledged": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    E1 traded 100      -> nothing                  | FILLED
    """,
    "the venue refuses it": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    E1 rejected        -> nothing                  | REJECTED
    cancel             -> no: already_rejected     | REJECTED
    modify @ 12.90     -> no: already_rejected     | REJECTED
    """,
    "a cancel takes what is left": OPEN
    + """
    E1 traded 40       -> nothing                  | OPEN
    cancel             -> cancel E1, ok CANCEL_PENDING | OPEN
    modify @ 12.90     -> no: order_being_cancelled | OPEN
    E1 cancelled       -> nothing                  | CANCELLED
    cancel             -> again                    | CANCELLED
    modify @ 12.90     -> no: already_closed       | CANCELLED
    """,
    "a cancel before the acknowledgement waits for it": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    cancel             -> ok CANCEL_PENDING        | SENT
    E1 acked           -> cancel E1                | OPEN
    E1 cancelled       -> nothing                  | CANCELLED
    """,
    "the fill wins over the cancel": OPEN
    + """
    cancel             -> cancel E1, ok CANCEL_PENDING | OPEN
    E1 traded 100      -> nothing                  | FILLED
    E1 cancel-refused  -> nothing                  | FILLED
    """,
    "a refused cancel leaves it as it was": OPEN
    + """
    cancel             -> cancel E1, ok CANCEL_PENDING | OPEN
    E1 cancel-refused  -> nothing                  | OPEN
    cancel             -> ok CANCEL_PENDING        | OPEN
    wait 600ms         -> cancel E1                | OPEN
    E1 cancelled       -> nothing                  | CANCELLED
    """,
    "the closing is told before the last trade": OPEN
    + """
    E1 closed-early 30 -> nothing                  | OPEN
    E1 told            -> nothing                  | CANCELLED
    """,
    "its price and its size change": OPEN
    + """
    modify @ 12.90     -> E1 to 100 @ 12.9, ok     | OPEN
    modify @ 12.80     -> no: order_in_flight      | OPEN
    E1 amended         -> nothing                  | OPEN
    modify quantity 50 -> E1 to 50 @ 12.9, ok      | OPEN
    E1 amended         -> nothing                  | OPEN
    E1 traded 50       -> nothing                  | FILLED
    """,
    "cut down to what has filled it is cancelled": OPEN
    + """
    E1 traded 40       -> nothing                  | OPEN
    modify quantity 30 -> no: quantity_must_cover_fills | OPEN
    modify quantity 40 -> cancel E1, ok CANCEL_PENDING | OPEN
    E1 cancelled       -> nothing                  | FILLED
    """,
    "it cannot be changed before it is acknowledged": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    modify @ 12.90     -> no: order_in_flight      | SENT
    """,
    "a market order carries a limit and follows the market": """
    place 100          -> E1 buy 100 @ market, ok  | SENT
    E1 acked           -> nothing                  | OPEN
    price 13.20        -> nothing                  | OPEN
    wait 600ms         -> E1 to 100 @ market       | OPEN
    E1 amended         -> nothing                  | OPEN
    """,
    "a stop order waits, fires and fills": """
    place 100 @ 13.60 on 13.50 -> E1 buy 100 on 13.5 @ 13.6, ok | SENT
    E1 acked           -> nothing                  | OPEN
    E1 triggered       -> nothing                  | OPEN
    E1 traded 100      -> nothing                  | FILLED
    """,
    "what an IOC does not get at once expires": """
    place 100 @ 13 ioc -> E1 buy 100 @ 13 ioc, ok  | SENT
    E1 acked           -> nothing                  | OPEN
    E1 traded 30       -> nothing                  | OPEN
    E1 expired         -> nothing                  | EXPIRED
    cancel             -> no: already_closed       | EXPIRED
    modify @ 12.90     -> no: already_closed       | EXPIRED
    """,
    "a fill after the cancel opens it again": OPEN
    + """
    cancel             -> cancel E1, ok CANCEL_PENDING | OPEN
    E1 cancelled       -> nothing                  | CANCELLED
    E1 traded-late 10  -> alarm resurrected        | CANCELLED
    """,
    "square-off takes what could not be squared off any more": OPEN
    + """
    squareoff          -> cancel E1                | OPEN
    E1 cancelled       -> nothing                  | CANCELLED
    squareoff          -> nothing                  | CANCELLED
    end                -> nothing                  | CANCELLED
    kill               -> nothing                  | CANCELLED
    open               -> nothing                  | CANCELLED
    place 100 @ 13 nrml -> no: entries_must_be_allowed | CANCELLED
    """,
    "square-off leaves what may be carried": """
    place 100 @ 13 nrml -> E1 buy 100 @ 13, ok     | SENT
    squareoff          -> nothing                  | SENT
    E1 acked           -> nothing                  | OPEN
    squareoff          -> nothing                  | OPEN
    end                -> nothing                  | OPEN
    E1 expired         -> nothing                  | EXPIRED
    """,
    "the day ends before the acknowledgement": """
    place 100 @ 13 nrml -> E1 buy 100 @ 13, ok     | SENT
    end                -> nothing                  | SENT
    E1 expired         -> nothing                  | EXPIRED
    open               -> nothing                  | EXPIRED
    """,
    "the kill switch takes it": OPEN
    + """
    kill               -> cancel E1                | OPEN
    E1 cancelled       -> nothing                  | CANCELLED
    place 100 @ 13     -> no: entries_must_be_allowed | CANCELLED
    """,
    "the kill switch takes it as soon as it can": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    kill               -> nothing                  | SENT
    E1 acked           -> cancel E1                | OPEN
    """,
    "silence is doubted, and the venue is asked": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    wait 1100ms        -> alarm unknown, ask E1    | SENT
    cancel             -> ok CANCEL_PENDING        | SENT
    """,
    "a lost link loses nothing": OPEN
    + """
    link lost          -> nothing                  | OPEN
    modify @ 12.90     -> no: venue_must_be_reachable | OPEN
    E1 silently traded 40 -> nothing               | OPEN
    link back          -> nothing                  | OPEN
    E1 traded 60       -> nothing                  | FILLED
    """,
    "an after-market order waits for the session": """
    amo 100 @ 13       -> ok                       | PARKED
    squareoff          -> nothing                  | PARKED
    end                -> nothing                  | PARKED
    modify quantity 50 -> ok                       | PARKED
    open               -> E1 buy 50 @ 13           | SENT
    open               -> nothing                  | SENT
    E1 acked           -> nothing                  | OPEN
    open               -> nothing                  | OPEN
    E1 traded 50       -> nothing                  | FILLED
    open               -> nothing                  | FILLED
    squareoff          -> E1 sell 50 @ market      | FILLED
    end                -> nothing                  | FILLED
    kill               -> nothing                  | FILLED
    """,
    "an intraday order does not go into the closing auction": OPEN
    + """
    auction reference  -> cancel E1                | OPEN
    auction auction    -> nothing                  | OPEN
    E1 removed         -> nothing                  | CANCELLED
    auction match      -> nothing                  | CANCELLED
    """,
    "an unanswered intraday order does not either": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    auction reference  -> nothing                  | SENT
    E1 acked           -> cancel E1                | OPEN
    """,
    "an after-market order waits through the closing auction": """
    amo 100 @ 13       -> ok                       | PARKED
    auction reference  -> nothing                  | PARKED
    auction auction    -> nothing                  | PARKED
    end                -> nothing                  | PARKED
    """,
    "what is held intraday leaves in the closing auction": """
    place 100 @ 13     -> E1 buy 100 @ 13, ok      | SENT
    E1 acked           -> nothing                  | OPEN
    E1 traded 100      -> nothing                  | FILLED
    auction reference  -> nothing                  | FILLED
    auction auction    -> E1 sell 100 at market    | FILLED
    auction auction_limit -> nothing               | FILLED
    """,
    "an after-market order is cancelled before it is sent": """
    amo 100 @ 13       -> ok                       | PARKED
    cancel             -> ok                       | CANCELLED
    cancel             -> again                    | CANCELLED
    open               -> nothing                  | CANCELLED
    """,
    "the kill switch drops what is parked": """
    amo 100 @ 13       -> ok                       | PARKED
    kill               -> nothing                  | CANCELLED
    """,
}


@pytest.mark.parametrize("name", SCENES)
def test_a_scene(name: str) -> None:
    """The order does in every line what the line says, and replay ends in the same state."""
    assert play(SCENES[name])


def test_margin_shortfall_makes_a_rejected_row() -> None:
    """As the vendor does: the order is taken, sent nowhere, and its row says why."""
    scene = RegularScene(Side.BUY, cash_paise=100)
    assert scene.tell("place 100 @ 13") == "ok | REJECTED"
    assert scene.order.ended_code == 12001
    assert "ShortFall" in scene.order.ended_reason
    scene.check_replay()


def test_an_unreachable_venue_makes_a_rejected_row() -> None:
    """What cannot be sent is refused in its row; what is parked may come all the same."""
    scene = RegularScene(Side.BUY)
    scene.tell("place 1 @ 13")
    scene.tell("link lost")
    assert scene.tell("place 100 @ 13") == "ok | REJECTED"
    assert scene.order.ended_code == 1009
    assert scene.tell("amo 100 @ 13") == "ok | PARKED"


def test_a_leg_of_a_cover_order_is_not_cancelled_as_a_regular_order() -> None:
    """The refusal says that it is a leg; the stop stays (and so does the order)."""
    scene = Scene(Side.BUY)
    scene.tell("place 100 @ 13 stop 12")
    scene.tell("E1 acked")
    scene.tell("E1 traded 100")
    scene.tell("S1 acked")
    assert scene.cover is not None
    for own_id in (scene.cover.order_id, scene.cover.basket_id, scene.cover.stop.order_id):
        outcome = scene.engine.execute(CancelOrder(client_id="C", order_id=own_id))
        assert outcome == Refusal(Reason.LEG_MUST_BE_CANCELLED_AS_SUCH)
    assert scene.cover.protected == 100


REASONS: Final = (
    Reason.LEG_MUST_BE_CANCELLED_AS_SUCH,
    Reason.ORDER_ALREADY_EXECUTED,
    Reason.ORDER_IN_FLIGHT,
    Reason.ORDER_BEING_CANCELLED,
)


def test_an_order_is_not_cut_into_slices() -> None:
    """What exceeds the freeze quantity goes to the exchange as it is, which refuses it."""
    scene = RegularScene(Side.BUY, stock(freeze=50))
    assert scene.tell("place 100 @ 13") == "E1 buy 100 @ 13, ok | SENT"


def test_a_change_above_the_freeze_quantity_is_refused_before_it_is_sent() -> None:
    """Of an order that rests, and of one that is parked; the largest whole lots pass."""
    scene = RegularScene(Side.BUY, stock(lot=20, freeze=50))
    scene.tell("place 20 @ 13")
    scene.tell("E1 acked")
    assert scene.tell("modify quantity 60") == "no: quantity_must_be_within_limit | OPEN"
    assert scene.tell("modify quantity 2000") == "no: quantity_must_be_within_limit | OPEN"
    more = ModifyOrder(client_id="C", order_id=scene.order.order_id, quantity=Quantity(60))
    refusal = Refusal(Reason.QUANTITY_MUST_BE_WITHIN_LIMIT)
    last_pips = scene.item.previous_close_pips
    assert with_figures(scene.engine.state, lambda _: last_pips, more, refusal) == "at most 40"
    assert scene.tell("modify quantity 40") == "E1 to 40 @ 13, ok | OPEN"
    parked = RegularScene(Side.BUY, stock(freeze=50))
    parked.tell("amo 20 @ 13")
    assert parked.tell("modify quantity 51") == "no: quantity_must_be_within_limit | PARKED"
    assert parked.order.quantity == 20


def test_a_key_gives_the_first_answer_again() -> None:
    """The same keyed request places one order; a cover order under the same key is refused."""
    scene = RegularScene(Side.BUY)
    scene.tell("place 1 @ 13")
    place = PlaceOrder(
        client_id="C",
        idempotency_key="k",
        fingerprint="f",
        instrument=scene.item.key,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Quantity(5),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(130_000),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=Product.MIS,
    )
    first = scene.engine.execute(place)
    again = scene.engine.execute(place)
    assert isinstance(first, Answer) and isinstance(again, Answer)
    assert again.replayed and again.order_id == first.order_id
    other = msgspec.structs.replace(place, fingerprint="g")
    assert scene.engine.execute(other) == Refusal(Reason.KEY_MUST_NOT_BE_REUSED, "k")
    assert len(scene.engine.state.regulars) == 2
    assert not isinstance(place, PlaceCoverOrder)


def test_delivery_is_sold_only_as_far_as_there_are_shares() -> None:
    """What was bought today may be sold again, by as many orders as it suffices for."""
    scene = RegularScene(Side.BUY)
    buy = PlaceOrder(
        client_id="C",
        instrument=scene.item.key,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Quantity(100),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(130_000),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=Product.CNC,
    )
    state = scene.engine.state

    def states(**changes: Any) -> str:
        outcome = scene.engine.execute(msgspec.structs.replace(buy, **changes))
        assert isinstance(outcome, Answer)
        order = state.regulars[outcome.order_id]
        scene.cover = cast(CoverOrder, order)
        return f"{order.state} {order.ended_reason}".strip()

    before = state.clients["C"].available_paise
    assert states(side=Side.SELL) == "REJECTED Holding Available : 0 : Required : 100"
    assert states() == "SENT"
    assert before - state.clients["C"].available_paise == 130_000, "delivery is paid in full"
    scene.tell("E1 acked")
    scene.tell("E1 traded 100")
    assert states(side=Side.SELL, quantity=Quantity(60)) == "SENT"
    sold = "REJECTED Holding Available : 40 : Required : 41"
    assert states(side=Side.SELL, quantity=Quantity(41)) == sold
    scene.check_replay()


def test_what_reduces_is_taken_without_margin_and_after_the_kill_switch() -> None:
    """Giving back what regular orders hold needs no money and is never blocked (INV-12)."""
    scene = RegularScene(Side.BUY, cash_paise=26_000)  # Just the margin of 100 at 13.
    scene.tell("place 100 @ 13")
    scene.tell("E1 acked")
    scene.tell("E1 traded 100")
    assert scene.engine.state.clients["C"].available_paise == 0
    scene.tell("kill")
    place = PlaceOrder(
        client_id="C",
        instrument=scene.item.key,
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        quantity=Quantity(100),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(130_000),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=Product.MIS,
    )
    more = msgspec.structs.replace(place, quantity=Quantity(101))
    assert scene.engine.execute(more) == Refusal(Reason.ENTRIES_MUST_BE_ALLOWED)
    outcome = scene.engine.execute(place)
    assert isinstance(outcome, Answer) and outcome.state == "SENT"
    assert scene.engine.execute(place) == Refusal(Reason.ENTRIES_MUST_BE_ALLOWED), "twice is more"
    scene.check_replay()


def test_a_change_may_not_cost_more_than_there_is() -> None:
    """Growing an order asks for the margin of what it grows by."""
    scene = RegularScene(Side.BUY, cash_paise=26_100)
    scene.tell("place 100 @ 13")
    scene.tell("E1 acked")
    assert scene.tell("modify quantity 110") == "no: margin_must_suffice | OPEN"
    assert scene.tell("modify quantity 90") == "E1 to 90 @ 13, ok | OPEN"


def _live(scene: RegularScene) -> list[tuple[str, int, str]]:
    """Return side, quantity and origin of every regular order that lives, oldest first."""
    regulars = scene.engine.state.regulars.values()
    return [(one.side.value, one.quantity, one.device) for one in regulars if not one.over]


@pytest.mark.parametrize("side", Side)
def test_intraday_positions_are_squared_off(side: Side) -> None:
    """At the time the position is given back at market, in pieces that the exchange takes."""
    scene = RegularScene(side, stock(freeze=60))
    scene.tell("place 50 @ 13")
    scene.tell("E1 acked")
    scene.tell("E1 traded 50")
    scene.tell("place 50 @ 13")
    scene.tell("E1 acked")
    scene.tell("E1 traded 50")
    scene.tell("squareoff")
    other = "SELL" if side is Side.BUY else "BUY"
    assert _live(scene) == [(other, 60, "SQUARE_OFF"), (other, 40, "SQUARE_OFF")]
    scene.tell("squareoff")
    assert len(_live(scene)) == 2, "once is enough"
    scene.check_replay()


def test_nothing_is_squared_off_beside_an_order_that_may_still_fill() -> None:
    """First the cancel's outcome, then the square-off of what is there by then: never reversed."""
    scene = RegularScene(Side.BUY)
    scene.tell("place 100 @ 13")
    scene.tell("E1 acked")
    scene.tell("E1 traded 60")
    assert scene.tell("squareoff") == "cancel E1 | OPEN"
    assert _live(scene) == [("BUY", 100, "")]
    scene.tell("E1 traded 30")
    scene.tell("E1 cancelled")
    assert _live(scene) == [("SELL", 90, "SQUARE_OFF")]
    scene.check_replay()


def _held(side: Side = Side.BUY) -> RegularScene:
    """Return a scene with an intraday position of 100."""
    scene = RegularScene(side)
    for words in ("place 100 @ 13", "E1 acked", "E1 traded 100"):
        scene.tell(words)
    return scene


def test_a_square_off_that_comes_while_the_link_is_down_is_made_up_for() -> None:
    """What could not be given back at the time is given back when the venue is there again."""
    scene = _held()
    scene.tell("link down")
    scene.tell("squareoff")
    assert _live(scene) == []
    scene.tell("link back")
    assert _live(scene) == [("SELL", 100, "SQUARE_OFF")]
    scene.check_replay()


def test_the_kill_switch_leaves_the_way_out() -> None:
    """It stops what opens; what gives a position back goes on, sent or not."""
    scene = _held()
    scene.tell("squareoff")
    assert scene.tell("kill") == "nothing | FILLED"
    assert _live(scene) == [("SELL", 100, "SQUARE_OFF")]
    assert not scene.engine.state.regulars[max(scene.engine.state.regulars)].cancel_source
    scene.check_replay()


def test_a_parked_order_is_not_waited_for() -> None:
    """An after-market order cannot trade in this session, so it holds up no square-off."""
    scene = _held()
    scene.tell("amo 50 @ 13")
    scene.tell("squareoff")
    assert ("SELL", 100, "SQUARE_OFF") in _live(scene)
    scene.check_replay()


def test_square_offs_that_come_to_nothing_follow_each_other_slowly() -> None:
    """One that the exchange takes out is followed by the next after T_rp, not in the same step."""
    scene = _held()
    scene.tell("squareoff")
    sent = len(scene.engine.state.orders)
    scene.cover = cast(CoverOrder, list(scene.engine.state.regulars.values())[-1])
    scene.tell("E1 acked")
    scene.tell("E1 removed")
    assert _live(scene) == [("SELL", 100, "SQUARE_OFF")]
    assert len(scene.engine.state.orders) == sent, "it was sent at once"
    scene.tell("wait 400ms")
    assert len(scene.engine.state.orders) == sent
    scene.tell("wait 100ms")
    assert len(scene.engine.state.orders) == sent + 1
    scene.check_replay()


def test_what_may_be_carried_is_not_squared_off() -> None:
    """Only intraday positions go, and not those of cover orders, which go by themselves."""
    scene = RegularScene(Side.BUY)
    scene.tell("place 100 @ 13 nrml")
    scene.tell("E1 acked")
    scene.tell("E1 traded 100")
    scene.tell("squareoff")
    assert _live(scene) == []
    scene.tell("open")
    cover = Scene(Side.BUY)
    for words in ("place 100 @ 13 stop 12", "E1 acked", "E1 traded 100", "S1 acked"):
        cover.tell(words)
    assert cover.tell("squareoff").startswith("out: square_off, S1 to 100 @ market")
    assert not cover.engine.state.regulars
