"""
Where a client goes and as whom: what it is given, else the environment, else the twin that runs.

Source: docs/client.md, "Making a client".
"""

import os
from typing import Final, NamedTuple

from kavach.ready_files import running
from kavach.sdk import params
from kavach.sdk.errors import BadArgument

DEFAULT_URL: Final = "http://127.0.0.1:8080"  # Where ``kavach serve`` listens: no real money.


class Door(NamedTuple):
    """An address and who asks there; empty where neither is known."""

    base_url: str
    access_token: str
    client_id: str


def door(base_url: str | None, access_token: str | None, client_id: str | None) -> Door:
    """Return what a client is made from; arguments win over the environment.

    With neither an address nor a token it is the one twin that runs on this machine, and its demo
    client. Raises ``BadArgument`` if several run: none of them is chosen.
    """
    token = params.access_token(params.or_environment(access_token, "KAVACH_TOKEN"))
    client = params.text("client_id", params.or_environment(client_id, "KAVACH_CLIENT_ID"))
    url = os.environ.get("KAVACH_URL") or None if base_url is None else base_url
    if url is None and not token:
        twins = running()
        if len(twins) > 1:
            urls = ", ".join(twin.url for twin in twins)
            raise BadArgument(
                f"base_url: {len(twins)} twins run here ({urls}); say which, here or as KAVACH_URL"
            )
        for twin in twins:
            url = twin.url
            if client in ("", twin.client_id):
                token, client = twin.access_token, twin.client_id
    return Door(params.base_url(DEFAULT_URL if url is None else url), token, client)
