"""
The races of a cover order, each played in many orders of events over a network.

Every race is set up on the real exchange, then its acts are let go within 25 ms of each other
while every message takes up to 20 ms: 25 rounds, 25 orders. The auditor looks on after each event
(INV-1 to INV-20). A test names every end that is allowed, and those that must be among them, so
that the race was one. An end reads: state, shares bought, shares sold, number of exit orders.

Source: docs/spec/cover_order.md; the numbers are those of its list.
"""

import msgspec
import pytest

from kavach.core.commands import Kill, Leg, ModifyCoverOrder, SquareOff
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.units import NS_PER_MS, Quantity, Side, Validity
from tests.simulation.duel import (
    BREEZE,
    ENTRY,
    Duel,
    covered,
    ends,
    half_covered,
    opened,
)
from tests.simulation.network import Weather
from tests.simulation.process import NSE, SHARES
from tests.unit.core.scenario import play

DEEP = 119_500  # Where somebody bids when the stop fires at 120 000.
FIRES = 119_900
REFUSING = Weather(latency_max=20, refused=1000)
SILENT = Weather(latency_max=20, lost=1000)


def test_race_1_cancel_against_a_full_fill() -> None:
    """The fill wins: covered in full. The cancel wins: cancelled, and never an exit order."""

    def race(duel: Duel) -> None:
        opened(duel)
        duel.at_once(duel.c1, lambda: duel.sell(100))

    assert set(ends(race)) == {"CANCELLED 0 0 by 0", "COVERED 100 0 by 1"}


def test_race_2_cancel_against_a_part() -> None:
    """Whatever filled is covered, in whichever order fill and closing are told."""

    def race(duel: Duel) -> None:
        opened(duel)
        duel.at_once(duel.c1, lambda: duel.sell(40))

    assert set(ends(race)) == {"CANCELLED 0 0 by 0", "COVERED 40 0 by 1"}


@pytest.mark.parametrize(
    ("weather", "resting", "allowed"),
    [
        (BREEZE, 0, {"CANCELLED 0 0 by 0"}),
        (REFUSING, 0, {"REJECTED 0 0 by 0"}),
        (SILENT, 0, {"REJECTED 0 0 by 0"}),
        (BREEZE, 30, {"COVERED 30 0 by 1"}),
    ],
    ids=["ack", "reject", "silence", "fill"],
)
def test_race_3_cancel_before_the_ack(weather: Weather, resting: int, allowed: set[str]) -> None:
    """Cancelled, rejected or resolved; any fill is covered, and the remainder goes."""

    def race(duel: Duel) -> None:
        if resting:
            duel.sell(resting)
        duel.network.weather = weather
        duel.place_order()
        duel.c1()
        duel.wait(2_000)

    assert set(ends(race)) == allowed


def test_race_4_exit_against_the_trigger() -> None:
    """One order gets out, converted or re-priced: nothing is sent beside it."""

    def race(duel: Duel) -> None:
        covered(duel)
        duel.at_once(duel.c2, lambda: duel.trades_at(FIRES))
        duel.buy(500, DEEP)

    assert set(ends(race)) == {"EXITED 100 100 by 1"}


def test_race_5_exit_against_the_full_fill_of_the_stop() -> None:
    """Out once, and no second exit."""

    def race(duel: Duel) -> None:
        covered(duel)
        duel.buy(500, DEEP)
        duel.at_once(duel.c2, lambda: duel.trades_at(FIRES))

    assert set(ends(race)) == {"EXITED 100 100 by 1"}


def test_race_6_everybody_wants_out() -> None:
    """Three exits, the square-off and the kill switch at once are one exit and equal answers."""

    def race(duel: Duel) -> None:
        covered(duel)
        command = duel.cancel(duel.cover, Leg.THIRD)
        duel.buy(60, DEEP)
        duel.at_once(
            *[lambda: duel.outcomes.append(duel.execute(command))] * 3,
            lambda: duel.outcomes.append(duel.execute(SquareOff(NSE))),
            lambda: duel.outcomes.append(duel.execute(Kill("R"))),
        )
        said = [o for o in duel.outcomes if isinstance(o, Answer) and o.order_id]
        assert len(said) == 3 and len({(o.order_id, o.basket_id) for o in said}) == 1
        duel.buy(60, DEEP)

    assert set(ends(race)) == {"EXITED 100 100 by 1"}


def test_race_7_exit_against_a_fill_of_the_remainder() -> None:
    """What fills on the way out is flattened."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.buy(500, DEEP)
        duel.at_once(duel.c2, lambda: duel.sell(60))

    how = ends(race)
    assert {end.rpartition(" by")[0] for end in how} == {"EXITED 40 40", "EXITED 100 100"}


def test_race_8_cancel_and_exit() -> None:
    """Who cancels and wants out at once is out."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.buy(500, DEEP)
        duel.at_once(duel.c1, duel.c2)

    assert set(ends(race)) == {"EXITED 40 40 by 1"}


