"""
The machine and the day of a measurement: without them a number says nothing.
"""

import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kavach import __version__

_CPU: Path = Path("/proc/cpuinfo")
_MEMORY: Path = Path("/proc/meminfo")
_MOUNTS: Path = Path("/proc/mounts")


def machine() -> str:
    """Return one line: processor, cores, memory, Python, kernel, versions and the day."""
    memory_kib = int(_line(_MEMORY, "MemTotal").split()[0])
    parts = [
        f"{_line(_CPU, 'model name')}, {os.cpu_count()} cores",
        f"{memory_kib / 2**20:.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"temporary files on {_file_system(Path(tempfile.gettempdir()))}",
        f"Python {platform.python_version()}",
        f"kavach {__version__}",
        *_versions("msgspec", "uvicorn", "uvloop", "apsw"),
        f"load average {os.getloadavg()[0]:.1f} before the start",
    ]
    return f"{datetime.now(UTC):%Y-%m-%d}: {'; '.join(parts)}."


def _line(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    raise AssertionError(f"{path} does not say its {name}")


def _file_system(directory: Path) -> str:
    """Return the kind of file system that holds a directory."""
    best = ("", "an unknown file system")
    for line in _MOUNTS.read_text().splitlines():
        _, mount, kind, *_ = line.split()
        inside = directory.resolve().is_relative_to(mount)
        if inside and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def _versions(*names: str) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} of unknown version")
    return found
