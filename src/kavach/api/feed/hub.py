"""
The hub of the feed: what happens at the engine, to whoever wants to know.

It observes the engine's steps. Updates of orders are worded at once, because the state moves on,
and told when the step is durable; market packets are made for topics that somebody wants and whose
instrument was touched, at most every ``SPACE_SECONDS``, and told when what they show is durable.
All of it runs on the event loop.

An engine that takes another's place is watched in its stead. After a failed disk, what was worded
and never became durable is thrown away; should the disk hold it after all, it is told then.

Source: docs/wire/feeds.md.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final, Protocol

from kavach.api.feed.audience import Audience, Ring
from kavach.api.feed.connection import SUBSCRIPTIONS_MAX, Ended, FeedConnection
from kavach.api.feed.deliveries import Packets, SnapshotOf, Updates
from kavach.api.feed.outbox import Outbox
from kavach.api.feed.snapshot import snapshot
from kavach.api.feed.socket import POLICY, FeedSocket, binary_frame
from kavach.api.feed.stories import Storyteller
from kavach.api.feed.topics import OF_EXCHANGES, OF_INSTRUMENTS, Looks, Quotes, Topic
from kavach.api.http.turns import turns_of
from kavach.core.events import Event
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.state import OmsState
from kavach.core.refusals import Outcome
from kavach.engine.engine import Engine
from kavach.engine.quote import EVERYTHING
from kavach.instruments import Instrument
from kavach.units import Exchange, InstrumentKey, Phase, instrument_key
from kavach.wire.feed.packets import EXCHANGE_OF_CODE
from kavach.wire.feed.updates import Kind, numbered_frame
from kavach.wire.feed.wishes import Mode, Wish

SPACE_SECONDS: Final = 0.05  # Between two packets of one topic at least.
SWEEP_SECONDS: Final = 10.0
PING_AFTER_SECONDS: Final = 25.0
IDLE_AFTER_SECONDS: Final = 75.0
RING_KEPT_SECONDS: Final = 900.0  # After its last reader has left.
TOPICS_MAX: Final = 32  # Looked at in one step: to make packets, or to leave them.
SWEPT_MAX: Final = 256  # Connections looked after in one step.
GOING: Final = 1012  # "Service restart."


class Street(Looks, Protocol):
    """The venue as the feed sees it."""

    @property
    def touched(self) -> set[InstrumentKey]:
        """Instruments that something happened to; the feed takes them out."""


@dataclass(slots=True)
class FeedFigures:
    """What is counted of the feed."""

    sent: int = 0  # By connections that have ended; the living count their own.
    conflated: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Hub:
    """Connections of the feed, and what they want."""

    def __init__(
        self,
        engine: Engine,
        street: Street,
        *,
        attend: Callable[[InstrumentKey], None],
        enveloped: bool = False,
    ) -> None:
        """``attend`` is told where somebody looks, again and again for as long as he does."""
        self._loop = asyncio.get_running_loop()
        self._attend = attend
        self._enveloped = enveloped
        self.connections: dict[FeedConnection, None] = {}
        self.figures = FeedFigures()
        self._audiences: dict[str, Audience] = {}
        self._topics: dict[tuple[Mode, InstrumentKey | Exchange], Topic] = {}
        self._of_instrument: dict[InstrumentKey, list[Topic]] = {}
        self._flush_timer: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self._phases: dict[Exchange, Phase] = {}
        # Lines of orders before updates that were thrown away: the disk may know better.
        self._undone: dict[int, int] = {}
        self._making = False  # Packets of what has changed are being made, step by step.
        self._turns = turns_of(self._loop)
        self._outbox = Outbox(engine.journal)
        self._engine = engine
        self._attach(engine, street)
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    # --- Engines ------------------------------------------------------------------------------

    def _attach(self, engine: Engine, street: Street) -> None:
        self._engine = engine
        self._street = street
        self._quotes = Quotes(street)
        self._stories = Storyteller(engine.state, engine.core.last_price)
        self._phases = {exchange: street.exchange.phase(exchange) for exchange in Exchange}
        engine.observers.append(self)

    def look_back(self, engine: Engine, street: Street) -> None:
        """Show what this engine holds: all that is durable, now that the disk has failed."""
        self._replace(engine, street)

    def go_on(self, engine: Engine, street: Street) -> None:
        """Tell of this engine: the disk works again, and may hold more than was thought."""
        self._replace(engine, street)
        for order_id, lines in self._undone.items():
            parent = engine.state.parents.get(order_id)
            if parent is not None:
                self._stories.go_back(parent, lines)
                self._tell(parent, ())
        self._undone.clear()

    def begin_anew(self, engine: Engine, street: Street) -> None:
        """Tell of this engine: it is another world, of which nothing was told yet."""
        again = [r for a in self._audiences.values() for r in list(a.numbered)]
        for audience in self._audiences.values():
            audience.numbered.clear()
            audience.ring = Ring() if audience.ring is not None else None
        self._replace(engine, street)
        self._undone.clear()
        for reader in again:
            self._send_snapshot(reader)

    def _replace(self, engine: Engine, street: Street) -> None:
        """Observe another engine, and throw away what was never durable at the last."""
        self._engine.observers.remove(self)
        lost = self._outbox.watch(engine.journal)
        self._attach(engine, street)
        for item in lost:
            if isinstance(item, Updates):
                self._undone.setdefault(item.order_id, item.lines_before)
            elif isinstance(item, SnapshotOf):
                self._send_snapshot(item.reader)
        self._street.touched.add(EVERYTHING)
        self._look_around()

    # --- What the engine says -------------------------------------------------------------------

    def stepped(
        self,
        cause: str,
        outcome: Outcome | None,
        events: Sequence[Event],
        touched: Collection[ParentOrder],
        at_ns: int,
    ) -> None:
        """Word what happened to orders that somebody listens to, and note what the market did."""
        if events:
            for parent in touched:
                self._tell(parent, events)
        if self._street.touched:
            self._look_around()

    def _tell(self, parent: ParentOrder, events: Sequence[Event]) -> None:
        audience = self._audiences.get(parent.client_id)
        if audience is None or not audience.listens:
            self._stories.forget(parent)
            return
        before = self._stories.lines(parent)
        told = self._stories.tell(parent, events)
        if told:
            client_id = parent.client_id
            item = Updates(self._audiences, client_id, told, parent.order_id, before)
            self._outbox.put(self._engine.sequence, item)

    # --- The market -----------------------------------------------------------------------------

    def _look_around(self) -> None:
        """Arrange that packets are made soon, if somebody wants them."""
        if not self._topics:
            self._street.touched.clear()
        elif self._flush_timer is None and not self._making:
            wait = self._flushed_at + SPACE_SECONDS - self._loop.time()
            self._flush_timer = self._loop.call_later(max(0.0, wait), self._flush)

    def _flush(self) -> None:
        """Make a packet of each topic that has changed."""
        self._flush_timer = None
        self._flushed_at = self._loop.time()
        touched = self._street.touched
        topics: list[Topic] = []
        if EVERYTHING in touched:
            topics = self._all_topics()
        else:
            for key in touched & self._of_instrument.keys():
                topics += self._of_instrument[key]
        touched.clear()
        self._make(topics)

    def _make(self, topics: list[Topic]) -> None:
        """Make packets of the first of these topics, and of the others in further steps."""
        some, others = topics[:TOPICS_MAX], topics[TOPICS_MAX:]
        now_ns = self._engine.now_ns()
        news = [
            (topic, frame)
            for topic in some
            if topic.readers and (frame := self._quotes.frame(topic, now_ns)) != topic.frame
        ]
        if news:
            self._outbox.put(self._engine.sequence, Packets(news))
        self._making = bool(others)
        if others:
            self._turns.soon(partial(self._make, others))
        elif self._street.touched:
            self._look_around()

    def _all_topics(self) -> list[Topic]:
        """Return every topic, but messages only of exchanges that have opened or closed."""
        trades = self._street.exchange
        phases = {exchange: trades.phase(exchange) for exchange in Exchange}
        silent = {exchange for exchange in Exchange if phases[exchange] is self._phases[exchange]}
        self._phases = phases
        return [
            topic
            for topic in self._topics.values()
            if topic.mode is not Mode.EXCHANGE_MESSAGES or topic.exchange not in silent
        ]

    # --- Connections ----------------------------------------------------------------------------

    def welcome(self, socket: FeedSocket, client_id: str, token_digest: str) -> None:
        """Let a client in."""
        reader = FeedConnection(self, socket, client_id, token_digest)
        self.connections[reader] = None
        socket.welcome(reader)

    def ended(self, reader: FeedConnection, why: Ended) -> None:
        """Count a connection that we close."""
        self.figures.ended[why.value] += 1

    def forget(self, reader: FeedConnection) -> None:
        """Send nothing more to a connection that has ended."""
        self.connections.pop(reader, None)
        self.figures.sent += reader.backlog.sent
        self.figures.conflated += reader.backlog.conflated
        self._leave_topics(reader)
        audience = self._audiences.get(reader.client_id)
        if audience is not None:
            audience.leave(reader, self._loop.time())
            if not audience.listens:
                del self._audiences[reader.client_id]

    def _leave_topics(self, reader: FeedConnection) -> None:
        """Let a connection that has ended leave some of its topics now, the others soon."""
        for topic in list(islice(reader.topics, TOPICS_MAX)):
            del reader.topics[topic]
            self._leave_topic(reader, topic)
        if reader.topics:
            self._turns.soon(partial(self._leave_topics, reader))

    @property
    def readers(self) -> int:
        """How many connections there are."""
        return len(self.connections)

    @property
    def closed(self) -> Mapping[str, int]:
        """How many connections we have closed, by every reason that there is."""
        return {why.value: self.figures.ended[why.value] for why in Ended}

    @property
    def refused(self) -> Mapping[str, int]:
        """How many were not let in, by the word that they were told."""
        return self.figures.refused

    def packets(self) -> tuple[int, int]:
        """Return how many packets and updates were sent, and how many were conflated."""
        backlogs = [reader.backlog for reader in self.connections]
        return (
            self.figures.sent + sum(backlog.sent for backlog in backlogs),
            self.figures.conflated + sum(backlog.conflated for backlog in backlogs),
        )

    def close(self) -> None:
        """Say goodbye to everybody."""
        self._sweeper.cancel()
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        for reader in list(self.connections):
            reader.close(GOING, "the server is stopping", Ended.STOPPING)
        self._outbox.close()

    def _sweep(self) -> None:
        """Close who has gone or may stay no longer; forget what nobody will ask for."""
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)
        now = self._loop.time()
        self._look_after(list(self.connections), now)
        for key in list(self._of_instrument):
            self._attend(key)
        for client_id, audience in list(self._audiences.items()):
            alone = now - audience.alone_since
            if audience.ring is not None and not audience.numbered and alone > RING_KEPT_SECONDS:
                audience.ring = None
                if not audience.listens:
                    del self._audiences[client_id]

    def _look_after(self, readers: list[FeedConnection], now: float) -> None:
        """Look after the first of these connections, and after the others in further steps."""
        state, now_ns = self._engine.state, self._engine.now_ns()
        for reader in readers[:SWEPT_MAX]:
            if state.client_of_token(reader.token_digest, now_ns) != reader.client_id:
                reader.close(POLICY, "the access token is valid no longer", Ended.TOKEN)
            else:
                reader.sweep(now, PING_AFTER_SECONDS, IDLE_AFTER_SECONDS)
        if others := readers[SWEPT_MAX:]:
            self._turns.soon(partial(self._look_after, others, now))

    # --- What clients want ----------------------------------------------------------------------

    def subscribe(self, reader: FeedConnection, wish: Wish) -> None:
        """Begin to send something; what we know nothing of is taken in silence."""
        mode = wish.mode
        if mode is Mode.UPDATES and self._own(reader, wish):
            self._audience(reader).plain[reader] = None
        elif mode is Mode.POSITION_UPDATES and self._own(reader, wish):
            self._audience(reader).positions[reader] = None
        elif mode is Mode.NUMBERED_UPDATES and self._own(reader, wish):
            self._resume(reader, wish.text(1), wish.number(2))
        elif mode in OF_INSTRUMENTS:
            for code, token in wish.instruments():
                self._join(reader, mode, self._instrument(code, token))
        elif mode in OF_EXCHANGES:
            for code in wish.exchange_codes():
                if code in EXCHANGE_OF_CODE:
                    self._join(reader, mode, EXCHANGE_OF_CODE[code])

    def unsubscribe(self, reader: FeedConnection, wish: Wish) -> None:
        """Send something no longer."""
        mode = wish.mode
        audience = self._audiences.get(reader.client_id)
        if mode in OF_INSTRUMENTS or mode in OF_EXCHANGES:
            keys: list[InstrumentKey | Exchange] = [
                instrument_key(EXCHANGE_OF_CODE[code], token)
                for code, token in wish.instruments()
                if code in EXCHANGE_OF_CODE
            ]
            if mode in OF_EXCHANGES:
                keys = [EXCHANGE_OF_CODE[c] for c in wish.exchange_codes() if c in EXCHANGE_OF_CODE]
            for key in keys:
                topic = self._topics.get((mode, key))
                if topic is not None and reader in topic.readers:
                    del reader.topics[topic]
                    reader.backlog.drop(topic)
                    self._leave_topic(reader, topic)
        elif audience is not None and self._own(reader, wish):
            if mode is Mode.UPDATES:
                audience.plain.pop(reader, None)
            elif mode is Mode.POSITION_UPDATES:
                audience.positions.pop(reader, None)
            elif mode is Mode.NUMBERED_UPDATES and reader in audience.numbered:
                audience.leave_numbered(reader, self._loop.time())

    @staticmethod
    def _own(reader: FeedConnection, wish: Wish) -> bool:
        """Return whether a client asks for its own orders; it never gets another's."""
        return not wish.values or wish.values[0] == reader.client_id

    def _audience(self, reader: FeedConnection) -> Audience:
        audience = self._audiences.get(reader.client_id)
        if audience is None:
            audience = self._audiences[reader.client_id] = Audience(enveloped=self._enveloped)
        return audience

    def _instrument(self, code: int, token: int) -> Instrument | None:
        exchange = EXCHANGE_OF_CODE.get(code)
        if exchange is None:
            return None
        return self._engine.instruments.get(instrument_key(exchange, token))

    def _join(self, reader: FeedConnection, mode: Mode, what: Instrument | Exchange | None) -> None:
        """Let a connection read a topic, and show it where that stands."""
        if what is None or reader.closed:
            return
        instrument = what if isinstance(what, Instrument) else None
        key = what.key if isinstance(what, Instrument) else what
        exchange = what.exchange if isinstance(what, Instrument) else what
        topic = self._topics.get((mode, key))
        if topic is None:
            topic = self._topics[mode, key] = Topic(mode, exchange, instrument)
            if instrument is not None:
                self._of_instrument.setdefault(instrument.key, []).append(topic)
        if reader in topic.readers:
            return
        if len(reader.topics) >= SUBSCRIPTIONS_MAX:
            reason = f"too many subscriptions: at most {SUBSCRIPTIONS_MAX}"
            reader.close(POLICY, reason, Ended.TOO_MANY_SUBSCRIPTIONS)
            return
        first = not topic.readers
        topic.readers[reader] = None
        reader.topics[topic] = None
        if instrument is not None:
            self._attend(instrument.key)
        if mode is Mode.EXCHANGE_MESSAGES:
            return  # What was said before is no news.
        if topic.frame:
            reader.show(topic)
        elif first:
            frame = self._quotes.frame(topic, self._engine.now_ns())
            self._outbox.put(self._engine.sequence, Packets([(topic, frame)]))

    def _leave_topic(self, reader: FeedConnection, topic: Topic) -> None:
        topic.readers.pop(reader, None)
        if topic.readers:
            return
        if topic.instrument is None:
            self._topics.pop((topic.mode, topic.exchange), None)
            return
        key = topic.instrument.key
        self._topics.pop((topic.mode, key), None)
        left = [other for other in self._of_instrument.get(key, ()) if other is not topic]
        if left:
            self._of_instrument[key] = left
        else:
            self._of_instrument.pop(key, None)

    # --- Numbered updates -----------------------------------------------------------------------

    def _resume(self, reader: FeedConnection, epoch: str, number: int) -> None:
        """Send what a reader has missed, or all rows, and then whatever happens."""
        audience = self._audience(reader)
        if reader in audience.numbered or reader.waits_for_snapshot or reader.backlog.has_bulk:
            return
        if audience.ring is None:
            audience.ring = Ring()
        audience.alone_since = self._loop.time()
        missed = audience.ring.since(epoch, number)
        if missed is None:
            self._send_snapshot(reader)
            return
        made = numbered_frame(audience.ring.epoch, number, Kind.RESUMED, b"{}")
        reader.update(binary_frame(made))
        if missed:
            reader.update(b"".join(missed), bulk=True)
        audience.numbered[reader] = None

    def _send_snapshot(self, reader: FeedConnection) -> None:
        """Send all rows of a reader's client once what they show is durable."""
        state = self._engine.state
        if reader.closed or reader.client_id not in state.clients:
            return
        reader.waits_for_snapshot = True
        plan = snapshot(state, reader.client_id, self._engine.core.last_price)
        self._word_snapshot(reader, state, plan)

    def _word_snapshot(
        self, reader: FeedConnection, state: OmsState, plan: Generator[int, None, bytes]
    ) -> None:
        """Word a part of a reader's rows, and send them once they are whole."""
        if reader.closed:
            return
        if state is not self._engine.state:
            self._send_snapshot(reader)  # Another engine has taken this one's place.
            return
        try:
            weight = next(plan)
        except StopIteration as end:
            whole = SnapshotOf(reader, self._audience(reader), end.value)
            self._outbox.put(self._engine.sequence, whole)
        else:
            step = partial(self._word_snapshot, reader, state, plan)
            self._turns.soon(step, weight)
