"""
A house with rules: several clients, shares in two segments, a venue that does all it is asked.

The venue writes down when each request came, so that a test can hold what really went out
against what may (INV-18), without asking the core what it has counted.
"""

from typing import Any, Final

from kavach.core import events as e
from kavach.core.commands import (
    CancelCoverOrder,
    Leg,
    ModifyCoverOrder,
    OpenClient,
    PlaceCoverOrder,
)
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.limits.commands import ChooseLimits, RegisterAlgo
from kavach.core.model.limits.profiles import Profile
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.instruments import Instrument
from kavach.journal.memory import MemoryJournal
from kavach.units import (
    NS_PER_MS,
    Exchange,
    OrderType,
    Paise,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)
from kavach.venues.scripted import ScriptedVenue, Told
from tests.unit.core.scenario import HandClock
from tests.unit.core.stocks import stock

SHARE: Final = stock(freeze=100)
OTHER: Final = stock(exchange=Exchange.BSE, freeze=100)
REASONS: Final = (Reason.REQUESTS_MUST_BE_WITHIN_LIMIT, Reason.MARKET_PROTECTION_MUST_BE_GIVEN)
RICH: Final = Paise(10**15)


class WillingVenue(ScriptedVenue):
    """A venue that accepts, changes and cancels within the call, and keeps the times."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[int, e.Request]] = []
        self.willing = True

    def send(self, request: e.Request, order: VenueOrder, parent: ParentOrder, at_ns: int) -> Told:
        """Return that it is done."""
        super().send(request, order, parent, at_ns)
        self.times.append((at_ns, request))
        if not self.willing:
            return Told()
        if isinstance(request, e.OrderSubmitted):
            return Told([self.accept(request.tag)])
        if isinstance(request, e.OrderAmendSent):
            return Told([self.amend(request.tag)])
        return Told([self.cancel(request.tag)])


class House:
    """An engine under a profile, and what clients say to it."""

    def __init__(
        self,
        profile: Profile,
        *,
        clients: str = "CD",
        registered: str = "",
        shares: tuple[Instrument, ...] = (SHARE, OTHER),
    ) -> None:
        self._shares = shares
        self.journal = MemoryJournal()
        self.clock = HandClock()
        self.venue = WillingVenue()
        self.engine = self._engine(self.venue)
        self.engine.recover()
        for client_id in clients:
            accepted(self.engine.execute(OpenClient(client_id=client_id, cash_paise=RICH)))
        accepted(self.engine.execute(ChooseLimits(profile=profile)))
        for client_id in registered:
            command = RegisterAlgo(client_id=client_id, algo_id=f"ALGO-{client_id}")
            accepted(self.engine.execute(command))

    def _engine(self, venue: ScriptedVenue) -> Engine:
        return Engine(self._shares, Settings(), self.journal, venue, self.clock)

    def pass_ms(self, ms: int) -> None:
        """Let time pass, and do what is due on the way."""
        self.clock.at_ns += ms * NS_PER_MS
        self.engine.catch_up(self.engine.now_ns())

    def check_replay(self) -> None:
        """Assert that whoever reads the journal, or a snapshot, is as this one (INV-19)."""
        again = self._engine(WillingVenue())
        again.recover()
        assert again.state_hash() == self.engine.state_hash(), "replay differs"
        again.save_snapshot()
        third = self._engine(WillingVenue())
        third.recover()
        assert third.replayed == 0
        assert third.state_hash() == self.engine.state_hash(), "the snapshot differs"

    def restart(self) -> None:
        """Forget everything but the journal, and go on with the same venue."""
        before = self.engine.state_hash()
        self.engine = self._engine(self.venue)
        self.engine.recover()
        assert self.engine.state_hash() == before, "the restart differs"

    # --- What clients say ---------------------------------------------------------------------

    def place(self, client_id: str = "C", share: Instrument = SHARE, **given: Any) -> Outcome:
        """Place a cover order to buy 10 at 13.00, the stop at 12.00."""
        fields: dict[str, Any] = {
            "client_id": client_id,
            "instrument": share.key,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "quantity": Quantity(10),
            "disclosed_quantity": Quantity(0),
            "price_pips": Pips(130_000),
            "trigger_price_pips": Pips(0),
            "validity": Validity.DAY,
            "product": Product.MIS,
            "stop_price_pips": Pips(120_000),
            "trailing_step_pips": Pips(0),
            "user_order_id": 1,
        }
        return self.engine.execute(PlaceCoverOrder(**(fields | given)))

    def order(self, client_id: str = "C", share: Instrument = SHARE, **given: Any) -> Outcome:
        """Place a regular order to buy 10 at 13.00."""
        fields: dict[str, Any] = {
            "client_id": client_id,
            "instrument": share.key,
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "quantity": Quantity(10),
            "disclosed_quantity": Quantity(0),
            "price_pips": Pips(130_000),
            "trigger_price_pips": Pips(0),
            "validity": Validity.DAY,
            "product": Product.MIS,
        }
        return self.engine.execute(PlaceOrder(**(fields | given)))

    def modify(self, parent: ParentOrder, **given: Any) -> Outcome:
        """Change an order."""
        kind: Any = ModifyOrder if isinstance(parent, RegularOrder) else ModifyCoverOrder
        command = kind(client_id=parent.client_id, order_id=parent.order_id, **given)
        return self.engine.execute(command)

    def cancel(self, parent: ParentOrder, leg: Leg = Leg.ENTRY) -> Outcome:
        """Cancel an order, or get out of it."""
        if isinstance(parent, RegularOrder):
            return self.engine.execute(
                CancelOrder(client_id=parent.client_id, order_id=parent.order_id)
            )
        orders = parent.exits if leg is Leg.THIRD and parent.exits else parent.entries
        return self.engine.execute(
            CancelCoverOrder(
                client_id=parent.client_id,
                order_id=parent.order_id,
                leg=leg,
                exchange_order_id=orders[-1].exchange_order_id,
            )
        )

    # --- What happens -------------------------------------------------------------------------

    def cover(self, outcome: Outcome) -> CoverOrder:
        """Return the cover order of an answer."""
        assert isinstance(outcome, Answer), outcome
        return self.engine.state.covers[outcome.order_id]

    def regular(self, outcome: Outcome) -> RegularOrder:
        """Return the regular order of an answer."""
        assert isinstance(outcome, Answer), outcome
        return self.engine.state.regulars[outcome.order_id]

    def fill(self, parent: ParentOrder, quantity: int, price_pips: int = 130_000) -> None:
        """Let the venue trade with the entry."""
        tag = parent.entries[-1].tag
        self.engine.receive(Told([self.venue.trade(tag, quantity, price_pips)]))

    def until_refused(self, most: int = 2000, gap_ms: int = 0, **given: Any) -> tuple[int, Refusal]:
        """Return how many regular orders are accepted one after the other, and the refusal."""
        for number in range(most):
            outcome = self.order(**given)
            if isinstance(outcome, Refusal):
                return number, outcome
            self.clock.at_ns += gap_ms * NS_PER_MS
        raise AssertionError(f"{most} orders, and none too many")


def too_many(outcome: Outcome) -> bool:
    """Return whether the answer is that it was too much."""
    return isinstance(outcome, Refusal) and outcome.reason is Reason.REQUESTS_MUST_BE_WITHIN_LIMIT
