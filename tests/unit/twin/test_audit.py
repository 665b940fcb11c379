"""
The auditor: silent about every healthy world, and able to see each thing that can be wrong.

Each case corrupts a healthy state on purpose and names every invariant that is then broken.
"""

from collections.abc import Callable
from itertools import count
from typing import Any, Final

import msgspec
import pytest

from kavach.core.commands import CancelCoverOrder, EndSession, Leg
from kavach.core.events import OrderAmendSent, RequestAnswered, Source
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import State
from kavach.core.model.money.events import DaySettled
from kavach.core.model.orders.life import InFlight, Life
from kavach.core.model.orders.parent_order import LegChange, Trade
from kavach.core.model.state import OmsState
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.exchange.snapshot import Snapshot
from kavach.instruments import SESSIONS
from kavach.journal.memory import MemoryJournal
from kavach.twin.audit import audit
from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
)
from kavach.venues.embedded import EmbeddedVenue
from kavach.venues.faults import Fault, FaultEffect, FaultOn
from tests.unit.twin.stage import ACCOUNTS, IDEA, START_NS, placing

SECOND: Final = 1_000_000_000


class Books:
    """A core and an exchange without a server, and what a test does to them."""

    def __init__(self) -> None:
        instruments = load_instruments()
        self.times = count(START_NS, SECOND)
        self.venue = EmbeddedVenue(instruments)
        self.engine = Engine(instruments, Settings(), MemoryJournal(), self.venue, self)
        for account in ACCOUNTS:
            self.engine.execute(account)

    def now_ns(self) -> int:
        """Return the time, a second later each time."""
        return next(self.times)

    def place(self, **changes: Any) -> CoverOrder:
        """Return a cover order that was placed."""
        self.engine.execute(placing(**changes))
        return list(self.engine.state.every_cover())[-1]

    def sell(self, quantity: int, price_pips: int = 130_000, side: Side = Side.SELL) -> None:
        """Let a stranger trade."""
        exchange = self.venue.exchange
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.liquidity_order(
                    IDEA, side, Pips(price_pips), Quantity(quantity), TimestampNs(at_ns)
                )[2],
                IDEA,
            )
        )

    def print_trade(self, price_pips: int) -> None:
        """Let the market trade elsewhere."""
        exchange = self.venue.exchange
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.print_trade(IDEA, Pips(price_pips), Quantity(1), TimestampNs(at_ns)), IDEA
            )
        )

    def exit(self, cover: CoverOrder) -> None:
        """Get out by the THIRD leg."""
        self.engine.execute(
            CancelCoverOrder(
                client_id=cover.client_id,
                order_id=cover.order_id,
                leg=Leg.THIRD,
                exchange_order_id=cover.exits[0].exchange_order_id,
            )
        )

    def end_session(self) -> None:
        """Close NSE."""
        exchange = self.venue.exchange
        self.engine.change_phase(
            EndSession(Exchange.NSE),
            lambda at_ns: self.venue.reports_of(
                exchange.set_phase(Exchange.NSE, Phase.CLOSED, TimestampNs(at_ns)), IDEA
            ),
            self.engine.now_ns(),
        )

    @property
    def state(self) -> OmsState:
        """The state of the core."""
        return self.engine.state

    def found(self, exchange: Snapshot | None = None, later_ns: int = 0) -> set[str]:
        """Return which invariants the auditor finds broken."""
        taken = exchange or self.venue.exchange.snapshot()
        report = audit(self.state, taken, self.engine.core.now_ns + later_ns)
        assert all(violation.detail for violation in report.violations)
        return {violation.invariant for violation in report.violations}


def covered(books: Books) -> CoverOrder:
    """A cover order for 100 that has filled 60 and is protected, its entry still open."""
    cover = books.place()
    books.sell(25)
    books.sell(35)
    assert cover.state is State.COVERED_OPEN
    return cover


def triggered(books: Books) -> CoverOrder:
    """A filled cover order whose stop has fired and waits for a buyer."""
    cover = books.place()
    books.sell(100)
    books.print_trade(120_000)
    assert cover.state is State.TRIGGERED
    return cover


def exiting(books: Books) -> CoverOrder:
    """A filled cover order whose client wants out, and nobody buys."""
    cover = books.place()
    books.sell(100)
    books.exit(cover)
    assert cover.state is State.EXITING
    return cover


