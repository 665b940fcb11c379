"""What happens when the package is imported: nothing, or under ``python -O`` a refusal."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

# Each module is imported under a watch that writes down whatever acts on the world. Python 3.11
# raises no audit event for a new thread, so the watch stands in front of its start as well.
WATCH = """
import importlib, sys, threading
sys.path.insert(0, sys.argv[1])
acts = []
watched = {"socket.__new__", "subprocess.Popen", "os.fork", "os.posix_spawn"}
sys.addaudithook(lambda event, args: acts.append(event) if event in watched else None)
start = threading.Thread.start
threading.Thread.start = lambda thread: (acts.append("thread"), start(thread))
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in ("psycopg",):  # Of an extra, which need not be installed.
            raise
    assert not acts, f"importing {name}: {acts}"
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """How a fresh interpreter, without this one's modules, ends."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def modules(source: Path) -> list[str]:
    """Every module under a source folder, by its dotted name."""
    files = (path.relative_to(source).with_suffix("") for path in source.rglob("*.py"))
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in files)


def test_importing_does_nothing() -> None:
    """Importing every module of the package opens no socket and starts no thread or process."""
    names = modules(SOURCE)
    assert "kavach.units" in names
    done = python("-c", WATCH, str(SOURCE), *names)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("starts", "import threading\nthreading.Thread(target=int).start()\n"),
        ("opens", "import socket\nsocket.socket().close()\n"),
        ("runs", "import subprocess, sys\nsubprocess.run([sys.executable, '-V'])\n"),
    ],
)
def test_the_watch_sees_what_a_module_does(tmp_path: Path, name: str, source: str) -> None:
    """A module that starts a thread, opens a socket or runs a program when imported is caught."""
    (tmp_path / f"{name}.py").write_text(source)
    done = python("-c", WATCH, str(tmp_path), *modules(tmp_path))
    assert done.returncode == 1
    assert f"importing {name}: [" in done.stderr


def test_the_package_refuses_to_run_without_assertions() -> None:
    """Under ``python -O`` the package says in one sentence that it will not run."""
    done = python("-O", "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r}); import kavach")
    assert done.returncode == 1
    assert done.stderr.startswith("kavach does not run under python -O")
    assert len(done.stderr.splitlines()) == 1
