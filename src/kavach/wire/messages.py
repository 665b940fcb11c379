"""
Messages whose fields may travel in several ways, under several names.

Clients send the same message as a JSON body, as query pairs, or as the JSON document in the query
string, and an SDK's own names for the fields may reach the wire. What the body says goes before
what the pairs say, and those before the JSON in the query; a blank value says nothing.

Source: docs/wire/README.md, "Cancelling and getting out"; docs/wire/baskets.md;
docs/wire/README.md, "Decisions".
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from kavach.wire.errors import BadField
from kavach.wire.exact import exact
from kavach.wire.fields import JsonNumber, Reader, accepts, is_blank
from kavach.wire.orders.requests import decode
from kavach.wire.query import read_query

M = TypeVar("M", bound=msgspec.Struct)

_object: Final = msgspec.json.Decoder(dict[str, Any], float_hook=JsonNumber)
_NO_NAMES: Final[dict[str, str]] = {}


def reference(kind: type) -> dict[str, str]:
    """Return the schema of a message of this kind; OpenAPI lists the kind."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def inner(kind: type[M], names: Mapping[str, str] = _NO_NAMES) -> Reader[M]:
    """Return a reader of a field that holds a message of this kind."""

    @accepts(kind, **reference(kind))
    def read(value: object, field: str) -> M:
        if is_blank(value):
            raise BadField(field, blank=True)
        if type(value) is str:  # A form holds an object as JSON text.
            try:
                value = _object.decode(value)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                raise BadField(field, hint="a JSON object") from None
        if not isinstance(value, dict):
            raise BadField(field, hint="a JSON object")
        return _of(kind, [value], names)

    return read


def read_message(
    kind: type[M], body: bytes, query: bytes, names: Mapping[str, str] = _NO_NAMES
) -> M:
    """Return the message that body and raw query string describe together, read exactly.

    ``names`` are other names of fields. What is no field of the message is ignored.
    """
    sources: list[dict[str, Any]] = []
    if body.strip():
        sources.append(decode(_object, body))
    if query:
        pairs, document = read_query(query)
        sources.append(dict(pairs))
        if document:
            sources.append(decode(_object, document.encode()))
    return _of(kind, sources, names)


def _of(kind: type[M], sources: list[dict[str, Any]], names: Mapping[str, str]) -> M:
    fields = kind.__struct_fields__
    said: dict[str, Any] = {}
    for source in sources:
        for name, value in source.items():
            field = names.get(name, name)
            if field in fields and not is_blank(value) and field not in said:
                said[field] = value
    return exact(kind(**said))
