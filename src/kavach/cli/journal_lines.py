"""
The lines of ``kavach journal``: what happened, one event each, for people and for programs.

A line names the record, the time in India, the command that caused it, who says it (the rules of
the core, or the exchange inside) and the event with its fields; prices and cash are rupees. With
``--json`` a line is an object with the fields as they are stored.

Source: docs/twin.md (command line); docs/spec/journal.md.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Final, get_args

import msgspec

from kavach.core import events as e
from kavach.core.model.baskets.events import BasketCreated
from kavach.core.model.cover.events import TargetLegNamed
from kavach.core.model.gtt.events import GttCreated
from kavach.core.model.regular.events import RegularOrderPlaced
from kavach.engine.journal_port import Journal, JournalCorrupt
from kavach.engine.record import CoreEvent, decode_record
from kavach.exchange.messages import ExchangeEvent
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND, PIPS_PER_PAISA, PIPS_PER_RUPEE

KINDS: Final = tuple(sorted({kind.__name__ for kind in get_args(CoreEvent | ExchangeEvent)}))
SECRET_SHOWN: Final = "kept"  # That there is one, and no more.
DIGEST_SHOWN: Final = 8  # Enough to tell two digests apart.
_INDIA: Final = timezone(timedelta(seconds=IST_OFFSET_SECONDS))
_FIELDS_OF_NO_INTEREST: Final = frozenset({0, "", None})


class Line(msgspec.Struct, frozen=True):
    """One event and where it stands."""

    sequence: int
    at_ns: int
    at: str  # The same in India, to the microsecond, with its zone.
    cause: str
    by: str  # core or exchange
    event: str
    fields: dict[str, Any]


class Register:
    """Which order and which client an event is about; learned from the events before it."""

    def __init__(self) -> None:
        self._order_of_tag: dict[int, int] = {}
        self._client_of_order: dict[int, str] = {}
        self._client_of_kept: dict[str, str] = {}  # By the UUID of a saved basket or a rule.
        self.own_id: dict[int, int] = {}  # By entry, stop and basket id.

    def learn(self, event: object) -> None:
        """Note whose ids an event gives out."""
        if isinstance(event, e.CoverOrderPlaced):
            self._client_of_order[event.order_id] = event.client_id
            self.own_id[event.order_id] = self.own_id[event.basket_id] = event.order_id
        elif isinstance(event, RegularOrderPlaced):
            self._client_of_order[event.order_id] = event.client_id
        elif isinstance(event, BasketCreated):
            self._client_of_kept[event.basket_id] = event.client_id
        elif isinstance(event, GttCreated):
            self._client_of_kept[event.rule_id] = event.client_id
        elif isinstance(event, e.StopLegNamed):
            self.own_id[event.stop_id] = event.order_id
        elif isinstance(event, TargetLegNamed):
            self.own_id[event.target_id] = event.order_id
        elif isinstance(event, e.OrderSubmitted):
            self._order_of_tag[event.tag] = event.parent_id

    def order(self, fields: dict[str, Any]) -> int:
        """Return the order's id, 0 if the event is about none."""
        for name in ("order_id", "parent_id"):
            if name in fields:
                return int(fields[name])
        tag = fields.get("tag", fields.get("order_ref", 0))
        return self._order_of_tag.get(tag, 0)

    def client(self, fields: dict[str, Any]) -> str:
        """Return the client's id, empty if the event is about none."""
        kept = fields.get("rule_id") or fields.get("basket_id") or ""
        return str(
            fields.get("client_id")
            or self._client_of_order.get(self.order(fields))
            or self._client_of_kept.get(kept, "")
        )


def lines(journal: Journal, register: Register, after: int = 0) -> Iterator[Line]:
    """Yield every event behind a record; of each step first what the rules say, then the exchange.

    Raises ``JournalCorrupt`` at a record that is none.
    """
    for sequence, body in journal.records(after):
        try:
            record = decode_record(body)
        except msgspec.MsgspecError as error:
            raise JournalCorrupt(sequence, f"it is no record of this version ({error})") from error
        for event in record.events:
            register.learn(event)
        for by, events in (("core", record.events), ("exchange", record.venue)):
            for said in events:
                fields = _flat(msgspec.structs.asdict(said))
                kind = type(said).__name__
                at = indian_time(record.at_ns)
                yield Line(sequence, record.at_ns, at, record.cause, by, kind, fields)


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with those of a message inside one lifted out, and plain values only."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, msgspec.Struct):
            flat |= _flat(msgspec.structs.asdict(value))
        elif name.endswith("_secret"):
            flat[name] = SECRET_SHOWN if value else ""
        else:
            flat[name] = value.value if isinstance(value, Enum) else value
    return flat


def as_text(line: Line) -> str:
    """Return a line for people."""
    head = f"{line.sequence:>6} {line.at} {line.cause:<16} {line.by:<8}"
    return f"{head} {as_text_of_event(line)}"


def as_text_of_event(line: Line) -> str:
    """Return what happened, without where it stands; what is 0 or empty is left out."""
    shown = [
        _shown(name, value)
        for name, value in line.fields.items()
        if value not in _FIELDS_OF_NO_INTEREST
    ]
    return " ".join([f"{line.event:<20}", *shown]).rstrip()


def as_json(line: Line) -> str:
    """Return a line for programs."""
    return msgspec.json.encode(line).decode()


def _shown(name: str, value: Any) -> str:
    if name.endswith("_pips"):
        return f"{name.removesuffix('_pips')}={rupees(value)}"
    if name.endswith("_paise"):
        return f"{name.removesuffix('_paise')}={rupees(value * PIPS_PER_PAISA)}"
    if name.endswith("_digest"):
        return f"{name}={value[:DIGEST_SHOWN]}"
    return f"{name}={value!r}" if " " in str(value) else f"{name}={value}"


def rupees(pips: int) -> str:
    """Return an exact amount with two decimals, or four where it needs them."""
    sign, pips = ("-" if pips < 0 else ""), abs(pips)
    whole, rest = divmod(pips, PIPS_PER_RUPEE)
    decimals = f"{rest:04}"
    return f"{sign}{whole}.{decimals[:2] if decimals.endswith('00') else decimals}"


def indian_time(at_ns: int) -> str:
    """Return date and time of day in India, to the microsecond, with the zone."""
    seconds, rest = divmod(at_ns, NS_PER_SECOND)
    moment = datetime.fromtimestamp(seconds, _INDIA).replace(microsecond=rest // 1000)
    return moment.isoformat(" ", "microseconds")
