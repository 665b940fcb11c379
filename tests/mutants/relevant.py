"""
Which tests look at a part of the package, cheapest first.

A change is shown to one *stage* after another until a test fails. The first stages are those that
live nearest to the code; the last is whatever plays the whole program, where all that is left
must be noticed. ``EVERYWHERE`` is tried for a change that the stages of its part leave alone.
"""

from typing import Final

Stage = tuple[str, ...]

_WORLDS: Final[Stage] = (
    "tests/simulation/test_simulation.py",
    "tests/simulation/test_rows.py",
    "tests/property",
)
_CORE: Final[tuple[Stage, ...]] = (
    ("tests/core",),
    ("tests/api", "tests/field"),
    ("tests/simulation/test_races.py", "tests/simulation/test_bracket_races.py"),
    _WORLDS,
    ("tests/twin", "tests/crash/test_crash_points.py", "tests/e2e"),
)
_FEATURES: Final[dict[str, tuple[Stage, ...]]] = {
    "money": (("tests/core/money",), ("tests/api/test_portfolio.py",)),
    "limits": (("tests/core/limits",), ("tests/api/test_limits.py",)),
    "people": (("tests/core/test_people.py",), ("tests/people",)),
    "gtt": (("tests/core/test_gtt.py",), ("tests/api/test_gtt.py",)),
    "baskets": (("tests/core/test_baskets.py",), ("tests/api/test_baskets.py",)),
    "cover/target": (("tests/core/test_brackets.py",),),
    "cover/exit_group": (("tests/core/test_brackets.py",),),
}
# The longest beginning that fits a file tells.
STAGES: Final[dict[str, tuple[Stage, ...]]] = {
    "core/": _CORE,
    **{
        f"core/{floor}/{feature}": (*stages, *_CORE)
        for floor in ("model", "evolve", "rules")
        for feature, stages in _FEATURES.items()
    },
    "exchange/": (("tests/exchange",), ("tests/venues", "tests/core"), ("tests/twin",), *_CORE),
    "engine/": (
        ("tests/engine", "tests/venues"),
        ("tests/core", "tests/crash/test_crash_points.py"),
        ("tests/api", "tests/twin"),
        _WORLDS,
        ("tests/crash", "tests/e2e", "tests/journal"),
    ),
    "venues/": (("tests/venues",), ("tests/twin", "tests/core"), _WORLDS, ("tests/crash",)),
    "journal/": (
        ("tests/journal",),
        ("tests/crash/test_beside.py", "tests/crash/test_repair.py", "tests/crash/test_verify.py"),
        ("tests/crash", "tests/e2e/test_restart.py", "tests/upgrade"),
    ),
    "wire/": (
        ("tests/wire",),
        ("tests/feed", "tests/api"),
        ("tests/compat", "tests/people", "tests/sdk"),
        ("tests/field", "tests/hostile"),
    ),
    "api/": (
        ("tests/api",),
        ("tests/feed", "tests/people"),
        ("tests/compat", "tests/field", "tests/contracts"),
        ("tests/hostile", "tests/e2e", "tests/telemetry"),
    ),
    "api/feed/": (("tests/feed",), ("tests/crash/test_repair.py",), ("tests/sdk", "tests/compat")),
    "api/people/": (("tests/people",), ("tests/compat/test_login.py", "tests/hostile")),
    "twin/": (("tests/twin",), ("tests/core", "tests/cli"), _WORLDS, ("tests/e2e",)),
    "sdk/": (("tests/sdk",), ("tests/field",), ("tests/e2e", "tests/compat")),
    "market/": (("tests/market",), ("tests/field/test_f_market.py", "tests/cli", "tests/e2e")),
    "contracts/": (("tests/contracts",), ("tests/api", "tests/field"), ("tests/sdk",)),
    "cli/": (("tests/cli",), ("tests/crash/test_verify.py",), ("tests/crash", "tests/e2e")),
}
EVERYWHERE: Final[Stage] = ("tests",)
PACKAGES: Final = tuple(sorted({part.partition("/")[0] for part in STAGES}))


def stages(file: str) -> tuple[Stage, ...]:
    """Return the tests for a file of the package, a stage after the other."""
    part = max((part for part in STAGES if file.startswith(part)), key=len)
    found: list[Stage] = []
    for stage in STAGES[part]:
        if stage not in found:
            found.append(stage)
    return tuple(found)
