"""What the system's own limits do to a server."""

import resource
import subprocess
import sys

from kavach.program.process import OPEN_FILES
from tests.twin_server import environment


def test_a_low_limit_of_open_files_is_raised() -> None:
    """A shell that allows 256 open files does not keep connections out."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    program = (
        "import resource; from kavach.program.process import allow_open_files;"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)); allow_open_files();"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, check=True
    )
    allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    assert int(told.stdout) == allowed
