"""
An environment in which nothing but the client is installed, as ``pip install kavach-oms`` makes it.

No registry is asked: the wheel is built from this tree, and what it requires is copied from the
environment of the tests.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment: its interpreter, and where its packages are."""

    python: Path
    packages: Path

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Return how its interpreter ended; it sees nothing of this checkout."""
        kept = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
        return subprocess.run(
            [self.python, "-I", *arguments],
            env=kept | variables,
            cwd=self.packages,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def weight(self) -> int:
        """The bytes of all its files."""
        return sum(path.stat().st_size for path in self.packages.rglob("*") if path.is_file())


def build_wheel(directory: Path) -> Path:
    """Return the wheel of this tree, built as a release is."""
    subprocess.run(
        [sys.executable, "-m", "flit_core.wheel", "--outdir", directory, ROOT],
        check=True,
        capture_output=True,
        timeout=120,
    )
    [wheel] = directory.glob("kavach_oms-*.whl")
    return wheel


def make_environment(directory: Path, wheel: Path) -> Environment:
    """Return a new environment that holds the wheel, and all that it requires without extras."""
    venv.create(directory, with_pip=False, symlinks=True)
    variables = {"base": str(directory), "platbase": str(directory)}
    packages = Path(sysconfig.get_path("purelib", "venv", variables))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    [metadata] = packages.glob("kavach_oms-*.dist-info")
    for name in sorted(required(Distribution.at(metadata))):
        _copy(distribution(name), packages)
    return Environment(directory / "bin" / "python", packages)


def required(wanted: Distribution) -> set[str]:
    """Return the names of all that a distribution requires here without extras, directly or not."""
    found: set[str] = set()
    waiting = list(wanted.requires or [])
    while waiting:
        requirement = Requirement(waiting.pop())
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and requirement.name not in found:
            found.add(requirement.name)
            waiting += distribution(requirement.name).requires or []
    return found


def _copy(source: Distribution, packages: Path) -> None:
    """Copy the files of a distribution; its scripts and compiled Python stay behind."""
    for file in source.files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = packages.joinpath(*file.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(str(file.locate())), target)
