"""
A measurement in a process of its own: its memory and its processor time are nobody else's.
"""

import gc
import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_STATUS: Final = Path("/proc/self/statm")


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
    """Return the processor time that another process's living threads have used so far."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
