"""
Proof that the auditor can see: rules broken on purpose, one at a time, and worlds that notice.

For each mutant the package is copied, a rule in the copy is changed, and worlds are played from
seed 1 on, far and near in turn, until one fails. A mutant that outlives its runs is a rule that
the simulation does not look at: ``make mutants`` then ends with 1.

Source: docs/spec/cover_order.md, "Quantities"; the others are rules of our own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from typing import Final, NamedTuple

from tests.simulation.__main__ import WORLDS
from tests.simulation.place_mutants import PLACE_MUTANTS
from tests.simulation.row_mutants import ROW_MUTANTS
from tests.simulation.world import Failure, attempt

ROOT: Final = Path(__file__).parents[2]
RUNS_MAX: Final = 1_000
SECONDS_MAX: Final = 240  # A mutant that goes round in a circle is caught, too.


class Change(NamedTuple):
    """A place in the source, and what stands there when the rule is broken."""

    file: str
    text: str
    broken: str


class Mutant(NamedTuple):
    """A broken rule."""

    rule: str
    changes: tuple[Change, ...]


class Verdict(NamedTuple):
    """Whether a mutant was seen, after how many runs, and by what."""

    caught: bool
    runs: int
    by: str


def _one(rule: str, file: str, text: str, broken: str) -> Mutant:
    return Mutant(rule, (Change(file, text, broken),))


_STOP_WITH_ENTRY = """            submit_entry(context, cover, instrument)
            context.send(
                OrderSubmitted(
                    context.state.next_tag, cover.order_id, Purpose.STOP, cover.instrument,
                    cover.client_id, cover.exit_side, SL,
                    Quantity(min(cover.quantity, instrument.slice_max)), _UNDISCLOSED,
                    *_stop_terms(context, cover, instrument)[1:], Pips(cover.stop.price_pips),
                    Validity.DAY,
                )
            )
            return cover.state
