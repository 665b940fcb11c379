"""
Breaks the core on purpose, one rule at a time, and looks whether the tests notice.

``python -m tests.property.mutations`` copies the package, changes one rule in the copy, and runs
the scenarios and the schedules against it. A rule whose breaking nobody notices is a rule that
nobody tests: the program then ends with 1. It takes about a minute and is not part of the tests.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]


class Mutation(NamedTuple):
    """A rule, where it is written, and what stands there when it is broken."""

    rule: str
    file: str
    text: str
    broken: str


NOTHING: Final = Mutation("nothing at all", "core/pricing.py", "return", "return")
MUTATIONS: Final = (
    Mutation(
        "W counts an amend in flight at its larger size",
        "core/venue_order.py",
        "if self.amend is not None and self.amend.quantity > total:",
        "if False:",
    ),
    Mutation(
        "the stop grows with the fills",
        "core/duties.py",
        "    if missing <= 0 or _busy(cover):\n        return\n    for order in reversed",
        "    if missing <= 0 or cover.exits:\n        return\n    for order in reversed",
    ),
    Mutation(
        "one stop operation at a time",
        "core/duties.py",
        "    if missing <= 0 or _busy(cover):\n        return\n    for order in reversed",
        "    if missing <= 0:\n        return\n    for order in reversed",
    ),
    Mutation(
        "a trade counts once",
        "core/hearing.py",
        "not parent.has_trade(report.trade_id)",
        "True",
    ),
    Mutation(
        "a fired stop cancels the remainder",
        "core/duties.py",
        "if cover.cancel_source is not None:\n            cancel_rem",
        "if cover.cancel_source not in (None, Source.TRIGGERED):\n            cancel_rem",
    ),
    Mutation(
        "a fresh exit is for what no live exit could fill",
        "core/duties.py",
        "    missing = cover.exposed\n    if missing <= 0 or desk.now_ns",
        "    missing = cover.gap\n    if missing <= 0 or desk.now_ns",
    ),
    Mutation(
        "C1 leaves the stop alone",
        "core/asks.py",
        "    desk.emit(EntryCancelRequested(cover.order_id, _USER))\n",
        "    desk.emit(EntryCancelRequested(cover.order_id, _USER))\n"
        "    desk.emit(ExitIntended(cover.order_id, Source.USER))\n",
    ),
    Mutation(
        "on the way out nothing is covered again",
        "core/cover_order.py",
        "        if self.exit_source is not None:\n            return EXITING\n",
        "        if self.exit_source is not None and self.gap == 0:\n            return EXITING\n",
    ),
    Mutation(
        "the remainder is cancelled before the stop is converted",
        "core/duties.py",
        "        if order.life is Life.WAITING and waiting:\n            continue",
        "        if False:\n            continue",
    ),
    Mutation(
        "the wait for the remainder ends",
        "core/duties.py",
        "not cover.entry_dead and desk.now_ns < cover.exit_since_ns + settings.t_cancel_ns",
        "not cover.entry_dead",
    ),
    Mutation(
        "a closed order still owes the trades of its closing report",
        "core/evolve.py",
        "order.final_filled = max(event.filled_quantity, order.filled_quantity)",
        "order.final_filled = order.filled_quantity",
    ),
    Mutation(
        "a passed trigger gets no stop",
        "core/duties.py",
        'until nothing that filled is open."""\n',
        'until nothing that filled is open."""\n    return _protect(desk, cover, instrument)\n',
    ),
    Mutation(
        "a lost stop is placed again at most twice",
        "core/duties.py",
        "cover.ladder_tries < settings.stop_tries_max",
        "cover.ladder_tries < 99",
    ),
    Mutation(
        "a trailing stop never goes back",
        "core/core.py",
        "        if moved >= step:",
        "        if abs(moved) >= step:",
    ),
    Mutation(
        "an exit asks for no margin, but an entry does",
        "core/asks.py",
        "    if needed > available:",
        "    if needed > available + 10**15:",
    ),
    Mutation(
        "an order that ended holds nothing",
        "core/duties.py",
        "    elif cover.position == 0:\n",
        "    elif cover.entry_filled:\n",
    ),
    Mutation(
        "a repeated key gets the first answer",
        "core/core.py",
        "        if first is not None:\n",
        "        if False:\n",
    ),
    Mutation(
        "foreign orders look unknown",
        "core/asks.py",
        "    if cover is None or cover.client_id != client_id:",
        "    if cover is None:",
    ),
    Mutation(
        "the total of a linked exit counts what its link has traded",
        "core/bracket/quantities.py",
        "    return traded(exits, link) + position - linked_most(_others(exits, link))",
        "    return position - linked_most(_others(exits, link))",
    ),
    Mutation(
        "linked exits count once in W, not each",
        "core/bracket/quantities.py",
        "    return sum(_most(orders) for orders in _by_link(exits))",
        "    return sum(order.leaves_max for order in exits)",
    ),
    Mutation(
        "what one exit trades counts against the others",
        "core/bracket/evolve.py",
        "            order.linked_filled += quantity\n",
        "            order.linked_filled += 0\n",
    ),
    Mutation(
        "a target delays no stop",
        "core/duties.py",
        "if order.waits and not order.is_target and not order.link_owes:",
        "if order.waits and not order.link_owes:",
    ),
    Mutation(
        "a target waits for its stop",
        "core/duties.py",
        'Place the stop, or grow it, until nothing that filled is open."""\n',
        'Place the stop, or grow it, until nothing that filled is open."""\n'
        "    tend_target(desk, cover)\n",
    ),
    Mutation(
        "a target that trades cancels the remainder",
        "core/bracket/duties.py",
        "    if cover.cancel_source is None and not cover.entry_dead and _targets_filled(cover):",
        "    if False and cover.cancel_source is None and _targets_filled(cover):",
    ),
    Mutation(
        "a target is no stop",
        "core/bracket/quantities.py",
        "max((order.confirmed_leaves for order in orders if not order.is_target), default=0)",
        "max((order.confirmed_leaves for order in orders), default=0)",
    ),
    Mutation(
        "on the way out the target is taken back",
        "core/duties.py",
        "    drop_target(desk, cover)\n    for order in cover.exits:",
        "    for order in cover.exits:",
    ),
    Mutation(
        "an order that its link ended is no lost stop",
        "core/meanings.py",
        "    if ended_by_link(order, report):",
        "    if False:",
    ),
    Mutation(
        "what has traded by the end of a linked order is not sent for again",
        "core/bracket/quantities.py",
        "    open_now = position - stops_most(exits) - untold(exits)",
        "    open_now = position - stops_most(exits)",
    ),
    Mutation(
        "a bracket's exits follow the entry's price until it fills",
        "core/bracket/evolve.py",
        "parent.is_bracket and parent.entry_filled == 0:",
        "parent.is_bracket and parent.entry_filled == 1:",
    ),
    Mutation(
        "a link ends with its session",
        "core/bracket/evolve.py",
        "    if order.code == LINK_OVER_CODE and order.link == cover.link:",
        "    if False:",
    ),
    Mutation(
        "an end by the link is awaited and asked for",
        "core/venue_order.py",
        "        return self.in_flight is not _IDLE or (self.link != 0 and self.leaves_max == 0)",
        "        return self.in_flight is not _IDLE",
    ),
)
SUITES: Final = {
    "scenarios": ("tests/core", "--deselect=tests/core/test_spec.py"),
    "schedules": ("tests/property/test_schedules.py", "tests/property/test_machine.py"),
}


