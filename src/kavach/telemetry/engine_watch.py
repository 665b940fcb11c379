"""
What the engine's steps come to: orders by state, refusals, alarms, time without protection.

Theory. Nothing is ever looked for: each step names the cover orders that it touched, and only
those are looked at. Kept are the living orders and their states; of ended ones only how many
ended how. So a scrape costs the same whether a thousand orders have been or a million.

A cover order is naked while a part of its position has no confirmed exit. What begins and ends
within one step has no length, and is not counted: outside, nobody could have seen it.

Times are nanoseconds of the engine.

Source: docs/spec/cover_order.md, "What must hold"; docs/operating.md.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from prometheus_client.core import Metric as Family

from kavach.core import events as e
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.cover.tables import TERMINAL, State
from kavach.core.model.money.events import IntradayCarried
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.regular.events import RegularOrderEnded
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Outcome, Refusal
from kavach.engine.engine import Engine
from kavach.telemetry import metrics
from kavach.telemetry.histogram import Histogram
from kavach.telemetry.journal_watch import JournalWatch
from kavach.telemetry.logs import Note, iso
from kavach.telemetry.regular_watch import RegularWatch
from kavach.telemetry.request_log import say_with_request
from kavach.units import NS_PER_MS

_NAKED_MS: Final = (1, 10, 50, 100, 250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 60_000)
_TRIP_MS: Final = (1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
_NEW, _AMEND, _CANCEL = "new", "amend", "cancel"
_ORDERS_TOLD_MAX: Final = 20  # In one line of the log.

_LOG: Final = logging.getLogger(__name__)


class EngineWatch:
    """What is counted of one engine after another; counters go on, gauges begin anew."""

    def __init__(self, journal_watch: JournalWatch) -> None:
        self._journal_watch = journal_watch
        self._commands: Counter[tuple[str, str]] = Counter()
        self._ended: Counter[str] = Counter()
        self._reopened = 0
        self._regulars = RegularWatch()
        self._alarms: Counter[str] = Counter()
        self._doubted = 0
        self._naked_times = Histogram([ms * NS_PER_MS for ms in _NAKED_MS])
        self._trips = {
            request: Histogram([ms * NS_PER_MS for ms in _TRIP_MS])
            for request in (_NEW, _AMEND, _CANCEL)
        }

    def watch(self, engine: Engine) -> None:
        """Count what this engine does from now on, and no other."""
        state = engine.state
        living = [cover for cover in state.every_cover() if cover.ended is None]
        self._engine = engine
        self._orders = state.orders
        self._sequence = engine.sequence
        # States stand here by their names: a plain string is hashed much faster than an enum.
        self._living = {cover.order_id: cover.state.value for cover in living}
        self._by_state = Counter(self._living.values())
        self._naked = {c.order_id: c.naked_since_ns for c in living if c.naked_since_ns}
        self._in_doubt = {
            order.tag
            for parent in state.every_order()
            if not parent.over
            for order in parent.entries + parent.exits
            if order.doubted
        }
        self._regulars.watch(state)
        self._speaks = _LOG.isEnabledFor(logging.DEBUG)
        self._journal_watch.watch(engine.journal)
        engine.observers.append(self)

    # --- Each step ----------------------------------------------------------------------------

    def stepped(
        self,
        cause: str,
        outcome: Outcome | None,
        events: Sequence[e.Event],
        touched: Collection[ParentOrder],
        at_ns: int,
    ) -> None:
        """Count a step."""
        self._commands[cause, _word(outcome)] += 1
        sequence = self._engine.sequence
        if sequence != self._sequence:
            self._sequence = sequence
            self._journal_watch.appended(sequence)
        for event in events:
            count = _COUNTS.get(type(event))
            if count is not None:
                count(self, event, at_ns)
        for parent in touched:
            if isinstance(parent, CoverOrder):
                self._look(parent, at_ns)
            elif isinstance(parent, RegularOrder):
                self._regulars.look(parent)
        if self._speaks:
            self._say(cause, outcome, touched, len(events), at_ns)

    def _look(self, cover: CoverOrder, at_ns: int) -> None:
        """Take a touched cover order for what it is now."""
        cover_id = cover.order_id
        before = self._living.get(cover_id)
        if cover.ended is None:
            after = cover.state._value_
            if after is not before:
                self._living[cover_id] = after
                self._by_state[after] += 1
                if before is not None:
                    self._by_state[before] -= 1
        elif before is not None:
            del self._living[cover_id]
            self._by_state[before] -= 1
        since_ns = cover.naked_since_ns
        if since_ns or self._naked:
            self._look_for_gap(cover_id, since_ns, at_ns)

    def _look_for_gap(self, cover_id: int, since_ns: int, at_ns: int) -> None:
        known_ns = self._naked.get(cover_id, 0)
        if known_ns == since_ns:
            return
        if known_ns:
            self._naked_times.observe(max(at_ns, self._engine.now_ns()) - known_ns)
        if since_ns:
            self._naked[cover_id] = since_ns
        else:
            del self._naked[cover_id]

    def _say(
        self,
        cause: str,
        outcome: Outcome | None,
        touched: Collection[ParentOrder],
        events: int,
        at_ns: int,
    ) -> None:
        note = Note(
            "command",
            command=cause,
            outcome=_word(outcome),
            orders=sorted(parent.order_id for parent in touched)[:_ORDERS_TOLD_MAX],
            events=events,
            sequence=self._sequence,
            engine_time=iso(at_ns),
        )
        if not (cause in _OF_CLIENTS and say_with_request(_LOG, note)):
            _LOG.debug(note)

    # --- Events that are counted --------------------------------------------------------------

    def _end(self, event: e.CoverOrderEnded, at_ns: int) -> None:
        self._ended[event.state] += 1

    def _end_regular(self, event: RegularOrderEnded, at_ns: int) -> None:
        self._regulars.end(event)

    def _reopen(self, event: e.CoverOrderReopened, at_ns: int) -> None:
        self._reopened += 1

    def _alarm(self, event: e.AlarmRaised, at_ns: int) -> None:
        self._alarms[event.alarm.value] += 1
        _LOG.warning(
            Note(
                "alarm",
                alarm=event.alarm.value,
                order=event.order_id,
                detail=event.detail,
                engine_time=iso(at_ns),
            )
        )

    def _carried(self, event: IntradayCarried, at_ns: int) -> None:
        _LOG.warning(
            Note(
                "carried",
                client=event.client_id,
                instrument=event.instrument,
                quantity=event.quantity,
                engine_time=iso(at_ns),
            )
        )

    def _doubt(self, event: e.OrderDoubted, at_ns: int) -> None:
        self._doubted += 1
        self._in_doubt.add(event.tag)

    def _answer_new(self, event: e.OrderAccepted | e.OrderRejected, at_ns: int) -> None:
        self._trips[_NEW].observe(at_ns - self._orders[event.tag].asked_at_ns)
        if self._in_doubt:
            self._sure(event.tag)

    def _answer_amend(self, event: e.OrderAmended | e.OrderAmendRefused, at_ns: int) -> None:
        self._trips[_AMEND].observe(at_ns - self._orders[event.tag].asked_at_ns)
        if self._in_doubt:
            self._sure(event.tag)

    def _answer_cancel(self, event: e.OrderClosed | e.OrderCancelRefused, at_ns: int) -> None:
        if type(event) is not e.OrderClosed or event.closing is e.Closing.CANCELLED:
            self._trips[_CANCEL].observe(at_ns - self._orders[event.tag].asked_at_ns)
        if self._in_doubt:
            self._sure(event.tag)

    def _trade(self, event: e.OrderTraded, at_ns: int) -> None:
        if self._in_doubt:
            self._sure(event.tag)

    def _sure(self, tag: int) -> None:
        if not self._orders[tag].doubted:
            self._in_doubt.discard(tag)

    # --- A scrape -----------------------------------------------------------------------------

    def collect(self) -> Iterator[Family]:
        """Yield the figures."""
        engine = self._engine
        now_ns = engine.now_ns()
        living = [((s.value,), self._by_state[s.value]) for s in State if s not in TERMINAL]
        yield metrics.counts(metrics.COVER_ORDERS, living)
        ended = [((s.value,), self._ended[s.value]) for s in State if s in TERMINAL]
        yield metrics.counts(metrics.ENDED, ended)
        yield metrics.count(metrics.REOPENED, self._reopened)
        yield from self._regulars.collect()
        yield metrics.counts(metrics.COMMANDS, self._commands.items())
        yield metrics.sizes(metrics.NAKED, [((), self._naked_times)])
        yield metrics.count(metrics.NAKED_NOW, len(self._naked))
        longest_ns = now_ns - min(self._naked.values(), default=now_ns)
        yield metrics.seconds(metrics.NAKED_NOW_MAX, longest_ns)
        yield metrics.seconds(metrics.NAKED_EVER_MAX, engine.state.naked_ns_max)
        yield metrics.seconds(metrics.NAKED_REAL_MAX, engine.naked_real_ns_max())
        alarms = [((alarm.value,), self._alarms[alarm.value]) for alarm in e.Alarm]
        yield metrics.counts(metrics.ALARMS, alarms)
        yield metrics.count(metrics.IN_DOUBT, len(self._in_doubt))
        yield metrics.count(metrics.DOUBTED, self._doubted)
        trips = [((request,), histogram) for request, histogram in self._trips.items()]
        yield metrics.sizes(metrics.VENUE_TRIP, trips)
        yield metrics.count(metrics.VENUE_UP, not engine.state.venue_disconnected)
        yield metrics.count(metrics.STOPPED, engine.stopped is not None)
        yield from self._journal_watch.collect(engine.sequence)


def _word(outcome: Outcome | None) -> str:
    if outcome is None:
        return "accepted"
    if isinstance(outcome, Refusal):
        return outcome.reason.value
    return "replayed" if outcome.replayed else "accepted"


_OF_CLIENTS: Final = frozenset(
    {
        "PlaceCoverOrder",
        "ModifyCoverOrder",
        "CancelCoverOrder",
        "PlaceOrder",
        "ModifyOrder",
        "CancelOrder",
    }
)

_COUNTS: Final[dict[type, Callable[[EngineWatch, Any, int], None]]] = {
    e.CoverOrderEnded: EngineWatch._end,
    e.CoverOrderReopened: EngineWatch._reopen,
    RegularOrderEnded: EngineWatch._end_regular,
    e.AlarmRaised: EngineWatch._alarm,
    IntradayCarried: EngineWatch._carried,
    e.OrderDoubted: EngineWatch._doubt,
    e.OrderAccepted: EngineWatch._answer_new,
    e.OrderRejected: EngineWatch._answer_new,
    e.OrderAmended: EngineWatch._answer_amend,
    e.OrderAmendRefused: EngineWatch._answer_amend,
    e.OrderCancelRefused: EngineWatch._answer_cancel,
    e.OrderClosed: EngineWatch._answer_cancel,
    e.OrderTraded: EngineWatch._trade,
}
