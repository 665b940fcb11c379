"""
Finding out what became of a change whose answer was lost: by looking, never by asking again.

    about                where is looked           how it is found
    regular order        order book                its id, else its user order id
    cover, bracket       order book                its user order id, else a leg's id
    GTT rule             list of rules             its id, else the only new rule that says so
    basket               list of baskets           its id, else the only new one of that name
    conversion           positions                 the quantities that it should lead to

What the traces prove is the business of ``kavach.sdk.requests.changes``.

Source: docs/decisions/0031-what-a-client-may-claim.md.
"""

from typing import Any, Final

from kavach.sdk.baskets import BASKETS
from kavach.sdk.errors import Attempt, BadArgument, Kind, attempt_in
from kavach.sdk.gtt import RULES
from kavach.sdk.orders.cover import CancelResult
from kavach.sdk.orders.tracing import COVERS, REGULAR
from kavach.sdk.portfolio import POSITIONS
from kavach.sdk.requests.account import Account
from kavach.sdk.requests.changes import Settled, Traces
from kavach.sdk.requests.plan import Plan
from kavach.sdk.requests.watching import watch_for
from kavach.sdk.resolution import Resolution

TRACES: Final[dict[Kind, Traces[Any]]] = {
    Kind.REGULAR: REGULAR,
    Kind.COVER: COVERS,
    Kind.BRACKET: COVERS,
    Kind.GTT: RULES,
    Kind.BASKET: BASKETS,
    Kind.POSITION: POSITIONS,
}


def resolve(
    account: Account,
    unknown: BaseException | CancelResult[Any] | Attempt,
    *,
    confirm_seconds: float | None = None,
) -> Plan[Resolution]:
    """
    Return what the server shows of a change whose answer was lost; nothing is sent again.

    ``unknown`` is the ``OutcomeUnknown``, or what carries one: a ``KeyboardInterrupt`` or
    ``CancelledError``, an unfinished ``CancelResult``, or the ``Attempt`` itself, for one that was
    stored.
    The order book (or the list of rules or baskets, or the positions) is watched for
    ``confirm_seconds`` (the client's own setting if ``None``). Raises ``TransportError`` or
    ``RequestRefused`` when it cannot be read.
    """
    patience = account.patience(confirm_seconds)
    attempt = _attempt(unknown)
    traces = TRACES[attempt.kind]
    sighting = yield from watch_for(
        lambda: traces.find(account, attempt),
        lambda found: traces.judge(found, attempt).settled is not Settled.NOT_SEEN,
        patience,
    )
    if sighting.trouble is not None:
        raise sighting.trouble
    if sighting.seen is None:
        return Resolution(
            settled=Settled.NOT_SEEN,
            explanation="the server shows no such thing; the request may still be on its way",
        )
    verdict = traces.judge(sighting.seen, attempt)
    return Resolution(
        settled=verdict.settled,
        explanation=verdict.explanation,
        outcome=verdict.outcome,
        **traces.shown(sighting.seen, attempt),
    )


def _attempt(unknown: object) -> Attempt:
    if isinstance(unknown, Attempt):
        return unknown
    found = unknown.attempt if isinstance(unknown, CancelResult) else attempt_in(unknown)
    if found is None:
        raise BadArgument(f"unknown: a {type(unknown).__name__} carries no attempt")
    return found
