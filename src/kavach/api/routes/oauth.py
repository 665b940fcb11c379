"""
The routes of the OAuth2 flow: the page where people log in, and codes changed into tokens.

Of a login that is half done the browser holds everything: the app's request in the address, the
first step's token in the form. A form is taken only with the cookie that came with it, which no
other site can read; what ties them is a code over both and over the app's request. The cookie is
made here and shows it: half of it is chance, half a code over that, so one that somebody else chose
for the browser is replaced and opens no form. Windows of one browser share one; it means nothing
beyond its forms, since whose login a form goes on with is said by the first step's token.

Source: docs/wire/login.md, "OAuth2"; RFC 6749, sections 3.1, 4.1, 5 and 10.12; RFC 9700, section
4.12 (303).
"""

import binascii
import hmac
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error

from kavach.api.gateway.route import Route
from kavach.api.http.backend import Backend
from kavach.api.http.call import AnonymousRequest, Refused, Reply, encode
from kavach.api.people import login_page as page
from kavach.api.people.checking import TooManyLogins
from kavach.api.people.logins import Logins, Pending, TooManyGuesses
from kavach.api.people.oauth_server import (
    Asked,
    CodeGrant,
    OAuthServer,
    TotpUsed,
    error_address,
    error_of,
)
from kavach.wire import fields as read
from kavach.wire.errors import BadField
from kavach.wire.login import OAuthErrorBody, TokenBody, secret

AUTH: Final = "/oauth2/auth"
TOKEN: Final = "/oauth2/token"
FIELDS_MAX: Final = 32
COOKIE: Final = "kavach-login"
COOKIE_HALF: Final = 16  # Bytes of chance, and as many of what shows that it was made here.
COOKIE_LENGTH: Final = 43

# The vendor's pages call the parameters of the standard by these names, too.
_OTHER_NAMES: Final = {
    "app_id": "client_id",
    "app-id": "client_id",
    "client-id": "client_id",
    "app_secret": "client_secret",
    "redirect-uri": "redirect_uri",
    "response-type": "response_type",
    "grant-type": "grant_type",
}

_NO_STORE: Final = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
_TOKEN_OVER: Final = "The login took too long; begin with the password again."
_FORM_OVER: Final = "This form is no longer good. Go back to the app and begin again."
_CROWDED: Final = "Too many people are logging in just now. Try again in a moment."


