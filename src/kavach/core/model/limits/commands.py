"""
What an operator may ask about the rules of the house.

Source: docs/twin.md (command line, clients).
"""

from kavach.core.commands import Command
from kavach.core.model.limits.profiles import Profile


class ChooseLimits(Command, frozen=True, kw_only=True):
    """From now on these rules hold; counting begins anew if they are others than before."""

    profile: Profile


class RegisterAlgo(Command, frozen=True, kw_only=True):
    """A client trades by an algorithm that the exchange has registered under this id."""

    client_id: str
    algo_id: str
