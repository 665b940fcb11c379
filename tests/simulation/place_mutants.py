"""
What is told of one thing in two places, made to differ on purpose: one place at a time.

Each is a rule, the file in which it stands, the text, and what stands there when it is broken.

Source: docs/reliability.md, "One thing, two places".
"""

from typing import Final

from tests.simulation.row_mutants import RowMutant

_CONTRACTS: Final = "api/rows/contract_rows.py"
_FUNDS: Final = "api/routes/funds.py"
_SEARCH_CLOSE: Final = """        isin=one.isin or msgspec.UNSET,
        close_price=rupees_text(one.previous_close_pips),
"""
PLACE_MUTANTS: Final[tuple[RowMutant, ...]] = (
    (
        "one number of a quote is that of the quote",
        "api/routes/contracts.py",
        "    pips = seen.last_price_pips if last else one.previous_close_pips\n",
        "    pips = seen.last_price_pips\n",
    ),
    (
        "the band of scrip info is that of the feed",
        _CONTRACTS,
        "        lower_circuit_limit=number(low),\n",
        "        lower_circuit_limit=number(low + one.tick_pips),\n",
    ),
    (
        "scrip info has one freeze quantity",
        _CONTRACTS,
        "        max_single_qty=one.freeze_quantity,\n",
        "        max_single_qty=one.freeze_quantity * one.lot,\n",
    ),
    (
        "the close of a search is that of scrip info",
        _CONTRACTS,
        _SEARCH_CLOSE,
        _SEARCH_CLOSE.replace("previous_close", "band_high"),
    ),
    (
        "the last price of a compact packet is that of the quote",
        "api/feed/topics.py",
        "        last = scaled(seen.last_price_pips, exchange)\n",
        "        last = scaled(seen.high_pips, exchange)\n",
    ),
    (
        "the control room's band is that of the feed",
        "twin/market_view.py",
        '        "low": number(instrument.band_low_pips),\n',
        '        "low": number(instrument.previous_close_pips),\n',
    ),
    (
        "the last price of a position is that of the quote",
        "api/rows/order_rows.py",
        "        ltp=number(last_pips),\n",
        "        ltp=close,\n",
    ),
    (
        "the previous close of a holding is that of the quote",
        "api/rows/position_rows.py",
        "        previous_close=number(instrument.previous_close_pips),\n",
        "        previous_close=number(last_pips),\n",
    ),
    (
        "the lot of an order is that of scrip info",
        "api/rows/order_rows.py",
        "        lot_size=instrument.lot,\n",
        "        lot_size=1,\n",
    ),
    (
        "the calculator takes the last price that is shown",
        _FUNDS,
        "price or view.engine.last_price_pips(key)\n",
        "price or instrument.previous_close_pips\n",
    ),
    (
        "the margin used is the sum of its components",
        _FUNDS,
        "        used[_part(segment, product)] += paise\n",
        "        used[_part(segment, product)] = paise\n",
    ),
    (
        "the profit of the funds is that of the positions",
        _FUNDS,
        "    return total_pips // PIPS_PER_PAISA\n",
        "    return (total_pips + client.realised_paise) // PIPS_PER_PAISA\n",
    ),
    (
        "what a position holds is what was traded",
        "api/rows/order_rows.py",
        "        net_quantity=net,\n",
        "        net_quantity=position.plain_net,\n",
    ),
    (
        "an order asked for alone is that of the book",
        "api/routes/books.py",
        "    return [found[0]] if user_order_id in (None, found[0].user_order_id) else []\n",
        "    return []\n",
    ),
)
