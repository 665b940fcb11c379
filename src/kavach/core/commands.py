"""
The commands of the core, in the imperative.

A command carries facts only: the clock, the sequence and new ids are given by the engine and
the state. ``None`` in a modify means "leave as it is". Prices are pips, quantities shares.

Source: docs/spec/cover_order.md, "What the system owes"; docs/wire/README.md, "Placing".
"""

from enum import StrEnum
from typing import ClassVar

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


class Shares(msgspec.Struct, frozen=True, array_like=True):
    """Shares of one instrument, and what one of them was bought for."""

    instrument: InstrumentKey
    quantity: Quantity
    price_pips: Pips


class Leg(StrEnum):
    """A leg, in the vendor's words: THIRD is the protective stop, SECOND a bracket's target."""

    ENTRY = "ENTRY"
    SECOND = "SECOND"
    THIRD = "THIRD"


class Command(msgspec.Struct, frozen=True, tag_field="command", tag=True, gc=False):
    """Anything the core can be asked to do."""


class OpenClient(Command, frozen=True, kw_only=True):
    """Open an account with this much cash."""

    client_id: str
    cash_paise: Paise
    token_digest: str = ""  # SHA-256 of the access token, hex; the token itself is never kept.
    password_digest: str = ""
    pin_digest: str = ""
    totp_secret: str = ""
    holdings: tuple[Shares, ...] = ()


class RenewToken(Command, frozen=True, kw_only=True):
    """Give a client another standing token; the old one is worth nothing from then on."""

    client_id: str
    token_digest: str


class KeyedCommand(Command, frozen=True, kw_only=True):
    """A client's request that may be repeated: the same key gets the first answer again."""

    counted: ClassVar[bool] = True  # Counts as an order request; what does not is no trading.
    protective: ClassVar[bool] = False  # Takes risk away only: counted, never over a limit.

    client_id: str
    idempotency_key: str = ""  # Empty: the request is not protected against repetition.
    fingerprint: str = ""  # Distinguishes requests under the same key.


class PlaceCoverOrder(KeyedCommand, frozen=True, kw_only=True):
    """Enter a position together with its protective stop; as a bracket, with a target, too."""

    instrument: InstrumentKey
    side: Side
    order_type: OrderType
    quantity: Quantity
    disclosed_quantity: Quantity
    price_pips: Pips  # 0 for MARKET and SLM.
    trigger_price_pips: Pips  # Of an SL or SLM entry; otherwise 0.
    validity: Validity
    product: Product
    stop_price_pips: Pips  # Absolute trigger of the protective stop; of a bracket not read.
    trailing_step_pips: Pips  # 0: the stop does not trail.
    user_order_id: int
    device: str = ""
    bracket: bool = False
    stop_offset_pips: Pips = Pips(0)  # Of a bracket: how far from the entry's price.
    target_offset_pips: Pips = Pips(0)
    protection_bp: int = 0  # Hundredths of a percent; 0: the instrument's own protection.


class ModifyCoverOrder(KeyedCommand, frozen=True, kw_only=True):
    """Change the entry, the stop or the target of a living cover order."""

    order_id: int
    leg: Leg | None = None  # None: the leg whose id ``order_id`` is.
    exchange_order_id: str | None = None
    instrument: InstrumentKey | None = None  # These four may not change: they are checks.
    side: Side | None = None
    product: Product | None = None
    last_activity_ns: int | None = None  # When the caller last saw the row change; see wire 0.1.
    order_type: OrderType | None = None
    quantity: Quantity | None = None  # The new total, what has traded included.
    disclosed_quantity: Quantity | None = None
    price_pips: Pips | None = None
    trigger_price_pips: Pips | None = None
    validity: Validity | None = None
    stop_price_pips: Pips | None = None
    trailing_step_pips: Pips | None = None
    stop_offset_pips: Pips | None = None  # Of a bracket, as is the next.
    target_offset_pips: Pips | None = None
    bracket: bool | None = None  # Which kind the caller takes it for: a check.
    protection_bp: int | None = None
    filled_quantity: Quantity | None = None  # Checks, this and the next.
    remaining_quantity: Quantity | None = None


class CancelCoverOrder(KeyedCommand, frozen=True, kw_only=True):
    """Cancel the entry's remainder (ENTRY), or get out of the position (SECOND, THIRD)."""

    protective: ClassVar[bool] = True

    order_id: int  # A leg's or the basket's id.
    leg: Leg
    exchange_order_id: str
    bracket: bool | None = None


class ReachTime(Command, frozen=True):
    """The clock has reached the time given with the command: do what is due."""


class MovePrice(Command, frozen=True):
    """An instrument last traded at this price; only sent where some cover order watches."""

    instrument: InstrumentKey
    price_pips: Pips


class StopCovers(Command, frozen=True):
    """The cut-off of an exchange's session has come: no new cover orders."""

    exchange: Exchange
    session: str = ""  # The instruments that are meant, as in the next; empty: all.


class SquareOff(Command, frozen=True):
    """The square-off time of an exchange has come (T1)."""

    exchange: Exchange
    session: str = ""


class BeginPhase(Command, frozen=True):
    """An auction of an exchange begins or goes on to its next phase."""

    exchange: Exchange
    phase: Phase
    session: str = ""


class EndSession(Command, frozen=True):
    """The session of an exchange is over (T2)."""

    exchange: Exchange
    session: str = ""


class OpenSession(Command, frozen=True):
    """Continuous trading of an exchange begins."""

    exchange: Exchange
    session: str = ""


SessionChange = OpenSession | EndSession | BeginPhase  # Core and venue make it in one step.


def session_change(exchange: Exchange, phase: Phase, session: str = "") -> SessionChange:
    """Return the command that brings a session, or all of an exchange, into a phase."""
    if phase is Phase.OPEN:
        return OpenSession(exchange, session)
    if phase is Phase.CLOSED:
        return EndSession(exchange, session)
    return BeginPhase(exchange, phase, session)


class LoseLink(Command, frozen=True):
    """The venue cannot be reached (D)."""


class RestoreLink(Command, frozen=True):
    """The venue can be reached again (S); what it knows of our orders is reported next."""


class Kill(Command, frozen=True):
    """Stop a client from opening anything, cancel its entries, keep its stops (K)."""

    client_id: str
