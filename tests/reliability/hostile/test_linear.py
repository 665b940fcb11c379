"""The checker finds an order where there is one, and none where there is none."""

from collections.abc import Hashable

import pytest

from tests.reliability.hostile.cover_model import Cancel, Cover, Exit, Fill, Fire, Look, Told, step
from tests.reliability.hostile.linear import UNANSWERED, Operation, Search


def register(state: int, ask: Hashable) -> tuple[int, Hashable]:
    """A variable: an ask that is a number writes it, None reads it."""
    return (state, state) if ask is None else (int(str(ask)), None)


def write(called: float, returned: float, value: int) -> Operation:
    """Return a write."""
    return Operation(called, returned, value)


def read(called: float, returned: float, value: int) -> Operation:
    """Return a read that saw this."""
    return Operation(called, returned, None, value)


@pytest.mark.parametrize(
    ("history", "explained"),
    [
        ([], True),
        ([write(0, 1, 5), read(2, 3, 5)], True),
        ([write(0, 1, 5), read(2, 3, 0)], False),  # A stale read.
        ([write(0, 3, 5), read(1, 2, 0)], True),
        ([write(0, 3, 5), read(1, 2, 5)], True),
        ([write(0, 9, 5), read(1, 2, 5), read(3, 4, 0)], False),  # Seen, then not.
        ([write(0, 9, 5), read(1, 4, 5), read(3, 5, 0)], True),
        ([write(0, 9, 1), write(0, 9, 2), read(10, 11, 1), read(12, 13, 2)], False),
        ([write(0, UNANSWERED, 5), read(1, 2, 0), read(3, 4, 5)], True),
        ([write(0, UNANSWERED, 5), read(1, 2, 5), read(3, 4, 0)], False),
        ([read(0, 1, 5), write(2, UNANSWERED, 5)], False),  # Before it was asked for.
        ([read(0, 9, 5)] * 8 + [read(0, 9, 0)] * 8 + [write(0, 9, 5)], True),
        ([read(0, 1, 5)] * 8 + [read(2, 9, 0)] * 8 + [write(0, 9, 5)], False),
    ],
)
def test_registers(history: list[Operation], explained: bool) -> None:
    """Histories of one variable, whose answers are known."""
    assert Search(history, register).explains(0) is explained


CANCELLED, EXITED = Told("CANCELLED"), Told("EXITED")
EXECUTED = Told("", "ENTRY_ALREADY_EXECUTED")


@pytest.mark.parametrize(
    ("history", "explained"),
    [
        # The fill or the cancel wins, never both and never neither.
        ([Operation(0, 9, Cancel(), CANCELLED), Operation(0, 9, Fill(10), 0)], True),
        ([Operation(0, 9, Cancel(), EXECUTED), Operation(0, 9, Fill(10), 10)], True),
        ([Operation(0, 9, Cancel(), CANCELLED), Operation(0, 9, Fill(10), 10)], False),
        ([Operation(0, 9, Cancel(), EXECUTED), Operation(0, 9, Fill(10), 0)], False),
        # Two cancels at once: one is the first.
        ([Operation(0, 9, Cancel(), CANCELLED)] * 2, False),
        (
            [
                Operation(0, 9, Cancel(), CANCELLED),
                Operation(0, 9, Cancel(), CANCELLED._replace(replayed=True)),
            ],
            True,
        ),
        # An exit that was answered is not undone by a later fill.
        (
            [
                Operation(0, 1, Exit(False), CANCELLED),
                Operation(2, 3, Fill(3), 3),
            ],
            False,
        ),
        # The stop fires before the exit, so the exit comes too late.
        (
            [
                Operation(0, 1, Fill(10), 10),
                Operation(2, 9, Fire()),
                Operation(2, 9, Exit(True), Told("", "ALREADY_EXITED")),
            ],
            True,
        ),
        (
            [
                Operation(0, 1, Fill(10), 10),
                Operation(2, 3, Look(), ("COMPLETE", 10)),
                Operation(4, 5, Look(), ("PARTIAL_TRADE", 3)),
            ],
            False,
        ),
    ],
)
def test_cover_orders(history: list[Operation], explained: bool) -> None:
    """Histories of a cover order with a buyer in the market."""
    assert Search(history, step).explains(Cover(liquid=True)) is explained
