"""
A GTT rule with two triggers: sell at a profit or at a loss, whichever comes first.

Start a twin with ``kavach serve`` and run this; KAVACH_URL and KAVACH_TOKEN name another server.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kavach.sdk import OutcomeUnknown, Pocket

IDEA = "NSE:IDEA-EQ"
NEXT_WEEK = datetime.now(UTC).date() + timedelta(days=7)


def main() -> None:
    """Make the rule, change it, look at it, and end it."""
    with Pocket() as pocket:
        last = pocket.last_price(IDEA)
        try:
            rule = pocket.create_gtt(
                instrument=IDEA,
                side="SELL",
                quantity=10,
                product="MIS",
                trigger_price=last + Decimal("0.50"),
                price=last + Decimal("0.49"),
                stop_trigger_price=last - Decimal("0.50"),
                stop_price=last - Decimal("0.51"),
                expiry=NEXT_WEEK,
            )
        except OutcomeUnknown as unknown:  # The answer got lost: look, and never ask twice.
            print(pocket.resolve(unknown).explanation)
            raise
        print(f"{rule.status} until {rule.expiry_time}")
        rule = pocket.modify_gtt(rule, quantity=20)
        print(f"{rule.order.quantity} at {rule.order.trigger_price - last} above the last price")
        found = pocket.gtt_rule(rule.id)
        print(f"{found.order.quantity} as the list of rules has it")
        print(pocket.cancel_gtt(rule).outcome)


if __name__ == "__main__":
    main()
