"""
Random days at the exchange: what may be asked, drawn by Hypothesis or by a seeded generator.

An action is a tuple whose first word says what it is. Orders are named by their number among
those ever accepted, prices by ticks from the previous close, so that any schedule makes sense
and shrinks. ``Side by side`` runs one against the exchange, the naive one and a replay.
"""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from kavach.exchange import messages as m
from kavach.exchange.exchange import Exchange
from kavach.exchange.liquidity import LiquidityError
from kavach.instruments import Instrument
from kavach.units import Exchange as Segment
from kavach.units import (
    InstrumentKey,
    OrderType,
    Phase,
    Pips,
    Quantity,
    Side,
    TimestampNs,
    Validity,
    instrument_key,
)
from tests.unit.exchange.naive import NaiveExchange

Action = tuple[Any, ...]
TICK, CLOSE, REACH = 500, 1_000_000, 8  # Prices go REACH ticks up and down, band included.
STEP_NS = 7_000_000_000  # Some four steps are half a minute, the time of an average.


def instrument(
    segment: Segment,
    token: int,
    lot: int = 1,
    freeze: int = 60,
    slm: bool = True,
    closing_auction: bool = False,
    reach: int = REACH,
) -> Instrument:
    """An instrument with a narrow band, so that orders meet; it reaches so many ticks each way."""
    return Instrument(
        key=instrument_key(segment, token),
        exchange=segment,
        token=token,
        trading_symbol=f"TEST{token}",
        symbol="TEST",
        company="Test",
        isin="",
        series="EQ",
        instrument_name="EQ",
        segment="Capital",
        lot=Quantity(lot),
        tick_pips=Pips(TICK),
        freeze_quantity=Quantity(freeze),
        previous_close_pips=Pips(CLOSE),
        band_low_pips=Pips(CLOSE - reach * TICK),
        band_high_pips=Pips(CLOSE + reach * TICK),
        slm_allowed=slm,
        intraday_allowed=True,
        closing_auction=closing_auction,
    )


INSTRUMENTS = [
    instrument(Segment.NSE, 1),
    instrument(Segment.NFO, 2, lot=5, slm=False),
    instrument(Segment.MCX, 3),
    instrument(Segment.NSE, 4, closing_auction=True),
]
KEYS = [INSTRUMENTS[number].key for number in (0, 1, 0, 2, 3)]
# Both sessions of NSE together, one of them alone.
SESSIONS = [(Segment.NSE, ""), (Segment.NSE, "NSE-CAS"), (Segment.NSE, "NSE"), (Segment.NFO, "")]


class SideBySide:
    """The exchange, the naive exchange, and a replay of the events, held equal step by step."""

    def __init__(self, instruments: Sequence[Instrument] = INSTRUMENTS) -> None:
        self.real = Exchange(instruments)
        self.naive = NaiveExchange(instruments)
        self.replayed = Exchange(instruments)
        self.instruments = instruments
        self.ids: list[str] = ["no such order"]
        self.events: list[m.Event] = []
        self.now = 0

    def step(self, action: Action) -> list[m.Event]:
        """Do one action everywhere and compare everything."""
        self.now += STEP_NS
        got, expected = self._do(action, TimestampNs(self.now))
        assert got == expected, action
        for event in got:
            self.replayed.apply(event)
            if isinstance(event, m.Accepted):
                self.ids.append(event.exchange_order_id)
        self.events += got
        digest = self.real.state_hash()
        assert digest == self.naive.state_hash(), action
        assert digest == self.replayed.state_hash(), action
        for item in self.instruments:
            assert self.real.depth(item.key, 99) == self.naive.depth(item.key), action
            last = self.real.last_price_pips(item.key)
            assert item.band_low_pips <= last <= item.band_high_pips, action
        return got

    def _do(self, action: Action, at: TimestampNs) -> tuple[list[m.Event], list[m.Event]]:
        match action:
            case ("submit", new):
                return self.real.submit(new, at), self.naive.submit(new, at)
            case ("amend", number, values):
                amend = m.AmendOrder(self._id(number), *values)
                return self.real.amend(amend, at), self.naive.amend(amend, at)
            case ("cancel", number):
                cancel = m.CancelOrder(self._id(number))
                return self.real.cancel(cancel), self.naive.cancel(cancel)
            case ("remove", number):
                what = self._id(number), 17070, "out of range"
                return self.real.remove(*what), self.naive.remove(*what)
            case ("phase", segment, session, phase):
                change = segment, phase, at, session
                return self.real.set_phase(*change), self.naive.set_phase(*change)
            case _:
                return self._liquidity(action, at)

    def _liquidity(self, action: Action, at: TimestampNs) -> tuple[list[m.Event], list[m.Event]]:
        """The house's calls, which the exchange refuses by raising and the naive by ``None``."""
        expected: Any
        got: Any
        word, *what = action
        expected = getattr(self.naive, word)(*what, at)
        before = self.real.state_hash()
        try:
            got = getattr(self.real, word)(*what, at)
        except LiquidityError:
            assert expected is None, action
            assert self.real.state_hash() == before, action
            return [], []
        assert expected is not None, action
        if word == "liquidity_order":
            filled, _, got = got
            assert filled == expected[0], action
            expected = expected[1]
        return got, expected

    def _id(self, number: int) -> str:
        return self.ids[number % len(self.ids)]


