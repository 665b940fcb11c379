"""
What the program says of itself on stderr, for people as text and for machines as JSON lines.

A ``Note`` is an event with fields; logged through the standard library it is one line. Its
fields are made of our own words, numbers and order ids: never a token, a client or what a
client wrote. Whatever is said is said in one line, line breaks escaped.

``time`` is the wall's and ``engine_time`` the engine's, both UTC; the latter is told by those
who have one.

Source: docs/operating.md, "Logs".
"""

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

from kavach.units import NS_PER_SECOND

PACKAGE: Final = "kavach"
_PLAIN: Final = frozenset("-_.:/{}+,")  # What text shows without quotes, beside letters and digits.


class LogFormat(StrEnum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """From which level on lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Note:
    """Something that happened, and its facts."""

    __slots__ = ("event", "fields")

    def __init__(self, event: str, **fields: Any) -> None:
        self.event = event
        self.fields = fields

    def __str__(self) -> str:
        """Return it for people."""
        facts = [f"{name}={_text(value)}" for name, value in self.fields.items()]
        return " ".join([self.event, *facts])


def iso(at_ns: int) -> str:
    """Return a time of the Unix epoch in ISO 8601, UTC, to the microsecond below."""
    second, rest_ns = divmod(at_ns, NS_PER_SECOND)
    moment = datetime.fromtimestamp(second, UTC).replace(microsecond=rest_ns // 1_000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def start_logging(log_format: LogFormat, level: LogLevel, stream: TextIO) -> None:
    """Write what is logged in this process to a stream.

    Other packages are heard from WARNING on: of what they do in good order we tell ourselves.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine() if log_format is LogFormat.JSON else TextLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(PACKAGE).setLevel(level.upper())


class JsonLine(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {"time": _wall(record), "level": record.levelname.lower()}
        if isinstance(record.msg, Note):
            line |= {"event": record.msg.event, **record.msg.fields}
        else:
            line |= {"event": "said", "by": record.name, "text": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _json(line)


class TextLine(logging.Formatter):
    """One line a record, and a traceback below it where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = record.getMessage()
        if not isinstance(record.msg, Note):
            said = f"said by={record.name} text={_text(said)}"
        line = f"{_wall(record)} {record.levelname} {said}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _wall(record: logging.LogRecord) -> str:
    return iso(int(record.created * NS_PER_SECOND))


def _json(value: Any) -> str:
    """Return JSON in ASCII, so that no reader finds a line break that we did not make."""
    return json.dumps(value, separators=(",", ":"), default=str)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return _json(value)
    plain = value != "" and all(letter.isalnum() or letter in _PLAIN for letter in value)
    return value if plain else _json(value)
