"""
Which tests look at a part of the package, cheapest first.

A change is shown to one *stage* after another until a test fails. The first stages are those that
live nearest to the code; the last is whatever plays the whole program, where all that is left
must be noticed. ``EVERYWHERE`` is tried for a change that the stages of its part leave alone.
"""

from typing import Final

Stage = tuple[str, ...]

_LIMITS: Final = "tests/unit/api/test_documented_limits.py"  # Of every package.
_WORLDS: Final[Stage] = (
    "tests/simulation/test_simulation.py",
    "tests/simulation/test_rows.py",
    "tests/simulation/property",
)
_CORE: Final[tuple[Stage, ...]] = (
    ("tests/unit/core",),
    ("tests/unit/api", "tests/contract"),
    ("tests/simulation/test_races.py", "tests/simulation/test_bracket_races.py"),
    _WORLDS,
    ("tests/unit/twin", "tests/reliability/crash/test_crash_points.py", "tests/e2e"),
)
_FEATURES: Final[dict[str, tuple[Stage, ...]]] = {
    "money": (("tests/unit/core/money",), ("tests/unit/api/test_portfolio.py",)),
    "limits": (("tests/unit/core/limits",), ("tests/unit/api/test_limits.py",)),
    "people": (("tests/unit/core/test_people.py",), ("tests/unit/api/people",)),
    "gtt": (("tests/unit/core/test_gtt.py",), ("tests/unit/api/test_gtt.py",)),
    "baskets": (("tests/unit/core/test_baskets.py",), ("tests/unit/api/test_baskets.py",)),
    "cover/target": (("tests/unit/core/test_brackets.py",),),
    "cover/exit_group": (("tests/unit/core/test_brackets.py",),),
}
# The longest beginning that fits a file tells.
STAGES: Final[dict[str, tuple[Stage, ...]]] = {
    "core/": _CORE,
    **{
        f"core/{floor}/{feature}": (*stages, *_CORE)
        for floor in ("model", "evolve", "rules")
        for feature, stages in _FEATURES.items()
    },
    "exchange/": (
        ("tests/unit/exchange",),
        ("tests/unit/venues", "tests/unit/core"),
        ("tests/unit/twin",),
        *_CORE,
    ),
    "engine/": (
        ("tests/unit/engine", "tests/unit/venues"),
        ("tests/unit/core", "tests/reliability/crash/test_crash_points.py"),
        ("tests/unit/api", "tests/unit/twin"),
        _WORLDS,
        ("tests/reliability/crash", "tests/e2e", "tests/unit/journal"),
    ),
    "venues/": (
        ("tests/unit/venues",),
        ("tests/unit/twin", "tests/unit/core"),
        _WORLDS,
        ("tests/reliability/crash",),
    ),
    "journal/": (
        ("tests/unit/journal", _LIMITS),
        (
            "tests/reliability/crash/test_beside.py",
            "tests/reliability/crash/test_repair.py",
            "tests/reliability/crash/test_verify.py",
        ),
        ("tests/reliability/crash", "tests/e2e/test_restart.py", "tests/reliability/upgrade"),
    ),
    "wire/": (
        ("tests/unit/wire",),
        ("tests/unit/api/feed", "tests/unit/api"),
        ("tests/compat", "tests/unit/api/people", "tests/unit/sdk"),
        ("tests/contract", "tests/reliability/hostile"),
    ),
    "api/": (
        ("tests/unit/api",),
        ("tests/unit/api/feed", "tests/unit/api/people"),
        ("tests/compat", "tests/contract", "tests/unit/contracts"),
        ("tests/reliability/hostile", "tests/e2e", "tests/unit/telemetry"),
    ),
    "api/feed/": (
        ("tests/unit/api/feed",),
        ("tests/reliability/crash/test_repair.py",),
        ("tests/unit/sdk", "tests/compat"),
    ),
    "api/people/": (
        ("tests/unit/api/people",),
        ("tests/compat/test_login.py", "tests/reliability/hostile"),
    ),
    "twin/": (
        ("tests/unit/twin", _LIMITS),
        ("tests/unit/core", "tests/unit/cli"),
        _WORLDS,
        ("tests/e2e",),
    ),
    "sdk/": (("tests/unit/sdk", _LIMITS), ("tests/contract",), ("tests/e2e", "tests/compat")),
    "market/": (
        ("tests/unit/market", _LIMITS),
        ("tests/contract/test_f_market.py", "tests/unit/cli", "tests/e2e"),
    ),
    "contracts/": (
        ("tests/unit/contracts",),
        ("tests/unit/api", "tests/contract"),
        ("tests/unit/sdk",),
    ),
    "cli/": (
        ("tests/unit/cli",),
        ("tests/reliability/crash/test_verify.py",),
        ("tests/reliability/crash", "tests/e2e"),
    ),
    "program/": (
        ("tests/unit/cli", _LIMITS),
        ("tests/contract/test_e_process.py", "tests/contract/test_f_process.py"),
        ("tests/unit/twin", "tests/unit/contracts", "tests/unit/market"),
        ("tests/e2e", "tests/contract", "tests/reliability"),
    ),
    "cluster/": (("tests/unit/cli/test_cluster.py", "tests/unit/journal/test_postgres.py"),),
    "telemetry/": (
        ("tests/unit/telemetry",),
        ("tests/unit/cli", "tests/unit/api", "tests/unit/engine"),
        ("tests/e2e", "tests/reliability/security"),
    ),
    "data/": (
        ("tests/unit/exchange/test_instruments.py", "tests/unit/market"),
        ("tests/unit/contracts", "tests/unit/core", "tests/unit/api"),
    ),
    # The modules that belong to all.
    "units.py": (("tests/unit/wire", "tests/unit/exchange"), *_CORE),
    "trading_days.py": (("tests/unit/engine/test_calendar.py",),),
    "instruments.py": (("tests/unit/exchange", "tests/unit/contracts"), *_CORE),
    "credentials.py": (
        ("tests/reliability/security/test_credentials.py", "tests/unit/twin/test_door.py"),
        ("tests/unit/api/test_door.py", "tests/unit/api/people"),
        ("tests/reliability/security", "tests/compat/test_login.py"),
    ),
    "static": (("tests/unit/api/test_openapi.py",), ("tests/tidy/test_vendored.py",)),
    "ready_files.py": (("tests/unit/cli", "tests/install"), ("tests/unit/sdk",)),
    "private_files.py": (
        ("tests/unit/journal", "tests/reliability/security"),
        ("tests/unit/cli", "tests/contract/test_e_process.py"),
        ("tests/reliability/crash", "tests/reliability/upgrade"),
    ),
}
EVERYWHERE: Final[Stage] = ("tests",)
PACKAGES: Final = tuple(sorted({part.partition("/")[0].removesuffix(".py") for part in STAGES}))


def stages(file: str) -> tuple[Stage, ...]:
    """Return the tests for a file of the package, a stage after the other."""
    part = max((part for part in STAGES if file.startswith(part)), key=len)
    found: list[Stage] = []
    for stage in STAGES[part]:
        if stage not in found:
            found.append(stage)
    return tuple(found)