def exited(books: Books) -> CoverOrder:
    """A cover order that has come to its end with a loss."""
    cover = exiting(books)
    books.sell(100, 125_000, Side.BUY)
    books.sell(100, 126_000, Side.BUY)
    books.sell(100, 127_000, Side.BUY)
    assert cover.state is State.EXITED
    return cover


def carried(books: Books) -> CoverOrder:
    """A position that was left at the end of the session."""
    cover = books.place()
    books.sell(100)
    books.end_session()
    assert cover.state is State.CARRIED
    return cover


def opened(books: Books) -> CoverOrder:
    """A cover order that waits for its first fill."""
    cover = books.place()
    assert cover.state is State.ENTRY_OPEN
    return cover


def bracketed(books: Books) -> CoverOrder:
    """A bracket for 100 that has filled 60, with stop and target behind them."""
    offsets = {"stop_offset_pips": Pips(10_000), "target_offset_pips": Pips(5_000)}
    cover = books.place(bracket=True, **offsets)
    books.sell(60)
    assert (cover.state, len(cover.exits)) == (State.COVERED_OPEN, 2)
    return cover


def half_taken(books: Books) -> CoverOrder:
    """A bracket whose target has sold a part of it."""
    cover = bracketed(books)
    books.sell(20, 135_000, Side.BUY)
    assert (cover.position, cover.state) == (40, State.COVERED)
    return cover


def taken(books: Books) -> CoverOrder:
    """A bracket whose target has sold it all."""
    cover = bracketed(books)
    books.sell(60, 135_000, Side.BUY)
    assert cover.state is State.EXITED
    return cover


def leaving_with_a_target(books: Books) -> CoverOrder:
    """A bracket whose client wants out, and nobody buys."""
    cover = half_taken(books)
    books.exit(cover)
    assert cover.state is State.EXITING
    return cover


