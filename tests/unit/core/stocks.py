"""
A share to test with: it closed at 13.00, moves by a paisa, between 10.40 and 15.60.

Close and band are such that a long position and its mirror image, a short one, see the same.
"""

from kavach.instruments import Instrument
from kavach.units import Exchange, InstrumentKey, Pips, Quantity


def stock(
    *,
    lot: int = 1,
    freeze: int = 1_000_000,
    tick_pips: int = 100,
    slm_allowed: bool = True,
    intraday_allowed: bool = True,
    token: int = 14366,
    segment: str = "Capital",
    exchange: Exchange = Exchange.NSE,
    multiplier: int = 1,
    expiry: str = "",
) -> Instrument:
    """Return the share, different where the test wants it different."""
    return Instrument(
        key=InstrumentKey(f"{exchange}:{token}"),
        exchange=exchange,
        token=token,
        trading_symbol="IDEA-EQ",
        symbol="IDEA",
        company="Idea",
        isin="INE669E01016",
        series="EQ",
        instrument_name="EQ",
        segment=segment,
        lot=Quantity(lot),
        tick_pips=Pips(tick_pips),
        freeze_quantity=Quantity(freeze),
        previous_close_pips=Pips(130_000),
        band_low_pips=Pips(104_000),
        band_high_pips=Pips(156_000),
        slm_allowed=slm_allowed,
        intraday_allowed=intraday_allowed,
        multiplier=multiplier,
        expiry=expiry,
    )
