"""
What became of a change: one way to find its traces, and one to judge them, for every kind.

A verdict has three values. DONE needs every value that was asked for to be shown; NOT_DONE needs
something to be shown otherwise that can't change any more; everything else, chiefly what the rows
cannot tell, is NOT_SEEN. So a change that nothing shows is never called done.

    agrees(wanted, shown)    order lives          order has closed
    True                     DONE                 DONE
    False                    NOT_SEEN             NOT_DONE
    None (cannot tell)       NOT_SEEN             NOT_SEEN

Each kind of thing says how it is found and how it is judged (``Traces``); a method that makes a
change and ``resolve`` both use that, so that they can never disagree.

Source: docs/decisions/0031-what-a-client-may-claim.md.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, Generic

import msgspec

from kavach.sdk.errors import Attempt, OutcomeUnknown
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.plan import Plan
from kavach.sdk.requests.watching import X, watch_for

BY_VENDOR_NAME: Final = (
    "a change by its vendor's name: compare what is there with what you asked for"
)
WAS_SO: Final = "it is as asked for, as it was before; whether the change arrived is not shown"
CANNOT_TELL: Final = "what was asked for is not, or not surely, to be seen in what the server shows"


class Settled(StrEnum):
    """What an ``OutcomeUnknown`` turned out to be."""

    DONE = "DONE"  # The change took effect.
    NOT_DONE = "NOT_DONE"  # It did not, and cannot any more.
    NOT_SEEN = "NOT_SEEN"  # The server shows no sure trace of it so far: ask again later.


class CancelOutcome(StrEnum):
    """What became of a request to cancel or to exit."""

    CANCELLED = "CANCELLED"  # The entry's remainder is gone; what had traded is still covered.
    EXITED = "EXITED"  # The position is closed and nothing is working any more.
    TOO_LATE = "TOO_LATE"  # The entry had closed otherwise: nothing was cancelled.
    PENDING = "PENDING"  # Accepted and still under way: look again later.
    UNKNOWN = "UNKNOWN"  # Accepted, but nobody can say yet what became of it.


class Verdict(msgspec.Struct, frozen=True):
    """What the traces of a change prove."""

    settled: Settled
    explanation: str
    outcome: CancelOutcome | None = None  # Of a request to end something.


class Shown(msgspec.Struct, frozen=True):
    """What rows show of one value, spelled for comparison; ``None``: they cannot tell."""

    text: str | None
    moves: bool = False  # It moves by itself, as a trailing stop: another value proves nothing.


class Traces(msgspec.Struct, Generic[X], frozen=True, kw_only=True):
    """How the traces of a change are found, judged, and shown in a ``Resolution``."""

    find: Callable[[Account, Attempt], Plan[X | None]]
    judge: Callable[[X, Attempt], Verdict]
    shown: Callable[[X, Attempt], dict[str, Any]]


def agrees(wanted: Mapping[str, str], shown: Callable[[str], Shown]) -> bool | None:
    """Return whether everything that was wanted is shown; ``None`` when that cannot be told."""
    verdict: bool | None = True if wanted else None
    for name, value in wanted.items():
        seen = shown(name)
        if seen.text == value:
            continue
        if seen.text is not None and not seen.moves:
            return False
        verdict = None
    return verdict


def placed(attempt: Attempt, fits: bool | None, status: str) -> Verdict:
    """Return what a thing under the id of a placement proves: it must be what was asked for."""
    if attempt.by_vendor_name:
        return Verdict(Settled.NOT_SEEN, BY_VENDOR_NAME)
    if fits is False:
        return Verdict(Settled.NOT_SEEN, "what has this id is not what was asked for")
    return Verdict(Settled.DONE, f"it was placed; it is {status}")


def as_it_was(traces: Traces[X], thing: X, attempt: Attempt) -> Attempt:
    """Return the attempt to change a thing, knowing whether the thing was so before."""
    was_so = traces.judge(thing, attempt).settled is Settled.DONE
    return msgspec.structs.replace(attempt, was_so=was_so)


def changed(attempt: Attempt, fits: bool | None, *, is_closed: bool, status: str) -> Verdict:
    """Return what a thing proves that was to be changed."""
    if attempt.by_vendor_name:
        return Verdict(Settled.NOT_SEEN, BY_VENDOR_NAME)
    if fits is None:
        return Verdict(Settled.NOT_SEEN, CANNOT_TELL)
    if fits and attempt.was_so:
        return Verdict(Settled.NOT_SEEN, WAS_SO)
    if fits:
        return Verdict(Settled.DONE, "what was asked for is shown")
    if is_closed:
        return Verdict(Settled.NOT_DONE, f"it is {status} and does not show the change")
    return Verdict(Settled.NOT_SEEN, "the change is not shown")


def ended(outcome: CancelOutcome | None, status: str) -> Verdict:
    """Return what a thing proves that was to be ended; ``None``: it lives."""
    if outcome is None:
        return Verdict(Settled.NOT_SEEN, f"it is {status} so far")
    if outcome is CancelOutcome.TOO_LATE:
        return Verdict(Settled.NOT_DONE, f"it had become {status} before", outcome)
    return Verdict(Settled.DONE, f"it is {outcome}", outcome)


def shown_after(
    account: Account, traces: Traces[X], attempt: Attempt, seconds: float, accepted: str
) -> Plan[X]:
    """
    Return a thing once it shows a change that was accepted.

    Raises ``OutcomeUnknown``, saying how it was ``accepted``, if that is not seen in time.
    """
    attempt = msgspec.structs.replace(attempt, was_so=False)  # It did arrive.
    sighting = yield from watch_for(
        lambda: traces.find(account, attempt),
        lambda found: traces.judge(found, attempt).settled is not Settled.NOT_SEEN,
        seconds,
        attempt,
    )
    if sighting.seen is not None:
        verdict = traces.judge(sighting.seen, attempt)
        if verdict.settled is Settled.DONE:
            return sighting.seen
        raise OutcomeUnknown(f"{accepted}: {verdict.explanation}", attempt) from sighting.trouble
    raise OutcomeUnknown(accepted, attempt) from sighting.trouble
