"""The play of Windows refuses what Windows refuses."""

from pathlib import Path

import pytest

from tests.install.test_windows_like import kavach


@pytest.mark.parametrize(
    "program",
    [
        "import fcntl",
        "import uvloop",
        "import os; os.open('.', os.O_RDONLY)",
        "import os; open('a', 'w').close(); kept = open('b', 'w'); os.replace('a', 'b')",
        "import os; open('a', 'w').close(); open('b', 'w').close(); os.rename('a', 'b')",
        "import asyncio; asyncio.new_event_loop().add_signal_handler(15, print)",
    ],
)
def test_the_play_bites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """What Windows refuses is refused here, too."""
    monkeypatch.chdir(tmp_path)
    code, said = kavach("-c", program)
    assert code == 1
    assert any(word in said for word in ("ModuleNotFound", "Permission", "FileExists", "NotImpl"))
