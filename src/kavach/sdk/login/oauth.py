"""
Logging in by a browser: OAuth2's authorization code, with PKCE.

    flow = OAuthFlow(base_url, app_id, app_secret, redirect_uri)
    webbrowser.open(flow.url)
    pocket.login_with_code(flow, the address to which the browser was sent back)

State and verifier are made up for each flow, so that an answer which was not asked for is refused,
and a code that somebody saw is of no use to him.

Source: docs/wire/login.md, "OAuth2"; RFC 6749 section 4.1, RFC 7636.
"""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from kavach.sdk import params
from kavach.sdk.errors import AuthError, BadArgument

AUTH_PATH: Final = "/oauth2/auth"
TOKEN_PATH: Final = "/oauth2/token"
SCOPE: Final = "orders holdings"


class OAuthFlow:
    """One login of somebody by the browser, for an app that is registered with the broker."""

    def __init__(
        self, base_url: str, app_id: str, app_secret: str, redirect_uri: str, scope: str = SCOPE
    ) -> None:
        params.base_url(base_url)
        for name, value in (("app_id", app_id), ("redirect_uri", redirect_uri), ("scope", scope)):
            params.text(name, value)
        params.text("app_secret", app_secret, secret=True)
        self.app_id = app_id
        self.app_secret = app_secret
        self.redirect_uri = redirect_uri
        self.state = secrets.token_urlsafe(24)
        self.verifier = secrets.token_urlsafe(48)
        digest = sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": app_id,
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": self.state,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        self.url = f"{base_url.rstrip('/')}{AUTH_PATH}?{urlencode(asked)}"

    def code_in(self, redirected_to: str) -> str:
        """
        Return the code in the address to which the browser was sent back.

        Raises ``AuthError`` if the login was refused there, ``BadArgument`` if the address is not
        the end of this flow.
        """
        told = parse_qs(_query(redirected_to))
        if not redirected_to.startswith(self.redirect_uri):
            raise BadArgument(f"redirected_to: it does not begin with {self.redirect_uri!r}")
        if not secrets.compare_digest(told.get("state", [""])[0].encode(), self.state.encode()):
            raise BadArgument("redirected_to: its state is not this flow's")
        if "error" in told:
            words = told.get("error_description") or told["error"]
            raise AuthError(code=0, message=words[0], http_status=0, reason=told["error"][0])
        if not told.get("code"):
            raise BadArgument("redirected_to: there is no code in it")
        return told["code"][0]

    def __repr__(self) -> str:
        return f"OAuthFlow(app_id={self.app_id!r}, redirect_uri={self.redirect_uri!r})"


def _query(redirected_to: object) -> str:
    """Return the query of an address, which is not quoted: the code is in it."""
    try:
        return urlsplit(params.text("redirected_to", redirected_to, secret=True)).query
    except ValueError:
        raise BadArgument("redirected_to: it is not an address") from None
