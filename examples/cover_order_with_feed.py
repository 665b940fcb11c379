"""
A cover order with the feed: place it, hear it fill, see its stop appear, and get out.

Start a twin with ``kavach serve`` and run this; KAVACH_URL, KAVACH_TOKEN and KAVACH_CLIENT_ID name
another server.
"""

import time
from decimal import Decimal

from kavach.sdk import CompactQuote, CoverOrder, Exchange, Feed, OrderChange, Pocket

NSE, IDEA = Exchange.NSE, 14366  # The token of IDEA-EQ.
PATIENCE_SECONDS = 10.0


def price_of(feed: Feed) -> CompactQuote:
    """Return the first price that the feed tells."""
    while True:
        item = feed.receive(PATIENCE_SECONDS)
        if isinstance(item, CompactQuote) and item.ask:
            return item


def hear(feed: Feed, order: CoverOrder, leg: str, *statuses: str) -> str:
    """Return the status of a leg once it is one of these; say what happens on the way."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        item = feed.receive(until - time.monotonic())
        if not isinstance(item, OrderChange) or item.order.user_order_id != order.user_order_id:
            continue
        row = item.order
        print(f"{row.leg_order_indicator} {row.order_status} {row.filled_quantity}/{row.quantity}")
        if row.leg_order_indicator == leg and row.order_status in statuses:
            return row.order_status


def main() -> None:
    """Trade once around."""
    with Pocket() as pocket, Feed() as feed:
        feed.subscribe("compact", (NSE, IDEA))
        feed.subscribe_account()
        quote = price_of(feed)
        order = pocket.place_cover_order(
            exchange=NSE,
            instrument_token=IDEA,
            side="BUY",
            quantity=10,
            price=quote.ask + Decimal("0.10"),  # So that it fills at once.
            stop_loss=quote.ask - Decimal("0.50"),
        )
        hear(feed, order, "THIRD", "TRIGGER_PENDING")
        result = pocket.exit_cover_order(order)
        print(result.outcome)
        hear(feed, order, "THIRD", "COMPLETE")


if __name__ == "__main__":
    main()
