"""
A command that does one thing by itself and others under a word: ``journal``, ``journal copy``.

Source: docs/twin.md (command line).
"""

from typing import Any

import click


class WithVerbs(click.Command):
    """A command whose first argument may name another one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.verbs: dict[str, click.Command] = {}

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of this command, or of the one that the first argument names."""
        if args and args[0] in self.verbs:
            verb = self.verbs[args[0]]
            return verb.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)
