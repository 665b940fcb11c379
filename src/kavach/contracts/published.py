"""
The list of contracts as the broker publishes it: a ZIP of one CSV an exchange.

The columns are those that clients read, in the broker's words; what reads the broker's file reads
ours, and ``rows.read_row`` gets back what was written. Tables are packed once; a ZIP of some of
them only puts headers around what is packed already.

Source: wire.md 1.7 (contract download); APPNOTE.TXT, the ZIP file format, 4.3.
"""

import csv
import io
import zlib
from collections.abc import Iterable
from struct import pack
from typing import Final, NamedTuple

from kavach.contracts.rows import INDEX
from kavach.instruments import Instrument
from kavach.units import PIPS_PER_RUPEE, Exchange, rupees_text

COLUMNS: Final = (
    *("exchange_token", "trading_symbol", "company_name", "close_price", "expiry", "strike"),
    *("tick_size", "exchange", "instrument_name", "lot_size", "option_type", "segment"),
    *("symbol", "series", "isin"),
)
PUBLISHED: Final = (
    Exchange.NSE,
    Exchange.BSE,
    Exchange.NFO,
    Exchange.BFO,
    Exchange.MCX,
    Exchange.CDS,
)

_WORDS: Final = {"FUTIDX": "IF", "FUTSTK": "SF", "OPTIDX": "IO", "OPTSTK": "SO"}
_RENAMING: Final = (Exchange.NFO, Exchange.BFO)
_INDEX_SEGMENT: Final = {Exchange.NSE: "INDICES", Exchange.BSE: "IDX"}
_LEVEL: Final = 6
_VERSION: Final = 20  # Of the format: deflated members need 2.0.
_DEFLATED: Final = 8
_EPOCH: Final = (0, (1 << 5) | 1)  # 1980-01-01, so that the same tables make the same bytes.


class Member(NamedTuple):
    """One packed table."""

    name: bytes
    packed: bytes
    size: int
    checksum: int


class Published:
    """Every table, packed."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        lines: dict[Exchange, list[Instrument]] = {exchange: [] for exchange in PUBLISHED}
        for instrument in instruments:
            lines[instrument.exchange].append(instrument)
        self._members = {exchange: _member(exchange, own) for exchange, own in lines.items()}

    def download(self, exchanges: Iterable[Exchange]) -> bytes:
        """Return the ZIP of these tables."""
        wanted = set(exchanges)
        return _container([self._members[one] for one in PUBLISHED if one in wanted])


def _member(exchange: Exchange, instruments: list[Instrument]) -> Member:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(_cells, instruments))
    content = text.getvalue().encode()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    name = f"{exchange.value}CompactScrip.csv".encode()
    return Member(name, packed, len(content), zlib.crc32(content))


def _cells(one: Instrument) -> tuple[object, ...]:
    is_index = one.instrument_name == INDEX
    name = one.instrument_name
    return (
        one.token,
        one.trading_symbol,
        one.symbol if one.option_type else one.company,  # As published: clients build names of it.
        rupees_text(one.previous_close_pips),
        one.expiry,
        _strike(one),
        rupees_text(one.tick_pips),
        one.exchange.value,
        _WORDS.get(name, name) if one.exchange in _RENAMING else name,
        one.lot,
        one.option_type,
        _INDEX_SEGMENT.get(one.exchange, "INDEX") if is_index else one.segment,
        one.symbol,
        one.series,
        one.isin,
    )


def _strike(one: Instrument) -> str:
    """Return a strike without needless decimals, 0 for a future.

    So a column of whole strikes is one of whole numbers: a client takes the points out of it.
    """
    if not one.option_type:
        return ""
    whole, rest = divmod(one.strike_pips, PIPS_PER_RUPEE)
    return f"{whole}.{rest:04d}".rstrip("0") if rest else str(whole)


def _container(members: list[Member]) -> bytes:
    """Return packed members as a ZIP: each under a header of its own, then the directory."""
    body, directory = bytearray(), bytearray()
    for member in members:
        sizes = (member.checksum, len(member.packed), member.size, len(member.name), 0)
        head = pack("<HHHHHLLLHH", _VERSION, 0, _DEFLATED, *_EPOCH, *sizes)
        directory += b"PK\x01\x02" + pack("<H", _VERSION) + head
        directory += pack("<HHHLL", 0, 0, 0, 0, len(body)) + member.name
        body += b"PK\x03\x04" + head + member.name + member.packed
    count = len(members)
    end = pack("<HHHHLLH", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end)
