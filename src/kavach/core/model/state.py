"""
The whole state of the order management system, and how to find things in it.

Only ``core.evolve.apply`` changes it, one event at a time, live and in replay alike.
Everything here is data that msgspec can write: the snapshot is the state, and the state hash
is the hash of the snapshot.

Source: docs/spec/cover_order.md, "Quantities"; docs/spec/cover_order.md, "What must hold".
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

import msgspec

from kavach.core.commands import Leg
from kavach.core.day import next_midnight_ns
from kavach.core.events import RequestAnswered
from kavach.core.model.baskets.basket import BasketExecution, SavedBasket, Shelf
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.gtt.rule import GttBook, GttRule
from kavach.core.model.limits.standing import LimitsStanding
from kavach.core.model.money.account import Client
from kavach.core.model.money.events import LedgerLine
from kavach.core.model.money.margin import (
    position_margin_paise,
    sellable_quantity,
    value_margin_paise,
)
from kavach.core.model.money.position import Open, Position
from kavach.core.model.order_index import OrderIndex
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import VenueOrder
from kavach.core.model.people.book import People, PeopleSnapshot
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.sessions import Sessions
from kavach.core.settings import Settings
from kavach.instruments import Instrument, Listing, listing
from kavach.units import Exchange, InstrumentKey, Phase, Product, Side

HASH_BYTES: Final = 16


class OmsSnapshot(msgspec.Struct, array_like=True):
    """The state in one value: what a snapshot file holds and the state hash is taken of."""

    clients: list[Client]
    covers: list[CoverOrder]
    answers: list[RequestAnswered]
    next_tag: int
    day: int
    day_counter: int
    sessions_closed: list[str]
    entries_stopped: list[str]
    venue_disconnected: bool
    naked_ns_max: int
    events: int
    regulars: list[RegularOrder] = []
    people: PeopleSnapshot = msgspec.field(default_factory=PeopleSnapshot)
    listed: list[Instrument] = []  # Terms of imported contracts that were used.
    baskets: list[SavedBasket] = msgspec.field(default_factory=list)
    executions: list[BasketExecution] = msgspec.field(default_factory=list)
    gtts: list[GttRule] = msgspec.field(default_factory=list)
    uuids_given: int = 0
    ledger: list[LedgerLine] = msgspec.field(default_factory=list)
    settled_days: list[tuple[str, int]] = msgspec.field(default_factory=list)
    unsettled_since_ns: list[tuple[str, int]] = msgspec.field(default_factory=list)
    covers_stopped: list[str] = []
    auctions: list[tuple[str, Phase]] = []
    limits: LimitsStanding = msgspec.field(default_factory=LimitsStanding)
    naked_real_ns_max: int = 0


class OmsState:
    """Clients, their orders and what is needed to find them."""

    def __init__(self, instruments: Iterable[Instrument] | Listing, settings: Settings) -> None:
        self.settings = settings
        self.instruments = listing(instruments)
        self.listed: dict[InstrumentKey, Instrument] = {}  # Imported ones, with recorded terms.
        self.clients: dict[str, Client] = {}
        self.parents: dict[int, ParentOrder] = {}  # Orders of every kind, by their own id.
        self.covers: dict[int, CoverOrder] = {}  # By entry, stop and basket id.
        self.regulars: dict[int, RegularOrder] = {}
        self.index = OrderIndex()
        # What readers have made of orders, by order id; what the order no longer looks like goes.
        self.derived: dict[int, Any] = {}
        self.orders: dict[int, VenueOrder] = {}  # By tag.
        self.answers: dict[tuple[str, str], RequestAnswered] = {}
        self.people = People()
        self.shelf = Shelf()  # Saved baskets.
        self.gtts = GttBook()
        self.uuids_given = 0  # To baskets, their lines and rules.
        self.next_tag = 1
        self.day = 0  # YYYYMMDD of the last id given out.
        self.day_counter = 0
        self.sessions = Sessions()
        self.venue_disconnected = False  # The venue cannot be reached.
        self.naked_ns_max = 0  # By events or the engine's clock, whichever was longer.
        self.naked_real_ns_max = 0
        self.events = 0
        self.ledger: list[LedgerLine] = []  # What happened to money beside trades, in order.
        self.settled_days: dict[str, int] = {}  # By exchange, the last one, YYYYMMDD.
        # By exchange with something to settle: since when, or since when its session is open.
        self.unsettled_since_ns: dict[str, int] = {}
        self.day_ends_ns: int | None = None  # The next midnight that settles something.
        self.rule_by(LimitsStanding())

    def rule_by(self, limits: LimitsStanding) -> None:
        """Let these rules hold, with what was counted under them."""
        self.limits = limits
        # Looked at with every command and every request, so they are read off once.
        self.limited = limits.rules.orders is not None
        self.budgeted = limits.rules.budget is not None

    def client_of_token(self, digest: str, now_ns: int) -> str | None:
        """Return whose access token has this SHA-256 digest, if it is worth anything now."""
        return self.people.client_of(digest, now_ns)

    def is_unlisted(self, key: InstrumentKey) -> bool:
        """Return whether the terms of this contract stand in no record, and must before it is used.

        Bundled instruments are part of the program, and need no record.
        """
        instrument = self.instruments.get(key)
        return instrument is not None and instrument.imported and key not in self.listed

    def list_terms(self, terms: Instrument) -> None:
        """Let these terms hold for an imported contract."""
        self.instruments[terms.key] = self.listed[terms.key] = terms

    @property
    def by_client(self) -> dict[str, list[ParentOrder]]:
        """Every order, by client, oldest first."""
        return self.index.by_client

    def orders_of(self, client_id: str) -> list[ParentOrder]:
        """Return a client's orders of every kind, oldest first; all that ever were."""
        return self.index.by_client.get(client_id, [])

    def living_of(self, client_id: str) -> list[ParentOrder]:
        """Return a client's orders that are not over, oldest first."""
        return self.index.living_of(client_id)

    def covers_of(self, client_id: str) -> list[CoverOrder]:
        """Return a client's cover orders, oldest first."""
        return [one for one in self.orders_of(client_id) if isinstance(one, CoverOrder)]

    def leg(self, order_id: int) -> tuple[ParentOrder, Leg] | None:
        """Return the order and the leg whose own id this is (not a basket's)."""
        cover = self.covers.get(order_id)
        if cover is None:
            regular = self.regulars.get(order_id)
            return None if regular is None else (regular, Leg.ENTRY)
        if order_id == cover.basket_id:
            return None
        return cover, cover.leg_of(order_id)

    def sellable(self, client_id: str, key: InstrumentKey, product: Product) -> int | None:
        """Return how much more a client's orders may sell; None: as much as margin allows."""
        lent = 0
        if product is Product.CNC:
            for cover in self.index.lenders(client_id):
                if cover.instrument == key:
                    lent += cover.position
                    if not cover.over:
                        lent += cover.entry_leaves_max if cover.entries else cover.quantity
        return sellable_quantity(self.clients[client_id], key, product, lent)

    def every_order(self) -> Iterable[ParentOrder]:
        """Return every order of every kind once."""
        return self.index.every()

    def every_cover(self) -> Iterable[CoverOrder]:
        """Yield every cover order once."""
        for one in self.every_order():
            if isinstance(one, CoverOrder):
                yield one

    def reblock(self, parent: ParentOrder) -> None:
        """Block margin for what the order could still open, and of a cover order what is open."""
        if type(parent) is RegularOrder:  # Asked for with every change: cheaper than isinstance.
            self._recount(parent)
            return
        instrument = self.instruments[parent.instrument]
        exposure = parent.position
        if not parent.over:
            exposure += parent.entry_leaves_max if parent.entries else parent.quantity
        value = exposure * parent.reference_price_pips
        blocked = value_margin_paise(instrument, self.settings, parent.product, value)
        if blocked != parent.blocked_paise:
            more = blocked - parent.blocked_paise
            self.clients[parent.client_id].blocked_paise += more
            self.index.blocked[parent.client_id][instrument.segment, parent.product] += more
            parent.blocked_paise = blocked

    def _recount(self, order: RegularOrder) -> None:
        """Count what a regular order could still trade; its position blocks for that."""
        leaves = 0
        if not order.over:
            leaves = order.entry_leaves_max if order.entries else order.quantity
        could = Open(leaves, leaves * order.reference_price_pips)
        if could != order.counted:
            order.counted = self.count_open(
                order.client_id, order.instrument, order.product, order.side, order.counted, could
            )

    def reblock_position(self, client: Client, position: Position) -> None:
        """Block margin for what regular orders hold of a position and could still trade."""
        instrument = self.instruments[position.instrument]
        blocked = position_margin_paise(client, position, instrument, self.settings)
        client.blocked_paise += blocked - position.blocked_paise
        position.blocked_paise = blocked

    def count_open(
        self,
        client_id: str,
        instrument: InstrumentKey,
        product: Product,
        side: Side,
        before: Open,
        after: Open,
    ) -> Open:
        """Count what a regular order could still trade, block its position anew, return ``after``.

        ``before`` is what it was counted with until now; the order keeps what is returned.
        """
        client = self.clients[client_id]
        position = client.position_in(self.instruments[instrument], product)
        if side is Side.BUY:
            position.open_buy = position.open_buy - before + after
        else:
            position.open_sell = position.open_sell - before + after
        self.reblock_position(client, position)
        return after

    def begin_day(self, exchange: Exchange, at_ns: int, *, waits: bool) -> None:
        """Note since when there is something to settle on an exchange, if there is."""
        if waits:
            self.unsettled_since_ns[exchange.value] = at_ns
        else:
            self.unsettled_since_ns.pop(exchange.value, None)
        self.plan_day_end()

    def ends_at_midnight(self, exchange: str) -> bool:
        """Return whether there is something to settle on an exchange and its session is open."""
        return exchange in self.unsettled_since_ns and not self.sessions.all_closed(
            Exchange(exchange)
        )

    def midnight_after(self, exchange: str) -> int:
        """Return the midnight that ends the day that an exchange has to settle."""
        return next_midnight_ns(self.unsettled_since_ns[exchange])

    def plan_day_end(self) -> None:
        """Work out the next midnight at which something is to be settled."""
        times = [
            self.midnight_after(e) for e in self.unsettled_since_ns if self.ends_at_midnight(e)
        ]
        self.day_ends_ns = min(times, default=None)

    def snapshot(self) -> OmsSnapshot:
        """Return the whole state as one value."""
        return OmsSnapshot(
            clients=list(self.clients.values()),
            covers=sorted(
                self.every_cover(), key=lambda cover: (cover.placed_at_ns, cover.order_id)
            ),
            answers=list(self.answers.values()),
            next_tag=self.next_tag,
            day=self.day,
            day_counter=self.day_counter,
            sessions_closed=sorted(self.sessions.closed),
            entries_stopped=sorted(self.sessions.entries_stopped),
            venue_disconnected=self.venue_disconnected,
            naked_ns_max=self.naked_ns_max,
            events=self.events,
            regulars=sorted(
                self.regulars.values(), key=lambda order: (order.placed_at_ns, order.order_id)
            ),
            people=self.people.snapshot(),
            listed=[self.listed[key] for key in sorted(self.listed)],
            baskets=list(self.shelf.baskets.values()),
            executions=list(self.shelf.executions.values()),
            gtts=list(self.gtts.rules.values()),
            uuids_given=self.uuids_given,
            ledger=list(self.ledger),
            settled_days=sorted(self.settled_days.items()),
            unsettled_since_ns=sorted(self.unsettled_since_ns.items()),
            limits=self.limits,
            naked_real_ns_max=self.naked_real_ns_max,
            covers_stopped=sorted(self.sessions.covers_stopped),
            auctions=sorted(self.sessions.auctions.items()),
        )

    def restore(self, snapshot: OmsSnapshot) -> None:
        """Become the state that a snapshot holds; only a fresh state may."""
        assert not self.clients and not self.covers, "restore needs a fresh state"
        for terms in snapshot.listed:
            self.list_terms(terms)
        for client in snapshot.clients:
            self.add_client(client)
        both: list[CoverOrder | RegularOrder] = [*snapshot.covers, *snapshot.regulars]
        for parent in sorted(both, key=lambda order: (order.placed_at_ns, order.order_id)):
            # Texts that many orders share are kept once: a snapshot holds a copy for each.
            parent.client_id = self.clients[parent.client_id].client_id
            parent.instrument = self.instruments[parent.instrument].key
            if isinstance(parent, CoverOrder):
                self.add_cover(parent)
                for leg in parent.legs:
                    self.covers[parent.id_of(leg)] = parent
            else:
                self.add_regular(parent)
            for order in parent.entries + parent.exits:
                self.orders[order.tag] = order
            if parent.over:
                self.index.end(parent)
            if parent.blocked_paise and isinstance(parent, CoverOrder):
                segment = self.instruments[parent.instrument].segment
                blocked = self.index.blocked[parent.client_id]
                blocked[segment, parent.product] += parent.blocked_paise
        self.index.restored()
        for answer in snapshot.answers:
            self.answers[answer.client_id, answer.idempotency_key] = answer
        self.next_tag = snapshot.next_tag
        self.day = snapshot.day
        self.day_counter = snapshot.day_counter
        self.sessions.closed = set(snapshot.sessions_closed)
        self.sessions.entries_stopped = set(snapshot.entries_stopped)
        self.sessions.covers_stopped = set(snapshot.covers_stopped)
        self.sessions.auctions = dict(snapshot.auctions)
        self.venue_disconnected = snapshot.venue_disconnected
        self.naked_ns_max = snapshot.naked_ns_max
        self.naked_real_ns_max = snapshot.naked_real_ns_max
        self.events = snapshot.events
        self.people.restore(snapshot.people)
        self._restore_kept(snapshot)
        self.ledger = list(snapshot.ledger)
        self.settled_days = dict(snapshot.settled_days)
        self.unsettled_since_ns = dict(snapshot.unsettled_since_ns)
        self.plan_day_end()

    def _restore_kept(self, snapshot: OmsSnapshot) -> None:
        """Make findable what clients keep for later."""
        for basket in snapshot.baskets:
            self.shelf.add(basket)
        for execution in snapshot.executions:
            self.shelf.executions[execution.execution_id] = execution
        for rule in snapshot.gtts:
            self.gtts.add(rule)
        self.uuids_given = snapshot.uuids_given
        self.rule_by(snapshot.limits)

    def add_client(self, client: Client) -> None:
        """Make a client findable."""
        self.clients[client.client_id] = client
        self.index.open_client(client.client_id)
        self.people.stand(client.token_digest, client.client_id)

    def add_cover(self, cover: CoverOrder) -> None:
        """Make a cover order findable."""
        self.parents[cover.order_id] = cover
        self.covers[cover.order_id] = cover
        self.covers[cover.basket_id] = cover
        self.index.add(cover)

    def add_regular(self, order: RegularOrder) -> None:
        """Make a regular order findable."""
        self.parents[order.order_id] = order
        self.regulars[order.order_id] = order
        self.index.add(order)

    def id_given(self, order_id: int) -> None:
        """Remember the highest id of the day: eight digits of date, then the day's counter."""
        text = str(order_id)
        self.day, self.day_counter = int(text[:8]), int(text[8:])

    def state_hash(self) -> str:
        """Return the hash of the whole state: equal states have equal hashes."""
        return blake2b(msgspec.msgpack.encode(self.snapshot()), digest_size=HASH_BYTES).hexdigest()