def test_race_9_a_moved_stop_against_the_trigger() -> None:
    """The old trigger or the new one is in force, and the stop is never lost."""

    def race(duel: Duel) -> None:
        covered(duel)
        duel.buy(500, 123_000)
        duel.at_once(lambda: duel.c4(125_000), lambda: duel.trades_at(124_500))

    assert set(ends(race)) == {"COVERED 100 0 by 1", "EXITED 100 100 by 1"}


def test_race_10_growth_against_the_trigger() -> None:
    """What the fired stop does not hold is exited beside it."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.buy(500, DEEP)
        duel.at_once(lambda: duel.sell(60), lambda: duel.trades_at(FIRES))

    how = {end.rpartition(" by")[0] for end in ends(race)}
    assert how <= {"EXITED 40 40", "EXITED 100 100"}
    assert "EXITED 100 100" in how


def test_race_11_fills_faster_than_answers() -> None:
    """Ten fills within 25 ms end in one stop for all of them, one operation at a time."""

    def race(duel: Duel) -> None:
        opened(duel)
        duel.at_once(*[lambda: duel.sell(10)] * 10)

    assert set(ends(race)) == {"COVERED 100 0 by 1"}


def test_race_12_a_refused_stop() -> None:
    """Refused again and again, then taken: the ladder ends covered or flat, and tells of it."""

    def race(duel: Duel) -> None:
        opened(duel)
        duel.network.weather = REFUSING
        duel.sell(100)
        duel.buy(500, DEEP)
        duel.wait(duel.chance.choice((25, 35, 45, 4_000)))
        duel.network.weather = BREEZE
        duel.wait(5_000)
        refused = any(order.life == "rejected" for order in duel.cover.exits)
        assert ("stop_refused" in duel.cover.alarms) is refused

    how = {end.split(" by")[0] for end in ends(race)}
    assert how == {"EXITED 100 100", "COVERED 100 0"}


def test_race_13_a_gap_through_the_limit() -> None:
    """The price falls through stop and limit, nobody trades: the exit is chased to the edge."""

    def race(duel: Duel) -> None:
        duel.share = SHARES[1]  # Stops have a limit here.
        duel.place_order(40)
        duel.wait(100)
        duel.sell(40)
        duel.wait(200)
        duel.trades_at(110_000)
        duel.wait(3_000)
        assert duel.cover.state == "EXITING"
        duel.buy(40, 104_000)

    assert set(ends(race)) == {"EXITED 40 40 by 1"}


@pytest.mark.parametrize("weather", [BREEZE, SILENT, REFUSING], ids=["quick", "silent", "refusing"])
def test_race_14_death_at_every_record(weather: Weather) -> None:
    """The process dies after each record in turn, its last ones kept or lost: it ends flat.

    An entry that died on the wire is found to be absent, and rejected.
    """
    how = set()
    for last in range(5, 24):
        duel = Duel(last)
        dies_after(duel, last)
        half_covered_at_last(duel)
        duel.network.weather = weather
        duel.sell(60)
        duel.buy(500, DEEP)
        duel.wait(50)
        if duel.alive:
            duel.c2()
        duel.network.weather = BREEZE
        duel.wait(6_000)
        if not duel.cover.exited_by_user:
            duel.c2()
        duel.settle_down()
        how.add(duel.end().split(" by")[0])
    assert how == {"REJECTED 0 0", "EXITED 100 100"}


def dies_after(duel: Duel, sequence: int) -> None:
    """Let the process die once it has written so many records."""
    look = duel.look

    def watched() -> None:
        look()
        if duel.journal.durable_sequence >= sequence and duel.alive and not duel.tally["crash"]:
            if duel.chance.randrange(2):
                duel.durable = duel.journal.durable_sequence
                duel.flushed()
            duel.later(0, duel.crash)

    duel.look = watched  # type: ignore[method-assign]


def half_covered_at_last(duel: Duel) -> None:
    """Have 40 of 100 protected, however often somebody died on the way."""
    duel.place_order()
    duel.wait(100)
    duel.sell(40)
    duel.wait(6_000)


def test_race_15_disconnect_during_the_conversion() -> None:
    """The conversion's fate is unknown until the link is back; then it is one exit."""

    def race(duel: Duel) -> None:
        covered(duel)
        duel.buy(500, DEEP)
        duel.at_once(duel.c2, duel.cut)
        duel.wait(9_000)
        assert duel.linked

    assert set(ends(race)) == {"EXITED 100 100 by 1"}


