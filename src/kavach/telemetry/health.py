"""
Whether the server lives, and whether it can take orders.

Both are read off the engine; nothing is tried out. That they are answered at all says that the
event loop turns, and that what the journal held has been recovered: before that nobody answers.

Source: docs/operating.md, "Health".
"""

from kavach.engine.engine import Engine


def alive(engine: Engine) -> bool:
    """Return whether the engine may make another step."""
    return engine.stopped is None


def readiness(engine: Engine) -> dict[str, str | bool]:
    """Return whether orders can be taken, and how it stands with each thing that needs.

    Why something is not well is in the log, not here: this is for everybody.
    """
    parts = {
        "engine": "running" if alive(engine) else "stopped",
        "journal": _journal(engine),
        "venue": "down" if engine.state.venue_disconnected else "up",
    }
    ready = parts == {"engine": "running", "journal": "up", "venue": "up"}
    return {"ready": ready, **parts}


def _journal(engine: Engine) -> str:
    if engine.journal.failure is not None:
        return "failed"
    return "up" if engine.journal.may_answer() else "unheard"
