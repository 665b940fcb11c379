"""What others made and lies in the package: whole, known by version, with its licence."""

import json
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from kavach import static

PLACE: Final = Path(str(files(static)))
LISTED: Final = json.loads((PLACE / "vendored.json").read_text())
ROOT: Final = Path(__file__).parents[2]


def test_every_file_is_the_one_that_is_listed() -> None:
    """Each folder is listed, each file of it, and its content has the listed hash."""
    folders = {path.name for path in PLACE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == LISTED.keys()
    for folder, about in LISTED.items():
        found = {
            path.name: sha256(path.read_bytes()).hexdigest() for path in (PLACE / folder).iterdir()
        }
        assert found == about["files"], folder


def test_the_licence_is_there_and_named() -> None:
    """Beside the files, and in NOTICE with package and version."""
    notice = (ROOT / "NOTICE").read_text()
    for about in LISTED.values():
        assert "LICENSE" in about["files"]
        assert f"{about['package']} {about['version']} ({about['licence']})" in notice
