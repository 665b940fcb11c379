"""
Messages read field by field: what a client sent loosely becomes exact values, one at a time.

A message declares each field once: its name, and in the field's type the exact type, a sentence
and the reader, which knows what JSON it accepts. ``Needed`` fields must be there, ``Maybe`` fields
may be blank.
On the wire a field is ``Any``, since a wrong type is answered with the vendor's text that names it.

Source: docs/wire/README.md, "Numbers, words, blanks";
docs/decisions/0035-routes-are-two-pure-functions.md.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import UNSET

from kavach.wire.fields import Reader

T = TypeVar("T")
M = TypeVar("M", bound=msgspec.Struct)

BLANK: Final[Any] = UNSET  # The default of every field: nothing was sent.
_NEEDED: Final = "needed"

if TYPE_CHECKING:

    class Needed(Generic[T]):
        """A field that must be there: any JSON goes in, an exact value is read."""

        def __get__(self, message: object, kind: type) -> T: ...
        def __set__(self, message: object, value: Any) -> None: ...

    class Maybe(Generic[T]):
        """A field that may be blank, which is read as None."""

        def __get__(self, message: object, kind: type) -> T | None: ...
        def __set__(self, message: object, value: Any) -> None: ...

else:

    class Needed:
        """A field that must be there."""

        def __class_getitem__(cls, field: Any) -> Any:
            return _declared(field, _NEEDED)

    class Maybe:
        """A field that may be blank."""

        def __class_getitem__(cls, field: Any) -> Any:
            return _declared(field)


def _declared(field: Any, *marks: str) -> Any:
    """Return the type of a field on the wire, with what OpenAPI says of it, and its reader."""
    sentence, reader = field.__metadata__
    told = msgspec.Meta(description=sentence, extra_json_schema=reader.schema)
    return Annotated[Any, told, reader, *marks]


def sent(message: object) -> Any:
    """Return a message that ``exact`` returned as it was sent, past its readers."""
    reading: Any = message
    return reading.message


def exact(message: M) -> M:
    """Return the message for reading: each field, when it is read, is exact or ``BadField``."""
    reading: M = _reading(type(message))(message)
    return reading


@cache
def _reading(kind: Any) -> Callable[[Any], Any]:
    """Return the class that reads messages of this kind.

    Its properties are compiled, as those of a dataclass are: closures would take twice as long,
    and 20 fields are read of every order that is placed.
    """
    readers = _readers(kind)
    lines = ["class Exact:", "  __slots__ = ('message',)", "  def __init__(self, message):"]
    lines.append("    self.message = message")
    scope: dict[str, Any] = {"UNSET": UNSET}
    for name, reader in readers.items():
        scope[f"read_{name}"] = reader
        lines += ["  @property", f"  def {name}(self):", f"    value = self.message.{name}"]
        if name not in kind.required:
            lines.append("    if value is UNSET or value is None: return None")
            lines.append("    if type(value) is str and not value.strip(): return None")
        lines.append(f"    return read_{name}(value, '{name}')")
    exec("\n".join(lines), scope)  # noqa: S102  # Of names that stand in this package.
    reading: Callable[[Any], Any] = scope["Exact"]
    return reading


def _readers(kind: Any) -> dict[str, Reader[Any]]:
    """Return the reader of each field of a message."""
    return {name: told[1] for name, told in _fields(kind).items()}


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, ...]]:
    """Return what ``_declared`` put beside each field's type."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name].__metadata__ for name in kind.__struct_fields__}


class _Required:
    """As an attribute of a message's class: the names of the fields that must be there."""

    def __get__(self, message: object, kind: type) -> tuple[str, ...]:
        return tuple(name for name, told in _fields(kind).items() if _NEEDED in told)


class Request(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A message that clients send, any JSON in its fields."""

    required: ClassVar[Any] = _Required()


def messages_in(kind: type[Request]) -> list[type]:
    """Return the messages that fields of this one hold."""
    return [held for reader in _readers(kind).values() for held in reader.messages]
