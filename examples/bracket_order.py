"""
A bracket order: buy, let target and stop guard it, move the stop, and get out.

Start a twin with ``kavach serve`` and run this; KAVACH_URL and KAVACH_TOKEN name another server.
"""

import time
from decimal import Decimal

from kavach.sdk import BracketOrder, Pocket

IDEA = "NSE:IDEA-EQ"
PATIENCE_SECONDS = 10


def filled(pocket: Pocket, order: BracketOrder) -> BracketOrder:
    """Return the order once its entry has filled, or as it is when patience is at its end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not order.entry.is_closed and time.monotonic() < deadline:
        time.sleep(0.1)
        order = pocket.bracket_order(order)
    return order


def main() -> None:
    """Tell each step as the order book shows it."""
    with Pocket() as pocket:
        quote = pocket.quote(IDEA)
        order = pocket.place_bracket_order(
            instrument=IDEA,
            side="BUY",
            quantity=10,
            price=quote.ask_price + Decimal("0.10"),  # So that it fills at once.
            target_distance="0.80",  # Rupees from the entry's price, not prices.
            stop_distance="0.60",
        )
        order = filled(pocket, order)
        print(f"entry {order.status}, {order.quantity_held} held")
        if order.is_over or order.target is None or order.stop is None:
            print(pocket.cancel_bracket_order(order).outcome)
            return
        print(f"target at {order.target.price}, stop at {order.stop.trigger_price}")
        order = pocket.move_bracket_stop(order, order.stop.trigger_price + Decimal("0.02"))
        assert order.stop is not None
        print(f"stop at {order.stop.trigger_price}")
        result = pocket.exit_bracket_order(order)
        print(f"{result.outcome}, {result.order.quantity_held} held")


if __name__ == "__main__":
    main()
