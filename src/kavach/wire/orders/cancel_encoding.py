"""
How the parameters of a cancel travel: four ways are in use, and all of them are read here.

1. A JSON body on DELETE, as documented.
2. Query pairs, body empty: the official SDK.
3. The JSON document as the query string, percent-encoded: the official SDK before it, which
   may also glue the document after real pairs.
4. Body and query together.

What the body says goes before what the pairs say, and those before the JSON in the query; a
blank value says nothing. An empty body is no body, whatever its content type.

Source: docs/wire/README.md, "Cancelling and getting out"; docs/wire/README.md, "Decisions".
"""

from typing import TypeVar

import msgspec

from kavach.wire.fields import is_blank
from kavach.wire.orders.regular_requests import CancelOrderRequest, cancel_order_decoder
from kavach.wire.orders.requests import CancelRequest, cancel_decoder, decode, message_of_pairs
from kavach.wire.query import read_query

M = TypeVar("M", bound=msgspec.Struct)


def read_cancel(body: bytes, query: bytes) -> CancelRequest:
    """Return the cancel of a leg that body and raw query string describe together."""
    if body and not query:  # The documented form, and the fastest.
        return decode(cancel_decoder, body)
    return read_anywhere(CancelRequest, cancel_decoder, body, query)


def read_order_cancel(body: bytes, query: bytes) -> CancelOrderRequest:
    """Return the cancel of a regular order that body and raw query string describe together."""
    return read_anywhere(CancelOrderRequest, cancel_order_decoder, body, query)


def read_anywhere(kind: type[M], decoder: msgspec.json.Decoder[M], body: bytes, query: bytes) -> M:
    """Return the message that body and raw query string describe together, in any of the ways."""
    sources = []
    if body.strip():
        sources.append(decode(decoder, body))
    if query:
        pairs, document = read_query(query)
        sources.append(message_of_pairs(kind, pairs))
        if document:
            sources.append(decode(decoder, document.encode()))
    merged = kind()
    for name in kind.__struct_fields__:
        for source in sources:
            value = getattr(source, name)
            if not is_blank(value):
                setattr(merged, name, value)
                break
    return merged