def rupees(ticks: int, off: int = 0) -> Pips:
    """The price this many ticks above the previous close, and ``off`` pips off the tick."""
    return Pips(CLOSE + ticks * TICK + off)


def calm_action(chance: random.Random) -> Action:
    """One action of a day on which long queues build up at few prices."""
    word = chance.choices(["submit", "amend", "cancel", "sip"], [60, 12, 22, 6])[0]
    if word == "amend":
        price, quantity = rupees(chance.randrange(-1, 1)), Quantity(chance.choice([5, 10, 20]))
        return word, chance.randrange(-60, 0), (OrderType.LIMIT, quantity, 0, price, 0)
    if word == "cancel":
        return word, chance.randrange(-60, 0)
    side = chance.choice([*Side])
    if word == "sip":
        return "liquidity_order", KEYS[0], side, None, chance.choice([1, 5, 10])
    ticks = chance.randrange(-1, 1) if side is Side.BUY else chance.randrange(1, 3)
    disclosed = Quantity(chance.choice([0, 0, 5]))
    order = m.NewOrder(
        chance.randrange(1, 1000),
        chance.choice("ABC"),
        KEYS[0],
        side,
        OrderType.LIMIT,
        Quantity(chance.choice([5, 10, 20])),
        disclosed,
        rupees(ticks),
        Pips(0),
        Validity.DAY,
        m.SelfTrade.CANCEL_PASSIVE,
        chance.choice([0, 0, chance.randrange(1, 40)]),
    )
    return "submit", order


def linked_action(chance: random.Random) -> Action:
    """One action of a day on which targets and stops of many links wait above and below."""
    words = ["submit", "amend", "cancel", "liquidity_order", "print_trade", "phase"]
    word = chance.choices(words, [50, 12, 4, 24, 8, 2])[0]
    quantity = Quantity(chance.choice([5, 10, 20]))
    is_stop, up, down = chance.random() < 0.5, chance.randrange(1, 8), chance.randrange(-7, 0)
    kind = OrderType.SLM if is_stop else OrderType.LIMIT
    price, trigger = (Pips(0), rupees(down)) if is_stop else (rupees(up), Pips(0))
    if word == "amend":
        return word, chance.randrange(-20, 0), (kind, quantity, 0, price, trigger)
    if word == "cancel":
        return word, chance.randrange(-20, 0)
    if word == "liquidity_order":
        at = rupees(chance.choice([up, down]))
        return word, KEYS[0], chance.choice([*Side]), at, chance.choice([1, 5, 10])
    if word == "print_trade":
        return word, KEYS[0], rupees(chance.choice([up, down])), 1
    if word == "phase":
        return word, Segment.NSE, "", chance.choice([Phase.OPEN, Phase.OPEN, Phase.CLOSED])
    order = m.NewOrder(
        chance.randrange(1, 1000),
        chance.choice("AB"),
        KEYS[0],
        Side.SELL,
        kind,
        quantity,
        Quantity(0 if is_stop else chance.choice([0, 5])),
        price,
        trigger,
        Validity.DAY,
        m.SelfTrade.CANCEL_PASSIVE,
        chance.randrange(1, 20),
    )
    return "submit", order


def random_action(chance: random.Random) -> Action:
    """One action, mostly reasonable."""
    key = chance.choice(KEYS)
    word = chance.choices(
        [
            "submit",
            "amend",
            "cancel",
            "remove",
            "liquidity_quotes",
            "liquidity_order",
            "print",
            "phase",
        ],
        [50, 14, 10, 1, 10, 10, 6, 4],
    )[0]
    if word == "submit":
        return word, _random_order(chance, key)
    if word == "amend":
        kind = chance.choice([*OrderType, OrderType.LIMIT])
        numbers = _random_numbers(chance, kind)
        return word, chance.randrange(-12, 0), (kind, *numbers)
    if word in ("cancel", "remove"):
        return word, chance.randrange(-12, 0)
    if word == "phase":
        phase = chance.choice([*[Phase.OPEN] * 8, *Phase])
        return word, *chance.choice(SESSIONS), phase
    if word == "liquidity_quotes":
        bids = [(rupees(-chance.randrange(4)), chance.choice([0, 5, 10, 15])) for _ in range(2)]
        asks = [(rupees(chance.randrange(-1, 5)), chance.choice([0, 5, 10, 3])) for _ in range(2)]
        return word, key, bids, asks
    price, quantity = rupees(chance.randrange(-9, 10)), chance.choice([1, 5, 10, 20])
    if word == "print":
        return "print_trade", key, price, quantity
    side = chance.choice([*Side])
    return "liquidity_order", key, side, chance.choice([price, None]), quantity


