"""An owner dies, freezes or hands over: its standby goes on; nothing is lost, twice or stale."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.reliability.failover.pair import (
    FENCED,
    KART,
    ORDER,
    PENDING,
    Load,
    Pair,
    Process,
    pair_on,
)
from tests.twin_server import until


def settled(load: Load, least: int) -> None:
    """Return when so many more requests were answered."""
    before = len(load.answered)
    until(lambda: len(load.answered) >= before + least)


@contextmanager
def loaded(address: str) -> Iterator[tuple[Pair, Process, Process, Load]]:
    """Give an owner and its standby, under a load that has begun to be answered."""
    with pair_on(address) as pair:
        owner = pair.owner()
        standby = pair.standby()
        load = Load([owner.url, standby.url])
        load.start()
        settled(load, 20)
        yield pair, owner, standby, load


def check(load: Load, placed: dict[str, int]) -> None:
    """Every answered key is in the journal once, and no read went back behind an earlier one."""
    assert [key for key in load.answered if placed[key] != 1] == []
    assert [key for key, times in placed.items() if times != 1] == []
    most = 0
    for read in sorted(load.reads, key=lambda one: one.asked_at):
        assert read.shown >= most, f"{read.url} told what was over"
        most = read.shown


def test_a_standby_says_who_owns_it(address: str) -> None:
    """Trading routes answer 503 NOT_OWNER with the owner's address, and /readyz is false."""
    with pair_on(address) as pair:
        owner = pair.owner()
        standby = pair.standby()
        for answer in (
            standby.http.get(PENDING),
            standby.http.post(KART, json=ORDER),
            standby.http.get("/twin/v1/audit"),
        ):
            assert answer.status_code == 503
            assert answer.headers["X-Error-Reason"] == "NOT_OWNER"
            assert answer.headers["X-Owner"] == owner.url
            assert answer.json()["status"] == "error"
        ready = standby.http.get("/readyz")
        assert (ready.status_code, ready.json()["role"]) == (503, "standby")
        assert standby.http.get("/healthz").status_code == 200
        assert not standby.ready_file.exists()


def test_a_killed_owner_is_followed_by_its_standby(address: str) -> None:
    """Under load with keys: all that was answered is there once, and reads never go back."""
    with loaded(address) as (pair, owner, standby, load):
        owner.process.kill()
        settled(load, 20)
        load.stop()
        assert standby.is_ready()
        assert standby.ready_file.exists()
        check(load, pair.placed())
        assert "no invariant broken" in pair.verified()


def test_a_frozen_owner_is_fenced(address: str) -> None:
    """While it is frozen the standby takes over; let go, it tells nothing and ends with code 3."""
    with loaded(address) as (pair, owner, standby, load):
        owner.process.send_signal(signal.SIGSTOP)
        until(standby.is_ready)
        settled(load, 20)
        owner.process.send_signal(signal.SIGCONT)
        assert owner.ended() == FENCED
        assert "is over" in owner.said()
        load.stop()
        check(load, pair.placed())
        assert "no invariant broken" in pair.verified()


def test_an_owner_that_is_stopped_hands_over(address: str) -> None:
    """SIGTERM ends it with code 0, and the standby owns the journal without waiting for a lease."""
    with loaded(address) as (pair, owner, _standby, load):
        owner.process.send_signal(signal.SIGTERM)
        settled(load, 20)
        assert owner.ended() == 0
        load.stop()
        check(load, pair.placed())


def test_a_standby_that_takes_is_given_it(address: str) -> None:
    """``--take`` has the owner hand over to that standby, though another one waits for longer."""
    with pair_on(address) as pair:
        owner = pair.owner()
        waits = pair.standby()
        time.sleep(1)  # So that it waits for the lock before the other one does.
        takes = pair.standby("--take")
        until(takes.is_ready)
        assert owner.ended() == 0
        assert not waits.is_ready()
        assert waits.http.get(PENDING).headers["X-Owner"] == takes.url
        takes.process.kill()
        until(waits.is_ready)
