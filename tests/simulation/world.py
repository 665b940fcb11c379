"""
A whole world: what may happen in it, how it is played, and how it must end.

``World`` is what the far and the near one share. ``attempt`` plays one seed and says whether
every invariant held to the end, after the faults had stopped.

Source: docs/reliability.md; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from kavach.core.commands import (
    Leg,
)
from kavach.core.refusals import Answer
from kavach.engine.engine import Engine
from kavach.engine.venue_port import Venue
from kavach.journal.memory import MemoryJournal
from kavach.units import (
    NS_PER_MS,
    NS_PER_SECOND,
    Quantity,
)
from tests.conservation import check_conservation
from tests.simulation.process import SHARES
from tests.simulation.schedule import Decision, plan, stream
from tests.simulation.street import Street

QUIET_NS: Final = 20 * NS_PER_SECOND
GAPS_MS: Final = (0, 1, 5, 20, 60, 150, 400, 1_000, 2_500)


class World(Street):
    """Everything that can happen, and the end of it."""

    deeds: ClassVar[Mapping[str, int]] = {
        "place": 36,
        "cancel_entry": 8,
        "exit": 8,
        "modify_entry": 8,
        "modify_stop": 6,
        "snoop": 2,
        "liquidity_order": 40,
        "liquidity_quote": 20,
        "print_trade": 12,
        "remove": 6,
        "cut": 4,
        "crash": 8,
        "day": 2,
        "kill": 1,
    }

    # --- Playing ------------------------------------------------------------------------------

    def play(self, decisions: Sequence[Decision]) -> None:
        """Do all this, one after the other, with time between."""
        for decision in decisions:
            self.before(decision)
            chance = stream(self.seed, decision.number)
            self.run_until(self.true_ns + chance.choice(GAPS_MS) * NS_PER_MS)
            self.chance, self.number = chance, decision.number
            self.tell(f"--- {decision.number} {decision.name}")
            getattr(self, decision.name)()
        self.chance = stream(self.seed, "end")
        self.tell("--- no more faults")
        self.wind_up()

    def before(self, decision: Decision) -> None:
        """Do what this kind of world does between decisions."""

    def wind_up(self) -> None:
        """Once nothing fails any more, everything ends as it should, in bounded time."""
        self.end_faults()
        self.run_until(self.true_ns + QUIET_NS)  # Every appointment is kept by then.
        assert self.alive and self.linked and self.open, "the world has not come back"
        self.go_on(QUIET_NS)
        self.check_settled({"ENTRY_OPEN", "COVERED_OPEN", "COVERED"})
        for cover in list(self.engine.state.every_cover()):
            if cover.ended is None:
                self.execute(self.cancel(cover, Leg.ENTRY))
        self.go_on(QUIET_NS // 2)
        self.check_settled({"COVERED"})
        for cover in list(self.engine.state.every_cover()):
            if cover.ended is None or cover.position:
                outcome = self.execute(self.cancel(cover, Leg.THIRD))
                assert isinstance(outcome, Answer), f"INV-12: {outcome} in {cover.state}"
        self.go_on(QUIET_NS // 2)
        self.check_settled(set())
        held = [c.order_id for c in self.engine.state.every_cover() if c.position]
        assert not held, f"INV-9: {held} are left with a position"
        self.leave()
        self.check_money()
        self._check_replay()

    def leave(self) -> None:
        """Let what is no cover order end, too."""

    def go_on(self, for_ns: int) -> None:
        """Let time pass in a market that takes and gives everything.

        One side of a client's exits may know a price that is no more, and the other has its turn
        after it; so where exits would meet, both sides have theirs.
        """
        self._trade_on(for_ns)
        if self._take_turns():
            self._trade_on(2 * self.settings.t_turn_ns)

    def _take_turns(self) -> bool:
        """Return whether a client leaves both sides of a share."""
        leaving = {
            (cover.client_id, cover.instrument, cover.side)
            for cover in self.engine.state.every_cover()
            if cover.ended is None and cover.exit_source is not None and cover.position
        }
        return len({(client_id, key) for client_id, key, _ in leaving}) < len(leaving)

    def _trade_on(self, for_ns: int) -> None:
        for _ in range(for_ns // NS_PER_SECOND):
            for share in SHARES:
                last = self.last_pips(share) // share.tick_pips * share.tick_pips
                plenty = Quantity(5_000 * share.lot)
                self.quote(share, last, plenty, plenty)
            self.run_until(self.true_ns + NS_PER_SECOND)

    def check_settled(self, living: set[str]) -> None:
        """Assert that every cover order is over or at rest, and nothing is in doubt (INV-8)."""
        for cover in self.engine.state.every_cover():
            who, state = cover.order_id, cover.state.value
            assert cover.ended is not None or state in living, f"INV-8: {who} is still {state}"
            for order in cover.entries + cover.exits:
                assert not order.doubted and not order.waits, f"INV-8: {order.tag} is in doubt"
                assert cover.ended is None or order.dead, f"INV-4: {order.tag} outlives {who}"
            if cover.ended is None:
                assert cover.protected == cover.position, f"INV-1: {who} has a gap"
        self.compare_with_exchange()

    def compare_with_exchange(self) -> None:
        """Assert that the core knows of every order what the exchange knows."""
        raise NotImplementedError

    def check_money(self) -> None:
        """INV-11: positions and money are the fold of the distinct trades."""
        state = self.engine.state
        ledger = self.auditor.ledger()
        for client_id, client in state.clients.items():
            rows = {(k, p): row for (owner, k, p), row in ledger.items() if owner == client_id}
            check_conservation(state, client_id, rows)
            assert client.blocked_paise == 0, f"INV-11: {client_id} has margin blocked for nothing"
        if state.ledger:
            return  # A day was settled: positions begin anew.
        for (client_id, key, product), row in ledger.items():
            position = state.clients[client_id].position(key, product)
            assert position is not None, f"INV-11: {client_id} has no position in {key}"
            kept = [position.buy_quantity, position.buy_value]
            kept += [position.sell_quantity, position.sell_value]
            assert kept == row, f"INV-11: {client_id} {key}: {kept} is not {row}"
        profit = self.auditor.profit_paise()
        for client_id, client in state.clients.items():
            off = abs(client.realised_paise - profit[client_id])
            assert off <= len(client.positions), f"INV-11: {client_id} is off by {off} paise"

    def _check_replay(self) -> None:
        """INV-19: whoever reads the journal gets here, and to wherever we were in between."""
        self.hashes[self.journal.durable_sequence] = self.engine.state_hash()
        for sequence, known in self.hashes.items():
            assert self.hash_of(sequence) == known, f"INV-19: replay of {sequence} records differs"

    def hash_of(self, sequence: int) -> str:
        """Return the hash of the state that so many records make."""
        journal = MemoryJournal()
        for number, body in self.journal.records():
            if number <= sequence:
                journal.append(body)
        again = Engine(SHARES, self.settings, journal, self.fresh_venue(), _Stopped(self.now_ns()))
        again.recover()
        return again.state_hash()

    def fresh_venue(self) -> Venue:
        """Return a venue for an engine that only reads."""
        raise NotImplementedError


class _Stopped:
    """A clock that stands."""

    def __init__(self, at_ns: int) -> None:
        self._at_ns = at_ns

    def now_ns(self) -> int:
        """Return the time at which it stands."""
        return self._at_ns


class Failure(NamedTuple):
    """What went wrong, and where."""

    kind: type[World]
    seed: int
    text: str

    @property
    def label(self) -> str:
        """The first word: which invariant, or what kind of exception."""
        return self.text.partition(":")[0]


def attempt(
    kind: type[World],
    seed: int,
    decisions: Sequence[Decision] | None = None,
    story: list[str] | None = None,
    *,
    rows: bool = True,
    count: bool = False,
) -> World | Failure:
    """Return the world after a schedule (the seed's own, if none is given), or how it failed.

    Unless ``rows`` is false what clients read is held against what is true; with ``count`` what is
    not so is counted by the reader, and looked past.
    """
    try:
        world = kind(seed)
        if rows:
            world.watch_rows(count=count)
        world.story = story
        world.play(plan(seed, kind.deeds) if decisions is None else decisions)
    except Exception as broken:  # Whatever a broken core raises is a finding, not our end.
        text = str(broken) if isinstance(broken, AssertionError) else repr(broken)
        if not text.startswith(("INV-", "AMO", "GTT", "promise", "truth", "answer", "feed")):
            text = f"{type(broken).__name__}: {text}"
        return Failure(kind, seed, text)
    return world
