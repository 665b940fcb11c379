"""
What has happened, in the past tense. State changes by these and by nothing else.

An event carries no time: its journal record does. Those that begin ``Order`` speak of one
order at a venue, found by its ``tag``, an integer the core gives out once. Three of them are
also the requests that the venue receives (``OrderSubmitted``, ``OrderAmendSent``,
``OrderCancelSent``): what is journaled and what is sent cannot differ, because they are one
object. The reports of a venue are events too, for the same reason.

Source: docs/spec/cover_order.md.
"""

from enum import StrEnum

import msgspec

from kavach.units import (
    Exchange,
    InstrumentKey,
    OrderType,
    Paise,
    Phase,
    Pips,
    Product,
    Quantity,
    Side,
    Validity,
)


class Event(msgspec.Struct, frozen=True, tag_field="event", tag=True, array_like=True, gc=False):
    """Anything that changes the state of the core."""


# --- Requests: what the core asks of a venue -------------------------------------------------


class Purpose(StrEnum):
    """Why an order at the venue is sent or changed."""

    ENTRY = "entry"
    STOP = "stop"
    EXIT = "exit"
    TARGET = "target"  # The profit that a bracket is content with.


class OrderSubmitted(Event, frozen=True):
    """A new order goes to the venue."""

    tag: int
    parent_id: int  # The order of the client that it carries out.
    purpose: Purpose
    instrument: InstrumentKey
    client_id: str
    side: Side
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips  # 0 where the type has none.
    trigger_price_pips: Pips  # 0 where the type has none.
    validity: Validity
    link: int = 0  # Orders with the same share one quantity at the venue; 0: none.


class OrderAmendSent(Event, frozen=True):
    """A change goes to the venue; ``quantity`` is the total, what has traded included."""

    tag: int
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips
    serial: int = 0  # Numbers the requests about one order, so that an answer finds its own.


class OrderCancelSent(Event, frozen=True):
    """A cancel goes to the venue."""

    tag: int
    serial: int = 0


class OrderQuerySent(Event, frozen=True):
    """The venue is asked what it knows of an order whose request it has not answered."""

    tag: int


class StrayCancelSent(Event, frozen=True):
    """The venue has an order twice; the one that is not ours is cancelled by its own id."""

    tag: int
    exchange_order_id: str


# --- Reports of a venue -----------------------------------------------------------------------


class OrderAccepted(Event, frozen=True):
    """The venue has the order (A1, B1)."""

    tag: int
    exchange_order_id: str


class OrderRejected(Event, frozen=True):
    """The venue does not take the order (A2, B2)."""

    tag: int
    code: int
    reason: str


class OrderTriggered(Event, frozen=True):
    """A waiting stop has fired and is working (B3)."""

    tag: int


class OrderTraded(Event, frozen=True):
    """A trade (A3, B4); ``trade_id`` is unique at the venue."""

    tag: int
    trade_id: str
    quantity: Quantity
    price_pips: Pips


class OrderAmended(Event, frozen=True):
    """The pending change is in force (B6)."""

    tag: int
    serial: int = 0  # Of the request it answers; 0: of the one in flight.


class OrderAmendRefused(Event, frozen=True):
    """The pending change is not made; the order is as it was (B7)."""

    tag: int
    code: int
    reason: str
    serial: int = 0


class Closing(StrEnum):
    """Why a venue closed an order."""

    CANCELLED = "cancelled"  # We asked for it.
    REMOVED = "removed"  # The venue did it on its own.
    EXPIRED = "expired"  # Session end, or the rest of an IOC.


class OrderClosed(Event, frozen=True):
    """The venue has closed the order, having traded ``filled_quantity`` in all (A4, B5)."""

    tag: int
    filled_quantity: Quantity
    closing: Closing
    code: int
    reason: str


class OrderCancelRefused(Event, frozen=True):
    """The venue does not cancel (A5). Changes the request, never the order."""

    tag: int
    code: int
    reason: str
    serial: int = 0


