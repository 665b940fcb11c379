"""
``kavach``, or a program (``-c``), on a system that has what Windows has, as far as Linux plays it.

Modules and attributes that Windows lacks are taken away before anything of kavach is imported, and
files behave as they do there: no directory can be opened, no name is renamed over another one
(``os.replace`` is), and no file that a process has open can be removed, moved or replaced.

Source: "Availability" in the documentation of each name; CreateFileW, FILE_SHARE_DELETE.
"""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from glob import iglob
from importlib import import_module
from typing import Any

import platformdirs  # It asks which system this is while it is loaded.

MISSING_MODULES = ("fcntl", "grp", "posix_ipc", "pwd", "resource", "termios", "uvloop")
MISSING = {
    os: (
        "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK fchmod fchown fork geteuid getuid killpg"
        " nice register_at_fork sched_getaffinity sched_setaffinity setsid sysconf umask uname"
        " statvfs getpgid mkfifo"
    ),
    signal: "SIGALRM SIGCHLD SIGHUP SIGKILL SIGUSR1 SIGUSR2 pthread_sigmask siginterrupt",
    socket: "SO_REUSEPORT",
}


def take_away() -> None:
    """Make this process one that lacks all of it."""
    assert platformdirs.user_state_dir()
    for name in MISSING_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in MISSING.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    for name in ("add_signal_handler", "remove_signal_handler"):
        setattr(asyncio.SelectorEventLoop, name, _not_implemented)
    os.open = _no_directory(os.open)
    os.rename = _not_over_another(os.rename)
    for name in ("unlink", "remove", "rename", "replace"):
        setattr(os, name, _not_while_open(getattr(os, name)))


def _not_implemented(*_arguments: object) -> None:
    raise NotImplementedError


def _no_directory(opened: Callable[..., int]) -> Callable[..., int]:
    def open_file(path: Any, *arguments: Any, **more: Any) -> int:
        if not isinstance(path, int) and os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **more)

    return open_file


def _not_over_another(rename: Callable[..., None]) -> Callable[..., None]:
    def move(source: Any, target: Any, **more: Any) -> None:
        if os.path.exists(target) and not os.path.samefile(source, target):
            raise FileExistsError(17, "File exists", str(target))
        rename(source, target, **more)

    return move


def _not_while_open(act: Callable[..., None]) -> Callable[..., None]:
    def checked(*paths: Any, **more: Any) -> None:
        for path in paths:
            if not more and _is_open(path):
                raise PermissionError(13, "The file is in use", str(path))
        act(*paths, **more)

    return checked


def _is_open(path: Any) -> bool:
    """Return whether any process has a descriptor of the file; SQLite's are among them."""
    try:
        sought = os.lstat(path)
    except OSError:
        return False
    if not stat.S_ISREG(sought.st_mode):
        return False
    for descriptor in iglob("/proc/[0-9]*/fd/*"):
        try:
            found = os.stat(descriptor)
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (sought.st_dev, sought.st_ino):
            return True
    return False


if __name__ == "__main__":
    if sys.platform != "win32":
        take_away()
    if sys.argv[1] == "-c":
        exec(sys.argv[2])
    else:
        import_module("kavach.__main__").main()
