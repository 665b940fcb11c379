"""The terms of imported contracts: on record before they matter, once, and never without need."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from kavach.core.commands import OpenClient, PlaceCoverOrder
from kavach.core.events import CoverOrderPlaced
from kavach.core.model.baskets.basket import BasketType
from kavach.core.model.baskets.commands import AddBasketOrder, CreateBasket
from kavach.core.model.gtt.commands import CreateGtt, GttWish
from kavach.core.model.gtt.rule import GttAction
from kavach.core.model.listing.events import InstrumentListed
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.refusals import Answer, Refusal
from kavach.core.settings import Settings
from kavach.data import load_instruments
from kavach.engine.engine import Engine
from kavach.engine.record import decode_record
from kavach.instruments import Instrument, Listing, listing
from kavach.journal.memory import MemoryJournal
from kavach.twin.clock import TwinClock
from kavach.units import (
    InstrumentKey,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from kavach.venues.embedded import EmbeddedVenue

BUNDLED = load_instruments()
NEW = replace(BUNDLED[0], key=InstrumentKey("NSE:77"), token=77, symbol="NEW", imported=True)


def with_new(terms: Instrument | None = NEW) -> Listing:
    """The bundled instruments, and an imported one by these terms."""
    return listing([*BUNDLED, *([] if terms is None else [terms])])


class Desk:
    """An engine with an exchange inside, over a journal."""

    def __init__(self, journal: MemoryJournal, instruments: Listing) -> None:
        self.venue = EmbeddedVenue(instruments)
        clock = TwinClock(lambda: 1_795_060_800_000_000_000)
        self.journal = journal
        self.engine = Engine(instruments, Settings(), journal, self.venue, clock)
        self.engine.recover()

    def place(self, **changes: Any) -> Answer | Refusal:
        """Place a cover order for ten of the new one."""
        if not self.engine.state.clients:
            self.engine.execute(OpenClient(client_id="DEMO1", cash_paise=Paise(10**9)))
        fields: dict[str, Any] = {
            "client_id": "DEMO1",
            "instrument": NEW.key,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "quantity": Quantity(10),
            "disclosed_quantity": Quantity(0),
            "price_pips": Pips(130_000),
            "trigger_price_pips": Pips(0),
            "validity": Validity.DAY,
            "product": Product.MIS,
            "stop_price_pips": Pips(125_000),
            "trailing_step_pips": Pips(0),
            "user_order_id": 1,
        }
        return self.engine.execute(PlaceCoverOrder(**(fields | changes)))

    def trade(self, key: InstrumentKey, side: Side = Side.SELL, quantity: int = 10) -> None:
        """Let a stranger trade at the market."""
        exchange = self.venue.exchange
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.liquidity_order(key, side, None, Quantity(quantity), TimestampNs(at_ns))[
                    2
                ],
                key,
            )
        )

    def printed(self, key: InstrumentKey, price_pips: int) -> None:
        """Let others trade at this price."""
        exchange = self.venue.exchange
        self.engine.market(
            lambda at_ns: self.venue.reports_of(
                exchange.print_trade(key, Pips(price_pips), Quantity(1), TimestampNs(at_ns)), key
            )
        )

    def kinds(self) -> list[str]:
        """The kinds of all events on record, in order."""
        bodies = [body for _, body in self.journal.records(0)]
        return [type(e).__name__ for body in bodies for e in decode_record(body).events]

    def listings(self) -> int:
        """How many listings are on record."""
        return self.kinds().count(InstrumentListed.__name__)


def test_terms_come_before_what_needs_them() -> None:
    """The first order of an imported contract puts its terms on record, once, just before it."""
    desk = Desk(MemoryJournal(), with_new())
    for _ in range(3):
        assert isinstance(desk.place(), Answer)
    kinds = desk.kinds()
    assert kinds.index(InstrumentListed.__name__) == kinds.index(CoverOrderPlaced.__name__) - 1
    assert desk.listings() == 1
    assert desk.engine.state.listed == {NEW.key: NEW}


def test_a_trade_of_strangers_needs_them_too() -> None:
    """Where only the market has traded, the price is on record, and so are the terms."""
    desk = Desk(MemoryJournal(), with_new())
    desk.printed(NEW.key, 131_000)
    assert desk.listings() == 1
    again = Desk(desk.journal, with_new(None))
    assert again.venue.exchange.last_price_pips(NEW.key) == 131_000
    assert again.engine.state_hash() == desk.engine.state_hash()


def test_nothing_is_recorded_without_need() -> None:
    """Bundled instruments, refusals, quotes and looks leave no terms on record."""
    desk = Desk(MemoryJournal(), with_new())
    before = desk.engine.state_hash()
    exchange = desk.venue.exchange
    desk.engine.market(
        lambda at_ns: desk.venue.reports_of(
            exchange.liquidity_quote(
                NEW.key, Pips(129_900), Quantity(9), Pips(130_100), Quantity(9), TimestampNs(at_ns)
            ),
            NEW.key,
        )
    )
    desk.venue.quote(NEW.key)
    assert desk.engine.state_hash() == before
    assert isinstance(desk.place(price_pips=Pips(7)), Refusal)
    assert isinstance(desk.place(instrument=BUNDLED[0].key), Answer)
    assert desk.listings() == 0


OTHER_TERMS: list[Instrument | None] = [
    NEW,
    None,
    replace(NEW, lot=Quantity(3), tick_pips=Pips(500), freeze_quantity=Quantity(9)),
    replace(NEW, multiplier=50, previous_close_pips=Pips(10_000), band_low_pips=Pips(9_000)),
    replace(NEW, symbol="OTHER", slm_allowed=False, imported=True),
]


@pytest.mark.parametrize("terms", OTHER_TERMS)
@pytest.mark.parametrize("snapshot", [False, True])
def test_the_record_decides(terms: Instrument | None, snapshot: bool) -> None:
    """Whatever is imported later, state, books and what follows are as they were recorded."""
    desks = []
    for later in (NEW, terms):
        desk = Desk(MemoryJournal(), with_new())
        desk.place()
        desk.trade(NEW.key, quantity=6)
        if snapshot:
            desk.engine.save_snapshot()
        desk.place(quantity=Quantity(20), price_pips=Pips(129_900))
        state = desk.engine.state_hash()
        desk = Desk(desk.journal, with_new(later))
        assert desk.engine.state_hash() == state
        assert desk.engine.instruments[NEW.key] == NEW
        desk.trade(NEW.key, quantity=10)
        desk.printed(NEW.key, 124_000)
        assert isinstance(desk.place(quantity=Quantity(7)), Answer)
        desks.append(desk.engine.state_hash())
    assert desks[0] == desks[1]


def test_a_snapshot_of_before_knows_no_listings() -> None:
    """A snapshot that was written before there were imported contracts is still read."""
    desk = Desk(MemoryJournal(), with_new())
    desk.place(instrument=BUNDLED[0].key)
    taken = desk.engine.state.snapshot()
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(taken))
    old = msgspec.msgpack.encode(fields[: type(taken).__struct_fields__.index("listed")])
    assert msgspec.msgpack.decode(old, type=type(taken)).listed == []


def test_untouched_contracts_cost_nothing() -> None:
    """Ten thousand contracts that nobody used are neither in the snapshot nor in the hash."""
    many = [replace(NEW, key=InstrumentKey(f"NSE:{n}"), token=n) for n in range(100_000, 110_000)]
    desks = [Desk(MemoryJournal(), listing([*BUNDLED, *more])) for more in ([], many)]
    for desk in desks:
        desk.place(instrument=BUNDLED[0].key)
        desk.printed(BUNDLED[1].key, 183_000)
    few, lots = desks
    assert few.engine.state_hash() == lots.engine.state_hash()
    assert few.venue.snapshot() == lots.venue.snapshot()
    assert len(lots.venue.exchange.opened()) == 2


def test_what_is_kept_for_later_is_on_record_too() -> None:
    """A basket's order and a rule name a contract that need not be imported at the next start."""
    terms = OrderTerms(
        instrument=NEW.key,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Quantity(10),
        disclosed_quantity=Quantity(0),
        price_pips=Pips(130_000),
        trigger_price_pips=Pips(0),
        validity=Validity.DAY,
        product=Product.MIS,
        user_order_id=1,
    )
    for kind in ("basket", "rule"):
        journal = MemoryJournal()
        desk = Desk(journal, with_new())
        engine = desk.engine
        engine.execute(OpenClient(client_id="DEMO1", cash_paise=Paise(10**9)))
        if kind == "basket":
            made = engine.execute(
                CreateBasket(client_id="DEMO1", name="n", basket_type=BasketType.NORMAL)
            )
            assert isinstance(made, Answer)
            added = AddBasketOrder(client_id="DEMO1", basket_id=made.subject, terms=terms)
            assert isinstance(engine.execute(added), Answer)
        else:
            wish = GttWish(Pips(128_000), Pips(130_000), Quantity(10))
            rule = CreateGtt(
                client_id="DEMO1",
                action=GttAction.SINGLE,
                terms=terms,
                wishes=(wish,),
                expiry_day=20991231,
            )
            day = engine.core.day() or 0
            outcome = engine.execute(replace(rule, expiry_day=day))
            assert isinstance(outcome, Answer), outcome
        assert desk.listings() == 1
        again = Desk(journal, with_new(None))
        assert again.engine.state.instruments[NEW.key] == NEW
        assert again.engine.state_hash() == engine.state_hash()
