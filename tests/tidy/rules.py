"""
The house rules that no linter knows, each a function from text to what breaks it.

Every function takes source text and returns one line a violation, empty when there is none, so
that a bad snippet can prove that the rule bites (``test_rules_bite.py``) and the repository can
prove that it keeps it (``test_repository.py``).
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePath

FUNCTION_LINES_MAX = 70
MAKE_RECIPES_MAX = 14
VAGUE_NAMES = frozenset(
    {"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
)
PURE_IMPORTS = frozenset(
    {
        "__future__",
        "bisect",
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "kavach",
        "msgspec",
        "operator",
        "typing",
    }
)
LEFTOVER = re.compile(r"\b(?:FIXME|TODO|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"(?<![\w./$}-])/(?:work|root|tmp|opt|home/\w+|Users/\w+)(?![\w-])")
REGISTRY = re.compile("pypi[.](?:org|io)|pythonhosted[.]|npmjs[.]|deb[.]debian|rubygems[.]")
TARGET = re.compile(r"^[\w.%/-]+(?: +[\w.%/-]+)*:(?![:=])")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)")


def floats(source: str) -> list[str]:
    """Every way in which a float could enter arithmetic that must be exact."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id="float" | "complex" as name):
                found.append(f"{node.lineno}: names {name}")
            case ast.Constant(value=float() | complex()):
                found.append(f"{node.lineno}: the literal {node.value!r}")
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                found.append(f"{node.lineno}: divides with /; use // and say how it rounds")
            case _:
                pass
    return found


def impure_imports(source: str) -> list[str]:
    """Every import that a pure room may not make: anything but msgspec and a few quiet modules."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        else:
            continue
        found += [
            f"{node.lineno}: imports {module}"
            for module in modules
            if module.split(".")[0] not in PURE_IMPORTS
        ]
    return found


def local_imports(source: str) -> list[str]:
    """Every import inside a function: the way in which cycles are dodged."""
    return [
        f"{inner.lineno}: import inside {function.name}"
        for function in _functions(ast.parse(source))
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]


def long_functions(source: str) -> list[str]:
    """Every function of more than ``FUNCTION_LINES_MAX`` lines, from ``def`` to its last line."""
    found = []
    for function in _functions(ast.parse(source)):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            found.append(f"{function.lineno}: {function.name} has {lines} lines")
    return found


def leftovers(source: str) -> list[str]:
    """Every note to oneself that must not reach main."""
    return [
        f"{number}: {match.group()}"
        for number, line in enumerate(source.splitlines(), 1)
        for match in LEFTOVER.finditer(line)
    ]


def prints(source: str) -> list[str]:
    """Every call of ``print`` or of the debugger."""
    return [
        f"{node.lineno}: calls {node.func.id}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "breakpoint"}
    ]


def swallowed_exceptions(source: str) -> list[str]:
    """Every handler of everything that neither raises nor says, where it begins, why not."""
    comments = _comments(source)
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type is None or _names_everything(node.type)
            head = range(node.lineno, node.body[0].lineno + 1)
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            excused = raises or not comments.isdisjoint(head)
        elif isinstance(node, ast.Call) and _name(node.func) == "suppress":
            caught = any(_names_everything(argument) for argument in node.args)
            excused = node.lineno in comments
        else:
            continue
        if caught and not excused:
            found.append(f"{node.lineno}: swallows every exception without a reason")
    return found


def missing_docstring(source: str) -> list[str]:
    """One line if the module has code and does not say what it is for."""
    module = ast.parse(source)
    if module.body and not ast.get_docstring(module):
        return ["1: the module has no docstring"]
    return []


def weak_tests(source: str) -> list[str]:
    """Every test that does not say what should be true, or asserts nothing."""
    found = []
    for function in _functions(ast.parse(source)):
        if not function.name.startswith("test_"):
            continue
        if not ast.get_docstring(function):
            found.append(f"{function.lineno}: {function.name} has no docstring")
        if not any(_asserts(node) for node in ast.walk(function)):
            found.append(f"{function.lineno}: {function.name} asserts nothing")
    return found


def skipped_tests(source: str) -> list[str]:
    """Every test that is told not to run."""
    return [
        f"{node.lineno}: {node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in {"importorskip", "skip", "skipif"}
    ]


def vague_name(path: str) -> list[str]:
    """One line if a file or a room is named after nothing in particular."""
    parts = [PurePath(part).stem.lower() for part in PurePath(path).parts]
    return [f"{path}: {part} says nothing" for part in parts if part in VAGUE_NAMES]


def foreign_addresses(text: str) -> list[str]:
    """Every path of one machine and every address of a package registry."""
    return [
        f"{number}: {match.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for pattern in (MACHINE_PATH, REGISTRY)
        for match in pattern.finditer(line)
    ]


def make_recipes(makefile: str) -> list[str]:
    """The targets of a Makefile that have a recipe."""
    lines = makefile.splitlines()
    return [
        line.partition(":")[0]
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if TARGET.match(line) and following.startswith("\t")
    ]


def loose_pins(lock: str) -> list[str]:
    """Every requirement of a lock without an exact version or without hashes, and every address."""
    found = []
    for block in re.split(r"\n(?=\S)", lock.strip()):
        name = block.split("\n")[0]
        if not PIN.match(name) or "--hash=sha256:" not in block:
            found.append(f"not pinned with hashes: {name}")
        if "://" in block or "file:" in block:
            found.append(f"records an address: {name}")
    return found


def pinned_names(lock: str) -> set[str]:
    """The distributions that a lock pins, in normal form."""
    return {match[1] for line in lock.splitlines() if (match := PIN.match(line))}


def requirement_name(requirement: str) -> str:
    """The distribution that a requirement asks for, in normal form."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, f"not a requirement: {requirement!r}"
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods and inner functions included."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _asserts(node: ast.AST) -> bool:
    """Whether a node can fail a test."""
    if isinstance(node, ast.Call):
        name = _name(node.func)
        return name == "raises" or name.startswith(("check", "assert_", "expect"))
    return isinstance(node, ast.Assert)


def _name(function: ast.expr) -> str:
    """The last word of what is called: ``raises`` of ``pytest.raises``."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _names_everything(caught: ast.expr) -> bool:
    """Whether a caught type, or one of a tuple of them, is the root of all exceptions."""
    if isinstance(caught, ast.Tuple):
        return any(_names_everything(part) for part in caught.elts)
    return isinstance(caught, ast.Name) and caught.id in {"BaseException", "Exception"}


def _comments(source: str) -> set[int]:
    """The numbers of the lines that carry a comment in words, not only a switch for a linter."""
    return {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
        and not re.fullmatch(r"#\s*(?:noqa|type:|pragma:)[^#]*", token.string)
    }
