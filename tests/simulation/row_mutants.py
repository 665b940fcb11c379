"""
What a client reads, made wrong on purpose: one column, one rule or one mended fault at a time.

Each is a rule, the file in which it stands, the text, and what stands there when it is broken;
``mutants.py`` plays worlds until one fails.

Source: docs/reliability.md, "A reader of rows".
"""

from typing import Final

RowMutant = tuple[str, str, str, str]

_ROW: Final = "core/model/leg_row.py"
ROW_MUTANTS: Final[tuple[RowMutant, ...]] = (
    (
        "quantity of a row is what stands and what has filled",
        _ROW,
        "    quantity = cover.exits_filled + remaining\n",
        "    quantity = cover.exits_filled + remaining + cover.entry_filled\n",
    ),
    (
        "filled of a row is the sum of its orders",
        _ROW,
        "        filled += order.filled_quantity\n        value",
        "        filled = order.filled_quantity\n        value",
    ),
    (
        "remaining of a row is what has not filled",
        _ROW,
        "        value,\n        total - filled,\n",
        "        value,\n        total,\n",
    ),
    (
        "average of a row is of all its trades",
        _ROW,
        "        value = sum(order.filled_value for order in orders)\n",
        "        value = max(order.filled_value for order in orders)\n",
    ),
    (
        "price of a row is what stands",
        _ROW,
        "        0 if order_type in UNPRICED else speaker.price_pips,\n",
        "        0 if order_type in UNPRICED else parent.price_pips + 100,\n",
    ),
    (
        "trigger of a row is what stands",
        _ROW,
        "        terms = speaker.order_type, speaker.price_pips, speaker.trigger_price_pips\n",
        "        terms = speaker.order_type, speaker.price_pips, cover.stop.price_pips\n",
    ),
    (
        "status of a row tells a cancel under way",
        "api/rows/legs.py",
        "        return OrderStatus.MODIFY_PENDING if reduces else OrderStatus.CANCEL_PENDING\n",
        "        return OrderStatus.CONFIRMED\n",
    ),
    (
        "version of a row changes while time stands still",
        "core/model/orders/parent_order.py",
        "        self.entry_version_ns = max(at_ns, self.entry_version_ns + VERSION_STEP_NS)\n",
        "        self.entry_version_ns = max(at_ns, self.entry_version_ns)\n",
    ),
    (
        "a trade is told with the price it was ordered at",
        "api/rows/order_rows.py",
        "        order_price=number(line.price_pips),\n",
        "        order_price=number(view.price_pips),\n",
    ),
    (
        "a fill beyond the total proves the change",
        "core/core.py",
        "            if proves_change(order, order.amend, report):\n",
        "            if False:\n",
    ),
    (
        "a stop trails by whole steps",
        "core/rules/cover/clock.py",
        "        stop = cover.stop.price_pips + sign * (moved // step * step)\n",
        "        stop = cover.stop.price_pips + sign * moved\n",
    ),
    (
        "the system's orders are refused to clients",
        "core/rules/regular/requests.py",
        "return Refusal(Reason.ORDER_MUST_BE_THE_CLIENTS) if order.squares_off else order",
        "return order",
    ),
    (
        "what a client writes decides nothing",
        "core/model/regular/order.py",
        "        return self.by_system\n",
        '        return self.by_system or self.device == "SQUARE_OFF"\n',
    ),
    (
        "exits of one client that would meet take turns",
        "core/rules/orders/turns.py",
        "    if not found:\n        return None\n",
        "    if True:\n        return None\n",
    ),
    (
        "a turn ends, and the other side goes",
        "core/rules/orders/turns.py",
        "    has_turn = first if number == 0 else smaller is (number % 2 == 1)\n",
        "    has_turn = first\n",
    ),
    (
        "what was carried is protected after the opening",
        "core/rules/cover/resume.py",
        "    for cover in list(state.every_cover()):\n",
        "    for cover in ():\n",
    ),
    (
        "linked exits share one quantity in a row",
        _ROW,
        "            if order.link:\n",
        "            if False:\n",
    ),
    (
        "an exit of which nothing is left stands for what is held",
        _ROW,
        "    if not remaining:\n",
        "    if not (remaining or works):\n",
    ),
)
