"""
What a journal holds: every kind of event, every value of every enum stored in one.

A *mark* is a word for one such thing: ``OrderSubmitted`` (a class), ``OrderSubmitted.purpose=stop``
(a value of an enum in a field of it, or in a message inside it), ``cause=SquareOff``.
"""

import enum
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from kavach.engine.record import Record, decode_record


def marks(bodies: Iterable[bytes]) -> set[str]:
    """Return the marks of these records."""
    found: set[str] = set()
    for body in bodies:
        record = decode_record(body)
        found.add(f"cause={record.cause}")
        for event in (*record.events, *record.venue):
            found.add(type(event).__name__)
            found.update(_values(type(event).__name__, event))
    return found


def _values(name: str, value: object) -> Iterator[str]:
    if isinstance(value, enum.Enum):
        yield f"{name}={value.value}"
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _values(f"{name}.{field}", getattr(value, field))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _values(name, one)


def every_mark() -> set[str]:
    """Return the mark of every class and value that a record of this version could hold."""
    found: set[str] = set()
    for kind in event_classes():
        found.add(kind.__name__)
        found.update(_possible(kind.__name__, kind))
    return found


def event_classes() -> list[type[msgspec.Struct]]:
    """Return every class of event of core and exchange that a record may hold."""
    hints = typing.get_type_hints(Record)
    found: list[type[msgspec.Struct]] = []
    for field in ("events", "venue"):
        (union,) = typing.get_args(hints[field])
        found += list(typing.get_args(union))
    return found


def _possible(name: str, kind: Any) -> Iterator[str]:
    """Return the marks of the enums within a type."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        yield from (f"{name}={value.value}" for value in kind)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field, inner in typing.get_type_hints(kind).items():
            if field in kind.__struct_fields__:
                yield from _possible(f"{name}.{field}", inner)
    elif isinstance(kind, types.UnionType) or typing.get_origin(kind) in (tuple, list):
        for inner in typing.get_args(kind):
            if inner is not Ellipsis:
                yield from _possible(name, inner)


def examples() -> Iterator[msgspec.Struct]:
    """Yield each event with made-up fields, once for each value of each enum in it."""
    for kind in event_classes():
        yield from _made(kind)


def _made(kind: type[msgspec.Struct]) -> Iterator[Any]:
    hints = typing.get_type_hints(kind)
    names = kind.__struct_fields__
    first = {name: next(_examples(hints[name], name)) for name in names}
    yield kind(**first)
    for name in names:
        for other in list(_examples(hints[name], name))[1:]:
            yield kind(**(first | {name: other}))


def _examples(kind: Any, name: str) -> Iterator[Any]:
    """Yield values of a type; numbers and texts tell the field that they stand in."""
    plain = getattr(kind, "__supertype__", kind)
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        yield from plain
    elif isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        yield from _made(plain)
    elif plain is bool:
        yield from (False, True)
    elif plain is int:
        yield 1 + sum(name.encode())
    elif plain is str:
        yield name
    elif isinstance(plain, types.UnionType):
        for inner in typing.get_args(plain):
            yield from _examples(inner, name) if inner is not types.NoneType else (None,)
    else:
        assert typing.get_origin(plain) in (tuple, list), f"{name}: {kind}"
        inners = [inner for inner in typing.get_args(plain) if inner is not Ellipsis]
        if (
            len(inners) > 1
            or typing.get_origin(plain) is list
            or Ellipsis in typing.get_args(plain)
        ):
            yield from _sequences(plain, inners, name)
        else:
            yield from ((one,) for one in _examples(inners[0], name))


def _sequences(kind: Any, inners: list[Any], name: str) -> Iterator[Any]:
    whole = typing.get_origin(kind)
    if len(inners) == 1:
        yield from (whole([one]) for one in _examples(inners[0], name))
    else:
        yield whole(next(_examples(inner, name)) for inner in inners)