class OrderRequestLost(Event, frozen=True):
    """A change or a cancel never reached the venue, as a comparison shows; nothing is refused."""

    tag: int
    serial: int


Request = OrderSubmitted | OrderAmendSent | OrderCancelSent | OrderQuerySent | StrayCancelSent
Report = (
    OrderAccepted
    | OrderRejected
    | OrderTriggered
    | OrderTraded
    | OrderAmended
    | OrderAmendRefused
    | OrderClosed
    | OrderCancelRefused
    | OrderRequestLost
)


class Standing(StrEnum):
    """Where an order stands, as a venue reports it."""

    WAITING = "waiting"
    WORKING = "working"
    CLOSED = "closed"


class OrderStatus(msgspec.Struct, frozen=True, gc=False):
    """What a venue knows of an order, when asked.

    Not an event: the core compares it with what it knows and lets the reports that are missing
    have happened. ``settled``: no request of ours can still be on its way.
    """

    tag: int
    exchange_order_id: str
    standing: Standing
    order_type: OrderType
    quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips
    filled_quantity: Quantity
    trades: tuple[OrderTraded, ...]  # All, or those that may be new.
    closing: Closing = Closing.REMOVED  # These three say something of a closed order only.
    code: int = 0
    reason: str = ""
    settled: bool = True
    serial: int = 0  # Of the last request about the order when the venue was asked.
    queried_at_ns: int = 0  # When it was asked; 0: not known.


class OrderAbsent(msgspec.Struct, frozen=True, gc=False):
    """The venue knows no order of this tag."""

    tag: int
    settled: bool = True
    queried_at_ns: int = 0


ExecutionReport = Report | OrderStatus | OrderAbsent


# --- What the core decided -------------------------------------------------------------------


class OrderDoubted(Event, frozen=True):
    """The venue has not answered in time: what became of the request is unknown."""

    tag: int


class OrderResurfaced(Event, frozen=True):
    """An order that the venue did not know lives there after all; it is cancelled on sight."""

    tag: int
    exchange_order_id: str


class LinkLost(Event, frozen=True):
    """The venue cannot be reached."""


class LinkRestored(Event, frozen=True):
    """The venue can be reached again."""


class ClientOpened(Event, frozen=True):
    """An account exists."""

    client_id: str
    cash_paise: Paise
    token_digest: str
    password_digest: str
    pin_digest: str
    totp_secret: str = ""


class ClientKilled(Event, frozen=True):
    """The kill switch of a client is on."""

    client_id: str


class TokenRenewed(Event, frozen=True):
    """A client's standing token is another one from now on."""

    client_id: str
    token_digest: str


class SessionEnded(Event, frozen=True):
    """A session of an exchange is over; with no name all of them are."""

    exchange: Exchange
    session: str = ""


class SessionOpened(Event, frozen=True):
    """Continuous trading of an exchange has begun."""

    exchange: Exchange
    session: str = ""


class CoversStopped(Event, frozen=True):
    """No new cover orders in this session: their stops could not stand for long enough."""

    exchange: Exchange
    session: str = ""


class EntriesStopped(Event, frozen=True):
    """No new cover or intraday orders until the next session; intraday ones are squared off."""

    exchange: Exchange
    session: str = ""


class PhaseBegan(Event, frozen=True):
    """A session is in this phase of an auction: no stop stands, and none can be sent."""

    exchange: Exchange
    phase: Phase
    session: str = ""


class CoverOrderPlaced(Event, frozen=True):
    """A cover order is accepted and owned; nothing has been sent yet."""

    order_id: int  # oms_order_id of the ENTRY leg.
    basket_id: int
    client_id: str
    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips
    validity: Validity
    product: Product
    stop_price_pips: Pips
    trailing_step_pips: Pips
    reference_price_pips: Pips  # What margin and trailing distance are measured from.
    user_order_id: int
    device: str
    stop_offset_pips: Pips = Pips(0)  # These three of a bracket alone.
    target_offset_pips: Pips = Pips(0)
    target_price_pips: Pips = Pips(0)


