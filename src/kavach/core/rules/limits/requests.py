"""
Choosing the rules of the house, and naming those who trade by a registered algorithm.

Source: docs/twin.md (command line, clients).
"""

from kavach.core.model.limits.commands import ChooseLimits, RegisterAlgo
from kavach.core.model.limits.events import AlgoRegistered, LimitsChosen
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import Desk
from kavach.core.rules.pending import Ticket


def choose_limits(desk: Desk, command: ChooseLimits) -> Ticket:
    """Let these rules hold; nothing happens if they hold already."""
    if command.profile is not desk.state.limits.profile:
        desk.emit(LimitsChosen(command.profile.value))
    return Ticket()


def register_algo(desk: Desk, command: RegisterAlgo) -> Ticket | Refusal:
    """Let a client trade by this algorithm."""
    if command.client_id not in desk.state.clients:
        return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
    if desk.state.limits.algos.get(command.client_id) != command.algo_id:
        desk.emit(AlgoRegistered(command.client_id, command.algo_id))
    return Ticket()
