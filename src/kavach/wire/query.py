"""
Query strings as clients of this API write them.

Besides ordinary pairs there may be a JSON document, percent-encoded, as the whole query or
glued after real pairs: an old official SDK sends its parameters so.

Source: docs/wire/README.md, "Cancelling and getting out".
"""

from urllib.parse import parse_qsl, unquote_plus


def read_query(query: bytes) -> tuple[dict[str, str], str]:
    """Return the pairs of a raw query string, and the JSON document in it, decoded, or ""."""
    text = query.decode("latin-1")  # It is percent-encoded; a stray byte is read as itself.
    pairs, document = _split(text)
    return dict(parse_qsl(pairs, keep_blank_values=True)), unquote_plus(document)


def without_document(query: bytes) -> str:
    """Return the pairs of a raw query string as they were sent, the JSON document left out."""
    return _split(query.decode("latin-1"))[0]


def _split(query: str) -> tuple[str, str]:
    folded = query.replace("%7B", "{").replace("%7b", "{")
    folded = folded.replace("%7D", "}").replace("%7d", "}")
    start = 0 if folded.startswith("{") else folded.find("&{") + 1
    if not folded.startswith("{", start):
        return query, ""
    end = folded.rfind("}") + 1 or len(folded)
    return f"{folded[:start]}{folded[end:]}", folded[start:end]