def left_by_its_exit(books: Books) -> CoverOrder:
    """A bracket on its way out whose exit the exchange took away, long after the target."""
    cover = leaving_with_a_target(books)
    stop, target = cover.exits
    began_ns = books.engine.core.now_ns
    books.engine.catch_up(began_ns + 12 * SECOND // 10)  # It is re-priced twice.
    books.venue.faults.add(
        Fault(
            fault_id="1",
            on=FaultOn.AMEND,
            leg=Leg.THIRD,
            client_id=None,
            effect=FaultEffect.CANCEL_RESTING,
            code=17080,
            reason="Self-trade",
            times=1,
        )
    )
    books.engine.catch_up(began_ns + 16 * SECOND // 10)
    assert stop.removed
    assert stop.updated_at_ns - target.updated_at_ns == 15 * SECOND // 10
    return cover


@pytest.mark.parametrize(
    "scene",
    [
        *(opened, covered, triggered, exiting, exited, carried),
        *(bracketed, half_taken, taken, leaving_with_a_target, left_by_its_exit),
    ],
    ids=lambda scene: scene.__name__,
)
def test_a_healthy_world_has_no_violation(scene: Callable[[Books], CoverOrder]) -> None:
    """In every state that an order can reach here, the auditor has nothing to say."""
    books = Books()
    scene(books)
    assert books.found() == set()


# --- The core's state, corrupted --------------------------------------------------------------


def lose_a_trade(books: Books, cover: CoverOrder) -> None:
    """The last trade is forgotten."""
    assert cover.trades
    cover.trades.pop()


def book_a_trade_twice(books: Books, cover: CoverOrder) -> None:
    """The last trade is booked again."""
    assert cover.trades
    cover.trades.append(cover.trades[-1])


def book_a_strangers_trade(books: Books, cover: CoverOrder) -> None:
    """A trade of no order of this cover order is in its list."""
    assert cover.trades
    trade = cover.trades[-1]
    cover.trades.append(
        Trade(trade.at_ns, "7", 999, trade.leg, trade.exchange_order_id, 5, trade.price_pips)
    )


def miscount_a_fill(books: Books, cover: CoverOrder) -> None:
    """The cover order's own sum is off by one."""
    cover.exits_filled += 1


def misprice_a_fill(books: Books, cover: CoverOrder) -> None:
    """An order's value is off by a pip."""
    cover.entries[0].filled_value += 1


def misplace_a_profit(books: Books, cover: CoverOrder) -> None:
    """The account has a paisa too much."""
    books.state.clients["DEMO1"].realised_paise += 1


def misplace_a_position(books: Books, cover: CoverOrder) -> None:
    """The account holds a share that nobody bought."""
    books.state.clients["DEMO1"].positions[0].buy_quantity += 1


def forget_a_position(books: Books, cover: CoverOrder) -> None:
    """The account holds nothing, though it bought."""
    books.state.clients["DEMO1"].positions.clear()


def misplace_a_coin(books: Books, cover: CoverOrder) -> None:
    """The account has a paisa of cash that nobody paid in."""
    books.state.clients["DEMO1"].cash_paise += 1


def misplace_less_than_a_coin(books: Books, cover: CoverOrder) -> None:
    """The account has a part of a paisa too much."""
    books.state.clients["DEMO1"].cash_rest_pips += 1


def conjure_shares(books: Books, cover: CoverOrder) -> None:
    """The account owns shares that it neither bought nor was given."""
    books.state.clients["DEMO1"].holding_in(IDEA).free_quantity += 1


def take_a_position_from_its_order(books: Books, cover: CoverOrder) -> None:
    """What a cover order holds counts as the client's own."""
    books.state.clients["DEMO1"].positions[0].plain_net += 1


def block_for_a_position_of_nobody(books: Books, cover: CoverOrder) -> None:
    """The account blocks for a position that cover orders alone hold."""
    client = books.state.clients["DEMO1"]
    client.positions[0].blocked_paise += 1
    client.blocked_paise += 1


def forget_a_settlement(books: Books, cover: CoverOrder) -> None:
    """The end of the day is not in the ledger."""
    books.state.ledger.clear()


def settle_at_another_price(books: Books, cover: CoverOrder) -> None:
    """The ledger tells another close than the account was settled at."""
    (line,) = books.state.ledger
    assert isinstance(line.event, DaySettled)
    closes = tuple((key, Pips(price + 100)) for key, price in line.event.closes)
    event = msgspec.structs.replace(line.event, closes=closes)
    books.state.ledger[0] = msgspec.structs.replace(line, event=event)


def misblock(books: Books, cover: CoverOrder) -> None:
    """The account blocks a paisa more than its orders."""
    books.state.clients["DEMO1"].blocked_paise += 1


def block_after_the_end(books: Books, cover: CoverOrder) -> None:
    """An order that has ended flat still blocks."""
    cover.blocked_paise += 1
    books.state.clients["DEMO1"].blocked_paise += 1


def exit_too_early(books: Books, cover: CoverOrder) -> None:
    """An exit exists before the entry has filled."""
    cover.exits = (msgspec.structs.replace(cover.entries[0], tag=77, life=Life.REJECTED),)
    cover.exits[0].final_filled = 0


def plan_elsewhere(books: Books, cover: CoverOrder) -> None:
    """The stop shall stand where it does not."""
    cover.stop.price_pips -= 100


def plan_off_tick(books: Books, cover: CoverOrder) -> None:
    """The stop shall stand off tick."""
    cover.stop.price_pips -= 1


def plan_off_band(books: Books, cover: CoverOrder) -> None:
    """The stop shall stand where no order may."""
    cover.stop.price_pips = 50_000


def let_an_amend_grow_the_exit(books: Books, cover: CoverOrder) -> None:
    """An unanswered change could let the exit fill more than is held."""
    order = cover.exits[0]
    order.in_flight = InFlight.AMEND
    order.amend = OrderAmendSent(
        order.tag, OrderType.SLM, Quantity(200), Quantity(0), Pips(0), Pips(120_000)
    )


def overfill(books: Books, cover: CoverOrder) -> None:
    """The exit believes to have filled more than it was for."""
    order = cover.exits[0]
    order.filled_quantity = order.quantity + 1


def end_alive(books: Books, cover: CoverOrder) -> None:
    """The cover order has ended, its orders have not."""
    cover.ended = State.EXITED


def forget_a_death(books: Books, cover: CoverOrder) -> None:
    """An ended order's entry is not known dead."""
    cover.entries[0].final_filled = -1
    cover.entries[0].quantity += 5


def end_with_a_position(books: Books, cover: CoverOrder) -> None:
    """What is carried is called an exit."""
    cover.ended = State.EXITED


def want_out_and_do_nothing(books: Books, cover: CoverOrder) -> None:
    """The exit's only order is gone, long ago."""
    order = cover.exits[0]
    order.life = Life.CANCELLED
    order.final_filled = order.filled_quantity
    order.updated_at_ns -= 60 * SECOND
    books.venue.exchange.remove(order.exchange_order_id, 0, "")


def want_the_entry_gone(books: Books, cover: CoverOrder) -> None:
    """The entry shall be cancelled, and nobody asks the venue."""
    cover.cancel_source = Source.USER


def send_a_stop_while_exiting(books: Books, cover: CoverOrder) -> None:
    """A stop was sent after the exit had begun."""
    order = cover.exits[0]
    cover.exits += (
        msgspec.structs.replace(
            order,
            tag=77,
            life=Life.REJECTED,
            final_filled=0,
            filled_quantity=0,
            filled_value=0,
            sent_at_ns=cover.exit_since_ns + 1,
        ),
    )


def grow_a_stop_while_exiting(books: Books, cover: CoverOrder) -> None:
    """A stop was changed to protect what filled after the exit had begun."""
    change = LegChange(
        cover.exit_since_ns + 1, Leg.THIRD, "amended", Life.WAITING, "SLM", 101, 0, 0, 120_000, ""
    )
    assert cover.changes is not None
    cover.changes.append(change)


def stop_the_naked_clock(books: Books, cover: CoverOrder) -> None:
    """A ladder runs, and nobody knows since when."""
    cover.stop.lost = True
    cover.naked_since_ns = 0
    books.venue.exchange.remove(cover.exits[0].exchange_order_id, 0, "")
    cover.exits[0].life = Life.CANCELLED
    cover.exits[0].final_filled = 0


def climb_for_ever(books: Books, cover: CoverOrder) -> None:
    """A ladder has run for a minute and has not flattened."""
    stop_the_naked_clock(books, cover)
    cover.naked_since_ns = books.engine.core.now_ns - 60 * SECOND


def be_idle_while_naked(books: Books, cover: CoverOrder) -> None:
    """The stop is gone, everybody knows since when, and nobody does anything."""
    stop_the_naked_clock(books, cover)
    cover.stop.lost = False
    cover.naked_since_ns = books.engine.core.now_ns


def reverse(books: Books, cover: CoverOrder) -> None:
    """The exits have filled more than the entry."""
    assert cover.trades
    last, order = cover.trades[-1], cover.exits[0]
    cover.trades.append(
        Trade(last.at_ns, "7", order.tag, Leg.THIRD, order.exchange_order_id, 61, 120_000)
    )


def move_the_stop_off_tick(books: Books, cover: CoverOrder) -> None:
    """The stop stands off tick, and the core believes it."""
    order = books.venue.exchange._state.orders[cover.exits[0].exchange_order_id]
    order.trigger = cover.exits[0].trigger_price_pips = 119_999


def lose_the_stop_unseen(books: Books, cover: CoverOrder) -> None:
    """The exchange no longer holds the stop, and the core has not heard."""
    books.venue.exchange.remove(cover.exits[0].exchange_order_id, 0, "")


def shrink_the_stop(books: Books, cover: CoverOrder) -> None:
    """The exchange holds a smaller stop than the core believes."""
    order = books.venue.exchange._state.orders[cover.exits[0].exchange_order_id]
    order.quantity -= 10


def grow_the_stop(books: Books, cover: CoverOrder) -> None:
    """The exchange holds a larger stop than the core believes."""
    order = books.venue.exchange._state.orders[cover.exits[0].exchange_order_id]
    order.quantity += 10


def turn_the_stop(books: Books, cover: CoverOrder) -> None:
    """The exchange holds the stop on the wrong side."""
    order = books.venue.exchange._state.orders[cover.exits[0].exchange_order_id]
    order.side = Side.BUY


def move_the_stop(books: Books, cover: CoverOrder) -> None:
    """The exchange holds the stop at another trigger."""
    order = books.venue.exchange._state.orders[cover.exits[0].exchange_order_id]
    order.trigger -= 100


def move_the_stop_through_the_price(books: Books, cover: CoverOrder) -> None:
    """The exchange holds a stop that should have fired, and the core believes it."""
    order = books.venue.exchange._state.orders[cover.exits[0].exchange_order_id]
    order.trigger = cover.exits[0].trigger_price_pips = cover.stop.price_pips = 140_000


def move_the_entry(books: Books, cover: CoverOrder) -> None:
    """The exchange holds the entry at another price."""
    order = books.venue.exchange._state.orders[cover.entries[0].exchange_order_id]
    order.price -= 100


def rename_the_entry(books: Books, cover: CoverOrder) -> None:
    """The core knows the entry by another id."""
    cover.entries[0].exchange_order_id = "1"


def orphan_an_order(books: Books, cover: CoverOrder) -> None:
    """The exchange holds an order of no cover order."""
    books.venue.exchange._state.orders[cover.entries[0].exchange_order_id].order_ref = 999


def give_an_order_away(books: Books, cover: CoverOrder) -> None:
    """The exchange holds an order for another account."""
    books.venue.exchange._state.orders[cover.entries[0].exchange_order_id].account = "DEMO2"


def give_a_cover_away(books: Books, cover: CoverOrder) -> None:
    """A cover order is listed with a client whose it is not."""
    listed = books.state.by_client
    listed["DEMO2"].append(listed["DEMO1"].pop())


def hide_a_cover(books: Books, cover: CoverOrder) -> None:
    """A cover order does not answer to its own id."""
    books.state.covers[cover.basket_id] = books.place()


def answer_a_stranger(books: Books, cover: CoverOrder) -> None:
    """An answer is kept for a client about another one's order."""
    books.state.answers["DEMO2", "key"] = RequestAnswered(
        "DEMO2", "key", "", cover.order_id, cover.basket_id, "", ""
    )


def share_a_tag(books: Books, cover: CoverOrder) -> None:
    """Two cover orders have one order."""
    other = books.place(price_pips=Pips(125_000))
    other.entries = (*other.entries, cover.entries[0])


def reopen_one_side(books: Books, cover: CoverOrder) -> None:
    """The core believes in a session that the exchange has closed."""
    books.state.sessions.closed.clear()


def close_one_side(books: Books, cover: CoverOrder) -> None:
    """The core believes a session over whose orders live at the exchange."""
    books.state.sessions.closed.add("NSE")


def close_unseen(books: Books, cover: CoverOrder) -> None:
    """The session is over, and the order lives on at both."""
    books.state.sessions.closed.update(SESSIONS[Exchange.NSE])
    books.venue.exchange._state.phases.update(dict.fromkeys(SESSIONS[Exchange.NSE], Phase.CLOSED))


def close_while_a_cancel_is_unanswered(books: Books, cover: CoverOrder) -> None:
    """The session is over, the exchange holds the order, and an answer is outstanding."""
    close_unseen(books, cover)
    cover.entries[0].in_flight = InFlight.CANCEL


def expire_unseen(books: Books, cover: CoverOrder) -> None:
    """The session is over and the order gone, and the core has not heard of the latter."""
    close_unseen(books, cover)
    books.venue.exchange.remove(cover.entries[0].exchange_order_id, 0, "")


def unlink_the_target(books: Books, cover: CoverOrder) -> None:
    """Stop and target share nothing: together they could sell twice what is held."""
    cover.exits[1].link = 0


def let_a_target_grow(books: Books, cover: CoverOrder) -> None:
    """A change of the target is under way that is for more than is held."""
    target = cover.exits[1]
    target.in_flight = InFlight.AMEND
    target.amend = OrderAmendSent(
        target.tag,
        OrderType.LIMIT,
        Quantity(61),
        Quantity(0),
        Pips(target.price_pips),
        Pips(0),
    )


def take_a_target_for_a_stop(books: Books, cover: CoverOrder) -> None:
    """The stop is gone from the exchange, and the target is all there is."""
    books.venue.exchange.remove(cover.exits[0].exchange_order_id, 0, "")


def plan_another_target(books: Books, cover: CoverOrder) -> None:
    """The target stands where it shall not."""
    cover.exit_of(Leg.SECOND).price_pips += 100


def keep_the_target_on_the_way_out(books: Books, cover: CoverOrder) -> None:
    """The client wants out, and nobody cancels the target."""
    cover.exit_source = Source.USER
    cover.cancel_source = Source.USER
    cover.exit_since_ns = books.engine.core.now_ns


def hide_a_target(books: Books, cover: CoverOrder) -> None:
    """The target's own id finds nothing."""
    del books.state.covers[cover.exit_of(Leg.SECOND).order_id]


CORRUPTIONS: Final[
    list[tuple[Callable[[Books], CoverOrder], Callable[[Books, CoverOrder], None], set[str]]]
] = [
    (covered, lose_a_trade, {"INV-1", "INV-3", "INV-11", "INV-22"}),
    (covered, book_a_trade_twice, {"INV-11", "INV-22"}),
    (covered, book_a_strangers_trade, {"INV-11", "INV-22"}),
    (covered, miscount_a_fill, {"INV-11"}),
    (covered, misprice_a_fill, {"INV-11", "INV-22"}),
    (exited, misplace_a_profit, {"INV-11"}),
    (covered, misplace_a_position, {"INV-11"}),
    (covered, forget_a_position, {"INV-11"}),
    (covered, misblock, {"INV-11"}),
    (exited, block_after_the_end, {"INV-11"}),
    (opened, exit_too_early, {"INV-1"}),
    (covered, plan_elsewhere, {"INV-1"}),
    (covered, plan_off_tick, {"INV-1", "INV-16"}),
    (covered, plan_off_band, {"INV-1", "INV-16"}),
    (covered, let_an_amend_grow_the_exit, {"INV-3"}),
    (exited, overfill, {"INV-3", "INV-4", "INV-11", "INV-22", "INV-25"}),
    (covered, end_alive, {"INV-4", "INV-5"}),
    (exited, forget_a_death, {"INV-4"}),
    (carried, end_with_a_position, {"INV-4"}),
    (exiting, want_out_and_do_nothing, {"INV-2", "INV-9"}),
    (covered, want_the_entry_gone, {"INV-13"}),
    (exiting, send_a_stop_while_exiting, {"INV-15"}),
    (exiting, grow_a_stop_while_exiting, {"INV-15"}),
    (covered, stop_the_naked_clock, {"INV-2"}),
    (covered, climb_for_ever, {"INV-2"}),
    (covered, be_idle_while_naked, {"INV-1", "INV-2"}),
    (covered, reverse, {"INV-1", "INV-3", "INV-11", "INV-22"}),
    (covered, move_the_stop_off_tick, {"INV-1", "INV-16"}),
    (opened, close_while_a_cancel_is_unanswered, {"INV-17"}),
    (opened, expire_unseen, {"INV-5", "INV-17"}),
    (covered, lose_the_stop_unseen, {"INV-1", "INV-2", "INV-5"}),
    (covered, shrink_the_stop, {"INV-1", "INV-2", "INV-5"}),
    (covered, grow_the_stop, {"INV-1", "INV-5"}),
    (covered, turn_the_stop, {"INV-5"}),
    (covered, move_the_stop, {"INV-5"}),
    (covered, move_the_stop_through_the_price, {"INV-16"}),
    (covered, move_the_entry, {"INV-5"}),
    (covered, rename_the_entry, {"INV-5"}),
    (bracketed, unlink_the_target, {"INV-3"}),
    (half_taken, let_a_target_grow, {"INV-3"}),
    (bracketed, take_a_target_for_a_stop, {"INV-1", "INV-2", "INV-5"}),
    (bracketed, plan_another_target, {"INV-1"}),
    (half_taken, keep_the_target_on_the_way_out, {"INV-15"}),
    (half_taken, hide_a_target, {"INV-20"}),
    (opened, orphan_an_order, {"INV-5"}),
    (opened, give_an_order_away, {"INV-20"}),
    (opened, give_a_cover_away, {"INV-11", "INV-20"}),
    (opened, hide_a_cover, {"INV-20"}),
    (opened, answer_a_stranger, {"INV-20"}),
    (opened, share_a_tag, {"INV-6"}),
    (carried, reopen_one_side, {"INV-17"}),
    (covered, misplace_a_coin, {"INV-11"}),
    (covered, misplace_less_than_a_coin, {"INV-11"}),
    (covered, conjure_shares, {"INV-11"}),
    (covered, take_a_position_from_its_order, {"INV-11"}),
    (covered, block_for_a_position_of_nobody, {"INV-11"}),
    (carried, forget_a_settlement, {"INV-11"}),
    (carried, settle_at_another_price, {"INV-11"}),
    (opened, close_one_side, {"INV-17"}),
    (opened, close_unseen, {"INV-17"}),
]


@pytest.mark.parametrize(
    ("scene", "corrupt", "broken"),
    CORRUPTIONS,
    ids=[f"{scene.__name__}-{corrupt.__name__}" for scene, corrupt, _ in CORRUPTIONS],
)
def test_a_corruption_is_seen(
    scene: Callable[[Books], CoverOrder],
    corrupt: Callable[[Books, CoverOrder], None],
    broken: set[str],
) -> None:
    """A healthy state, corrupted on purpose, breaks exactly the invariants it should."""
    books = Books()
    cover = scene(books)
    assert books.found() == set()
    corrupt(books, cover)
    assert books.found() == broken


def test_two_orders_of_one_tag_are_seen() -> None:
    """An exchange that holds two orders with one number has been sent one twice."""
    books = Books()
    covered(books)
    taken = books.venue.exchange.snapshot()
    twice = msgspec.structs.replace(taken, orders=[*taken.orders, taken.orders[0]])
    assert "INV-6" in books.found(twice)


def test_an_order_of_nobody_is_seen() -> None:
    """An exchange that holds an order nobody knows has an orphan."""
    books = Books()
    covered(books)
    taken = books.venue.exchange.snapshot()
    orphan = msgspec.structs.replace(taken.orders[0], exchange_order_id="7", order_ref=999)
    more = msgspec.structs.replace(taken, orders=[*taken.orders, orphan])
    assert books.found(more) == {"INV-5"}


def test_a_violation_names_its_order() -> None:
    """A report says which order is concerned, what is wrong with it, and how much was looked at."""
    books = Books()
    cover = covered(books)
    cover.exits_filled += 1
    report = audit(books.state, books.venue.exchange.snapshot(), books.engine.core.now_ns)
    assert [violation.order for violation in report.violations] == [cover.order_id]
    assert report.violations[0].detail == "entry and exits say (60, 1), their trades (60, 0)"
    assert report.cover_orders == 1
    assert report.events == books.state.events


def test_who_is_naked_now_counts() -> None:
    """The longest nakedness includes the one that still lasts."""
    books = Books()
    cover = covered(books)
    stop_the_naked_clock(books, cover)
    cover.naked_since_ns = books.engine.core.now_ns
    taken = books.venue.exchange.snapshot()
    report = audit(books.state, taken, books.engine.core.now_ns + 3 * SECOND)
    assert report.naked_ns_max == 3 * SECOND
    assert books.state.naked_ns_max == 0


def test_inv25_a_last_price_that_differs_is_seen() -> None:
    """The last price of the core is the one that the exchange shows, the close before a trade."""
    books = Books()
    covered(books)
    taken, now_ns = books.venue.exchange.snapshot(), books.engine.core.now_ns
    prices = books.engine.core.prices

    def found(told: dict[InstrumentKey, int]) -> list[tuple[str, str]]:
        report = audit(books.state, taken, now_ns, told)
        return [(violation.invariant, violation.detail) for violation in report.violations]

    assert found(prices) == []
    detail = f"the last price of {IDEA} is 130100 pips, the exchange shows {prices[IDEA]}"
    assert found({**prices, IDEA: 130_100}) == [("INV-25", detail)]
    other = next(key for key in books.state.instruments if key not in prices)
    close = books.state.instruments[other].previous_close_pips
    assert found({**prices, other: int(close)}) == []
    assert [name for name, _ in found({**prices, other: close + 100})] == ["INV-25"]


def test_inv25_a_history_that_ends_before_its_row_is_seen() -> None:
    """What a row says has filled is what the last line of its history says."""
    books = Books()
    cover = covered(books)
    assert cover.changes is not None
    lines = [line for line in cover.changes if line.leg is Leg.ENTRY]
    cover.changes.remove(lines[-1])
    assert "INV-25" in books.found()
