"""
What ``kavach serve`` prints when it answers: where, and how to begin, in lines to paste.

Source: docs/twin.md, "The command line".
"""

import os
import sys
from pathlib import Path
from typing import Final

import click

from kavach import __version__
from kavach.journal.place import Place, shown
from kavach.ready_files import Ready

ON_WINDOWS: Final = os.name == "nt"
NOTHING_KEPT: Final = "none, nothing is kept"
# Without indentation, and the longest call in one line: a prompt takes it as it is.
_PYTHON: Final = """\
from kavach.sdk import Pocket
pocket = Pocket("{client_id}", "{access_token}", base_url="{url}")
last = pocket.last_price("NSE:IDEA-EQ")
order = pocket.place_cover_order(instrument="NSE:IDEA-EQ", side="BUY", quantity=100,\
 price=last + 1, stop_loss=last - 1)
print(order.status, order.quantity_held, order.is_protected)
print(pocket.exit_cover_order(order).outcome)"""


def panel(ready: Ready, place: Place | None) -> str:
    """Return the text; the tokens are in it."""
    facts = [
        ("page of the API", f"{ready.url}/docs"),
        _place(place),
        ("operator token", f"{ready.operator_token} (control room: {ready.url}/twin/v1/)"),
    ]
    if ready.app_id:
        facts.append(("app", f"client_id {ready.app_id}, client_secret {ready.app_secret}"))
        facts.append(("its users go to", f"{ready.url}/oauth2/auth"))
    told = [f"kavach {__version__} answers on {ready.url}; Ctrl-C stops it.", ""]
    told += [f"  {name:<17}{value}" for name, value in facts]
    told += ["", _heading("Paste into the shell of a program:"), "", *_variables(ready)]
    snippet = _PYTHON.format(
        client_id=ready.client_id, access_token=ready.access_token, url=ready.url
    )
    told += ["", _heading(f"Paste into {_interpreter()}:"), "", snippet, ""]
    return "\n".join(told)


def _place(place: Place | None) -> tuple[str, str]:
    if isinstance(place, str):
        return "journal", shown(place)
    return "data directory", NOTHING_KEPT if place is None else str(place.absolute())


def _heading(text: str) -> str:
    return click.style(text, bold=True)


def _variables(ready: Ready) -> list[str]:
    """Return lines that a shell understands: a POSIX one, or PowerShell on Windows."""
    line = '$env:{}="{}"' if ON_WINDOWS else "export {}={}"
    values = {
        "KAVACH_URL": ready.url,
        "KAVACH_CLIENT_ID": ready.client_id,
        "KAVACH_TOKEN": ready.access_token,
    }
    return [line.format(name, value) for name, value in values.items()]


def _interpreter() -> Path:
    """Return the Python that has this package, the short way if it is below this directory."""
    found = Path(sys.executable)
    plain = found.with_name(f"python{found.suffix if ON_WINDOWS else ''}")
    python = plain if plain.exists() else found
    here = Path.cwd()
    return python.relative_to(here) if python.is_relative_to(here) else python