"""

MUTANTS: Final = (
    # --- Those that cover-order 5.10 names ----------------------------------------------------
    _one(
        "W counts an amend in flight at its larger size",
        "core/model/orders/venue_order.py",
        "if self.amend is not None and self.amend.quantity > total:",
        "if False:",
    ),
    Mutant(
        "the stop becomes the exit in place; nothing new beside what is being cancelled",
        (
            Change(
                "core/rules/cover/exit.py",
                "        elif price is not None and (",
                "        elif order.order_type is not LIMIT:\n            cancel(context, order)\n"
                "        elif price is not None and (",
            ),
            Change(
                "core/model/orders/venue_order.py",
                "            return self.final_filled - self.filled_quantity\n        total",
                "            return self.final_filled - self.filled_quantity\n"
                "        if self.in_flight is InFlight.CANCEL:\n            return 0\n"
                "        total",
            ),
        ),
    ),
    _one(
        "C1 leaves the stop alone",
        "core/rules/orders/sending.py",
        "    for order in parent.entries:\n        if order.live and order.in_flight is _NONE",
        "    for order in parent.entries + parent.exits:\n"
        "        if order.live and order.in_flight is _NONE",
    ),
    _one(
        "no stop before the first fill",
        "core/rules/cover/protect.py",
        "            submit_entry(context, cover, instrument)\n            return cover.state\n",
        _STOP_WITH_ENTRY,
    ),
    _one(
        "a fired stop cancels the remainder",
        "core/rules/cover/protect.py",
        "    if cover.cancel_source is None and not cover.entry_dead:\n        context.emit",
        "    if cover.cancel_source is None and False:\n        context.emit",
    ),
    _one(
        "the stop grows with the fills",
        "core/rules/cover/protect.py",
        "    if missing <= 0 or _busy(cover):\n        return\n    for order in reversed",
        "    if missing <= 0 or cover.exits:\n        return\n    for order in reversed",
    ),
    _one(
        "a trade counts once",
        "core/rules/orders/deduplication.py",
        "not parent.has_trade(report.trade_id)",
        "True",
    ),
    _one(
        "a late fill after an exit is flattened and not covered",
        "core/model/cover/order.py",
        "        if self.exit_source is not None:\n            return EXITING\n",
        "        if self.exit_source is not None and self.gap == 0:\n            return EXITING\n",
    ),
    # --- Position and exits -------------------------------------------------------------------
    _one(
        "one stop operation at a time",
        "core/rules/cover/protect.py",
        "if order.waits and not order.is_target and not order.link_owes:",
        "if False:",
    ),
    _one(
        "a fresh exit is for what no live exit could fill",
        "core/rules/cover/exit.py",
        '"""Send fresh exits for the position that no exit, in flight included, could fill."""\n'
        "    missing = cover.uncovered",
        '"""Send fresh exits for the position that no exit, in flight included, could fill."""\n'
        "    missing = cover.unconfirmed",
    ),
    _one(
        "the wait for the remainder ends",
        "core/rules/cover/exit.py",
        "not cover.entry_dead and context.now_ns < cover.exit_since_ns + settings.t_cancel_ns",
        "not cover.entry_dead",
    ),
    _one(
        "a closed order still owes the trades of its closing report",
        "core/evolve/orders.py",
        "order.final_filled = max(event.filled_quantity, order.filled_quantity)",
        "order.final_filled = order.filled_quantity",
    ),
    _one(
        "a passed trigger gets no stop",
        "core/rules/cover/protect.py",
        'until nothing that filled is open."""\n',
        'until nothing that filled is open."""\n    return _protect(context, cover, instrument)\n',
    ),
    _one(
        "a lost stop is placed again at once",
        "core/rules/cover/protect.py",
        "cover.recovery_tries < settings.stop_tries_max",
        "cover.recovery_tries < 0",
    ),
    _one(
        "who is naked too long is flattened",
        "core/rules/cover/protect.py",
        "    if naked_ns >= settings.t_naked_ns:\n",
        "    if naked_ns >= 10 * settings.t_naked_ns:\n",
    ),
    _one(
        "a fired stop that does not fill is chased",
        "core/rules/cover/protect.py",
        ">= context.state.settings.t_chase_ns\n",
        ">= 99 * context.state.settings.t_chase_ns\n",
    ),
    _one(
        "a trailing stop never goes back",
        "core/rules/cover/clock.py",
        "    if moved >= step:",
        "    if abs(moved) >= step:",
    ),
    _one(
        "an order that ended holds nothing",
        "core/rules/cover/protect.py",
        "    elif cover.position == 0:\n",
        "    elif cover.entry_filled:\n",
    ),
    # --- Brackets -----------------------------------------------------------------------------
    _one(
        "the total of a linked exit counts what its link has traded",
        "core/model/cover/exit_group.py",
        "    return traded(exits, link) + position - most(_others(exits, link))",
        "    return position - most(_others(exits, link))",
    ),
    _one(
        "stop and target are linked at the exchange",
        "core/rules/cover/target.py",
        "            Validity.DAY,\n            link,\n",
        "            Validity.DAY,\n            context.state.next_tag,\n",
    ),
    _one(
        "what one exit trades counts against the others",
        "core/evolve/cover.py",
        "            order.linked_filled += quantity\n",
        "            order.linked_filled += 0\n",
    ),
    _one(
        "linked exits count once in W, not each",
        "core/model/cover/exit_group.py",
        "        total += _most(group)\n",
        "        total += sum(one.leaves_max for one in group)\n",
    ),
    _one(
        "a target waits for its stop",
        "core/rules/cover/protect.py",
        'Place the stop, or grow it, until nothing that filled is open."""\n',
        'Place the stop, or grow it, until nothing that filled is open."""\n'
        "    tend_target(context, cover)\n",
    ),
    _one(
        "a target that trades cancels the remainder",
        "core/rules/cover/target.py",
        "    if cover.cancel_source is None and not cover.entry_dead and _targets_filled(cover):",
        "    if False and cover.cancel_source is None and _targets_filled(cover):",
    ),
    _one(
        "on the way out the target is taken back",
        "core/rules/cover/exit.py",
        "    drop_target(context, cover)\n    due",
        "    due",
    ),
    _one(
        "a target is no stop",
        "core/model/cover/exit_group.py",
        "max((one.confirmed_leaves for one in group if not one.is_target), default=0)",
        "max((one.confirmed_leaves for one in group), default=0)",
    ),
    # --- The budget of requests to the exchange -----------------------------------------------
    _one(
        "entries leave a share of every second to protection",
        "core/model/limits/profiles.py",
        "entries=_within(6)),  # Four",
        "entries=_within(7)),  # Four",
    ),
    _one(
        "entries give way to protection that has used the second up",
        "core/rules/limits/budget.py",
        "    of_all = later(context, wire.all, budget.all, entries)",
        "    of_all = None",
    ),
    _one(
        "a change of an entry spends what an entry spends",
        "core/rules/admission.py",
        "    if isinstance(command, ModifyOrder | ModifyCoverOrder):",
        "    if isinstance(command, ModifyOrder):",
    ),
    _one(
        "a market entry follows the market within the budget",
        "core/rules/orders/sending.py",
        "            and fits(context, parent)\n",
        "",
    ),
    # --- Silence ------------------------------------------------------------------------------
    _one(
        "an absence is believed only when nothing can be under way",
        "core/rules/orders/deduplication.py",
        "        if settled:\n            yield from _absent(order)",
        "        if True:\n            yield from _absent(order)",
    ),
    _one(
        "a change is called lost only when nothing can be under way",
        "core/rules/orders/deduplication.py",
        "    elif settled and status.standing is not Standing.CLOSED:",
        "    elif status.standing is not Standing.CLOSED:",
    ),
    _one(
        "an answer is to its own request",
        "core/rules/orders/deduplication.py",
        "order.in_flight is awaited and serial in (0, order.serial)",
        "order.in_flight is awaited",
    ),
    _one(
        "what is said when asked holds for the request it was asked about",
        "core/rules/orders/deduplication.py",
        "asked_about = status.serial == order.serial",
        "asked_about = True",
    ),
    _one(
        "an unanswered request is asked about, again and again",
        "core/rules/orders/unacknowledged.py",
        "    due = [query_due_ns(context, order) for order in orders if order.waits]",
        "    due = [query_due_ns(context, o) for o in orders if o.waits and not o.queries]",
    ),
    _one(
        "trades that are only told when asked are booked",
        "core/rules/orders/deduplication.py",
        "    yield from status.trades\n",
        "    yield from status.trades[:1]\n",
    ),
    _one(
        "live orders are compared now and then",
        "core/rules/orders/unacknowledged.py",
        "    if context.state.settings.t_reconcile_ns:\n        due",
        "    if False:\n        due",
    ),
    _one(
        "a cancel that never arrived is sent again",
        "core/evolve/orders.py",
        "    settle_modify(state, parent, refused=order.purpose is _ENTRY)\n"
        '    _note(parent, order, "request_lost", at_ns)\n',
        "    order.cancel_refused_at_ns = at_ns + 10**12\n"
        '    _note(parent, order, "request_lost", at_ns)\n',
    ),
    _one(
        "nothing is sent while the link is down",
        "core/rules/cover/protect.py",
        "    if everything.venue_disconnected:\n        return state",
        "    if everything.venue_disconnected and False:\n        return state",
    ),
    # --- Clients, days and restarts -----------------------------------------------------------
    _one(
        "a repeated key gets the first answer",
        "core/rules/keyed.py",
        "        if first is not None:\n",
        "        if False:\n",
    ),
    _one(
        "foreign orders look unknown",
        "core/rules/cover/requests.py",
        "    if cover is None or cover.client_id != client_id:",
        "    if cover is None:",
    ),
    _one(
        "an accepted exit stays accepted",
        "core/rules/cover/requests.py",
        "    if cover.exited_by_user:\n        return Request.EXIT_AGAIN",
        "    if False:\n        return Request.EXIT_AGAIN",
    ),
    _one(
        "the square-off takes who is covered out",
        "core/rules/cover/tables.py",
        "    COVERED:      ( A.EXIT_INTRADAY, ",
        "    COVERED:      ( A.NOTHING, ",
    ),
    _one(
        "the kill switch cancels entries",
        "core/rules/cover/clock.py",
        "        action is ClockAction.CANCEL and cover.cancel_source",
        "        False and cover.cancel_source",
    ),
    _one(
        "timers are armed again after a restart",
        "core/core.py",
        "            arm(self, parent)\n",
        "            pass\n",
    ),
    _one(
        "what is done is journaled",
        "core/core.py",
        "            self.emit(e.LinkLost())\n",
        "            self.emit(e.LinkLost())\n            self.state.naked_ns_max += 1\n",
    ),
    # --- The rest of the API ------------------------------------------------------------------
    _one(
        "a parked order goes nowhere before the session opens",
        "core/evolve/regular.py",
        "        parked=event.amo,\n",
        "        parked=False,\n",
    ),
    _one(
        "a parked order is let go at the opening",
        "core/rules/regular/day.py",
        "    if action is ClockAction.RELEASE:\n",
        "    if action is ClockAction.RELEASE and False:\n",
    ),
    _one(
        "a cancelled regular order is cancelled at the venue",
        "core/rules/regular/obligations.py",
        "        cancel_remainder(context, order)\n",
        "        pass\n",
    ),
    _one(
        "a regular order ends when nothing of it lives",
        "core/rules/regular/obligations.py",
        "    if order.ended is None and order.entry_dead:\n",
        "    if order.ended is None and order.entry_filled:\n",
    ),
    _one(
        "silence about a regular order is asked about",
        "core/rules/regular/obligations.py",
        "    due = wakes_in_doubt(context, order) + entry_wakes(context, order)\n",
        "    due = entry_wakes(context, order)\n",
    ),
    _one(
        "the square-off waits until nothing else can trade",
        "core/rules/regular/square_off.py",
        "    if any(_may_trade(order, key) for order in reversed(state.living_of(client_id))):\n",
        "    if False:\n",
    ),
    _one(
        "what is left after the last cancel is squared off",
        "core/rules/regular/square_off.py",
        "    if order.over and order.product is Product.MIS:\n",
        "    if False:\n",
    ),
    _one(
        "a square-off is made up for when the link is back",
        "core/core.py",
        "square_off_sessions(self, self.state.sessions.entries_stopped)  # It may be time by now.",
        "pass",
    ),
    _one(
        "a rule fires at its trigger and not before",
        "core/model/gtt/watch.py",
        "above[: bisect_right(above, (last_pips, _LAST))]",
        "above[:1]",
    ),
    _one(
        "a rule waits on the side on which it was armed",
        "core/rules/gtt/requests.py",
        "GttTrigger(wish.at_pips, wish.at_pips > last, wish.price_pips, wish.quantity)",
        "GttTrigger(wish.at_pips, wish.at_pips <= last, wish.price_pips, wish.quantity)",
    ),
    _one(
        "a rule is armed again after a restart",
        "core/core.py",
        "            if rule.active:\n                self.gtts.arm(rule)\n",
        "            if False:\n                self.gtts.arm(rule)\n",
    ),
    _one(
        "prices are looked at once when the link is back",
        "core/core.py",
        "  # It may be time by now.\n        look_again(self)\n",
        "  # It may be time by now.\n",
    ),
    _one(
        "a rule ends with its last day",
        "core/rules/gtt/triggering.py",
        "        if rule.expiry_day <= today and",
        "        if rule.expiry_day < today and",
    ),
    _one(
        "a rule that is cancelled is not watched",
        "core/evolve/gtt.py",
        "    _move(state, event.rule_id, _CANCEL).updated_at_ns = at_ns\n",
        "    pass\n",
    ),
    _one(
        "each order of a basket is placed once",
        "core/rules/baskets/requests.py",
        "        placed = place_terms(context, command.client_id, terms)\n",
        "        place_terms(context, command.client_id, terms)\n"
        "        placed = place_terms(context, command.client_id, terms)\n",
    ),
    _one(
        "a day is settled once",
        "core/rules/money/day_end.py",
        "    if context.state.settled_days.get(exchange.value) != context.day():\n",
        "    if True:\n",
    ),
    _one(
        "what is converted leaves the old product",
        "core/evolve/money.py",
        "    move(event, old, -1)\n",
        "    move(event, old, 0)\n",
    ),
    _one(
        "an order that is over blocks no margin",
        "core/evolve/cover.py",
        "    cover.ended_at_ns = at_ns\n    state.index.end(cover)\n    state.reblock(cover)\n",
        "    cover.ended_at_ns = at_ns\n    state.index.end(cover)\n",
    ),
    *(_one(*mutant) for mutant in ROW_MUTANTS),
    *(_one(*mutant) for mutant in PLACE_MUTANTS),
)
# The core asserts some invariants itself; in the copies it does not, so that the auditor must see.
SILENCED: Final = (
    Change(
        "core/model/cover/order.py",
        "        position = self.entry_filled - self.exits_filled - self.settled_quantity\n"
        "        if not self.exits and",
        "        return\n"
        "        position = self.entry_filled - self.exits_filled - self.settled_quantity\n"
        "        if not self.exits and",
    ),
    Change(
        "core/rules/cover/exit.py",
        "    assert 0 < quantity <= cover.position - cover.exit_leaves_max, ",
        "    assert True, ",
    ),
)
SAMPLE: Final = (
    "the stop becomes the exit in place; nothing new beside what is being cancelled",
    "a trade counts once",
    "an absence is believed only when nothing can be under way",
    "a parked order goes nowhere before the session opens",
    "the square-off waits until nothing else can trade",
)  # Caught soon enough for every run of the tests.


