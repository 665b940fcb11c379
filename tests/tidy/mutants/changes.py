"""
Every single change that could be made to a source file, by kind.

A change replaces one expression or statement by another that a slip of the hand could have left
there. *Subtle* ones leave a program that looks right: a boundary, a swap of neighbours, ``min``
for ``max``, one more or less, ``and`` for ``or``, a ``not`` that is gone. What nobody could notice
is left out: docstrings, annotations, texts for people, messages of assertions, imports, and the
``strict`` of a zip, which is an assertion.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

SUBTLE: Final = frozenset({"boundary", "swap", "extreme", "by one", "and or", "not"})
_BOUNDARIES: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_OPPOSITES: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_EXTREMES: Final = {"min": "max", "max": "min", "all": "any", "any": "all"}


class Change(NamedTuple):
    """One change to one file; ``start`` and ``end`` are offsets in its bytes."""

    file: str  # Within the package.
    line: int
    kind: str
    start: int
    end: int
    was: str
    now: str

    @property
    def name(self) -> str:
        """What tells it from all others for as long as the text stays: file, before, after."""
        return f"{self.file} | {self.kind} | {_one_line(self.was)} | {_one_line(self.now)}"

    def made_in(self, source: bytes) -> bytes:
        """Return the source with the change in it."""
        assert source[self.start : self.end] == self.was.encode(), "the source is another"
        return source[: self.start] + self.now.encode() + source[self.end :]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def changes_in(root: Path, file: str) -> list[Change]:
    """Return every change to a file, in the order of the text."""
    source = (root / file).read_bytes()
    found = []
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node, kind, now in _everywhere(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        was = source[start:end].decode()
        text = now if isinstance(now, str) else ast.unparse(ast.fix_missing_locations(now))
        if isinstance(node, ast.expr) and not isinstance(node, ast.Name | ast.Constant):
            text = f"({text})"
        if text != was:
            found.append(Change(file, node.lineno, kind, start, end, was, text))
    return sorted(found, key=lambda change: (change.start, change.end, change.kind, change.now))


Place = ast.expr | ast.stmt
Found = tuple[Place, str, ast.AST | str]


def _everywhere(tree: ast.Module) -> Iterator[Found]:
    for node in _code(tree):
        if isinstance(node, ast.expr):
            yield from _of_expression(node)
        elif isinstance(node, ast.stmt):
            yield from _of_statement(node)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node that runs: no annotation, docstring, import, or message of an assertion."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "msg", "type_params", "type_comment", "bases"):
            continue
        if name == "keywords" and _is_zip(node):
            continue
        if isinstance(node, ast.ClassDef) and name in ("keywords", "decorator_list"):
            continue
        for inner in value if isinstance(value, list) else [value]:
            if not isinstance(inner, ast.AST) or isinstance(
                inner, ast.Import | ast.ImportFrom | ast.JoinedStr
            ):
                continue
            if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant):
                continue  # A docstring.
            yield inner
            yield from _code(inner)


def _of_expression(node: ast.expr) -> Iterator[Found]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            if type(op) in _BOUNDARIES:
                yield node, "boundary", ast.Compare(left, [_BOUNDARIES[type(op)]()], [right])
            if type(op) in _OPPOSITES:
                yield node, "opposite", ast.Compare(left, [_OPPOSITES[type(op)]()], [right])
        case ast.Compare(left=left, ops=[first, *more], comparators=comparators):
            if type(first) in _BOUNDARIES:
                ops = [_BOUNDARIES[type(first)](), *more]
                yield node, "boundary", ast.Compare(left, ops, comparators)
        case ast.BoolOp(op=op, values=values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield node, "and or", ast.BoolOp(other, values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, "not", operand
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield node, "operator", operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            yield node, "operator", ast.BinOp(left, _OPERATORS[type(op)](), right)
            if isinstance(op, ast.Sub):
                yield node, "swap", ast.BinOp(right, op, left)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield node, "swap", ast.IfExp(test, orelse, body)
        case ast.Call():
            yield from _of_call(node)
        case ast.Constant(value=bool() as value):
            yield node, "constant", ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield node, "by one", ast.Constant(value + 1)
            if value:
                yield node, "by one", ast.Constant(value - 1)
        case ast.Constant(value=str() as value) if value and " " not in value:
            yield node, "constant", ast.Constant(value + "x")


def _of_call(node: ast.Call) -> Iterator[Found]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in _EXTREMES:
        yield node, "extreme", ast.Call(ast.Name(_EXTREMES[function.id]), node.args, node.keywords)
    if isinstance(function, ast.Name) and function.id in _EXTREMES:
        return  # Their arguments have no order.
    plain = [not isinstance(argument, ast.Starred) for argument in node.args]
    for at in range(len(node.args) - 1):
        if plain[at] and plain[at + 1] and ast.dump(node.args[at]) != ast.dump(node.args[at + 1]):
            swapped = list(node.args)
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
            yield node, "swap", ast.Call(function, swapped, node.keywords)
    for at, keyword in enumerate(node.keywords):
        if keyword.arg is not None and not _is_zip(node):
            left = [*node.keywords[:at], *node.keywords[at + 1 :]]
            yield node, "dropped", ast.Call(function, node.args, left)


def _is_zip(node: ast.AST) -> bool:
    """Return whether this is a call of ``zip``, whose one keyword is an assertion."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"


def _of_statement(node: ast.stmt) -> Iterator[Found]:
    match node:
        case ast.If(test=test) | ast.While(test=test):
            if not isinstance(test, ast.Compare | ast.UnaryOp):  # Those have changes of their own.
                yield test, "opposite", ast.UnaryOp(ast.Not(), test)
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise():
            yield node, "dropped", "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "dropped", "pass"
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield node, "returned", "return None"
        case ast.Continue():
            yield node, "dropped", "break"
        case ast.Break():
            yield node, "dropped", "continue"


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
