"""The page for operators is true: each example on it is sent to a real server and answered so."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from kavach.twin.control_room import CALLS
from tests.twin_server import running

PAGE: Final = Path(__file__).parents[3] / "docs" / "twin.md"
ANYTHING: Final = "…"


def examples(text: str) -> list[tuple[str, str]]:
    """Return commands and answers, a ``$`` at a line's start beginning a command."""
    found = []
    for console in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
            command, brace, answer = part.partition("\n{")
            found.append((command.strip(), f"{brace}{answer}".strip()))
    return found


def run_curl(words: list[str]) -> httpx.Response:
    """Return what a curl command line gets."""
    method, headers, data, url = "", {}, None, ""
    rest = iter(words)
    for word in rest:
        match word:
            case "curl" | "-s":
                pass
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                data = next(rest).encode()
            case _:
                assert word.startswith("http"), word
                url = word
    headers["Content-Type"] = "application/x-www-form-urlencoded"  # As curl does with -d.
    default = "GET" if data is None else "POST"
    return httpx.request(method or default, url, headers=headers, content=data, timeout=30)


def agrees(shown: Any, got: Any) -> bool:
    """Return whether an answer is as shown; an ellipsis stands for anything."""
    if shown == ANYTHING:
        return got is not None
    if isinstance(shown, dict) and isinstance(got, dict):
        return shown.keys() == got.keys() and all(agrees(shown[k], got[k]) for k in shown)
    return bool(shown == got)


def test_every_example_works_as_shown() -> None:
    """The page's session, typed into a fresh server, gets the answers that the page shows."""
    page = examples(PAGE.read_text())
    assert len(page) > 20
    names: dict[str, str] = {}
    options = ("--demo-token", "demo", "--operator-token", "room", "--data-dir", ":memory:")
    with running(*options) as server:
        for command, shown in page:
            if re.match(r"[A-Z]+=", command):
                name, _, value = command.partition("=")
                names[name] = server.url if name == "URL" else value.strip('"')
                continue
            for name, value in names.items():
                command = command.replace(f"${name}", value)
            answer = run_curl(shlex.split(command))
            assert agrees(json.loads(shown), answer.json()), (command, answer.text)


@pytest.mark.parametrize("call", CALLS)
def test_every_call_is_on_the_page(call: str) -> None:
    """No call of the control room is left undocumented."""
    assert f"{call}`" in PAGE.read_text()