def _random_order(chance: random.Random, key: InstrumentKey) -> m.NewOrder:
    kind = chance.choice([*OrderType, OrderType.LIMIT, OrderType.LIMIT])
    quantity, disclosed, price, trigger = _random_numbers(chance, kind)
    return m.NewOrder(
        chance.randrange(1, 1000),
        chance.choice("ABC"),
        key,
        chance.choice([*Side]),
        kind,
        quantity,
        disclosed,
        price,
        trigger,
        chance.choice([Validity.DAY, Validity.DAY, Validity.IOC]),
        chance.choice([*m.SelfTrade]),
        chance.choice([0, 0, 0, chance.randrange(1, 20)]),
    )


def _random_numbers(
    chance: random.Random, kind: OrderType
) -> tuple[Quantity, Quantity, Pips, Pips]:
    quantity = chance.choice([1, 5, 10, 10, 20, 30, 60, 65, 0])
    disclosed = chance.choice([0, 0, 0, 5, 5, 2])
    off = chance.choice([0] * 30 + [1])
    price = rupees(chance.randrange(-9, 10), off)
    trigger = rupees(chance.randrange(-9, 10), chance.choice([0] * 30 + [1]))
    if chance.random() < 0.97:
        price = price if kind in (OrderType.LIMIT, OrderType.SL) else Pips(0)
        trigger = trigger if kind in (OrderType.SL, OrderType.SLM) else Pips(0)
    return Quantity(quantity), Quantity(disclosed), price, trigger


def _numbers() -> st.SearchStrategy[tuple[Any, ...]]:
    prices = st.integers(-REACH - 1, REACH + 1).map(rupees)
    kinds: list[st.SearchStrategy[tuple[Any, ...]]] = [
        st.tuples(
            st.just(kind),
            st.sampled_from([5, 10, 20, 60, 65, 1]),
            st.sampled_from([0, 5]),
            prices if kind in (OrderType.LIMIT, OrderType.SL) else st.just(0),
            prices if kind in (OrderType.SL, OrderType.SLM) else st.just(0),
        )
        for kind in OrderType
    ]
    return st.one_of(kinds)


def _new_order(
    ref: int,
    account: str,
    key: InstrumentKey,
    side: Side,
    numbers: tuple[Any, ...],
    validity: Validity,
    flag: m.SelfTrade,
    group: int,
) -> m.NewOrder:
    kind, quantity, disclosed, price, trigger = numbers
    return m.NewOrder(
        ref, account, key, side, kind, quantity, disclosed, price, trigger, validity, flag, group
    )


def actions() -> st.SearchStrategy[list[Action]]:
    """Short schedules that shrink to the few actions that matter."""
    keys = st.sampled_from(KEYS)
    prices = st.integers(-REACH, REACH).map(rupees)
    quantities = st.sampled_from([5, 10, 20])
    orders = st.builds(
        _new_order,
        st.integers(1, 99),
        st.sampled_from("ABC"),
        keys,
        st.sampled_from(Side),
        _numbers(),
        st.sampled_from(Validity),
        st.sampled_from(m.SelfTrade),
        st.sampled_from([0, 1, 2]),
    )
    number = st.integers(-6, -1)
    levels = st.lists(st.tuples(prices, quantities), max_size=2)
    submit = st.tuples(st.just("submit"), orders)
    return st.lists(
        st.one_of(
            submit,
            submit,
            st.tuples(st.just("amend"), number, _numbers()),
            st.tuples(st.just("cancel"), number),
            st.tuples(st.just("liquidity_quotes"), keys, levels, levels),
            st.tuples(
                st.just("liquidity_order"),
                keys,
                st.sampled_from(Side),
                st.none() | prices,
                quantities,
            ),
            st.tuples(st.just("print_trade"), keys, prices, quantities),
            st.tuples(
                st.just("phase"),
                st.just(Segment.NSE),
                st.sampled_from(["", "NSE", "NSE-CAS"]),
                st.sampled_from(Phase),
            ),
        ),
        max_size=40,
    )
