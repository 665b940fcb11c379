"""
The prices that the system itself computes: protected market prices and limits of stops.

Every price is on the instrument's tick and inside its band. A market order is sent as a limit
that reaches through the last price by the protection of the instrument's class, never as a
raw market order; each further attempt reaches one protection further, up to the band's edge.

Source: docs/spec/cover_order.md, "What the system owes"; docs/wire/README.md, "Decisions".
"""

from typing import Final

from kavach.core.settings import PERMILLE, Settings
from kavach.instruments import Instrument
from kavach.units import Side

WHOLE_BP: Final = 10_000  # A client's own protection is given in hundredths of a percent.
PERCENT: Final = 100
_BP_PER_PERMILLE: Final = WHOLE_BP // PERMILLE


def floor_tick(price_pips: int, tick_pips: int) -> int:
    """Return the highest price on tick that is not above ``price_pips``."""
    return price_pips // tick_pips * tick_pips


def ceil_tick(price_pips: int, tick_pips: int) -> int:
    """Return the lowest price on tick that is not below ``price_pips``."""
    return -(-price_pips // tick_pips) * tick_pips


def protection_permille(instrument: Instrument, settings: Settings) -> int:
    """Return how far, in permille of the price, a market order may reach."""
    return settings.protection_permille.get(
        instrument.instrument_name, settings.protection_default_permille
    )


def marketable(
    instrument: Instrument,
    settings: Settings,
    side: Side,
    last_pips: int,
    attempt: int = 0,
    own_bp: int = 0,
) -> int:
    """Return the limit price of a protected market order, on tick and inside the band.

    ``own_bp`` is the order's own protection in hundredths of a percent; 0: the instrument's.
    """
    bp = own_bp or protection_permille(instrument, settings) * _BP_PER_PERMILLE
    reach = last_pips * bp * (attempt + 1) // WHOLE_BP
    if side is Side.BUY:
        return min(instrument.band_high_pips, ceil_tick(last_pips + reach, instrument.tick_pips))
    return max(instrument.band_low_pips, floor_tick(last_pips - reach, instrument.tick_pips))


def stop_limit(
    instrument: Instrument, settings: Settings, side: Side, trigger_pips: int, own_bp: int = 0
) -> int:
    """Return the limit of a stop where the exchange wants one: as if the trigger had traded.

    But no further from the trigger than exchanges let a stop of a derivative have it (16448).
    """
    limit = marketable(instrument, settings, side, trigger_pips, own_bp=own_bp)
    percent = instrument.stop_limit_percent
    if percent is None:
        return limit
    widest = trigger_pips * percent // PERCENT
    if side is Side.BUY:
        return min(limit, floor_tick(trigger_pips + widest, instrument.tick_pips))
    return max(limit, ceil_tick(trigger_pips - widest, instrument.tick_pips))


def beyond(side: Side, trigger_pips: int, last_pips: int) -> bool:
    """Return whether a stop order on ``side`` would wait: its trigger is still ahead."""
    return trigger_pips > last_pips if side is Side.BUY else trigger_pips < last_pips


def at_band_edge(instrument: Instrument, side: Side, price_pips: int) -> bool:
    """Return whether a price on ``side`` cannot be made more aggressive."""
    if side is Side.BUY:
        return price_pips >= instrument.band_high_pips
    return price_pips <= instrument.band_low_pips
