"""The server that foreign clients talk to."""

from tests.twin_server import twin as twin
