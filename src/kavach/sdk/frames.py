"""
Results as a data frame of pandas, polars or pyarrow, to look at and to calculate with.

    from kavach.sdk.frames import to_frame

    to_frame(pocket.trades())

A row becomes a row and a field a column, with a type that does not depend on what is in it. Prices
and amounts are floats here: a frame is for statistics; what is sent is taken from the rows. Times
are those of India, with their zone, to the second or as exactly as they came; 0 is none.

Source: docs/client.md, "Data frames".
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final, Literal, get_type_hints

import msgspec

from kavach.sdk import params
from kavach.sdk.errors import BadArgument
from kavach.sdk.orders.cover import CoverOrder
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND

try:
    import narwhals
except ImportError as error:
    raise ImportError('to_frame needs narwhals: pip install "kavach-oms[dataframes]"') from error

Backend = Literal["pandas", "polars", "pyarrow"]
ZONE: Final = "Asia/Kolkata"
_INDIA: Final = timezone(timedelta(seconds=IST_OFFSET_SECONDS), ZONE)
_TYPES: Final = {
    int: narwhals.Int64,
    str: narwhals.String,
    bool: narwhals.Boolean,
    Decimal: narwhals.Float64,
}
# Units a second of the fields that are times.
TIMES: Final = {
    "order_entry_time": 1,
    "exchange_time": 1,
    "trade_time": 1,
    "last_trade_time": 1,
    "exchange_timestamp": 1,
    "last_modified": NS_PER_SECOND,
}


def to_frame(
    rows: Iterable[msgspec.Struct],
    kind: type[msgspec.Struct] | None = None,
    *,
    backend: Backend = "pandas",
) -> Any:
    """Return a frame of this library with these rows, all of one kind.

    A cover or bracket order is its rows, the entry first. ``kind`` says which columns there are
    when there may be no row. Raises ``BadArgument`` for rows of several kinds, ``ImportError`` if
    the library is not installed.
    """
    flat = [row for given_row in rows for row in _rows_of(given_row)]
    kinds = {type(row) for row in flat} | ({kind} if kind else set())
    if len(kinds) > 1:
        names = ", ".join(sorted(one.__name__ for one in kinds))
        raise BadArgument(f"rows: must be of one kind, and are of {names}")
    schema: dict[str, Any] = {}
    for only in kinds:
        hints = get_type_hints(only)
        for name in only.__struct_fields__:
            column = narwhals.Datetime("ns", ZONE) if name in TIMES else _TYPES.get(hints[name])
            if column is not None:  # What is no single value has no column.
                schema[name] = column
    data = {name: [_cell(name, getattr(row, name)) for row in flat] for name in schema}
    return narwhals.from_dict(data, schema, backend=backend).to_native()


def _rows_of(row: Any) -> Iterable[msgspec.Struct]:
    if isinstance(row, CoverOrder):
        return (row.entry, *row.exits)
    if not isinstance(row, msgspec.Struct):
        raise BadArgument(f"rows: {params.shown(row)} is no row that a method returned")
    return (row,)


def _cell(name: str, value: Any) -> Any:
    if name in TIMES:
        seconds, rest = divmod(value, TIMES[name])
        moment = datetime.fromtimestamp(seconds, _INDIA) + timedelta(
            microseconds=rest * 1_000_000 // TIMES[name]
        )
        return moment if value else None
    return float(value) if isinstance(value, Decimal) else value
