"""
What is listed and what it costs: the download, scrip info, search, option chain, quotes.

Errors of contracts, search and option chains travel in envelope B; those of a quote in C, and in A
where only one number was asked for. Whoever asks for a quote looks at the instrument, so a market
is made there.

Source: docs/wire/README.md, "Envelopes"; docs/wire/contracts.md.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_plus

from kavach.api.gateway.route import CLIENT, PREFIX, Query, Route
from kavach.api.gateway.view import View, check_owner
from kavach.api.http.call import ZIP, AnonymousRequest, AuthenticatedRequest, Reply, encode
from kavach.api.rows.contract_rows import expiry_row, quote_row, scrip_row, search_row
from kavach.core.model.limits.profiles import LimitClass
from kavach.instruments import Instrument
from kavach.units import Exchange, InstrumentKey, instrument_key
from kavach.wire import fields as read
from kavach.wire.contracts import (
    BadQuote,
    ChainAnswer,
    Fault,
    NotFound,
    QuoteAnswer,
    ScripAnswer,
    SearchAnswer,
)
from kavach.wire.errors import BadField
from kavach.wire.money import number
from kavach.wire.orders.requests import BadBody
from kavach.wire.query import read_query, without_document

STRIKES_MAX: Final = 100  # Of one expiry; more are cut off.
STRIKES: Final = 20
NOT_FOUND: Final = Fault(404, "Resource Not Found")
OPTIONS_ON: Final = {Exchange.NFO: Exchange.NSE, Exchange.BFO: Exchange.BSE}
KEYS_MAX: Final = 100  # Letters of a search that are read.


class Figure(StrEnum):
    """The one number of a quote that is asked for."""

    LAST_TRADE_PRICE = "last_trade_price"
    CLOSE_PRICE = "close_price"


_figure: Final = read.word(Figure)

Asked = dict[str, str]
Answer = Callable[[View, AuthenticatedRequest, Asked], Reply]


def _told_in_b(answer: Answer) -> Callable[[View, AuthenticatedRequest], Reply]:
    """Return the handler that says in envelope B what is wrong with a field."""

    def handler(view: View, request: AuthenticatedRequest) -> Reply:
        try:
            return answer(view, request, _asked(request))
        except BadField as bad:
            return bad_request(view, bad)

    return handler


def bad_request(view: View, bad: BadField | BadBody) -> Reply:
    """Return what envelope B says of a request that can't be read."""
    blank = isinstance(bad, BadField) and bad.blank
    return _fault(view, 400, Fault(bad.code, bad.message), "BLANK" if blank else "INVALID")


def download(view: View, request: AnonymousRequest) -> Reply:
    """Return the list of contracts as a ZIP; nobody needs a token for it."""
    pairs, _ = read_query(request.query)
    if pairs.get("info", "download") != "download":
        raise BadField("info")
    wanted = [word for word in pairs.get("exchanges", "").split(",") if word.strip()]
    exchanges = [read.exchange(word.strip().upper(), "exchanges") for word in wanted]
    content = view.catalogue.published.download(exchanges)
    name = (b"content-disposition", b'attachment; filename="CompactScrip.zip"')
    return Reply(200, content, media_type=ZIP, more=(name,))


def scrip(view: View, request: AuthenticatedRequest, asked: Asked) -> Reply:
    """Return everything about one contract."""
    if asked.get("info", "scrip") != "scrip":
        raise BadField("info")
    exchange = read.exchange(request.path_id, "exchange")
    one = _instrument(view, exchange, read.token(asked.get("token"), "token"))
    if one is None:
        return _fault(view, 404, NOT_FOUND, "NO_SUCH_INSTRUMENT")
    row = scrip_row(one, view.engine.quote(one.key), view.catalogue)
    return Reply(200, encode(ScripAnswer(result=row)))


def search(view: View, request: AuthenticatedRequest, asked: Asked) -> Reply:
    """Return the contracts that a text means, the best first."""
    text = _whole_key(request.query)
    if read.is_blank(text):
        raise BadField("key", blank=True)
    catalogue = view.catalogue
    hits = catalogue.search.find(text[:KEYS_MAX])
    return Reply(200, encode(SearchAnswer(result=[search_row(hit, catalogue) for hit in hits])))


def _whole_key(query: bytes) -> str:
    """Return what is searched for, an ampersand in it that nobody escaped included.

    The official client writes ``key=M&M`` for M&M: what follows and is no pair belongs to it. The
    one before it glues a JSON document behind, which does not.
    """
    parts: list[str] = []
    for piece in without_document(query).split("&"):
        name, equals, value = piece.partition("=")
        if equals and name == "key":
            parts = [value]
        elif parts and not equals:
            parts.append(piece)
        elif parts:
            break
    return unquote_plus("&".join(parts))


