"""
How the parameters of a cancel travel: four ways are in use, and all of them are read here.

1. A JSON body on DELETE, as documented.
2. Query pairs, body empty: the official SDK.
3. The JSON document as the query string, percent-encoded: the official SDK before it, which
   may also glue the document after real pairs.
4. Body and query together.

What the body says goes before what the pairs say, and those before the JSON in the query; a
blank value says nothing. An empty body is no body, whatever its content type.

Source: wire 1.3.4, Decision 5.
"""

from typing import Final

from kavach.wire.fields import is_blank
from kavach.wire.query import read_query
from kavach.wire.requests import CancelRequest, cancel_decoder, decode, message_of_pairs

_FIELDS: Final = CancelRequest.__struct_fields__


def read_cancel(body: bytes, query: bytes) -> CancelRequest:
    """Return the cancel that body and raw query string describe together."""
    if body and not query:  # The documented form, and the fastest.
        return decode(cancel_decoder, body)
    sources = []
    if body.strip():
        sources.append(decode(cancel_decoder, body))
    if query:
        sources.extend(_of_query(query))
    return _first_said(sources)


def _of_query(query: bytes) -> list[CancelRequest]:
    pairs, document = read_query(query)
    found = [message_of_pairs(CancelRequest, pairs)]
    if document:
        found.append(decode(cancel_decoder, document.encode()))
    return found


def _first_said(sources: list[CancelRequest]) -> CancelRequest:
    merged = CancelRequest()
    for name in _FIELDS:
        for source in sources:
            value = getattr(source, name)
            if not is_blank(value):
                setattr(merged, name, value)
                break
    return merged
