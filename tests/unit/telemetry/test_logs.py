"""A line of the log is one line, whatever is in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from kavach.telemetry.logs import LogFormat, LogLevel, Note, iso, start_logging
from kavach.telemetry.request_log import begin_request, end_request, say_with_request

AWFUL = 'two\nlines, a "quote" and \u2028 more'


@pytest.fixture
def untouched() -> Iterator[None]:
    """The logging of this process is afterwards as it was."""
    root, package = logging.getLogger(), logging.getLogger("kavach")
    before = (root.handlers[:], root.level, package.level)
    yield
    root.handlers[:], root.level, package.level = before


def said(log_format: LogFormat, level: LogLevel, *notes: tuple[int, object]) -> list[str]:
    """Return the lines that these leave."""
    stream = io.StringIO()
    start_logging(log_format, level, stream)
    for at, note in notes:
        logging.getLogger("kavach.somewhere").log(at, note)
    return stream.getvalue().splitlines()


@pytest.mark.usefixtures("untouched")
def test_json_is_one_object_a_line() -> None:
    """Fields stand beside event, time and level; line breaks are escaped."""
    note = Note("alarm", order=7, detail=AWFUL)
    (line,) = said(LogFormat.JSON, LogLevel.INFO, (logging.WARNING, note))
    told = json.loads(line)
    assert told.pop("time").endswith("Z")
    assert told == {"level": "warning", "event": "alarm", "order": 7, "detail": AWFUL}


@pytest.mark.usefixtures("untouched")
def test_text_is_one_line_that_can_be_split() -> None:
    """What holds more than a plain word is quoted, so that nobody can forge a line."""
    note = Note("alarm", order=7, detail=AWFUL, orders=[1, 2])
    stream = io.StringIO()
    start_logging(LogFormat.TEXT, LogLevel.INFO, stream)
    logging.getLogger("kavach.somewhere").warning(note)
    line = stream.getvalue()
    assert line.count("\n") == 1 and line.endswith("\n")
    assert ' WARNING alarm order=7 detail="two\\nlines' in line
    assert line.endswith("orders=[1,2]\n")


@pytest.mark.usefixtures("untouched")
def test_levels_choose_what_is_said() -> None:
    """What is below the level is not said, and other packages only from warning on."""
    notes = [(logging.DEBUG, Note("a")), (logging.INFO, Note("b")), (logging.ERROR, Note("c"))]
    assert len(said(LogFormat.JSON, LogLevel.DEBUG, *notes)) == 3
    assert len(said(LogFormat.JSON, LogLevel.INFO, *notes)) == 2
    assert len(said(LogFormat.JSON, LogLevel.ERROR, *notes)) == 1
    stream = io.StringIO()
    start_logging(LogFormat.JSON, LogLevel.DEBUG, stream)
    logging.getLogger("stranger").info("all is well")
    logging.getLogger("stranger").warning("not so %s", "well")
    told = json.loads(stream.getvalue())
    assert (told["event"], told["by"], told["text"]) == ("said", "stranger", "not so well")


@pytest.mark.usefixtures("untouched")
def test_a_traceback_stays_in_its_line() -> None:
    """In JSON an exception is a field."""
    stream = io.StringIO()
    start_logging(LogFormat.JSON, LogLevel.INFO, stream)
    try:
        raise LookupError("gone")
    except LookupError:
        logging.getLogger("kavach").exception("it broke")
    told = json.loads(stream.getvalue())
    assert told["text"] == "it broke"
    assert told["exception"].endswith("LookupError: gone")


@pytest.mark.usefixtures("untouched")
def test_what_belongs_to_a_request_waits_for_its_id() -> None:
    """Outside a request nothing is kept; inside, it is said at the end and only once."""
    stream = io.StringIO()
    start_logging(LogFormat.JSON, LogLevel.DEBUG, stream)
    log = logging.getLogger("kavach.somewhere")
    assert not say_with_request(log, Note("command"))
    begin_request()
    assert say_with_request(log, Note("command", command="PlaceCoverOrder"))
    assert stream.getvalue() == ""
    end_request("run-1")
    end_request("run-2")
    told = json.loads(stream.getvalue())
    assert (told["command"], told["request_id"]) == ("PlaceCoverOrder", "run-1")


def test_times_are_told_to_the_microsecond() -> None:
    """Nanoseconds below are cut off, never rounded up."""
    assert iso(1_795_400_000_123_456_999) == "2026-11-23T02:13:20.123456Z"
