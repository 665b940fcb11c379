"""
The page on which people log in to an app: two plain forms, no script, nothing from elsewhere.

What it holds of a request is escaped; what a browser may do with it is said in its policy. The
policy names the app's address among the form's targets, because browsers apply it to where the
answer to a form sends them, too.

Source: docs/wire/login.md, "OAuth2"; RFC 6749, section 10.13; WCAG 2.2 (labels, errors in words, no
time but told).
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final

from kavach.api.http.call import HTML, Reply
from kavach.wire.login import SECRET_LENGTH_MAX, FactorWord
from kavach.wire.redirects import origin_of, policy_source_of

_STYLE: Final = """
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: #1b1f24; background: #eef0f3 }
  main { max-width: 24rem; margin: 8vh auto 2rem; padding: 2rem; background: #fff;
         border: 1px solid #d5d9df; border-radius: 8px }
  h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .75rem }
  p { margin: 0 0 1rem }
  label { display: block; font-weight: 600; margin: 1rem 0 .25rem }
  input { font: inherit; box-sizing: border-box; width: 100%; padding: .55rem .65rem;
          border: 1px solid #7b8490; border-radius: 5px; color: inherit; background: transparent }
  button { font: inherit; font-weight: 600; width: 100%; padding: .65rem; margin-top: 1.25rem;
           border: 1px solid #0b5cad; border-radius: 5px; color: #fff; background: #0b5cad }
  button.plain { margin-top: .75rem; color: inherit; background: transparent;
                 border-color: #7b8490 }
  :focus-visible { outline: 3px solid #f0a020; outline-offset: 2px }
  .error { padding: .6rem .75rem; border-left: 4px solid #c02626; background: #fdecec;
           color: #7a1010 }
  .small { font-size: .875rem; color: #4a525c; margin: 1.25rem 0 0; overflow-wrap: anywhere }
  @media (prefers-color-scheme: dark) {
    body { color: #e8eaed; background: #101215 }
    main { background: #1a1d21; border-color: #383d44 }
    button.plain, input { border-color: #8d96a1 }
    .error { background: #3a1717; color: #ffc9c9 }
    .small { color: #aab2bc }
  }
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'{target}; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
_FORM: Final = """<h1>{head}</h1>
{error}<form method="post" action="{action}">
<input type="hidden" name="form_token" value="{form_token}">
{fields}
<button type="submit">{submit}</button>
<button type="submit" name="deny" value="1" class="plain" formnovalidate>Cancel</button>
</form>
<p class="small">{small}</p>"""
_FACTOR_LABEL: Final = {FactorWord.PIN: "PIN", FactorWord.TOTP: "Code from your authenticator"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What both forms of one login need."""

    app_name: str
    redirect_uri: str
    action: str  # The address of this very request, so that its parameters stay with it.
    form_token: str


def password_page(form: Form, *, login_id: str = "", error: str = "", status: int = 200) -> Reply:
    """Return the page of the first step."""
    first = "" if login_id else " autofocus"
    second = " autofocus" if login_id else ""
    fields = (
        '<label for="login_id">Client ID</label>\n'
        '<input id="login_id" name="login_id" type="text" autocomplete="username"'
        f' autocapitalize="characters" spellcheck="false" maxlength="64"'
        f' required value="{_safe(login_id)}"'
        f"{_described(error)}{first}>\n"
        '<label for="password">Password</label>\n'
        '<input id="password" name="password" type="password" autocomplete="current-password"'
        f' maxlength="{SECRET_LENGTH_MAX}" required{_described(error)}{second}>'
    )
    return _form(form, fields, "Continue", error, status)


def factor_page(
    form: Form,
    *,
    login_id: str,
    twofa_token: str,
    factor: FactorWord,
    error: str = "",
    status: int = 200,
) -> Reply:
    """Return the page of the second step."""
    kind = "password" if factor is FactorWord.PIN else "text"
    fields = (
        f'<input type="hidden" name="login_id" value="{_safe(login_id)}">\n'
        f'<input type="hidden" name="twofa_token" value="{_safe(twofa_token)}">\n'
        f'<label for="answer">{_FACTOR_LABEL[factor]}</label>\n'
        f'<input id="answer" name="answer" type="{kind}" inputmode="numeric"'
        f' autocomplete="one-time-code" maxlength="{SECRET_LENGTH_MAX}"'
        f" required{_described(error)} autofocus>"
    )
    return _form(form, fields, "Log in", error, status)


def _form(form: Form, fields: str, submit: str, error: str, status: int) -> Reply:
    said = f'<p class="error" id="error" role="alert">{_safe(error)}</p>\n' if error else ""
    name = _safe(form.app_name)
    small = (
        f"{name} will be able to trade for your account until midnight. You will be sent back to "
        f"{_safe(origin_of(form.redirect_uri))}."
    )
    body = _FORM.format(
        head=f"Log in to {name}",
        error=said,
        action=_safe(form.action),
        form_token=_safe(form.form_token),
        fields=fields,
        submit=submit,
        small=small,
    )
    title = f"{'Error: ' if error else ''}Log in to {name}"
    return _reply(title, body, status, f" {policy_source_of(form.redirect_uri)}")


def error_page(head: str, text: str, status: int) -> Reply:
    """Return a page that says why there is no login; nobody is sent anywhere."""
    body = f"<h1>{_safe(head)}</h1>\n<p>{_safe(text)}</p>"
    return _reply(_safe(head), body, status, "")


def sent_back(address: str, status: int) -> Reply:
    """Return the answer that sends people back to the app."""
    return Reply(
        status, b"", media_type=HTML, more=((b"location", address.encode("ascii")), *_HEADERS)
    )


def _reply(title: str, body: str, status: int, target: str) -> Reply:
    policy = _POLICY.format(style=_STYLE_HASH, target=target)
    page = _PAGE.format(title=title, style=_STYLE, body=body)
    more = ((b"content-security-policy", policy.encode("ascii")), *_HEADERS)
    return Reply(status, page.encode(), media_type=HTML, more=more)


def _described(error: str) -> str:
    return ' aria-invalid="true" aria-describedby="error"' if error else ""


def _safe(text: str) -> str:
    return escape(text, quote=True)
