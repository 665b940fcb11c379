"""
A command under an idempotency key: the first answer is every answer.

Source: docs/wire/README.md, "Decisions"; docs/decisions/0007-what-is-remembered-of-a-request.md.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from kavach.core.commands import KeyedCommand
from kavach.core.refusals import Answer, Reason, Refusal
from kavach.core.rules.admission import admit
from kavach.core.rules.context import StepContext
from kavach.core.rules.pending import PendingRequest


def keyed(
    decide: Callable[[StepContext, Any], PendingRequest | Refusal],
) -> Callable[[StepContext, Any], PendingRequest | Refusal]:
    """Return a decision that answers a repeated key with the first answer."""

    def decide_once(context: StepContext, command: KeyedCommand) -> PendingRequest | Refusal:
        if command.client_id not in context.state.clients:
            return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
        limited = context.state.limited
        if not command.idempotency_key:
            return admit(context, command, decide) if limited else decide(context, command)
        first = context.state.answers.get((command.client_id, command.idempotency_key))
        if first is not None:
            if first.fingerprint != command.fingerprint:
                return Refusal(Reason.KEY_MUST_NOT_BE_REUSED, command.idempotency_key)
            return PendingRequest(
                answer=Answer(
                    first.order_id,
                    first.basket_id,
                    first.state,
                    first.reason,
                    replayed=True,
                    subject=first.subject,
                )
            )
        pending = admit(context, command, decide) if limited else decide(context, command)
        if isinstance(pending, PendingRequest):
            pending = msgspec.structs.replace(
                pending,
                client_id=command.client_id,
                key=command.idempotency_key,
                fingerprint=command.fingerprint,
            )
        return pending

    return decide_once