def broken_copy(mutant: Mutant, place: Path) -> None:
    """Make a copy of the package in which the rule is broken."""
    shutil.copytree(ROOT / "src", place, ignore=shutil.ignore_patterns("__pycache__"))
    for change in (*mutant.changes, *SILENCED):
        path = place / "kavach" / change.file
        source = path.read_text(encoding="utf-8")
        assert source.count(change.text) == 1, f"the source has moved on: {mutant.rule}"
        path.write_text(source.replace(change.text, change.broken), encoding="utf-8")


def judge(mutant: Mutant, runs_max: int) -> Verdict:
    """Return whether worlds notice the broken rule."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "src")
        broken_copy(mutant, copy)
        command = [sys.executable, "-m", "tests.simulation.mutants", "--hunt", str(runs_max)]
        environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"}
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                capture_output=True,
                check=False,
                text=True,
                timeout=SECONDS_MAX,
            )
        except subprocess.TimeoutExpired:
            return Verdict(True, 0, "it never ends")
    assert done.returncode == 0, done.stderr[-2_000:]
    runs, _, by = done.stdout.strip().partition(" ")
    return Verdict(bool(by), int(runs), by)


def hunt(runs_max: int) -> tuple[int, str]:
    """Return how many worlds it took until one failed, and why; no reason if none did."""
    for run, (name, seed) in enumerate(islice(_hunted(), runs_max)):
        world = attempt(WORLDS[name], seed)
        if isinstance(world, Failure):
            return run + 1, world.text
    return runs_max, ""


def _hunted() -> Iterator[tuple[str, int]]:
    """Yield worlds without an end: of the first four kinds each seed, of the others some."""
    often, seldom = list(WORLDS)[:4], list(WORLDS)[4:]
    for seed in count(1):
        other = (seldom[seed % len(seldom)], 1 + seed // len(seldom))
        yield from [*((name, seed) for name in often), other]


def main(arguments: list[str]) -> int:
    """Return 0 if every mutant was noticed, and nothing was where nothing was broken."""
    parser = argparse.ArgumentParser(prog="tests.simulation.mutants")
    parser.add_argument("--hunt", type=int, help="play this many worlds, say when one fails")
    parser.add_argument("--runs", type=int, default=RUNS_MAX)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    if options.hunt is not None:
        runs, by = hunt(options.hunt)
        print(runs, by.replace("\n", " ")[:100])
        return 0
    started = time.perf_counter()
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda mutant: judge(mutant, options.runs), MUTANTS))
    print("| runs | caught by | rule that was broken |\n|---:|---|---|")
    for mutant, verdict in zip(MUTANTS, verdicts, strict=True):
        said = verdict.by.partition(":")[0] if verdict.caught else "NOBODY"
        print(f"| {verdict.runs} | {said} | {mutant.rule} |")
    caught = sum(verdict.caught for verdict in verdicts)
    print(f"\n{caught} of {len(MUTANTS)} caught, {time.perf_counter() - started:.0f} s")
    return 0 if caught == len(MUTANTS) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
