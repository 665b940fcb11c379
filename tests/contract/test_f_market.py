"""F3: instruments that are first looked at together do not move together."""

from collections import Counter

from kavach.market.synthetic import STEP_NS, SyntheticMarket, Walk
from kavach.units import InstrumentKey
from tests.unit.market.stage import SECOND, Street
from tests.unit.market.test_synthetic import crowded, make_market

LOOKED_AT = 40


class Moments:
    """When each attended instrument moves."""

    def __init__(self, market: SyntheticMarket) -> None:
        self.moves: Counter[int] = Counter()
        self._move = market._move
        market._move = self._noted  # type: ignore[method-assign]

    def _noted(self, walk: Walk, steps: int, at_ns: int) -> None:
        if walk.instrument.imported:
            self.moves[at_ns] += 1
        self._move(walk, steps, at_ns)


def test_f3_those_looked_at_together_move_apart() -> None:
    """Of 40 instruments first looked at in one instant no two move at one time from then on."""
    street: Street = crowded(LOOKED_AT)
    market = make_market(street)
    for number in range(LOOKED_AT):
        assert market.attend(InstrumentKey(f"NSE:{900_000 + number}"))
    street.engine.catch_up(street.engine.now_ns())
    moments = Moments(market)
    street.pass_time(10, STEP_NS // 100)
    moved = sum(moments.moves.values())
    assert moved >= 10 * SECOND // STEP_NS * LOOKED_AT // 2
    assert max(moments.moves.values()) == 1
