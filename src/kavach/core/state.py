"""
The whole state of the order management system, and how to find things in it.

Only ``core.evolve`` changes it, one event at a time, live and in replay alike.
Everything here is data that msgspec can write: the snapshot is the state, and the state hash
is the hash of the snapshot.

Source: cover-order 5.1, 5.8 (INV-11, INV-19).
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import msgspec

from kavach.core.accounts import Client, margin_paise
from kavach.core.commands import Leg
from kavach.core.cover_order import CoverOrder
from kavach.core.events import RequestAnswered
from kavach.core.settings import Settings
from kavach.core.venue_order import VenueOrder
from kavach.instruments import Instrument
from kavach.units import InstrumentKey

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
    link_down: bool
    naked_ns_max: int
    events: int


class OmsState:
    """Clients, cover orders and what is needed to find them."""

    def __init__(self, instruments: Iterable[Instrument], settings: Settings) -> None:
        self.settings = settings
        self.instruments: dict[InstrumentKey, Instrument] = {i.key: i for i in instruments}
        self.clients: dict[str, Client] = {}
        self.covers: dict[int, CoverOrder] = {}  # By entry, stop and basket id.
        self.covers_by_client: dict[str, list[CoverOrder]] = {}
        self.orders: dict[int, VenueOrder] = {}  # By tag.
        self.answers: dict[tuple[str, str], RequestAnswered] = {}
        self.tokens: dict[str, str] = {}
        self.next_tag = 1
        self.day = 0  # YYYYMMDD of the last id given out.
        self.day_counter = 0
        self.sessions_closed: set[str] = set()
        self.entries_stopped: set[str] = set()
        self.link_down = False  # The venue cannot be reached.
        self.naked_ns_max = 0
        self.events = 0

    def client_of_token(self, digest: str) -> str | None:
        """Return whose access token has this SHA-256 digest."""
        return self.tokens.get(digest)

    def covers_of(self, client_id: str) -> list[CoverOrder]:
        """Return a client's cover orders, oldest first."""
        return self.covers_by_client.get(client_id, [])

    def leg(self, order_id: int) -> tuple[CoverOrder, Leg] | None:
        """Return the cover order and the leg whose own id this is (not a basket's)."""
        cover = self.covers.get(order_id)
        if cover is None or order_id == cover.basket_id:
            return None
        return cover, Leg.THIRD if order_id == cover.stop_id else Leg.ENTRY

    def every_cover(self) -> Iterable[CoverOrder]:
        """Yield every cover order once."""
        for covers in self.covers_by_client.values():
            yield from covers

    def session_closed(self, instrument: Instrument) -> bool:
        """Return whether continuous trading of the instrument is over."""
        return instrument.exchange in self.sessions_closed

    def reblock(self, cover: CoverOrder) -> None:
        """Block margin for what the entry could still open and for what is open."""
        instrument = self.instruments[cover.instrument]
        if cover.ended is not None:
            exposure = cover.entry_filled - cover.exits_filled
        else:
            leaves = cover.entry_leaves_max if cover.entries else cover.quantity
            exposure = leaves + cover.entry_filled - cover.exits_filled
        blocked = margin_paise(
            instrument, self.settings, cover.product, exposure, cover.reference_price_pips
        )
        self.clients[cover.client_id].blocked_paise += blocked - cover.blocked_paise
        cover.blocked_paise = blocked

    def snapshot(self) -> OmsSnapshot:
        """Return the whole state as one value."""
        return OmsSnapshot(
            clients=list(self.clients.values()),
            covers=sorted(
                self.every_cover(), key=lambda cover: (cover.placed_at_ns, cover.cover_id)
            ),
            answers=list(self.answers.values()),
            next_tag=self.next_tag,
            day=self.day,
            day_counter=self.day_counter,
            sessions_closed=sorted(self.sessions_closed),
            entries_stopped=sorted(self.entries_stopped),
            link_down=self.link_down,
            naked_ns_max=self.naked_ns_max,
            events=self.events,
        )

    def restore(self, snapshot: OmsSnapshot) -> None:
        """Become the state that a snapshot holds; only a fresh state may."""
        assert not self.clients and not self.covers, "restore needs a fresh state"
        for client in snapshot.clients:
            self.add_client(client)
        for cover in snapshot.covers:
            # Texts that many orders share are kept once: a snapshot holds a copy for each.
            cover.client_id = self.clients[cover.client_id].client_id
            cover.instrument = self.instruments[cover.instrument].key
            self.add_cover(cover)
            if cover.stop_id:
                self.covers[cover.stop_id] = cover
            for order in cover.entries + cover.exits:
                self.orders[order.tag] = order
        for answer in snapshot.answers:
            self.answers[answer.client_id, answer.idempotency_key] = answer
        self.next_tag = snapshot.next_tag
        self.day = snapshot.day
        self.day_counter = snapshot.day_counter
        self.sessions_closed = set(snapshot.sessions_closed)
        self.entries_stopped = set(snapshot.entries_stopped)
        self.link_down = snapshot.link_down
        self.naked_ns_max = snapshot.naked_ns_max
        self.events = snapshot.events

    def add_client(self, client: Client) -> None:
        """Make a client findable."""
        self.clients[client.client_id] = client
        self.covers_by_client[client.client_id] = []
        if client.token_digest:
            self.tokens[client.token_digest] = client.client_id

    def add_cover(self, cover: CoverOrder) -> None:
        """Make a cover order findable."""
        self.covers[cover.cover_id] = cover
        self.covers[cover.basket_id] = cover
        self.covers_by_client[cover.client_id].append(cover)

    def state_hash(self) -> str:
        """Return the hash of the whole state: equal states have equal hashes."""
        return blake2b(msgspec.msgpack.encode(self.snapshot()), digest_size=HASH_BYTES).hexdigest()
