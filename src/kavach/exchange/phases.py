"""
What a session takes in each of its phases, as one table: phase, kind of request, the answer.

In an auction orders are collected and nothing trades until the match. A stop would have no
trades to wait for, an IOC nothing to trade with at once, and a hidden quantity would falsify the
price that is shown, so these three are barred. In the last minutes market orders are frozen: none
comes, changes or goes. While a price is found (``CLOSING_REFERENCE``, ``BUFFER``) nothing is taken.

Source: docs/spec/exchange.md, "Auctions" (the table, with its sources).
"""

from enum import StrEnum, auto
from typing import Final

from kavach.exchange.book import Book
from kavach.exchange.codes import Code
from kavach.units import OrderType, Phase, Validity

STOPS: Final = frozenset((OrderType.SL, OrderType.SLM))
OPENING_AUCTION: Final = frozenset({Phase.PRE_OPEN, Phase.PRE_OPEN_LIMIT})
CLOSING_AUCTION: Final = frozenset(
    {Phase.CLOSING_REFERENCE, Phase.CLOSING_AUCTION, Phase.CLOSING_AUCTION_LIMIT}
)
AUCTIONS: Final = OPENING_AUCTION | CLOSING_AUCTION
COLLECTING: Final = AUCTIONS - {Phase.CLOSING_REFERENCE}  # Orders come, and none trades.
MARKET_FROZEN: Final = frozenset({Phase.PRE_OPEN_LIMIT, Phase.CLOSING_AUCTION_LIMIT})
MATCHING: Final = frozenset({Phase.OPEN, Phase.POST_CLOSE})  # Orders trade as they come.


class Request(StrEnum):
    """What is asked for, as far as a phase tells it apart."""

    LIMIT = auto()  # Orders that come, by what they are: the first that fits, from the end.
    MARKET = auto()
    STOP = auto()
    IOC = auto()
    DISCLOSED = auto()
    AMEND = auto()  # A change of an order that rests.
    AMEND_MARKET = auto()  # One of a market order that waits for the match.
    CANCEL = auto()
    CANCEL_MARKET = auto()


_YES: Final = Code.NONE
_SHUT: Final = Code.MARKET_CLOSED
_WAIT: Final = Code.NOT_IN_THIS_PHASE
_STAY: Final = Code.CANNOT_CANCEL
_KEEP: Final = Code.CANNOT_MODIFY
_STOP: Final = Code.STOP_NOT_ALLOWED
_IOC: Final = Code.IOC_NOT_IN_AUCTION
_SHOW: Final = Code.DISCLOSED_NOT_IN_AUCTION

# fmt: off
_TABLE: Final[dict[Phase, tuple[Code, ...]]] = {
    #                             limit  market  stop   IOC    disclosed
    #                             amend  amend market   cancel cancel market
    Phase.OPEN:                  (_YES,  _YES,   _YES,  _YES,  _YES,
                                  _YES,  _YES,          _YES,  _YES),
    Phase.CLOSED:                (_SHUT, _SHUT,  _SHUT, _SHUT, _SHUT,
                                  _SHUT, _SHUT,         _SHUT, _SHUT),
    Phase.PRE_OPEN:              (_YES,  _YES,   _STOP, _IOC,  _SHOW,
                                  _YES,  _YES,          _YES,  _YES),
    Phase.PRE_OPEN_LIMIT:        (_YES,  _WAIT,  _STOP, _IOC,  _SHOW,
                                  _YES,  _KEEP,         _YES,  _STAY),
    Phase.BUFFER:                (_WAIT, _WAIT,  _WAIT, _WAIT, _WAIT,
                                  _WAIT, _WAIT,         _STAY, _STAY),
    Phase.CLOSING_REFERENCE:     (_WAIT, _WAIT,  _WAIT, _WAIT, _WAIT,
                                  _WAIT, _WAIT,         _STAY, _STAY),
    Phase.CLOSING_AUCTION:       (_YES,  _YES,   _STOP, _IOC,  _SHOW,
                                  _YES,  _YES,          _YES,  _YES),
    Phase.CLOSING_AUCTION_LIMIT: (_YES,  _WAIT,  _STOP, _IOC,  _SHOW,
                                  _YES,  _KEEP,         _YES,  _STAY),
    Phase.POST_CLOSE:            (_YES,  _YES,   _STOP, _YES,  _SHOW,
                                  _YES,  _YES,          _YES,  _YES),
}
# fmt: on
TAKEN: Final[dict[Phase, dict[Request, Code]]] = {
    phase: dict(zip(Request, row, strict=True)) for phase, row in _TABLE.items()
}


def band(book: Book, phase: Phase) -> tuple[int, int]:
    """Return the lowest and the highest price that a book takes in a phase."""
    if phase in CLOSING_AUCTION:
        return book.auction_band
    if phase is Phase.POST_CLOSE:
        return book.last_price, book.last_price
    return book.day_band


def entry_fault(phase: Phase, order_type: OrderType, validity: Validity, disclosed: int) -> Code:
    """Return why an order of this kind is not taken in this phase, or ``Code.NONE``."""
    row = TAKEN[phase]
    if order_type in STOPS:
        return row[Request.STOP]
    if validity is Validity.IOC:
        return row[Request.IOC]
    if disclosed:
        return row[Request.DISCLOSED]
    return row[Request.MARKET if order_type is OrderType.MARKET else Request.LIMIT]


def amend_fault(
    phase: Phase,
    before: OrderType,
    order_type: OrderType,
    validity: Validity,
    disclosed: int,
) -> Code:
    """Return why an order that rests may not become one of this kind now, or ``Code.NONE``."""
    asked = Request.AMEND_MARKET if before is OrderType.MARKET else Request.AMEND
    return TAKEN[phase][asked] or entry_fault(phase, order_type, validity, disclosed)


def cancel_fault(phase: Phase, order_type: OrderType) -> Code:
    """Return why an order that rests may not be cancelled now, or ``Code.NONE``."""
    market = order_type is OrderType.MARKET
    return TAKEN[phase][Request.CANCEL_MARKET if market else Request.CANCEL]