class OAuth:
    """Both routes, over one engine."""

    def __init__(self, backend: Backend, logins: Logins) -> None:
        self._server = OAuthServer(backend)
        self._logins = logins
        self._key = secrets.token_bytes(32)  # Forms of an earlier run are no longer good.

    # --- The page -----------------------------------------------------------------------------

    async def authorize(self, logins: Logins, request: AnonymousRequest) -> Reply:
        """Show the login, take what was filled in, and at last send people back with a code."""
        try:
            asked = Asked("GET", _once(request.query), {})
            grant = self._server.consent(asked)
        except OAuth2Error as error:
            return _not_granted(error)
        cookie = self._cookie(request.headers.get(b"cookie", b""))
        if request.method != "POST":
            cookie = cookie or self._new_cookie()
            reply = page.password_page(self._form(asked, grant, request.query, cookie))
            reply.more += ((b"set-cookie", _set_cookie(cookie)),)
            return reply
        form = self._form(asked, grant, request.query, cookie)
        try:
            given = _fields(request.body)
        except OAuth2Error as error:
            return _not_granted(error)
        token = given.get("form_token", "")
        if not cookie or not hmac.compare_digest(token.encode(), form.form_token.encode()):
            return page.error_page("Log in again", _FORM_OVER, 403)
        if given.get("deny"):
            return page.sent_back(self._server.granted(asked, grant, None), 303)
        if "twofa_token" in given:
            return await self._second(asked, grant, form, given)
        return await self._first(form, given)

    def _new_cookie(self) -> str:
        chance = secrets.token_bytes(COOKIE_HALF)
        return urlsafe_b64encode(chance + self._sign(chance)).rstrip(b"=").decode()

    def _cookie(self, header: bytes) -> str:
        """Return our cookie; empty if there is none, no one, or it was not made here."""
        found = [
            value
            for name, _, value in (part.strip().partition("=") for part in _text(header).split(";"))
            if name == COOKIE
        ]
        if len(found) != 1 or len(found[0]) != COOKIE_LENGTH or not found[0].isascii():
            return ""
        try:
            both = b64decode(f"{found[0]}=", altchars=b"-_", validate=True)
        except binascii.Error:
            return ""
        chance, signed = both[:COOKIE_HALF], both[COOKIE_HALF:]
        return found[0] if hmac.compare_digest(signed, self._sign(chance)) else ""

    def _sign(self, chance: bytes) -> bytes:
        return hmac.new(self._key, b"cookie\n" + chance, sha256).digest()[:COOKIE_HALF]

    def _form(self, asked: Asked, grant: CodeGrant, query: bytes, cookie: str) -> page.Form:
        mark = hmac.new(self._key, cookie.encode() + b"\n" + query, sha256).hexdigest()
        app = asked.client.app
        return page.Form(
            app_name=app.name or app.app_id,
            redirect_uri=grant.redirect_uri,
            action=f"{AUTH}?{query.decode('latin-1')}",
            form_token=mark,
        )

    async def _first(self, form: page.Form, given: Mapping[str, str]) -> Reply:
        """Take the password."""
        login_id = given.get("login_id", "")
        try:
            login_id = read.text(login_id, "Client ID")
            password = secret(given.get("password"), "Password")
            pending = await self._logins.first(login_id, password)
        except (BadField, Refused, TooManyGuesses, TooManyLogins) as error:
            status, text = _wrong(error)
            return page.password_page(form, login_id=login_id[:64], error=text, status=status)
        return self._ask_factor(form, pending)

    def _ask_factor(self, form: page.Form, pending: Pending) -> Reply:
        return page.factor_page(
            form, login_id=pending.client_id, twofa_token=pending.token, factor=pending.factor
        )

    async def _second(
        self, asked: Asked, grant: CodeGrant, form: page.Form, given: Mapping[str, str]
    ) -> Reply:
        """Take the PIN or the TOTP."""
        login_id, token = given.get("login_id", ""), given["twofa_token"]
        factor = self._logins.factor_of(token)
        try:
            answer = secret(given.get("answer"), "answer")
            shown = await self._logins.second(login_id, token, answer)
            try:
                address = self._server.granted(asked, grant, shown)
            except TotpUsed:
                raise self._logins.wrong_factor(factor) from None
        except BadField as bad:
            if bad.field == "twofa_token":
                return page.password_page(
                    form, login_id=login_id[:64], error=_TOKEN_OVER, status=400
                )
            text = "Enter the code."
            return page.factor_page(
                form, login_id=login_id, twofa_token=token, factor=factor, error=text, status=400
            )
        except (Refused, TooManyGuesses, TooManyLogins) as error:
            status, text = _wrong(error)
            return page.factor_page(
                form,
                login_id=login_id,
                twofa_token=token,
                factor=factor,
                error=text,
                status=status,
            )
        self._logins.done(shown, token)
        return page.sent_back(address, 303)

    # --- Tokens for codes ---------------------------------------------------------------------

    async def token(self, logins: Logins, request: AnonymousRequest) -> Reply:
        """Change a code into an access token, or say in three keys why not."""
        try:
            authorization = request.headers.get(b"authorization", b"").decode("latin-1")
            headers = {"Authorization": authorization} if authorization else {}
            token = self._server.exchange(Asked("POST", _once(request.body), headers))
        except OAuth2Error as error:
            status, word, text = error_of(error)
            body = OAuthErrorBody(word, text, text)
            more: tuple[tuple[bytes, bytes], ...] = _NO_STORE
            if status == 401:
                more += ((b"www-authenticate", b'Basic realm="kavach"'),)
            return Reply(status, encode(body), error_reason=word.upper(), more=more)
        told = TokenBody(
            access_token=token["access_token"],
            expires_in=token["expires_in"],
            scope=token["scope"],
        )
        return Reply(200, encode(told), more=_NO_STORE)


def _not_granted(error: OAuth2Error) -> Reply:
    """Send an error back to the app, or show it where that would send people anywhere."""
    if error.redirect_uri:
        return page.sent_back(error_address(error), 302)
    _, word, text = error_of(error)
    return page.error_page("This app can't log you in", f"{text} ({word})", 400)


def _wrong(error: BadField | Refused | TooManyGuesses | TooManyLogins) -> tuple[int, str]:
    """Return status and text of what is wrong with a form."""
    if isinstance(error, TooManyGuesses):
        return 429, f"{error}."
    if isinstance(error, TooManyLogins):
        return 503, _CROWDED
    if isinstance(error, BadField):
        return 400, f"{error.field} is {'missing' if error.blank else 'not valid'}."
    # On the page the field has another name.
    return error.status, f"{error.message}.".replace("login_id", "client ID")


def _fields(form: bytes) -> dict[str, str]:
    """Return the fields of a form or query, each of which may be given once."""
    try:
        pairs = parse_qsl(
            form.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        raise InvalidRequestError("The parameters can't be read.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequestError("A parameter is given more than once.")
    return found


def _once(form: bytes) -> dict[str, str]:
    """Return an app's request, each parameter under the one name that the standard has for it."""
    given = _fields(form)
    for other, name in _OTHER_NAMES.items():
        value = given.pop(other, None)
        if value is not None and given.setdefault(name, value) != value:
            raise InvalidRequestError(f"The parameters {name} and {other} differ.")
    return given


def _text(header: bytes) -> str:
    return header.decode("latin-1")


def _set_cookie(value: str) -> bytes:
    return f"{COOKIE}={value}; Path={AUTH}; HttpOnly; SameSite=Lax; Max-Age=3600".encode()


def oauth_routes(backend: Backend, logins: Logins) -> list[Route]:
    """Return both routes."""
    oauth = OAuth(backend, logins)
    shown: dict[str, Any] = {"name": "authorize", "summary": "Log in on a page.", "answer": bytes}
    return [
        Route(method="GET", path=AUTH, admit=oauth.authorize, **shown),
        Route(method="POST", path=AUTH, admit=oauth.authorize, **shown),
        Route(
            method="POST",
            path=TOKEN,
            name="token",
            summary="Change a code into an access token.",
            admit=oauth.token,
            answer=TokenBody,
        ),
    ]
