"""What the watch counts step by step is what a look at everything would find."""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kavach.core import events as e
from kavach.core.model.cover.tables import State
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.refusals import Outcome, Reason
from kavach.engine.engine import Engine
from kavach.engine.observer_port import Observer
from kavach.telemetry.histogram import Histogram
from kavach.telemetry.telemetry import Telemetry
from kavach.units import NS_PER_MS, NS_PER_SECOND, Side
from tests.simulation.property import far, near
from tests.simulation.property.far import FarWorld
from tests.simulation.property.near import NearWorld
from tests.unit.core.scenario import Scene
from tests.unit.core.test_regular import RegularScene
from tests.unit.telemetry.reading import Figures

SEEDS = range(12)
DEEDS_A_RUN = 100


def figures(telemetry: Telemetry) -> Figures:
    """Return what a scrape finds."""
    return Figures(telemetry.exposition().decode())


def check_against_scan(engine: Engine, seen: Figures) -> None:
    """Compare the gauges with a look at every cover order."""
    covers = list(engine.state.every_cover())
    living = Counter(cover.state.value for cover in covers if cover.ended is None)
    for state in State:
        gauge = seen.get("kavach_cover_orders", state=state.value)
        assert (gauge or 0) == living[state.value], state
    naked = [cover for cover in covers if cover.ended is None and cover.naked_since_ns]
    assert seen["kavach_naked_orders"] == len(naked)
    longest_ns = max((engine.now_ns() - cover.naked_since_ns for cover in naked), default=0)
    assert seen["kavach_naked_now_seconds_max"] == longest_ns / NS_PER_SECOND
    doubted = [o for cover in covers for o in cover.entries + cover.exits if o.doubted]
    assert seen["kavach_orders_in_doubt"] == len(doubted)


def deed(world: Any, deeds: Any, chance: random.Random) -> None:
    """Let one of the deeds of a world happen."""
    names = [name for name, _, often in deeds for _ in range(often)]
    takes = {name: numbers for name, numbers, _ in deeds}
    name = chance.choice(names)
    getattr(world, name)(*[chance.randrange(1_000) for _ in range(takes[name])])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("kind", "deeds"), [(FarWorld, far.DEEDS), (NearWorld, near.DEEDS)])
def test_gauges_are_what_a_scan_finds(kind: type[Any], deeds: Any, seed: int) -> None:
    """Whatever happens, orders by state, naked ones and doubts agree with the state itself."""
    chance = random.Random(seed)
    world = kind()
    telemetry = Telemetry(world.engine)
    for number in range(DEEDS_A_RUN):
        deed(world, deeds, chance)
        if number % 10 == 0:
            check_against_scan(world.engine, figures(telemetry))
    check_against_scan(world.engine, figures(telemetry))
    again = Telemetry(world.engine)
    check_against_scan(world.engine, figures(again))


class Overhearing:
    """Notes the events on their way to another observer."""

    def __init__(self, observer: Observer | None) -> None:
        assert observer is not None
        self._observer = observer
        self.events: Counter[type] = Counter()

    def stepped(
        self,
        cause: str,
        outcome: Outcome | None,
        events: Sequence[e.Event],
        touched: Collection[ParentOrder],
        at_ns: int,
    ) -> None:
        """Note and pass on."""
        self.events.update(type(event) for event in events)
        self._observer.stepped(cause, outcome, events, touched, at_ns)


def test_counters_are_what_the_events_tell() -> None:
    """Ends, reopenings, alarms, doubts and answers are as many as there were such events."""
    events: Counter[type] = Counter()
    for seed in SEEDS:
        chance = random.Random(seed)
        world = FarWorld()
        telemetry = Telemetry(world.engine)
        [watch] = world.engine.observers
        overhearing = Overhearing(watch)
        world.engine.observers[:] = [overhearing]
        for _ in range(DEEDS_A_RUN):
            deed(world, far.DEEDS, chance)
        seen, told = figures(telemetry), overhearing.events
        assert seen.total("kavach_cover_orders_ended_total") == told[e.CoverOrderEnded]
        assert seen["kavach_cover_orders_reopened_total"] == told[e.CoverOrderReopened]
        assert seen.total("kavach_alarms_total") == told[e.AlarmRaised]
        assert seen["kavach_orders_doubted_total"] == told[e.OrderDoubted]
        answers = told[e.OrderAccepted] + told[e.OrderRejected]
        assert seen.get("kavach_venue_round_trip_seconds_count", request="new") == answers
        events += told
    expected = {e.CoverOrderEnded, e.AlarmRaised, e.OrderDoubted, e.OrderRejected}
    assert expected <= set(events), "a schedule in which nothing is counted proves nothing"


