"""
What ``connection`` takes from the inside of uvicorn, and the version in which it is so.

uvicorn promises nothing of these names. If another version lacks one, importing says so, and not
some request later; ``pyproject.toml`` keeps other versions away.

Source: uvicorn's ``HttpToolsProtocol``; docs/decisions/0010-connections-with-limits.md.
"""

from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MADE_WITH: Final = "0.54"
METHODS: Final = (
    "_unset_keepalive_if_required connection_made connection_lost data_received eof_received"
    " on_body on_headers_complete on_message_begin on_message_complete on_response_complete"
    " pause_writing resume_writing shutdown"
)
ATTRIBUTES: Final = (
    "app_state config connections cycle flow headers loop parser pipeline server_state"
    " timeout_keep_alive_task transport ws_protocol_class"
)


def missing() -> list[str]:
    """Return those of the names that this uvicorn does not have."""
    made = HttpToolsProtocol.__init__.__code__.co_names
    return [name for name in METHODS.split() if not hasattr(HttpToolsProtocol, name)] + [
        name for name in ATTRIBUTES.split() if name not in made
    ]


def check() -> None:
    """Return if all of them are there; raises ``AssertionError`` with the version wanted."""
    assert not missing(), (
        f"uvicorn {uvicorn.__version__} has no {', '.join(missing())} in its HttpToolsProtocol;"
        f" kavach was made with uvicorn {MADE_WITH}"
    )
