"""
One record of the journal: everything that one step changed, and nothing else.

The body is MessagePack. ``events`` change the core, ``venue`` changes the embedded exchange;
both are applied in order at start, so the state after is the state before.

Source: docs/spec/journal.md.
"""

from typing import Final, Literal

import msgspec

from kavach.core import events as core_events
from kavach.core.model.baskets.events import BasketEvent
from kavach.core.model.cover import events as bracket_events
from kavach.core.model.gtt.events import GttRuleEvent
from kavach.core.model.limits import events as limits_events
from kavach.core.model.listing.events import InstrumentListed
from kavach.core.model.money.events import MoneyEvent
from kavach.core.model.people.events import PeopleEvent
from kavach.core.model.regular import events as regular_events
from kavach.core.model.state import OmsSnapshot
from kavach.exchange import messages as exchange_messages
from kavach.exchange.messages import ExchangeEvent

CoreEvent = (
    core_events.Request
    | core_events.Report
    | core_events.OrderDoubted
    | core_events.OrderResurfaced
    | core_events.LinkLost
    | core_events.LinkRestored
    | core_events.ClientOpened
    | core_events.ClientKilled
    | core_events.TokenRenewed
    | core_events.SessionEnded
    | core_events.SessionOpened
    | core_events.EntriesStopped
    | core_events.CoversStopped
    | core_events.PhaseBegan
    | core_events.CoverOrderPlaced
    | core_events.EntryModifyRequested
    | core_events.StopPlanned
    | core_events.EntryCancelRequested
    | core_events.EntryCancelFailed
    | core_events.ExitIntended
    | core_events.StopLegNamed
    | core_events.ExitHardened
    | core_events.StopLost
    | core_events.StopRetried
    | core_events.CoverOrderEnded
    | core_events.CoverOrderReopened
    | core_events.CoverOrderResumed
    | core_events.AlarmRaised
    | core_events.RequestAnswered
    | core_events.NakedTimeMeasured
    | bracket_events.TargetPlanned
    | bracket_events.TargetLegNamed
    | bracket_events.TargetLost
    | regular_events.RegularOrderPlaced
    | regular_events.RegularOrderReleased
    | regular_events.RegularOrderEnded
    | regular_events.RegularOrderReopened
    | PeopleEvent
    | InstrumentListed
    | BasketEvent
    | GttRuleEvent
    | MoneyEvent
    | limits_events.LimitsChosen
    | limits_events.AlgoRegistered
    | limits_events.RequestCounted
    | limits_events.OrderMarked
)


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What one step changed."""

    at_ns: int
    cause: str  # The command's name.
    events: list[CoreEvent]
    venue: list[ExchangeEvent]


class Step(msgspec.Struct, frozen=True, array_like=True):
    """A record on its way out: the same fields, not checked again."""

    at_ns: int
    cause: str
    events: list[core_events.Event]
    venue: list[exchange_messages.Event]


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """The whole state after a record.

    One of another layout can't be read as this one, and the records say the same.
    """

    at_ns: int
    core: OmsSnapshot
    venue: bytes
    layout: Literal[8]


LAYOUT: Final = 8


class _AnyLayout(msgspec.Struct, frozen=True, array_like=True):
    """What all layouts have in common; the first had no number."""

    at_ns: int
    core: msgspec.Raw
    venue: bytes
    layout: int = 1


_ENCODER: Final = msgspec.msgpack.Encoder()
_RECORD: Final = msgspec.msgpack.Decoder(Record)
_SNAPSHOT: Final = msgspec.msgpack.Decoder(Snapshot)
_ANY_LAYOUT: Final = msgspec.msgpack.Decoder(_AnyLayout)


def encode(value: Step | Snapshot) -> bytes:
    """Return the body under which a step or a snapshot is stored."""
    return _ENCODER.encode(value)


def decode_record(body: bytes) -> Record:
    """Return the record of a body; ``msgspec.ValidationError`` if it is none."""
    return _RECORD.decode(body)


def decode_snapshot(body: bytes) -> Snapshot:
    """Return the snapshot of a body; ``msgspec.ValidationError`` if it is none."""
    return _SNAPSHOT.decode(body)


def is_of_this_layout(body: bytes) -> bool:
    """Return whether this version wrote the snapshot; ``msgspec.ValidationError`` if it is none."""
    return _ANY_LAYOUT.decode(body).layout == LAYOUT
