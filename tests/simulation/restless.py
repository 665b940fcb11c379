"""
Worlds whose clients send back every row they can read, with anything in it changed.

Bodies are JSON, answered by the program's own routes: rows fresh and stale, of every leg and kind,
the system's own among them; fields that fit and fields that cannot. Each answer is held against
the promise: a change was done, or nothing changed and the field is named.

Source: docs/wire/README.md, "Modifying"; docs/reliability.md.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from kavach.api.http.call import Reply, encode
from kavach.core.commands import Command
from kavach.core.model.regular.commands import PlaceOrder
from kavach.core.refusals import Outcome
from kavach.units import Product
from tests.simulation.far import FarWorld
from tests.simulation.near import NearWorld
from tests.simulation.process import SHARES
from tests.simulation.whole import NEW_DEEDS, Whole
from tests.simulation.window import Json, decode

NEW: Final = {**NEW_DEEDS, "place": 30, "put_row": 60, "delete_row": 8, "night": 1, "day": 2}
SENT: Final = (  # What of a row a client may send back.
    "client_id",
    "oms_order_id",
    "exchange_order_id",
    "execution_type",
    "leg_order_indicator",
    "exchange",
    "instrument_token",
    "order_side",
    "product",
    "order_type",
    "quantity",
    "disclosed_quantity",
    "price",
    "trigger_price",
    "validity",
    "stop_loss_value",
    "square_off_value",
    "trailing_stop_loss",
    "is_trailing",
    "last_activity_reference",
    "filled_quantity",
    "remaining_quantity",
    "user_order_id",
)
DONE: Final = (  # What a change of must be done, or refused by name.
    "quantity",
    "order_type",
    "price",
    "trigger_price",
    "validity",
    "disclosed_quantity",
    "stop_loss_value",
    "square_off_value",
    "trailing_stop_loss",
    "product",
    "order_side",
    "instrument_token",
)
OF_COVERS: Final = frozenset({"stop_loss_value", "square_off_value", "trailing_stop_loss"})
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "order_type": ("LIMIT", "MARKET", "SL", "SLM"),
    "validity": ("DAY", "IOC"),
    "product": ("MIS", "CNC", "NRML"),
    "order_side": ("BUY", "SELL"),
}
ROUNDED_NS: Final = 256  # By so much a version may be off when it comes back as a double.
# What a refusal may speak of instead of a field: it is not the change that cannot be.
OF_STATE: Final = ("Error from backend", "order", "Order", "venue", "Too many", "session")


class Restless(Whole):
    """Clients who change everything they can reach."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.kept: dict[str, list[Json]] = {}  # Rows as they were read, by id.

    def a_product(self) -> Product:
        """Return any product."""
        return self.chance.choice((Product.MIS, Product.MIS, Product.NRML, Product.CNC))

    # --- Rows ---------------------------------------------------------------------------------

    def _pick_row(self) -> tuple[str, Json] | None:
        client = self.chance.choice(self.clients)
        draw = self.chance.random()
        living = self.chance.randrange(4) > 0
        if not self.alive:
            return None
        self.tick()
        book = self.window.book(client)
        for row in book:
            kept = self.kept.setdefault(row["oms_order_id"], [])
            if not kept or kept[-1] != row:
                kept.append(row)
        if living:
            book = [row for row in book if row["remaining_quantity"]] or book
        return (client, book[int(draw * len(book))]) if book else None

    def put_row(self) -> None:
        """Send a row back: as it was read first, and then with something changed."""
        chance = self.chance
        stale, fields = (
            chance.randrange(4) == 0,
            chance.sample(DONE, 1 + (chance.randrange(6) == 0)),
        )
        rank, strange = chance.random(), chance.randrange(10) == 0
        found = self._pick_row()
        if found is None:
            return
        client, row = found
        old = self.kept[row["oms_order_id"]][:-1]
        if stale and old:
            self._send_stale(client, row, old[int(rank * len(old))])
            return
        same = self._put(client, row, self._body(row), strange=strange)
        if same is None:
            return
        fresh = self._row_again(client, row)
        body = self._body(fresh)
        if fresh["leg_order_indicator"] is None:
            fields = [name for name in fields if name not in OF_COVERS]
        for name in fields:
            body[name] = self._other(name, fresh)
        changed = [name for name in fields if body[name] != fresh.get(name)]
        self._change(client, fresh, body, changed, taken=same.status == 200, strange=strange)

    def _body(self, row: Json) -> Json:
        return {name: row[name] for name in SENT if row.get(name) is not None}

    def _row_again(self, client: str, row: Json) -> Json:
        name = row["oms_order_id"]
        return next(r for r in self.window.book(client) if r["oms_order_id"] == name)

    def _other(self, name: str, row: Json) -> Any:
        """Return another value for a field: one that fits as a rule."""
        chance = self.chance
        if name in WORDS:
            return chance.choice(WORDS[name])
        share = next(s for s in SHARES if s.token == row["instrument_token"])
        tick, lot = share.tick_pips / 10_000, share.lot
        if name == "instrument_token":
            return chance.choice(SHARES).token
        if name in ("quantity", "disclosed_quantity"):
            now = row["quantity"]
            fills = row["filled_quantity"]
            choices = (0, fills, now + lot, now - lot, now + 50, now - 50, now * 2, now // 2, 1_000)
            return max(0, chance.choice(choices))
        if name == "trailing_stop_loss":
            return round(chance.choice((0, 1, 2, 5, 1.5)) * tick, 4)
        near = self.last_pips(share) / 10_000
        away = chance.choice((-20, -5, -2, -1, 1, 2, 5, 20))
        if row["execution_type"] == "BO" and name in ("stop_loss_value", "square_off_value"):
            return round(abs(away) * tick, 4)
        if name == "square_off_value":
            return chance.choice((0, 1, 5))
        return round(chance.choice((near + away * tick,) * 2 + (near + tick / 3, 99_999, 0)), 4)

    # --- Asking -------------------------------------------------------------------------------

    def _put(self, client: str, row: Json, body: Json, *, strange: bool) -> Reply | None:
        """Send a body by its route, or now and then by the other kind's; None: nobody is there."""
        regular = row["leg_order_indicator"] is None
        sent = len(self.in_transit())
        before = self.window.book(client)
        reply = self.window.put(self.execute, client, encode(body), regular=regular != strange)
        if not self.alive:
            return None
        self.tally[f"put: {reply.status}"] += 1
        nothing = len(self.in_transit()) == sent
        if reply.status != 200 or strange:
            kept = self.window.book(client) == before
            told = f"{row['oms_order_id']}: {reply.status} {reply.body[:160]!r}"
            # What the exchange refuses has been asked of it, and has its line in the history.
            asked = b"Error from backend" in reply.body
            assert (nothing and kept) or asked, f"answer: refused, yet something changed: {told}"
            assert reply.status != 200, f"answer: taken by the route of another kind: {told}"
        return reply

    def _send_stale(self, client: str, row: Json, old: Json) -> None:
        """A row that has changed since it was read is refused."""
        reply = self._put(client, row, self._body(old), strange=False)
        version = "last_activity_reference"
        differs = abs(old[version] - row[version]) > ROUNDED_NS and old[version] not in (0, 10)
        if reply is not None and differs:
            self.tally["stale"] += 1
            told = f"{row['oms_order_id']} of version {old[version]}, now {row[version]}"
            assert reply.status != 200, f"answer: a stale row is taken: {told}"

    def _change(
        self, client: str, row: Json, body: Json, changed: list[str], *, taken: bool, strange: bool
    ) -> None:
        sent, leg = len(self.in_transit()), row["leg_order_indicator"] or "regular"
        reply = self._put(client, row, body, strange=strange)
        if reply is None or not changed:
            return
        told = f"{leg} {row['oms_order_id']} {row['order_status']} {changed}"
        told += f" {[body[name] for name in changed]}"
        if reply.status == 200:
            self.tally[f"changed {leg}"] += 1
            assert not self._is_systems(row), f"answer: the system's order is changed: {told}"
            now = self._row_again(client, row)
            done = len(self.in_transit()) > sent or self._leaves(row)
            left = [name for name in changed if now.get(name) == row.get(name)]
            spoken = [name for name in left if not self._says_nothing(name, row, body)]
            assert done or not spoken, f"answer: granted, and nothing done: {told}"
        elif taken and len(changed) == 1:
            text = decode(reply.body)["message"]
            named = any(f"`{name}`" in text for name in DONE)
            named = named or any(word in text for word in OF_STATE)
            assert named, f"answer: refused without its name: {told}: {text}"

    def _leaves(self, row: Json) -> bool:
        """Whether a cover order is on its way out; that it gets there has clocks of its own."""
        found = self.engine.state.leg(int(row["oms_order_id"]))
        return found is not None and found[0].state == "EXITING"

    def _says_nothing(self, name: str, row: Json, body: Json) -> bool:
        """Whether a value is documented to say nothing: of a stop, or where nothing trails."""
        if name == "stop_loss_value":
            return bool(body[name] == 0 and row["leg_order_indicator"] == "ENTRY")
        if name == "square_off_value":
            return row["execution_type"] != "BO" and body[name] in (0, 1)
        if name == "square_off_value":
            return bool(row["execution_type"] != "BO" and body[name] in (0, 1))
        if name == "trailing_stop_loss":
            return body["is_trailing"] is not True
        return False

    def _is_systems(self, row: Json) -> bool:
        """Whether a row is of the square-off: of an order that no client has asked for."""
        order = self.engine.state.regulars.get(int(row["oms_order_id"]))
        return order is not None and order.squares_off

    def ask(self, name: str, command: Command) -> Outcome | None:
        """Ask, and claim to be the system now and then: what a client writes decides nothing."""
        if isinstance(command, PlaceOrder) and self.number % 4 == 0:
            command = replace(command, device="SQUARE_OFF")
        return super().ask(name, command)

    def delete_row(self) -> None:
        """Cancel by a row, now and then by the route of another kind."""
        strange = self.chance.randrange(4) == 0
        found = self._pick_row()
        if found is None:
            return
        client, row = found
        regular = row["leg_order_indicator"] is None
        sent = len(self.in_transit())
        before = self.window.book(client)
        order_id, body = row["oms_order_id"], encode(self._body(row))
        regular_way = regular != strange
        reply = self.window.delete(self.execute, client, order_id, body, regular=regular_way)
        if not self.alive:
            return
        self.tally[f"delete: {reply.status}"] += 1
        mine = reply.status != 200 or not self._is_systems(row)
        assert mine, f"answer: the system's order {order_id} is cancelled"
        if reply.status != 200:
            kept = self.window.book(client) == before and len(self.in_transit()) == sent
            told = f"{order_id}: {reply.status} {reply.body[:160]!r}"
            assert kept, f"answer: refused, yet something changed: {told}"


class NearRestless(Restless, NearWorld):
    """Restless clients, on the exchange inside."""

    deeds: ClassVar[Mapping[str, int]] = {**NearWorld.deeds, **NEW}


class FarRestless(Restless, FarWorld):
    """Restless clients, the exchange far away."""

    deeds: ClassVar[Mapping[str, int]] = {**FarWorld.deeds, **NEW}