def test_naked_time_is_measured_from_fill_to_protection() -> None:
    """A stop acknowledged 40 ms after the fill leaves one naked time of 40 ms."""
    scene = Scene()
    telemetry = Telemetry(scene.engine)
    for words in ("place 100 @ 13 stop 12", "E1 acked", "E1 traded 100"):
        scene.tell(words)
    scene.clock.at_ns += 40 * NS_PER_MS
    during = figures(telemetry)
    assert during["kavach_naked_orders"] == 1
    assert during["kavach_naked_now_seconds_max"] == pytest.approx(0.04, abs=1e-5)
    assert during["kavach_naked_seconds_count"] == 0
    scene.tell("S1 acked")
    after = figures(telemetry)
    assert after["kavach_naked_orders"] == after["kavach_naked_now_seconds_max"] == 0
    assert after["kavach_naked_seconds_count"] == 1
    assert after["kavach_naked_seconds_sum"] == pytest.approx(0.04, abs=1e-5)
    assert after.get("kavach_naked_seconds_bucket", le="0.01") == 0
    assert after.get("kavach_naked_seconds_bucket", le="0.05") == 1
    assert after["kavach_naked_ever_seconds_max"] == after["kavach_naked_seconds_sum"]


def test_round_trips_are_in_the_time_of_the_engine() -> None:
    """An entry acknowledged after 30 ms is in the bucket up to 50 ms, and no other request is."""
    scene = Scene()
    telemetry = Telemetry(scene.engine)
    scene.tell("place 100 @ 13 stop 12")
    scene.clock.at_ns += 30 * NS_PER_MS
    scene.tell("E1 acked")
    seen = figures(telemetry)
    took = seen.get("kavach_venue_round_trip_seconds_sum", request="new")
    assert took == pytest.approx(0.03, abs=1e-5)
    assert seen.get("kavach_venue_round_trip_seconds_bucket", request="new", le="0.025") == 0
    assert seen.get("kavach_venue_round_trip_seconds_bucket", request="new", le="0.05") == 1
    assert seen.get("kavach_venue_round_trip_seconds_count", request="cancel") == 0


def test_commands_are_counted_by_what_became_of_them() -> None:
    """An accepted order and a refused one are two outcomes of one command."""
    scene = Scene()
    telemetry = Telemetry(scene.engine)
    scene.tell("place 100 @ 13 stop 12")
    scene.tell("place 100 @ 13 stop 14")
    seen = figures(telemetry)
    name = "kavach_commands_total"
    refused = Reason.STOP_MUST_BE_ON_LOSING_SIDE.value
    assert seen.get(name, command="PlaceCoverOrder", outcome="accepted") == 1
    assert seen.get(name, command="PlaceCoverOrder", outcome=refused) == 1


def test_a_lost_link_is_seen_until_it_is_back() -> None:
    """What is in flight when the link goes is in doubt, and the venue is down until it returns."""
    scene = Scene()
    telemetry = Telemetry(scene.engine)
    scene.tell("place 100 @ 13 stop 12")
    scene.engine.lose_link()
    lost = figures(telemetry)
    assert (lost["kavach_venue_up"], lost["kavach_orders_in_doubt"]) == (0, 1)
    scene.engine.restore_link()
    assert figures(telemetry)["kavach_venue_up"] == 1


def test_another_engine_takes_the_place_of_the_first() -> None:
    """After a reset gauges speak of the new world, counters go on, and the old is not heard."""
    first, second = Scene(), Scene()
    telemetry = Telemetry(first.engine)
    first.tell("place 100 @ 13 stop 12")
    telemetry.watch(second.engine)
    seen = figures(telemetry)
    assert seen.total("kavach_cover_orders") == 0
    assert seen.get("kavach_commands_total", command="PlaceCoverOrder", outcome="accepted") == 1
    batches = seen["kavach_journal_batch_records_count"]
    first.journal.append(b"nobody hears this")
    assert figures(telemetry)["kavach_journal_batch_records_count"] == batches


def test_a_histogram_counts_up_to_and_including_its_bounds() -> None:
    """A value equal to a bound is in that bucket; what exceeds all bounds is in the last."""
    histogram = Histogram([10, 20])
    for value in (1, 10, 11, 20, 21):
        histogram.observe(value)
    assert histogram.cumulative() == [(10, 2), (20, 4), (None, 5)]
    assert histogram.total == 63


def test_two_servers_in_one_process_share_nothing() -> None:
    """Each has a registry of its own."""
    first, second = Scene(), Scene()
    one, other = Telemetry(first.engine), Telemetry(second.engine)
    first.tell("place 100 @ 13 stop 12")
    assert figures(one).total("kavach_cover_orders") == 1
    assert figures(other).total("kavach_cover_orders") == 0
    families = list(text_string_to_metric_families(one.exposition().decode()))
    assert len({family.name for family in families}) == len(families)


def test_regular_orders_are_counted_by_state() -> None:
    """Living ones are a gauge by state, ended ones a counter by how they ended."""
    scene = RegularScene(Side.BUY)
    telemetry = Telemetry(scene.engine)
    for words in ("place 10 @ 13", "E1 acked", "E1 traded 10", "place 10 @ 13", "amo 10 @ 13"):
        scene.tell(words)
    seen = figures(telemetry)
    assert seen.get("kavach_regular_orders_ended_total", state="FILLED") == 1
    assert seen.get("kavach_regular_orders", state="SENT") == 1
    assert seen.get("kavach_regular_orders", state="PARKED") == 1
    scene.tell("cancel")
    again = figures(Telemetry(scene.engine))
    assert again.get("kavach_regular_orders", state="PARKED") == 0
    assert again.get("kavach_regular_orders", state="SENT") == 1