def noticed(mutation: Mutation, suite: tuple[str, ...]) -> bool:
    """Return whether a suite fails when the rule is broken."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "src")
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        path = copy / "kavach" / mutation.file
        source = path.read_text(encoding="utf-8")
        assert mutation is NOTHING or source.count(mutation.text) == 1, f"moved: {mutation.rule}"
        path.write_text(source.replace(mutation.text, mutation.broken), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += ["-o", f"pythonpath={copy} .", *suite]
        environment = {**os.environ, "PYTHONPATH": f"{copy}:{ROOT}", "RUNS": "150"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=300
        )
    assert done.returncode in (0, 1), done.stdout.decode()[-2_000:]
    return done.returncode == 1


def main() -> None:
    """Print who notices which broken rule; end with 1 if nobody does."""
    unseen = 0
    for suite in SUITES.values():
        assert not noticed(NOTHING, suite), "the tests fail already"
    for mutation in MUTATIONS:
        seen = [name for name, suite in SUITES.items() if noticed(mutation, suite)]
        unseen += not seen
        sys.stdout.write(f"{mutation.rule}: {' and '.join(seen) or 'NOBODY NOTICES'}\n")
        sys.stdout.flush()
    sys.exit(1 if unseen else 0)


if __name__ == "__main__":
    main()
