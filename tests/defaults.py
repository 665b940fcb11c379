"""
What the messages and records of a package say when nothing is said: the numbers that are not 0.

A default is read wherever a sender or an older journal leaves a field out, so one that is not
zero, or ``True``, claims something. Each package's tests name all of its own.
"""

import importlib
import pkgutil
from decimal import Decimal
from typing import Any

import msgspec


def telling_defaults(package: str) -> dict[str, Any]:
    """Return the defaults of a package's structs that are numbers or flags and not 0, by name."""
    there = importlib.import_module(package)
    modules = [there.__name__]
    modules += [found.name for found in pkgutil.walk_packages(there.__path__, f"{package}.")]
    return {
        f"{kind.__name__}.{field.name}": field.default
        for module in modules
        if not module.endswith(("__main__", ".print_spec"))
        for kind in vars(importlib.import_module(module)).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        if kind.__module__ == module
        for field in msgspec.structs.fields(kind)
        if isinstance(field.default, int | float | Decimal) and field.default
    }
