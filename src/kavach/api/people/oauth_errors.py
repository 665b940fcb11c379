"""
What is wrong with an OAuth request, in sentences.

authlib decides and has words of its own, some of them with values of the program in them
(``response_type=None``). The word of an error is the standard's; its description is ours, names the
parameter and says what it should be. Descriptions are ASCII without quotes and backslashes, as the
standard wants them.

Source: RFC 6749, sections 4.1.2.1 and 5.2; docs/wire/login.md, "OAuth2".
"""

import re
from typing import Final

from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    InvalidClientError,
    OAuth2Error,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)

_BY_KIND: Final[dict[type[OAuth2Error], str]] = {
    AccessDeniedError: "The login was broken off.",
    InvalidClientError: (
        "The client_id or the client_secret is not this app's; "
        "send both by HTTP Basic or in the form."
    ),
    UnsupportedGrantTypeError: "The parameter grant_type must be authorization_code.",
    UnsupportedResponseTypeError: "The parameter response_type must be code.",
}
_BY_TEXT: Final = {
    "Invalid 'code' in request.": "The code is unknown, used or expired; begin the login again.",
    "Invalid 'redirect_uri' in request.": (
        "The parameter redirect_uri must be the address with which the login began."
    ),
    "Unsupported 'code_challenge_method'": (
        "The parameter code_challenge_method must be S256 or plain."
    ),
    "Code challenge failed.": "The parameter code_verifier does not fit the code_challenge.",
}
_OF_PARAMETER: Final = re.compile(r"(Missing|Invalid|Multiple) '(\w+)'")
_VERBS: Final = {
    "Missing": "is missing",
    "Invalid": "is not valid",
    "Multiple": "is given more than once",
}


def description_of(error: OAuth2Error) -> str:
    """Return what is wrong as a sentence for the app's maker."""
    if type(error) in _BY_KIND:
        return _BY_KIND[type(error)]
    text = str(error.get_error_description() or "The request can't be granted.")
    if text in _BY_TEXT:
        return _BY_TEXT[text]
    match = _OF_PARAMETER.match(text)
    if match is not None:
        return f"The parameter {match[2]} {_VERBS[match[1]]}."
    return text if text.endswith(".") else f"{text}."
