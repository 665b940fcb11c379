"""
NautilusTrader's backtest engine submitting and cancelling plain limit orders.

Its own way of doing it: a strategy hears a quote, submits one limit order below the market,
and cancels it when the simulated exchange has accepted it. Logging is off, the risk engine is on
with its rate limit lifted, and the statistics it makes after a run are left out. One quote a
pair was its fastest form; submitting ten or a hundred orders a quote was slower.

Needs the extra ``bench``. Source: NautilusTrader 1.221.0, the docstrings of ``BacktestEngine``.
"""

import gc
from typing import Any, Final

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from bench.measure import Sample, timed

VENUE: Final = "XNAS"
BID, ASK, PRICE = 100, 101, 90
NO_LIMIT: Final = "1000000000/00:00:01"  # Orders a second.


class SubmitAndCancel(Strategy):  # type: ignore[misc]  # It brings no types.
    """Submits one order a quote, and cancels each when it is accepted."""

    def __init__(self, instrument: Any) -> None:
        super().__init__()
        self._instrument = instrument
        self._quantity = instrument.make_qty(1)
        self._price = instrument.make_price(PRICE)
        self.cancelled = 0

    def on_start(self) -> None:
        """Ask for quotes."""
        self.subscribe_quote_ticks(self._instrument.id)

    def on_quote_tick(self, tick: Any) -> None:
        """Submit."""
        order = self.order_factory.limit(
            self._instrument.id, OrderSide.BUY, self._quantity, self._price
        )
        self.submit_order(order)

    def on_order_accepted(self, event: Any) -> None:
        """Cancel."""
        self.cancel_order(self.cache.order(event.client_order_id))

    def on_order_canceled(self, event: Any) -> None:
        """Count."""
        self.cancelled += 1


def their_pairs(pairs: int) -> Sample:
    """Return how long so many limit orders take to be submitted and cancelled, one by one."""
    instrument = TestInstrumentProvider.equity(symbol="AAPL", venue=VENUE)
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(max_order_submit_rate=NO_LIMIT),
            run_analysis=False,
        )
    )
    cash = Money(10_000_000, USD)
    engine.add_venue(Venue(VENUE), OmsType.NETTING, AccountType.CASH, [cash], base_currency=USD)
    engine.add_instrument(instrument)
    bid, ask = instrument.make_price(BID), instrument.make_price(ASK)
    size = instrument.make_qty(100)
    engine.add_data(
        [QuoteTick(instrument.id, bid, ask, size, size, at, at) for at in range(1, pairs + 1)]
    )
    strategy = SubmitAndCancel(instrument)
    engine.add_strategy(strategy)
    gc.collect()
    sample = timed(pairs, engine.run)
    assert strategy.cancelled == pairs, "every one was accepted and cancelled"
    engine.dispose()
    return sample