class EntryModifyRequested(Event, frozen=True):
    """The client wants the entry to be this; it is so once the venue has amended."""

    order_id: int
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips
    trigger_price_pips: Pips
    validity: Validity
    reference_price_pips: Pips


class StopPlanned(Event, frozen=True):
    """From now on the stop shall stand at this trigger and trail by this step (0: not)."""

    order_id: int
    stop_price_pips: Pips
    trailing_step_pips: Pips
    trailing_distance_pips: Pips
    stop_offset_pips: Pips = Pips(0)  # Of a bracket; 0: as it was.


class Source(StrEnum):
    """Who asked for it."""

    USER = "user"
    SQUARE_OFF = "square_off"
    KILL = "kill"
    TRIGGERED = "triggered"  # The stop fired, so nothing more may be bought.
    TARGET = "target"  # The target traded: the same.
    BREACHED_ON_ARRIVAL = "breached_on_arrival"
    NAKED_TOO_LONG = "naked_too_long"
    CHASE = "chase"  # A fired stop did not fill in time.
    SESSION_END = "session_end"
    RESURFACED = "resurfaced"


class EntryCancelRequested(Event, frozen=True):
    """What has not traded of the entry shall go; monotone."""

    order_id: int
    source: Source


class EntryCancelFailed(Event, frozen=True):
    """The venue will not cancel what the client wanted cancelled; the order is as it was."""

    order_id: int
    code: int
    reason: str


class ExitIntended(Event, frozen=True):
    """The position shall be flattened; monotone."""

    order_id: int
    source: Source


class StopLegNamed(Event, frozen=True):
    """The stop has a row and an id of its own from the first fill on."""

    order_id: int
    stop_id: int


class ExitHardened(Event, frozen=True):
    """The next exit price reaches one protection further."""

    order_id: int


class StopLost(Event, frozen=True):
    """A protective order was refused or has gone; the ladder begins."""

    order_id: int


class StopRetried(Event, frozen=True):
    """The ladder places the stop once more."""

    order_id: int


class CoverOrderEnded(Event, frozen=True):
    """A cover order has reached a terminal state."""

    order_id: int
    state: str  # A terminal State.
    code: int
    reason: str


class CoverOrderReopened(Event, frozen=True):
    """A fill arrived after the end; the order lives again."""

    order_id: int


class CoverOrderResumed(Event, frozen=True):
    """A carried cover order lives on in a new session; the wishes of the day before are over."""

    order_id: int


class Alarm(StrEnum):
    """What an operator must know."""

    LATE_FILL = "late_fill"
    RESURRECTED = "resurrected"
    STOP_REFUSED = "stop_refused"
    STOP_REMOVED = "stop_removed"
    TARGET_REFUSED = "target_refused"
    TARGET_REMOVED = "target_removed"
    NAKED = "naked"
    CIRCUIT_LOCKED = "circuit_locked"
    CARRIED = "carried"
    RESUMED = "resumed"  # What was carried is squared off, or protected again.
    UNKNOWN = "unknown"  # The venue does not say what became of a request.
    CONTRADICTION = "contradiction"  # The venue contradicts itself.
    STRAY = "stray"  # The venue has an order of ours twice, or one it had denied.


class AlarmRaised(Event, frozen=True):
    """An operator should look at this cover order."""

    order_id: int
    alarm: Alarm
    detail: str


class NakedTimeMeasured(Event, frozen=True):
    """A position was not wholly protected for this long by clocks, longer than any before."""

    order_id: int
    clock_ns: int  # By the engine's clock, and not by when events were due.
    real_ns: int


class RequestAnswered(Event, frozen=True):
    """A keyed request succeeded with this answer; a repetition gets it again."""

    client_id: str
    idempotency_key: str
    fingerprint: str
    order_id: int
    basket_id: int
    state: str
    reason: str
    subject: str = ""  # What the answer names that is no order: a basket, a rule.
