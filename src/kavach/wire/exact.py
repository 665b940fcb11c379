"""
Messages read field by field: what a client sent loosely becomes exact values, one at a time.

A message declares each field once: its name, and in the field's type the exact type, the schema
and the reader. ``Needed`` fields must be there, ``Maybe`` fields may be blank.
On the wire a field is ``Any``, since a wrong type is answered with the vendor's text that names it.

Source: docs/wire/README.md, "Numbers, words, blanks";
docs/decisions/0035-routes-are-two-pure-functions.md.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import UNSET

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
            return Annotated[Any, *field.__metadata__, _NEEDED]

    class Maybe:
        """A field that may be blank."""

        def __class_getitem__(cls, field: Any) -> Any:
            return Annotated[Any, *field.__metadata__]


def described(description: str, schema: dict[str, Any]) -> msgspec.Meta:
    """Return what OpenAPI says of a field: a sentence, and the JSON that is accepted."""
    return msgspec.Meta(description=description, extra_json_schema=schema)


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
    hints = get_type_hints(kind, include_extras=True)
    lines = ["class Exact:", "  __slots__ = ('message',)", "  def __init__(self, message):"]
    lines.append("    self.message = message")
    scope: dict[str, Any] = {"UNSET": UNSET}
    for name in kind.__struct_fields__:
        readers = [one for one in hints[name].__metadata__ if callable(one)]
        scope[f"read_{name}"] = readers[-1] if readers else _as_it_is
        lines += ["  @property", f"  def {name}(self):", f"    value = self.message.{name}"]
        if name not in kind.required:
            lines.append("    if value is UNSET or value is None: return None")
            lines.append("    if type(value) is str and not value.strip(): return None")
        lines.append(f"    return read_{name}(value, '{name}')")
    exec("\n".join(lines), scope)  # noqa: S102  # Of names that stand in this package.
    reading: Callable[[Any], Any] = scope["Exact"]
    return reading


def _as_it_is(value: Any, field: str) -> Any:
    return value


class _Required:
    """As an attribute of a message's class: the names of the fields that must be there."""

    def __get__(self, message: object, kind: type) -> tuple[str, ...]:
        return _required_of(kind)


@cache
def _required_of(kind: Any) -> tuple[str, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.__struct_fields__ if _NEEDED in hints[name].__metadata__)


class Request(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A message that clients send, any JSON in its fields."""

    required: ClassVar[Any] = _Required()
