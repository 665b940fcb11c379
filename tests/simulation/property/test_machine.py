"""
Cover orders as a Hypothesis state machine: the same deeds as the schedules, shrunk when they fail.

A failing run is reduced to the shortest list of deeds that still breaks an invariant, which is
what one wants to read.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.simulation.property.far import FarWorld
from tests.simulation.property.silent import SilentWorld

SMALL = st.integers(0, 7)
NUMBER = st.integers(0, 255)


class CoverOrders(RuleBasedStateMachine):
    """A client, a venue, a clock and the mail, in any order."""

    kind: type[FarWorld] = FarWorld

    def __init__(self) -> None:
        super().__init__()
        self.world = self.kind()

    @rule(who=SMALL, kind=st.integers(0, 15), size=NUMBER, unconfirmed=NUMBER)
    def place(self, who: int, kind: int, size: int, unconfirmed: int) -> None:
        self.world.place(who, kind, size, unconfirmed)

    @rule(which=SMALL)
    def cancel_entry(self, which: int) -> None:
        self.world.cancel_entry(which)

    @rule(which=SMALL)
    def exit(self, which: int) -> None:
        self.world.exit(which)

    @rule(which=SMALL, what=st.integers(0, 59), size=NUMBER, unconfirmed=NUMBER)
    def modify(self, which: int, what: int, size: int, unconfirmed: int) -> None:
        self.world.modify(which, what, size, unconfirmed)

    @rule(which=SMALL)
    def snoop(self, which: int) -> None:
        self.world.snoop(which)

    @rule(which=st.integers(0, 5))
    def wait(self, which: int) -> None:
        self.world.wait(which)

    @rule(which=st.integers(0, 1), by=st.integers(0, 40))
    def price(self, which: int, by: int) -> None:
        self.world.price(which, by)

    @rule()
    def square_off(self) -> None:
        self.world.square_off()

    @rule(who=st.integers(0, 1))
    def kill(self, who: int) -> None:
        self.world.kill(who)

    @rule()
    def session(self) -> None:
        self.world.session()

    @precondition(lambda self: self.world.venue.orders)
    @rule(which=SMALL, what=SMALL, size=NUMBER)
    def decide(self, which: int, what: int, size: int) -> None:
        self.world.decide(which, what, size)

    @precondition(lambda self: any(self.world.mail.values()))
    @rule(which=SMALL, twice=SMALL)
    def deliver(self, which: int, twice: int) -> None:
        self.world.deliver(which, twice)

    @precondition(lambda self: self.world.venue.orders)
    @rule(which=SMALL, what=SMALL, size=NUMBER)
    def decide_and_deliver(self, which: int, what: int, size: int) -> None:
        self.world.decide(which, what, size)
        self.world.deliver(which, 0)

    @rule(prefix=NUMBER)
    def replay(self, prefix: int) -> None:
        self.world.check_replay(prefix)

    def teardown(self) -> None:
        """Let everybody out; nobody may be left inside."""
        self.world.wind_up()
        self.world.check_replay(-1)


class SilentCoverOrders(CoverOrders):
    """The same, where things get lost."""

    kind = SilentWorld
    world: SilentWorld

    @rule(which=SMALL)
    def lose(self, which: int) -> None:
        self.world.lose(which)

    @rule(which=SMALL)
    def drop(self, which: int) -> None:
        self.world.drop(which)

    @rule(which=SMALL)
    def resurface(self, which: int) -> None:
        self.world.resurface(which)

    @rule(which=SMALL, what=SMALL)
    def answer(self, which: int, what: int) -> None:
        self.world.answer(which, what)

    @rule(what=SMALL)
    def link(self, what: int) -> None:
        self.world.link(what)

    @rule(what=SMALL)
    def restart(self, what: int) -> None:
        self.world.restart(what)


TestCoverOrders = CoverOrders.TestCase
TestSilentCoverOrders = SilentCoverOrders.TestCase
