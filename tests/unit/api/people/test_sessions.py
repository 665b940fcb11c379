"""What a login leads to is durable before it is told."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.unit.api.people.stage import PIN, People


def test_no_token_is_told_before_it_is_on_disk(server: People) -> None:
    """While the disk stands still the answers wait; afterwards they come, and are true."""
    desk = server.world.desk
    token, code = server.twofa_token(), server.code()
    desk.disk.clear()
    try:
        with ThreadPoolExecutor(2) as waiting:
            second = waiting.submit(server.second, token)
            exchanged = waiting.submit(server.exchange, code)
            time.sleep(0.5)
            told = (second.done(), exchanged.done())
            desk.disk.set()
            assert told == (False, False)
            assert server.who(second.result().json()["data"]["auth_token"]) == "PIN1"
            assert server.who(exchanged.result().json()["access_token"]) == "PIN1"
    finally:
        desk.disk.set()


def test_a_disk_that_fails_is_told(server: People) -> None:
    """Whoever logs in then is told that the outcome is unknown, and gets no token."""
    token, code = server.twofa_token(), server.code()
    server.world.desk.journal_fails = True
    for answer in (server.second(token, PIN), server.exchange(code)):
        assert answer.status_code == 503
        assert answer.headers["x-error-reason"] == "UNKNOWN"
        assert "token" not in answer.text