def test_race_16_a_removed_stop_while_the_entry_is_cancelled() -> None:
    """Protected again, and the entry is gone."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.at_once(duel.c1, duel.remove_stop)

    assert set(ends(race)) == {"COVERED 40 0 by 2"}


def test_race_17_the_end_of_the_session() -> None:
    """With a stop and an entry pending, squared off before the end: flat, and nothing rests.

    The boundary is that of an exchange's session; shares that stop earlier than others are not
    told apart.
    """

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.buy(500, DEEP)
        duel.at_once(lambda: duel.execute(SquareOff(NSE)), lambda: duel.sell(60))
        duel.open = False
        duel.change_session(is_open=False)
        duel.wait(500)
        assert not [entry for entry in duel.gateway.ledger.values() if entry.alive]
        assert duel.cover.ended is not None

    how = {end.split(" by")[0] for end in ends(race)}
    assert how == {"EXITED 40 40", "EXITED 100 100"}


def test_race_17_nothing_rests_overnight() -> None:
    """Without a square-off the position is carried, told, and exited in the next session."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.open = False
        duel.change_session(is_open=False)
        duel.wait(2_000)
        assert duel.cover.state == "CARRIED" and "carried" in duel.cover.alarms
        assert not [entry for entry in duel.gateway.ledger.values() if entry.alive]
        duel.open = True
        duel.change_session(is_open=True)
        duel.wait(500)
        duel.buy(500, DEEP)
        duel.c2()

    assert {end.split(" by")[0] for end in ends(race)} == {"EXITED 40 40"}


def test_race_18_a_fill_after_the_cancel() -> None:
    """A venue that trades after it said cancelled: live again, covered, told (scripted venue)."""
    assert play(
        """
        place 100 @ 13 stop 12 -> E1 buy 100 @ 13, ok         | ENTRY_SENT
        E1 acked               -> nothing                     | ENTRY_OPEN
        C1                     -> cancel E1, ok CANCEL_PENDING | ENTRY_OPEN
        E1 cancelled           -> nothing                     | CANCELLED
        E1 traded-late 40      -> alarm resurrected, S1 sell 40 on 12 | COVERING
        S1 acked               -> nothing                     | COVERED
        """
    )


def test_race_19_an_old_reference_and_a_lost_cancel() -> None:
    """A change of what has changed since is refused, and taken when asked anew; a lost cancel is
    sent again until the venue has it.
    """
    duel = Duel(1)
    half_covered(duel)
    seen = duel.cover.leg_updated_at_ns(Leg.ENTRY)
    command = ModifyCoverOrder(
        client_id="R",
        order_id=duel.cover_id,
        leg=Leg.ENTRY,
        quantity=Quantity(90),
        last_activity_ns=seen - 10 * NS_PER_MS,
    )
    assert duel.execute(command) == Refusal(Reason.REFERENCE_MUST_BE_CURRENT)
    fresh = msgspec.structs.replace(command, last_activity_ns=seen)
    assert isinstance(duel.execute(fresh), Answer)
    duel.wait(200)
    duel.network.weather = SILENT
    duel.c1()
    duel.wait(1_500)
    duel.settle_down()
    assert duel.end() == "COVERED 40 0 by 1"


def test_race_20_immediate_or_cancel() -> None:
    """An IOC entry that fills in part is covered for that part."""

    def race(duel: Duel) -> None:
        duel.at_once(lambda: duel.sell(40), lambda: duel.place_order(validity=Validity.IOC))

    assert set(ends(race)) == {"COVERED 40 0 by 1", "EXPIRED 0 0 by 0"}


def test_race_21_an_opposite_trade_by_hand() -> None:
    """Policy: ring-fenced. The client's own opposite order changes nothing of the cover order."""

    def race(duel: Duel) -> None:
        covered(duel)
        mine = duel.cover_id
        duel.buy(100, ENTRY)
        duel.at_once(lambda: duel.place_order(100, Side.SELL, stop=140_000), duel.c1)
        duel.cover_id = mine

    assert set(ends(race)) == {"COVERED 100 0 by 1"}


@pytest.mark.parametrize(
    ("quantity", "allowed"),
    [
        (40, {"COVERED 40 0 by 1", "COVERED 60 0 by 1", "COVERED_OPEN 60 0 by 1"}),
        (30, {"COVERED_OPEN 60 0 by 1"}),
    ],
    ids=["to what filled", "below"],
)
def test_race_22_the_entry_is_amended_down(quantity: int, allowed: set[str]) -> None:
    """Down to what has filled is a cancel of the rest; below it is refused. A fill may race."""

    def race(duel: Duel) -> None:
        half_covered(duel)
        duel.at_once(lambda: duel.c3(quantity), lambda: duel.sell(20))
        if quantity == 30:
            assert isinstance(duel.outcomes[0], Refusal)

    assert set(ends(race)) == allowed
