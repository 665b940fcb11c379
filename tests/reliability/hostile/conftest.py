"""The fixture of a real server, for the tests of this room."""

from tests.twin_server import twin

__all__ = ["twin"]
