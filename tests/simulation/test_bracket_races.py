"""
The races of a bracket, each played in many orders of events over a network.

Target and stop live at one real exchange, and what is told of them takes its time. In every round
the auditor and the exchange's own book are looked at after each event: together the exits never
fill more than the entry did. An end reads: state, shares bought, shares sold, number of exits.

Source: docs/spec/cover_order.md (brackets); docs/spec/cover_order.md.
"""

from collections.abc import Callable
from typing import Final

import pytest

from kavach.core.commands import Leg, ModifyCoverOrder, SquareOff
from kavach.units import NS_PER_MS, Pips, Side
from tests.simulation.duel import ENTRY, STOP, Duel, ends
from tests.simulation.network import Weather
from tests.simulation.process import NSE

TARGET: Final = 131_000
DEEP: Final = 119_500  # Where somebody bids when the stop fires.
FIRES: Final = 119_900
ROUNDS: Final = 12  # Of those that are played in several weathers.
LOSSY: Final = Weather(latency_max=20, lost=200)
REPEATING: Final = Weather(latency_max=20, twice=300)


def opened(duel: Duel) -> None:
    """Place a bracket for 100 that rests."""
    duel.place_order(target=TARGET)
    duel.wait(100)


def covered(duel: Duel) -> None:
    """Have 100, with stop and target for 100 behind them, and somebody who buys where it fires."""
    opened(duel)
    duel.sell(100)
    duel.wait(300)
    assert [order.live for order in duel.cover.exits] == [True, True]
    duel.buy(300, DEEP)


def half_covered(duel: Duel) -> None:
    """Have 40 of 100, with stop and target for 40 behind them."""
    opened(duel)
    duel.sell(40)
    duel.wait(300)
    assert [order.live for order in duel.cover.exits] == [True, True]


def lift(duel: Duel, quantity: int) -> Callable[[], None]:
    """Let a stranger buy at the target."""
    return lambda: duel.buy(quantity, TARGET)


@pytest.mark.parametrize("weather", [None, LOSSY, REPEATING], ids=["plain", "lossy", "twice"])
@pytest.mark.parametrize("part", [30, 100])
def test_target_and_stop_at_once(weather: Weather | None, part: int) -> None:
    """Both trade within milliseconds: the position is closed once, whoever is first."""
    duels: list[Duel] = []

    def race(duel: Duel) -> None:
        duels.append(duel)
        covered(duel)
        if weather is not None:
            duel.network.weather = weather
        duel.at_once(lift(duel, part), lambda: duel.trades_at(FIRES))

    how = ends(race, ROUNDS)
    assert {end.split(" by ")[0] for end in how} == {"EXITED 100 100"}
    at_target = {duel.cover.exits[1].filled_quantity for duel in duels}
    assert at_target == {0, part}, "that was no race"


def test_growth_against_the_target() -> None:
    """A stop that grows while the target sells it all: what came later has a stop, too."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.at_once(lift(duel, 40), lambda: duel.sell(60))

    how = ends(race)
    bought = {int(end.split()[1]) for end in how}
    assert bought == {40, 100}
    assert {end.split()[2] for end in how} == {"40"}, how


def test_exit_against_the_target() -> None:
    """A stop that is turned into the exit while the target sells: no share is sold twice."""

    def race(duel: Duel) -> None:
        covered(duel)
        duel.at_once(duel.c2, lift(duel, 60))
        duel.buy(200, ENTRY)

    how = ends(race)
    assert {end.split(" by ")[0] for end in how} == {"EXITED 100 100"}


def test_everything_at_once() -> None:
    """Exit, square-off, target and stop within milliseconds: flat, once."""

    def race(duel: Duel) -> None:
        covered(duel)
        duel.at_once(
            duel.c2,
            lift(duel, 50),
            lambda: duel.trades_at(FIRES),
            lambda: duel.execute(SquareOff(NSE)),
        )
        duel.buy(200, ENTRY)

    how = ends(race)
    assert {end.split(" by ")[0] for end in how} == {"EXITED 100 100"}


def test_the_remainder_against_its_cancel() -> None:
    """The target trades, and the entry fills while it is being cancelled: the rest is stopped."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.buy(40, TARGET)
        duel.at_once(lambda: duel.sell(60))

    how = ends(race)
    assert set(how) == {"EXITED 40 40 by 2", "COVERED 100 40 by 4"}


def test_the_target_moves_against_its_fill() -> None:
    """A target that is moved while it is taken is sold at the one price or at the other."""

    def race(duel: Duel) -> None:
        covered(duel)
        command = ModifyCoverOrder(
            client_id="R",
            order_id=duel.cover_id,
            leg=Leg.SECOND,
            price_pips=Pips(TARGET + 500),
        )
        duel.at_once(lift(duel, 100), lambda: duel.execute(command))

    how = ends(race)
    assert set(how) <= {"EXITED 100 100 by 2", "COVERED 100 0 by 2"}


@pytest.mark.parametrize("act", ["target", "stop", "exit"])
def test_a_crash_in_the_middle(act: str) -> None:
    """The process dies and comes back while target or stop trade: nothing is lost or doubled."""

    def race(duel: Duel) -> None:
        covered(duel)
        deeds: dict[str, Callable[[], object]] = {
            "target": lift(duel, 60),
            "stop": lambda: duel.trades_at(FIRES),
            "exit": duel.c2,
        }
        duel.later(duel.chance.randrange(20 * NS_PER_MS), deeds[act])
        duel.later(duel.chance.randrange(20 * NS_PER_MS), duel.crash)
        duel.wait(4_000)
        duel.buy(200, ENTRY)

    for end in ends(race, ROUNDS):
        state, bought, sold = end.split()[:3]
        assert bought == "100", end
        assert state in ("COVERED", "EXITED"), end
        assert (state == "EXITED") == (sold == "100"), end


def test_a_short_bracket() -> None:
    """The same for somebody who has sold."""

    def race(duel: Duel) -> None:
        duel.place_order(side=Side.SELL, stop=140_000, target=129_000)
        duel.wait(100)
        duel.buy(100, ENTRY)
        duel.wait(300)
        duel.sell(300, 140_500)
        duel.at_once(lambda: duel.sell(30, 129_000), lambda: duel.trades_at(140_100))

    assert {end.split(" by ")[0] for end in ends(race)} == {"EXITED 100 100"}
    assert STOP < ENTRY < TARGET
