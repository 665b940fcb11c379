"""
Choosing the rules of the house, and naming those who trade by a registered algorithm.

Source: docs/twin.md (command line, clients).
"""

from kavach.core.model.limits.commands import ChooseLimits, RegisterAlgo
from kavach.core.model.limits.events import AlgoRegistered, LimitsChosen
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.core.rules.pending import PendingRequest


def choose_limits(context: StepContext, command: ChooseLimits) -> PendingRequest:
    """Let these rules hold; nothing happens if they hold already."""
    if command.profile is not context.state.limits.profile:
        context.emit(LimitsChosen(command.profile.value))
    return PendingRequest()


def register_algo(context: StepContext, command: RegisterAlgo) -> PendingRequest | Refusal:
    """Register the algorithm by which a client trades."""
    if command.client_id not in context.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
    if context.state.limits.algos.get(command.client_id) != command.algo_id:
        context.emit(AlgoRegistered(command.client_id, command.algo_id))
    return PendingRequest()
