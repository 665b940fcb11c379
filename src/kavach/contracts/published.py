"""
The list of contracts as the broker publishes it: a ZIP of one table, or of one an exchange.

What reads the broker's file reads ours, and ``rows.read_row`` gets back what was written. Tables
are packed once; a ZIP of some of them only puts headers around what is packed already.

Source: docs/wire/contracts.md, "Download"; the ZIP file format (APPNOTE.TXT), 4.3.
"""

import csv
import io
import zlib
from collections.abc import Iterable, Sequence
from struct import pack
from typing import Final, NamedTuple

from kavach.contracts.layouts import OF_ALL, OF_ONE_EXCHANGE, Layout
from kavach.instruments import Instrument
from kavach.units import Exchange

TABLE: Final = "CompactScrip.csv"
PUBLISHED: Final = (
    Exchange.NSE,
    Exchange.BSE,
    Exchange.NFO,
    Exchange.BFO,
    Exchange.MCX,
    Exchange.CDS,
)

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
        every = [one for own in lines.values() for one in own]
        self._all = _container([_member(TABLE, OF_ALL, every)])
        self._members = {
            exchange: _member(f"{exchange.value}{TABLE}", OF_ONE_EXCHANGE, own)
            for exchange, own in lines.items()
        }

    def download(self, exchanges: Iterable[Exchange]) -> bytes:
        """Return the ZIP of the tables of these exchanges; of the one table if none is named."""
        wanted = set(exchanges)
        if not wanted:
            return self._all
        return _container([self._members[one] for one in PUBLISHED if one in wanted])


def _member(name: str, layout: Layout, instruments: Sequence[Instrument]) -> Member:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(layout.columns)
    writer.writerows(map(layout.cells, instruments))
    content = text.getvalue().encode()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    return Member(name.encode(), packed, len(content), zlib.crc32(content))


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
