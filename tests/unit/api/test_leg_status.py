"""Statuses that a venue which answers at once never lets a client see."""

import pytest

from kavach.api.rows.legs import legs_of
from kavach.core import events as e
from kavach.core.commands import PlaceCoverOrder
from kavach.core.core import Core
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.state import OmsState
from kavach.core.settings import Settings
from kavach.data import load_instruments
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
from tests.unit.api.world import NOW_NS

LISTED = load_instruments()
INSTRUMENTS = {instrument.key: instrument for instrument in LISTED}
PRICE = Pips(130_000)


class Slow:
    """The rules, and a venue that says only what a test says for it."""

    def __init__(self) -> None:
        self.core = Core(OmsState(LISTED, Settings()))
        self.core.begin(NOW_NS)
        self.core.emit(e.ClientOpened("A", Paise(10**12), "", "", ""))
        self.core.begin(NOW_NS)
        self.core.handle(
            PlaceCoverOrder(
                client_id="A",
                instrument=InstrumentKey("NSE:14366"),
                side=Side.BUY,
                order_type=OrderType.LIMIT,
                quantity=Quantity(10),
                disclosed_quantity=Quantity(0),
                price_pips=PRICE,
                trigger_price_pips=Pips(0),
                validity=Validity.DAY,
                product=Product.MIS,
                stop_price_pips=Pips(125_000),
                trailing_step_pips=Pips(0),
                user_order_id=1,
            )
        )
        self.core.requests.clear()

    @property
    def cover(self) -> CoverOrder:
        """The one cover order."""
        return self.core.state.covers_of("A")[0]

    def say(self, *reports: e.Report) -> None:
        """Let the venue say something; what the rules want sent goes nowhere."""
        for report in reports:
            self.core.begin(NOW_NS)
            self.core.report(report)
            self.core.requests.clear()

    def statuses(self) -> list[str]:
        """Return the status of each leg."""
        return [view.status.value for view in legs_of(self.cover, INSTRUMENTS)]


ACK = e.OrderAccepted(1, "1100000000000001")
FILL = e.OrderTraded(1, "T1", Quantity(4), PRICE)
REST = e.OrderTraded(1, "T2", Quantity(6), PRICE)
STOP = e.OrderAccepted(2, "1100000000000002")


@pytest.mark.parametrize(
    ("reports", "statuses"),
    [
        ([], ["PENDING"]),
        ([ACK], ["CONFIRMED"]),
        ([e.OrderRejected(1, 16418, "invalid")], ["REJECTED"]),
        ([ACK, FILL], ["PARTIAL_TRADE", "PENDING"]),
        ([ACK, FILL, STOP], ["PARTIAL_TRADE", "TRIGGER_PENDING"]),
        ([ACK, FILL, STOP, REST], ["COMPLETE", "MODIFY_PENDING"]),
        ([ACK, FILL, REST, STOP], ["COMPLETE", "MODIFY_PENDING"]),
        ([ACK, FILL, STOP, e.OrderTriggered(2)], ["CANCEL_PENDING", "SL_TRIGGER_CONFIRMED"]),
        ([ACK, FILL, e.OrderRejected(2, 16418, "x")], ["PARTIAL_TRADE", "PENDING"]),
        (
            [ACK, e.OrderClosed(1, Quantity(0), e.Closing.EXPIRED, 0, "")],
            ["CANCEL_CONFIRMED"],
        ),
    ],
    ids=str,
)
def test_status_while_the_venue_is_slow(reports: list[e.Report], statuses: list[str]) -> None:
    """Between question and answer a row says that an answer is awaited."""
    slow = Slow()
    slow.say(*reports)
    assert slow.statuses() == statuses


def test_an_order_without_an_exchange_id() -> None:
    """Before the exchange has answered, the row has no id, no time and no reason of its."""
    slow = Slow()
    (view,) = legs_of(slow.cover, INSTRUMENTS)
    assert view.exchange_order_id == ""
    assert (view.quantity, view.filled, view.remaining) == (10, 0, 10)
