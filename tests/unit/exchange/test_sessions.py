"""Sessions: what trades by the same hours is opened and closed together, and nothing else."""

import msgspec
import pytest

from kavach.exchange import messages as m
from kavach.exchange.exchange import Exchange
from kavach.exchange.snapshot import Snapshot
from kavach.instruments import SESSIONS
from kavach.units import Exchange as Segment
from kavach.units import OrderType, Phase, Pips, Quantity, Side, TimestampNs, Validity
from tests.unit.exchange.schedules import CLOSE, INSTRUMENTS

PLAIN, FUTURE, _, AUCTIONED = INSTRUMENTS


def an_order(instrument: int) -> m.NewOrder:
    """Return a limit order to buy five."""
    return m.NewOrder(
        1,
        "A",
        INSTRUMENTS[instrument].key,
        Side.BUY,
        OrderType.LIMIT,
        Quantity(5),
        Quantity(0),
        Pips(CLOSE),
        Pips(0),
        Validity.DAY,
        m.SelfTrade.CANCEL_ACTIVE,
    )


@pytest.mark.parametrize(
    ("session", "closed"),
    [("", {"NSE", "NSE-CAS"}), ("NSE", {"NSE"}), ("NSE-CAS", {"NSE-CAS"})],
)
def test_a_session_is_closed_alone(session: str, closed: set[str]) -> None:
    """Orders of the named session expire, those of every other live on and trade."""
    exchange, replayed = Exchange(INSTRUMENTS), Exchange(INSTRUMENTS)
    events: list[m.Event] = []
    for number in range(len(INSTRUMENTS)):
        events += exchange.submit(an_order(number), TimestampNs(1))
    closing = exchange.set_phase(Segment.NSE, Phase.CLOSED, TimestampNs(2), session)
    events += closing
    live = {order.instrument for order in exchange.snapshot().orders}
    assert live == {one.key for one in INSTRUMENTS if one.session not in closed}
    assert closing[-1] == m.PhaseChanged(Segment.NSE, Phase.CLOSED, TimestampNs(2), session)
    phases = {name: exchange.phase(name) for names in SESSIONS.values() for name in names}
    assert {name for name, phase in phases.items() if phase is Phase.CLOSED} == closed
    for event in events:
        replayed.apply(event)
    assert replayed.state_hash() == exchange.state_hash()
    assert exchange.set_phase(Segment.NSE, Phase.CLOSED, TimestampNs(3), session) == []


def test_what_is_left_of_an_exchange_is_closed_by_name() -> None:
    """Closing an exchange of which one session is closed already tells of the other alone."""
    exchange = Exchange(INSTRUMENTS)
    exchange.set_phase(Segment.NSE, Phase.CLOSED, TimestampNs(1), "NSE-CAS")
    assert exchange.set_phase(Segment.NSE, Phase.CLOSED, TimestampNs(2)) == [
        m.PhaseChanged(Segment.NSE, Phase.CLOSED, TimestampNs(2), "NSE")
    ]


def test_a_day_begins_after_a_closed_session_only() -> None:
    """The day's statistics begin with the first phase after the close, and not with each."""
    exchange = Exchange(INSTRUMENTS)
    now, key = TimestampNs(1), AUCTIONED.key
    exchange.print_trade(key, Pips(CLOSE), Quantity(5), now)
    for phase in (Phase.BUFFER, Phase.OPEN):
        exchange.set_phase(Segment.NSE, phase, now)
        assert exchange.ticker(key).volume == 5
    exchange.set_phase(Segment.NSE, Phase.CLOSED, now)
    assert exchange.ticker(key).volume == 5
    exchange.set_phase(Segment.NSE, Phase.PRE_OPEN, now)
    assert exchange.ticker(key).volume == 0


def test_a_session_of_another_exchange() -> None:
    """A name that is no session of the exchange is a mistake of the program."""
    with pytest.raises(AssertionError, match="BSE-CAS"):
        Exchange(INSTRUMENTS).set_phase(Segment.NSE, Phase.CLOSED, TimestampNs(1), "BSE-CAS")


def test_a_snapshot_from_before_there_were_sessions() -> None:
    """Its phases are by exchange, and hold for all sessions of each."""
    exchange, restored = Exchange(INSTRUMENTS), Exchange(INSTRUMENTS)
    exchange.set_phase(Segment.NSE, Phase.CLOSED, TimestampNs(1))
    taken = exchange.snapshot()
    older = [[s.value, exchange.phase(s).value] for s in Segment]
    plain = msgspec.to_builtins(taken)
    plain[0] = older
    restored.restore(msgspec.convert(plain, Snapshot))
    assert restored.state_hash() == exchange.state_hash()
    assert restored.phase("NSE-CAS") is Phase.CLOSED
    assert restored.phase("BSE-CAS") is Phase.OPEN


def test_a_phase_event_from_before_there_were_sessions() -> None:
    """It tells of all sessions of its exchange."""
    old = msgspec.msgpack.encode(["PhaseChanged", "NSE", "closed", 5])
    event = msgspec.msgpack.decode(old, type=m.ExchangeEvent)
    assert event == m.PhaseChanged(Segment.NSE, Phase.CLOSED, TimestampNs(5), "")
