"""The market calls: what an operator does to the market, and what the market then is."""

from tests.unit.twin.stage import ADDRESS, Served


def test_a_quiet_market_stands_at_its_previous_close(served: Served) -> None:
    """Before anything has traded there is no quote, and the last price is the previous close."""
    assert served.get("market/NSE/14366") == {
        "last_price": 13,
        "bids": [],
        "asks": [],
        "phase": "open",
        "low": 10.4,
        "high": 15.6,
    }


def test_a_quote_replaces_the_house(served: Served) -> None:
    """A quote is the whole of the house's book: the one before it is gone; 0 takes a side away."""
    served.post("market/quote", **ADDRESS, bid=12.9, bid_quantity=5, ask=13.1, ask_quantity=7)
    answer = served.post(
        "market/quote", **ADDRESS, bid="12.95", bid_quantity=50, ask=None, ask_quantity=0
    )
    assert answer["bids"] == [[12.95, 50, 1]]
    assert answer["asks"] == []
    assert answer == served.get("market/NSE/14366")


def test_an_anonymous_order_fills_a_client_in_part(served: Served) -> None:
    """What an order meets at once is told; the cover order is filled by it and protected."""
    cover = served.place()
    answer = served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=40)
    assert answer["filled"] == 40
    assert answer["order_id"].isdecimal()
    assert cover.state == "COVERED_OPEN"
    assert served.get("audit")["violations"] == []


def test_the_rest_of_a_priced_order_stays(served: Served) -> None:
    """An anonymous order with a price rests with what it could not fill; one without does not."""
    resting = served.post("market/order", **ADDRESS, side="BUY", price="12.50", quantity=10)
    at_market = served.post("market/order", **ADDRESS, side="SELL", price=None, quantity=4)
    assert (resting["filled"], at_market["filled"]) == (0, 4)
    assert served.get("market/NSE/14366")["bids"] == [[12.5, 6, 1]]
    assert resting["order_id"] != at_market["order_id"]


def test_a_print_fires_stops(served: Served) -> None:
    """A trade elsewhere moves the last price and fires the stop that it touches."""
    cover = served.place()
    served.post("market/order", **ADDRESS, side="SELL", price=13, quantity=100)
    answer = served.post("market/trade", **ADDRESS, price=12, quantity=1)
    assert answer["last_price"] == 12
    assert cover.state == "TRIGGERED"
    assert served.get("audit")["violations"] == []


def test_a_print_takes_nobodys_order(served: Served) -> None:
    """A trade elsewhere passes by the orders that rest here."""
    cover = served.place()
    served.post("market/trade", **ADDRESS, price="12.5", quantity=1000)
    assert (cover.state, cover.entry_filled) == ("ENTRY_OPEN", 0)
