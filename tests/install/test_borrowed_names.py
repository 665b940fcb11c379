"""Private names of libraries that are used are listed, bounded, and missed at import."""

import ast
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kavach.api.http import connection, uvicorn_names
from kavach.sdk.transport import streams

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
ASKED = [
    Requirement(text)
    for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["server"]
]


def names_of_self(source: str) -> set[str]:
    """Return the attributes of ``self`` that some code uses."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def test_every_name_of_uvicorn_is_listed() -> None:
    """What a connection overrides and uses of uvicorn's protocol is in the list that is checked."""
    overridden = {
        name
        for name, value in vars(connection.Connection).items()
        if callable(value) and hasattr(HttpToolsProtocol, name) and not name.startswith("__")
    }
    used = names_of_self(inspect.getsource(connection))
    attributes = used & set(HttpToolsProtocol.__init__.__code__.co_names)
    methods = {name for name in used if callable(getattr(HttpToolsProtocol, name, None))}
    assert set(uvicorn_names.METHODS.split()) == overridden | methods
    assert set(uvicorn_names.ATTRIBUTES.split()) == attributes


def test_every_name_beneath_the_client_is_listed() -> None:
    """The private names that the client's streams replace are in the list that is checked."""
    used = set(re.findall(r"\w\.(_[a-z]\w+)", inspect.getsource(streams.install)))
    assert used == {name for _owner, name in streams._NAMES}


def test_a_missing_name_is_told_with_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another library importing fails, and says which name and which version."""
    monkeypatch.setattr(uvicorn_names, "METHODS", "on_body on_trailers")
    with pytest.raises(AssertionError, match=r"no on_trailers .* made with uvicorn 0\.54"):
        uvicorn_names.check()
    monkeypatch.setattr(streams, "_NAMES", ((HttpToolsProtocol, "_pool"),))
    with pytest.raises(AssertionError, match=r"HttpToolsProtocol\._pool; .* version 2\.16"):
        streams.check()


@pytest.mark.parametrize("name", ["uvicorn", "httpx2", "httpcore2"])
def test_other_versions_are_kept_away(name: str) -> None:
    """The version that is installed is allowed, the next one that may differ is not."""
    [asked] = [one for one in ASKED if one.name == name]
    assert asked.specifier.contains(version(name))
    assert not asked.specifier.contains({"uvicorn": "0.55.0"}.get(name, "3.0.0"))
