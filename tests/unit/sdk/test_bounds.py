"""What the client does when nothing comes: it waits so long and no longer, and claims nothing."""

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kavach.sdk import Feed, OutcomeUnknown, Settled
from kavach.sdk.feed.session import WAIT_SECONDS_MAX, WAIT_SECONDS_MIN, FeedSession
from tests.contract.client_stage import ORDER, pocket_of
from tests.contract.client_stage import proxy as proxy
from tests.twin_server import TOKEN, TwinServer
from tests.twin_server import twin as twin
from tests.unit.sdk.faulty import FaultyProxy, is_change

LINE = {
    "exchange": "NSE",
    "instrument_token": 14366,
    "side": "BUY",
    "quantity": 5,
    "product": "MIS",
    "price": "12.90",
}


@pytest.mark.parametrize(("end", "bounds"), [("least", 0), ("most", 1)])
def test_the_wait_for_a_connection_grows_within_bounds(
    end: str, bounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice as long each time, from a fifth of a second to five, and anew once one was made."""
    monkeypatch.setattr(random, "uniform", lambda *ends: ends[bounds])
    session = FeedSession("http://127.0.0.1", TOKEN, "DEMO1")
    waits = [session.next_wait_seconds() for _ in range(12)]
    wanted = [min(WAIT_SECONDS_MAX, WAIT_SECONDS_MIN * 2**n) for n in range(1, 13)]
    assert waits == ([WAIT_SECONDS_MIN / 2] * 12 if end == "least" else wanted)
    assert wanted[0] == 0.2 and wanted[-1] == 5.0
    session.connected()
    assert session.next_wait_seconds() == waits[0]


def test_a_silent_feed_gives_the_turn_back(twin: TwinServer) -> None:
    """Nothing is told: each ``receive`` returns after its time, and the connection stays."""
    with Feed("DEMO1", TOKEN, base_url=twin.url) as feed:
        feed.subscribe("quote", ("NSE", 1333))
        assert feed.receive(10) is not None, "where it stands"
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                feed.receive(0.1)
            assert time.monotonic() - began >= 0.1


@pytest.fixture
def kept(twin: TwinServer, proxy: FaultyProxy) -> Iterator[tuple[Any, str, str]]:
    """A client behind a proxy, a basket of its own, and the id of the order in it."""
    with pocket_of(twin, proxy) as pocket:
        basket = pocket.create_basket("Kept")
        saved = pocket.add_to_basket(basket, **LINE)
        yield pocket, saved.basket_id, saved.orders[0].order_id


@pytest.mark.parametrize("change", ["rename", "add", "edit", "remove", "delete"])
def test_a_change_of_a_basket_that_never_arrived_is_not_done(
    kept: tuple[Any, str, str], proxy: FaultyProxy, change: str
) -> None:
    """The basket shows that nothing happened, so nobody says that it did."""
    pocket, basket, line = kept
    asks = {
        "rename": lambda: pocket.rename_basket(basket, "Other"),
        "add": lambda: pocket.add_to_basket(basket, **(LINE | {"instrument_token": 11915})),
        "edit": lambda: pocket.edit_basket_order(basket, line, quantity=7),
        "remove": lambda: pocket.remove_from_basket(basket, line),
        "delete": lambda: pocket.delete_basket(basket),
    }
    lost = proxy.fail("lost_request", match=is_change)
    with pytest.raises(OutcomeUnknown) as told:
        asks[change]()
    assert lost.times == 0
    proxy.mend()
    assert pocket.resolve(told.value).settled is not Settled.DONE


def test_a_venue_that_says_nothing_is_not_waited_for_without_end(
    twin: TwinServer, proxy: FaultyProxy
) -> None:
    """A cancel that the exchange never answers is pending or unknown, within its time."""
    with pocket_of(twin, proxy, confirm_seconds=0.3) as pocket:
        order = pocket.place_cover_order(**ORDER)
        twin.room("POST", "faults", on="any", effect="drop_request", times=50)
        looks = len(proxy.seen)
        try:
            said = str(pocket.cancel_cover_order(order))
        except OutcomeUnknown:
            said = "UNKNOWN"
        assert "CANCELLED" not in said
        assert len(proxy.seen) - looks < 20
    twin.room("DELETE", "faults")
