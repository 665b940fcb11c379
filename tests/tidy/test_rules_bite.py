"""Each house rule, shown to fail on a snippet that breaks it and to pass on one that does not."""

from collections.abc import Callable

import pytest

from tests.tidy import rules

Rule = Callable[[str], list[str]]

LONG = "def f():\n" + "    pass\n" * rules.FUNCTION_LINES_MAX
JUST_RIGHT = "def f():\n" + "    pass\n" * (rules.FUNCTION_LINES_MAX - 1)
WORK = "/" + "work"
REGISTRY = "https://" + "pypi" + ".org/simple"
HASH = " \\\n    --hash=sha256:00"

BROKEN: list[tuple[Rule, str]] = [
    (rules.floats, "x: float = 1"),
    (rules.floats, "x = float('1')"),
    (rules.floats, "x = 0.5"),
    (rules.floats, "x = 1e3"),
    (rules.floats, "x = 3 / 2"),
    (rules.floats, "x /= 2"),
    (rules.impure_imports, "import time"),
    (rules.impure_imports, "from os.path import join"),
    (rules.impure_imports, "def f():\n    import random"),
    (rules.impure_imports, "if TYPE_CHECKING:\n    import httpx"),
    (rules.local_imports, "def f():\n    from kavach import units"),
    (rules.local_imports, "class A:\n    def f(self):\n        import os"),
    (rules.long_functions, LONG),
    (rules.long_functions, "async " + LONG),
    (rules.leftovers, "x = 1  # TODO: more"),
    (rules.leftovers, '"""FIXME"""'),
    (rules.prints, "print('here')"),
    (rules.prints, "breakpoint()"),
    (rules.swallowed_exceptions, "try:\n    f()\nexcept:\n    pass"),
    (rules.swallowed_exceptions, "try:\n    f()\nexcept Exception:\n    x = 1"),
    (
        rules.swallowed_exceptions,
        "try:\n    f()\nexcept (KeyError, BaseException) as e:\n    x = e",
    ),
    (rules.swallowed_exceptions, "try:\n    f()\nexcept Exception:  # noqa: BLE001\n    pass"),
    (rules.swallowed_exceptions, "with suppress(Exception):\n    f()"),
    (rules.missing_docstring, "x = 1"),
    (rules.weak_tests, "def test_a():\n    assert True"),
    (rules.weak_tests, "def test_a():\n    'Something holds.'\n    f()"),
    (rules.weak_tests, "class TestA:\n    async def test_a(self):\n        'It holds.'"),
    (rules.skipped_tests, "import pytest\npytest.skip('not today')"),
    (rules.skipped_tests, "@pytest.mark.skipif(True, reason='x')\ndef test_a(): ..."),
    (rules.vague_name, "src/kavach/core/utils.py"),
    (rules.vague_name, "src/kavach/common/prices.py"),
    (rules.foreign_addresses, f"see {WORK}/notes.md"),
    (rules.foreign_addresses, "in `/" + "home/someone/kavach`"),
    (rules.foreign_addresses, f"--index-url {REGISTRY}"),
    (rules.loose_pins, "msgspec>=0.20"),
    (rules.loose_pins, "msgspec==0.20"),
    (rules.loose_pins, f"--index-url {REGISTRY}\nmsgspec==0.20{HASH}"),
    (rules.loose_pins, f"a==1{HASH}\nb @ file:" + f"//b.whl{HASH}"),
]

KEPT: list[tuple[Rule, str]] = [
    (rules.floats, "x = 3 // 2 * 10_000  # 1.5 in words is no float"),
    (rules.impure_imports, "import msgspec\nfrom kavach.units import Pips\nimport enum"),
    (rules.local_imports, "import os\ndef f(): ..."),
    (rules.long_functions, JUST_RIGHT),
    (rules.leftovers, "option_type = 'XX'  # a future"),
    (rules.prints, "console.print('hello')"),
    (rules.swallowed_exceptions, "try:\n    f()\nexcept Exception as e:\n    raise Stop from e"),
    (rules.swallowed_exceptions, "try:\n    f()\nexcept Exception:  # Told below.\n    tell()"),
    (rules.swallowed_exceptions, "try:\n    f()\nexcept Exception:\n    # Told.\n    tell()"),
    (rules.swallowed_exceptions, "try:\n    f()\nexcept KeyError:\n    x = 0"),
    (rules.missing_docstring, ""),
    (rules.missing_docstring, '"""What it is for."""\nx = 1'),
    (rules.weak_tests, "def test_a():\n    'It holds.'\n    assert f()"),
    (rules.weak_tests, "def test_a():\n    'It raises.'\n    with pytest.raises(E):\n        f()"),
    (rules.weak_tests, "def test_a():\n    'It holds.'\n    check_books(f())"),
    (rules.weak_tests, "def tested():\n    f()"),
    (rules.skipped_tests, "text.skipped = 1"),
    (rules.vague_name, "src/kavach/core/database.py"),
    (rules.foreign_addresses, "GET /api/v1/orders; ./kavach-data; clock/" + "work; /api/" + "work"),
    (rules.loose_pins, f"msgspec==0.20{HASH}\n    # via kavach-oms\nuvloop==1{HASH}"),
]


@pytest.mark.parametrize(("rule", "text"), BROKEN)
def test_a_rule_bites(rule: Rule, text: str) -> None:
    """Every rule finds what it forbids, so that a silent rule is a broken one."""
    assert rule(text) != []


@pytest.mark.parametrize(("rule", "text"), KEPT)
def test_a_rule_leaves_good_text_alone(rule: Rule, text: str) -> None:
    """No rule finds fault with text that keeps it."""
    assert rule(text) == []


def test_every_recipe_of_a_makefile_counts() -> None:
    """A recipe is a target with a command; variables, phony lists and comments are not."""
    makefile = ".PHONY: a b\nA := 1\nB ?= x:y\na: b  ## Text.\n\ttrue\nb:\n\ttrue\n%.x: a\n\ttrue\n"
    assert rules.make_recipes(makefile) == ["a", "b", "%.x"]


def test_names_of_distributions_are_compared_in_normal_form() -> None:
    """``Nautilus_Trader[x]==1; marker`` is the distribution that a lock calls nautilus-trader."""
    assert (
        rules.requirement_name('Nautilus_Trader[x]==1; python_version < "3"') == "nautilus-trader"
    )
    assert rules.pinned_names(f"nautilus-trader==1{HASH}") == {"nautilus-trader"}
