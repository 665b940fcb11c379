"""
Where an order ends up does not depend on how often, or in which order, it was told (INV-10).

A venue does its work while nobody listens, and keeps the letters. They are then brought to one
engine as they were written, and to others shuffled, each perhaps twice. What all of them must
agree on is what happened: fills, trades, money, and which orders are dead. That is so for every
set of letters that answers no further request, which is why the engines here are asked nothing
in between: what they send meanwhile is left unanswered, by all alike.
"""

from hypothesis import given
from hypothesis import strategies as st

from kavach.core import events as e
from kavach.core.commands import OpenClient, PlaceCoverOrder
from kavach.core.model.cover.order import CoverOrder
from kavach.core.settings import Settings
from kavach.engine.engine import Engine, accepted
from kavach.journal.memory import MemoryJournal
from kavach.units import OrderType, Paise, Pips, Product, Quantity, Side, Validity
from kavach.venues.scripted import ScriptedVenue, Told
from tests.unit.core.scenario import HandClock
from tests.unit.core.stocks import stock

ITEM = stock(freeze=50)


class Listener:
    """An engine with one cover order of three slices, and a venue that it can't hear."""

    def __init__(self) -> None:
        self.venue = ScriptedVenue()
        self.engine = Engine([ITEM], Settings(), MemoryJournal(), self.venue, HandClock())
        self.engine.recover()
        accepted(self.engine.execute(OpenClient(client_id="C", cash_paise=Paise(10**9))))
        placed = accepted(
            self.engine.execute(
                PlaceCoverOrder(
                    client_id="C",
                    instrument=ITEM.key,
                    side=Side.BUY,
                    order_type=OrderType.LIMIT,
                    quantity=Quantity(130),
                    disclosed_quantity=Quantity(0),
                    price_pips=Pips(130_000),
                    trigger_price_pips=Pips(0),
                    validity=Validity.DAY,
                    product=Product.MIS,
                    stop_price_pips=Pips(120_000),
                    trailing_step_pips=Pips(0),
                    user_order_id=1,
                )
            )
        )
        self.cover: CoverOrder = self.engine.state.covers[placed.order_id]

    def hear(self, letters: list[e.Report]) -> None:
        """Let the engine hear one letter after the other."""
        for letter in letters:
            self.engine.receive(Told([letter]))

    def knows(self) -> object:
        """Return what happened, as far as this engine knows, without saying when it heard."""
        cover, client = self.cover, self.engine.state.clients["C"]
        orders = [
            (o.tag, o.exchange_order_id, o.filled_quantity, o.filled_value, o.dead, o.leaves_max)
            for o in cover.entries
        ]
        trades = sorted((t.trade_id, t.tag, t.quantity, t.price_pips) for t in cover.trades or [])
        money = (client.realised_paise, client.blocked_paise, client.positions)
        return cover.state, cover.entry_filled, cover.entry_leaves_max, orders, trades, money


def _written(draws: list[tuple[int, int]]) -> list[e.Report]:
    """Return the letters of a venue that fills and closes three slices by these numbers."""
    venue = Listener().venue
    letters: list[e.Report] = [venue.accept(tag) for tag in (1, 2, 3)]
    for tag, (size, end) in enumerate(draws, start=1):
        for part in (size, end):
            room = venue.orders[tag].open_quantity
            if part % 3 and room:
                price = 130_000 - 100 * (part % 7)
                letters.append(venue.trade(tag, 1 + part % room, price))
        if venue.orders[tag].alive and end % 2:
            letters.append(venue.remove(tag) if end % 4 == 1 else venue.expire(tag))
    return letters


NUMBERS = st.tuples(st.integers(0, 60), st.integers(0, 60))


@given(draws=st.lists(NUMBERS, min_size=3, max_size=3), data=st.data())
def test_order_and_number_of_letters_do_not_matter(
    draws: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Any order of the letters, each once or twice, leads to the same knowledge."""
    letters = _written(draws)
    plain, other = Listener(), Listener()
    plain.hear(letters)
    twice = [letter for letter in letters for _ in range(data.draw(st.integers(1, 2)))]
    other.hear(data.draw(st.permutations(twice)))
    assert other.knows() == plain.knows()