def option_chain(view: View, request: AuthenticatedRequest, asked: Asked) -> Reply:
    """Return calls and puts of an underlying, by expiry and strike, around a price."""
    exchange = read.exchange(request.path_id, "exchange")
    token = read.token(asked.get("token"), "token")
    number_asked = read.optional(read.integer, asked.get("num"), "num")
    price: int | None = read.optional(read.price, asked.get("price"), "price")
    strikes = min(STRIKES if number_asked is None else number_asked, STRIKES_MAX)
    if strikes == 0:
        raise BadField("num")
    if price is None:
        home = OPTIONS_ON.get(exchange, exchange)
        underlying = _instrument(view, home, token)
        price = 0 if underlying is None else view.engine.last_price_pips(underlying.key)
    found = view.catalogue.chains.around(exchange, token, price, strikes)
    if found is None:
        fault = Fault(404, f"Invalid UnderLyingtoken: {token}")
        return _fault(view, 404, fault, "NO_SUCH_INSTRUMENT")
    return Reply(200, encode(ChainAnswer(result=[expiry_row(*one) for one in found])))


def quote(view: View, request: AuthenticatedRequest) -> Reply:
    """Return the quote of an instrument, or one number of it."""
    figure = _figure_of(request)
    try:
        one = _quoted(view, request)
    except BadField:
        if figure is not None:
            raise
        status = 200 if view.options.errors_as_200 else 400
        return Reply(status, encode(BadQuote({})), error_reason="INVALID")
    seen = view.engine.quote(one.key)
    if figure is None:
        return Reply(200, encode(QuoteAnswer(quote_row(one, seen, view.engine.now_ns()))))
    last = figure is Figure.LAST_TRADE_PRICE
    pips = seen.last_price_pips if last else one.previous_close_pips
    return Reply(200, encode(QuoteAnswer(number(pips))))


def looked_at(view: View, request: AuthenticatedRequest) -> InstrumentKey | None:
    """Return the instrument whose quote is asked for, so that a market is made in it."""
    try:
        _figure_of(request)
        return _quoted(view, request).key
    except BadField:
        return None


def _figure_of(request: AuthenticatedRequest) -> Figure | None:
    return read.optional(_figure, _asked(request).get("key"), "key")


def _quoted(view: View, request: AuthenticatedRequest) -> Instrument:
    exchange = read.exchange(request.path_id, "exchange")
    token = read.token(_asked(request).get("token"), "instrument_token")
    one = _instrument(view, exchange, token)
    if one is None:
        raise BadField("instrument_token")
    return one


def _asked(request: AuthenticatedRequest) -> Asked:
    """Return the query pairs; raises ``Refused`` if they name another account."""
    pairs, _ = read_query(request.query)
    check_owner(request, read.optional(read.text, pairs.get("client_id"), "client_id"))
    return pairs


def _instrument(view: View, exchange: Exchange, token: int) -> Instrument | None:
    return view.engine.instruments.get(instrument_key(exchange, token))


def _fault(view: View, status: int, fault: Fault, word: str) -> Reply:
    if view.options.errors_as_200:
        status = 200
    return Reply(status, encode(NotFound(fault)), error_reason=word)


_TOKEN: Final = Query(name="token", description="The instrument's token.", required=True)
_QUOTE_KEY: Final = Query(name="key", description="Only this number.", words=tuple(Figure))
_SEGMENTS: Final = ("Capital", "FutOpt")

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PREFIX}/contract/Compact",
        name="downloadContracts",
        summary="Every contract: a ZIP of one CSV, or of one CSV for each exchange named.",
        show=download,
        public=True,
        answer=bytes,
        query=(
            Query(name="info", description="download.", words=("download",)),
            Query(name="exchanges", description="A table each, separated by commas."),
        ),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/contract/{{exchange}}",
        limit=LimitClass.DATA,
        name="getScripInfo",
        summary="Everything about one contract.",
        show=_told_in_b(scrip),
        answer=ScripAnswer,
        error=NotFound,
        query=(Query(name="info", description="scrip.", words=("scrip",)), _TOKEN, CLIENT),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/search",
        limit=LimitClass.DATA,
        name="searchScrip",
        summary="Contracts by name, company, expiry and strike; typing errors are forgiven.",
        show=_told_in_b(search),
        answer=SearchAnswer,
        error=NotFound,
        query=(Query(name="key", description="What is looked for.", required=True), CLIENT),
    ),
    Route(
        method="GET",
        path=f"{PREFIX}/optionchain/{{exchange}}",
        limit=LimitClass.DATA,
        name="getOptionChain",
        summary="Calls and puts of an underlying, by expiry and strike, around a price.",
        show=_told_in_b(option_chain),
        answer=ChainAnswer,
        error=NotFound,
        query=(
            Query(name="token", description="The underlying's token.", required=True),
            Query(name="num", description="How many strikes of each expiry."),
            Query(name="price", description="Around which; the last price if blank."),
            CLIENT,
        ),
    ),
    *(
        Route(
            method="GET",
            path=f"{PREFIX}/marketdata/{{exchange}}/{segment}",
            limit=LimitClass.DATA,
            name=f"getMarketdata{segment}",
            summary="A quote, or with key one number of it.",
            show=quote,
            attends=looked_at,
            answer=QuoteAnswer,
            error=BadQuote,
            query=(_TOKEN, _QUOTE_KEY, CLIENT),
        )
        for segment in _SEGMENTS
    ),
)
