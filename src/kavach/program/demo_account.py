"""
The demo client and its app, as the options of a start want them.

Source: docs/twin.md, "The command line".
"""

from typing import Final

from kavach.core.commands import OpenClient, RenewToken
from kavach.core.model.people.commands import IssueToken, RegisterApp, SetCredentials
from kavach.credentials import is_secret, secret_digest, token_digest
from kavach.engine.engine import Engine, accepted
from kavach.program.kept_tokens import Tokens
from kavach.program.options import WorldOptions
from kavach.units import Paise

DEMO_CLIENT: Final = "DEMO1"
DEMO_APP: Final = "DEMOAPP"
DEMO_CASH: Final = Paise(10_000_000_00)


def open_demo_client(engine: Engine, options: WorldOptions, tokens: Tokens, standing: str) -> None:
    """Open DEMO1 where it is not yet, and give it the tokens, password, PIN and app asked for.

    A client that is opened has the token of the digest ``standing``, unless that is empty. What
    is as it should be stays untouched: no command is recorded for it. Raises ``JournalError``.
    """
    digest = token_digest(tokens.demo_token)
    if DEMO_CLIENT not in engine.state.clients:
        client = OpenClient(
            client_id=DEMO_CLIENT, cash_paise=DEMO_CASH, token_digest=standing or digest
        )
        accepted(engine.execute(client))
    elif options.demo_token:
        accepted(engine.execute(RenewToken(client_id=DEMO_CLIENT, token_digest=digest)))
    if engine.state.client_of_token(digest, engine.now_ns()) is None:
        # An earlier start was given another one, which stays; what is told now is good today.
        accepted(engine.execute(IssueToken(client_id=DEMO_CLIENT, token_digest=digest)))
    _set_demo_credentials(engine, options)
    if options.demo_app_redirects:
        _register_demo_app(engine, options, tokens)


def _set_demo_credentials(engine: Engine, options: WorldOptions) -> None:
    """Let DEMO1 have the password and PIN that were given; what was not stays as it was."""
    client = engine.state.clients[DEMO_CLIENT]
    given = ((options.demo_password, client.password_digest), (options.demo_pin, client.pin_digest))
    if all(not secret or is_secret(secret, digest) for secret, digest in given):
        return  # A digest is another each time; an unchanged secret must not end any session.
    digests = [secret_digest(secret) if secret else digest for secret, digest in given]
    accepted(
        engine.execute(
            SetCredentials(
                client_id=DEMO_CLIENT,
                password_digest=digests[0],
                pin_digest=digests[1],
                totp_secret=client.totp_secret,
            )
        )
    )


def _register_demo_app(engine: Engine, options: WorldOptions, tokens: Tokens) -> None:
    digest = token_digest(tokens.demo_app_secret)
    known = engine.state.people.apps.get(DEMO_APP)
    wanted = (digest, options.demo_app_redirects)
    if known is None or (known.secret_digest, known.redirect_uris) != wanted:
        command = RegisterApp(
            app_id=DEMO_APP,
            name=DEMO_APP,
            secret_digest=digest,
            redirect_uris=options.demo_app_redirects,
            owner=DEMO_CLIENT,
            replace=True,
        )
        accepted(engine.execute(command))
