"""
A measurement in a process of its own: its memory and its processor time are nobody else's.
"""

import gc
import multiprocessing
import os
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_STATUS: Final = Path("/proc/self/statm")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 13, 14  # Fields of /proc/<pid>/stat, from 0.


def apart(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a module's function returns in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(act, *args, **kwargs).result()


def resident_bytes() -> int:
    """Return the memory of this process that is in use now, garbage taken out."""
    gc.collect()
    return int(_STATUS.read_text().split()[1]) * resource.getpagesize()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that another process has used so far."""
    # The name, in brackets, may hold blanks; the fields are counted from behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_UTIME - 2]) + int(fields[_STIME - 2])) / _TICKS
