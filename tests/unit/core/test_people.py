"""
Sessions, codes and apps: when each is good, what ends it, and that a replay ends in the same.

The property plays any sequence of logins, codes, logouts and waiting against a model that keeps
everything for ever and asks, each time, which tokens ought to be worth something.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kavach.core.commands import Command, OpenClient, RenewToken
from kavach.core.model.people import book
from kavach.core.model.people.commands import (
    GrantCode,
    IssueToken,
    RedeemCode,
    RegisterApp,
    RevokeGrant,
    RevokeToken,
    SetCredentials,
)
from kavach.core.model.state import OmsState
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.settings import Settings
from kavach.engine.engine import Engine
from kavach.engine.record import LAYOUT, Snapshot, decode_snapshot, encode
from kavach.journal.memory import MemoryJournal
from kavach.units import NS_PER_SECOND, Paise
from kavach.venues.scripted import ScriptedVenue
from tests.unit.core.stocks import stock

REFUSED: Final = {
    Reason.TOTP_MUST_BE_NEW,
    Reason.TOKEN_MUST_BE_LIVE,
    Reason.TOKEN_MUST_NOT_STAND,
    Reason.APP_MUST_EXIST,
    Reason.APP_MUST_BE_NEW,
    Reason.CODE_MUST_BE_LIVE,
}
NOON_NS: Final = 1_718_260_200 * NS_PER_SECOND  # 2024-06-13, 12:00 in India.
MIDNIGHT_NS: Final = NOON_NS + 12 * 3600 * NS_PER_SECOND
SECOND: Final = NS_PER_SECOND


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time_ns = NOON_NS

    def now_ns(self) -> int:
        """Return the time."""
        return self.time_ns


class House:
    """An engine with clients A and B, whose standing tokens are SA and SB, and apps X and Y."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.journal = MemoryJournal()
        self.engine = self.opened()
        for client_id in ("A", "B"):
            self.ok(
                OpenClient(client_id=client_id, cash_paise=Paise(0), token_digest=f"S{client_id}")
            )
        for app_id in ("X", "Y"):
            self.ok(RegisterApp(app_id=app_id, name="", secret_digest="", redirect_uris=("a:b",)))

    def opened(self) -> Engine:
        """Return an engine on the journal as it is now."""
        engine = Engine([stock()], Settings(), self.journal, ScriptedVenue(), self.clock)
        engine.recover()
        return engine

    def tell(self, command: Command) -> Outcome:
        """Return what becomes of a command."""
        return self.engine.execute(command)

    def ok(self, command: Command) -> None:
        """Tell, and check that it is taken."""
        outcome = self.tell(command)
        assert isinstance(outcome, Answer), outcome

    def no(self, command: Command) -> Reason:
        """Tell, check that it is refused and has changed nothing, and return why."""
        before = self.engine.state_hash()
        outcome = self.tell(command)
        assert isinstance(outcome, Refusal), outcome
        assert self.engine.state_hash() == before
        return outcome.reason

    def who(self, digest: str) -> str | None:
        """Return whom a token opens now."""
        return self.engine.state.client_of_token(digest, self.engine.now_ns())

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time_ns += int(seconds * SECOND)


def issue(token: str, client_id: str = "A", totp_step: int = 0) -> IssueToken:
    """Return the command that follows a login."""
    return IssueToken(client_id=client_id, token_digest=token, totp_step=totp_step)


def grant(code: str, client_id: str = "A", app_id: str = "X", totp_step: int = 0) -> GrantCode:
    """Return the command that follows a login to an app."""
    return GrantCode(
        client_id=client_id,
        app_id=app_id,
        code_digest=code,
        redirect_uri="a:b",
        scope="orders",
        totp_step=totp_step,
    )


def redeem(code: str, token: str, app_id: str = "X") -> RedeemCode:
    """Return the command of an app that shows a code."""
    return RedeemCode(code_digest=code, app_id=app_id, token_digest=token)


@pytest.mark.parametrize(
    ("now_ns", "ends_ns"),
    [
        (NOON_NS, MIDNIGHT_NS),
        (MIDNIGHT_NS - 1, MIDNIGHT_NS),
        (MIDNIGHT_NS, MIDNIGHT_NS + 86_399 * SECOND),
        (MIDNIGHT_NS + SECOND, MIDNIGHT_NS + 86_400 * SECOND),
        (MIDNIGHT_NS + SECOND - 1, MIDNIGHT_NS + 86_400 * SECOND - 1),
        (MIDNIGHT_NS + 2 * SECOND, MIDNIGHT_NS + 86_400 * SECOND),
    ],
)
def test_a_token_ends_at_midnight_in_india_or_after_86399_seconds(
    now_ns: int, ends_ns: int
) -> None:
    """The earlier of the two, as Decision 17 has it."""
    assert book.expires_at_ns(now_ns) == ends_ns


def test_a_token_is_good_until_the_very_nanosecond() -> None:
    """At its end it is a stranger's; another day's token is good then."""
    house = House()
    house.ok(issue("T"))
    house.clock.time_ns = MIDNIGHT_NS - 1
    assert house.who("T") == "A"
    house.clock.time_ns = MIDNIGHT_NS
    assert house.who("T") is None
    house.ok(issue("U"))
    assert (house.who("T"), house.who("U")) == (None, "A")


def test_a_standing_token_stands() -> None:
    """Midnights do not end it, a logout can't, another one given does."""
    house = House()
    house.wait(400 * 86_400)
    assert house.who("SA") == "A"
    assert house.no(RevokeToken(token_digest="SA")) is Reason.TOKEN_MUST_NOT_STAND
    house.ok(RenewToken(client_id="A", token_digest="S2"))
    assert (house.who("SA"), house.who("S2"), house.who("SB")) == (None, "A", "B")


def test_a_logout_ends_one_session() -> None:
    """The token of it is dead, another of the client lives on; twice is refused."""
    house = House()
    house.ok(issue("T"))
    house.ok(issue("U"))
    house.ok(RevokeToken(token_digest="T"))
    assert (house.who("T"), house.who("U")) == (None, "A")
    for dead in ("T", "never"):
        assert house.no(RevokeToken(token_digest=dead)) is Reason.TOKEN_MUST_BE_LIVE
    house.clock.time_ns = MIDNIGHT_NS
    assert house.no(RevokeToken(token_digest="U")) is Reason.TOKEN_MUST_BE_LIVE


def test_a_code_is_good_once_for_its_app_and_a_while() -> None:
    """Another app, a second time, an end, a code that never was: all the same refusal."""
    house = House()
    house.ok(grant("C"))
    assert house.no(redeem("C", "T", "Y")) is Reason.CODE_MUST_BE_LIVE
    house.ok(redeem("C", "T"))
    assert house.who("T") == "A"
    assert house.no(redeem("C", "U")) is Reason.CODE_MUST_BE_LIVE
    house.ok(grant("D"))
    house.wait(300)
    assert house.no(redeem("D", "U")) is Reason.CODE_MUST_BE_LIVE
    assert house.no(redeem("never", "U")) is Reason.CODE_MUST_BE_LIVE


def test_a_grant_is_ended_by_its_app_alone() -> None:
    """The token that a code gave dies when its app shows the code again."""
    house = House()
    house.ok(grant("C"))
    assert house.no(RevokeGrant(code_digest="C", app_id="X")) is Reason.CODE_MUST_BE_LIVE
    house.ok(redeem("C", "T"))
    assert house.no(RevokeGrant(code_digest="C", app_id="Y")) is Reason.CODE_MUST_BE_LIVE
    house.ok(RevokeGrant(code_digest="C", app_id="X"))
    assert house.who("T") is None
    assert house.no(RevokeGrant(code_digest="C", app_id="X")) is Reason.CODE_MUST_BE_LIVE


@pytest.mark.parametrize("make", [issue, grant])
def test_a_totp_is_good_once(make: Callable[..., Command]) -> None:
    """A step that was used, or one before it, opens nothing again, whatever it is shown for."""
    house = House()
    house.ok(issue("T", totp_step=7))
    for step in (7, 6):
        assert house.no(make("U", totp_step=step)) is Reason.TOTP_MUST_BE_NEW
    house.ok(make("V", client_id="B", totp_step=7))  # Another's steps are another's.
    house.ok(make("W", totp_step=8))
    assert house.no(issue("U", totp_step=8)) is Reason.TOTP_MUST_BE_NEW


def test_nobody_gets_nothing() -> None:
    """Unknown clients and apps are refused, and an app is registered once."""
    house = House()
    assert house.no(issue("T", "Z")) is Reason.CLIENT_MUST_EXIST
    assert house.no(grant("C", "Z")) is Reason.CLIENT_MUST_EXIST
    assert house.no(grant("C", app_id="Z")) is Reason.APP_MUST_EXIST
    unknown = SetCredentials(client_id="Z", password_digest="", pin_digest="")
    assert house.no(unknown) is Reason.CLIENT_MUST_EXIST
    again: dict[str, Any] = {"name": "", "secret_digest": "s", "redirect_uris": ("c:d",)}
    assert house.no(RegisterApp(app_id="X", **again)) is Reason.APP_MUST_BE_NEW
    assert house.no(RegisterApp(app_id="Z", owner="Z", **again)) is Reason.CLIENT_MUST_EXIST
    house.ok(RegisterApp(app_id="X", owner="A", replace=True, **again))
    assert house.engine.state.people.apps["X"].redirect_uris == ("c:d",)


def test_other_credentials_end_what_the_old_ones_gave() -> None:
    """Sessions and codes of the client are over, those of others and the standing token are not."""
    house = House()
    for command in (issue("T"), grant("C"), issue("U", "B"), grant("D", "B")):
        house.ok(command)
    house.ok(SetCredentials(client_id="A", password_digest="p", pin_digest="q", totp_secret="r"))
    client = house.engine.state.clients["A"]
    assert (client.password_digest, client.pin_digest, client.totp_secret) == ("p", "q", "r")
    assert [house.who(token) for token in ("T", "SA", "U")] == [None, "A", "B"]
    assert house.no(redeem("C", "V")) is Reason.CODE_MUST_BE_LIVE
    house.ok(redeem("D", "V"))


def test_nothing_is_remembered_for_ever() -> None:
    """A year of logins leaves no more behind than a day's; one too many ends the oldest."""
    house = House()
    for number in range(book.SESSIONS_MAX + 3):
        house.ok(issue(f"T{number}"))
    living = [n for n in range(book.SESSIONS_MAX + 3) if house.who(f"T{n}")]
    assert living == list(range(3, book.SESSIONS_MAX + 3))
    for number in range(book.CODES_MAX + 2):
        house.ok(grant(f"C{number}"))
    assert [n for n in range(5) if f"C{n}" in house.engine.state.people.codes] == [2, 3, 4]
    for day in range(1, 10):
        house.clock.time_ns = MIDNIGHT_NS + day * 86_400 * SECOND
        house.ok(grant(f"D{day}"))
        house.ok(redeem(f"D{day}", f"U{day}"))
    people = house.engine.state.people
    assert set(people.tokens) == {"SA", "SB", "U9"}
    assert len(people.codes) == 0
    assert people.given_for("D8") is None


class Model(RuleBasedStateMachine):
    """A house, and a list of everything that was ever given."""

    @initialize()
    def open(self) -> None:
        """Begin."""
        self.house = House()
        self.ends: dict[str, tuple[str, int]] = {}  # Token: whose, and its end.
        self.codes: dict[str, tuple[str, str, int, str]] = {}  # Whose, app, end, token given.
        self.number = 0

    def fresh(self) -> str:
        """Return a name that was never used."""
        self.number += 1
        return f"n{self.number}"

    def ends_ns(self) -> int:
        """Return the end of what is given now, by counting days on a calendar."""
        now_ns = self.house.engine.now_ns()
        midnight_ns = MIDNIGHT_NS
        while midnight_ns <= now_ns:
            midnight_ns += 86_400 * SECOND
        return min(midnight_ns, now_ns + 86_399 * SECOND)

    def begin(self, token: str, client_id: str) -> None:
        """Remember a session, and that one too many ends the client's oldest."""
        now_ns = self.house.engine.now_ns()
        living = [t for t, one in self.ends.items() if one[0] == client_id and one[1] > now_ns]
        for oldest in living[: max(0, len(living) + 1 - book.SESSIONS_MAX)]:
            self.ends[oldest] = (client_id, 0)
        self.ends[token] = (client_id, self.ends_ns())

    @rule(client_id=st.sampled_from("AB"))
    def log_in(self, client_id: str) -> None:
        """A client logs in."""
        token = self.fresh()
        self.house.ok(issue(token, client_id))
        self.begin(token, client_id)

    @rule(client_id=st.sampled_from("AB"), app_id=st.sampled_from("XY"))
    def let_app(self, client_id: str, app_id: str) -> None:
        """A client logs in to an app."""
        code = self.fresh()
        now_ns = self.house.engine.now_ns()
        living = [c for c, one in self.codes.items() if one[0] == client_id and not one[3]]
        living = [c for c in living if self.codes[c][2] > now_ns]
        for oldest in living[: max(0, len(living) + 1 - book.CODES_MAX)]:
            self.codes[oldest] = (client_id, "gone", 0, "")
        self.house.ok(grant(code, client_id, app_id))
        self.codes[code] = (client_id, app_id, self.house.engine.now_ns() + 300 * SECOND, "")

    @rule(data=st.data(), app_id=st.sampled_from("XY"))
    def show_code(self, data: st.DataObject, app_id: str) -> None:
        """An app shows a code; a second time it ends what the first gave."""
        if not self.codes:
            return
        code = data.draw(st.sampled_from(sorted(self.codes)))
        client_id, owner, end_ns, given = self.codes[code]
        token = self.fresh()
        outcome = self.house.tell(redeem(code, token, app_id))
        good = owner == app_id and not given and self.house.engine.now_ns() < end_ns
        assert isinstance(outcome, Answer) is good
        if good:
            self.begin(token, client_id)
            self.codes[code] = (client_id, owner, end_ns, token)
        elif given and owner == app_id:
            self.house.tell(RevokeGrant(code_digest=code, app_id=app_id))
            self.ends.pop(given, None)

    @rule(data=st.data())
    def log_out(self, data: st.DataObject) -> None:
        """Somebody logs out with a token, perhaps a dead one."""
        if not self.ends:
            return
        token = data.draw(st.sampled_from(sorted(self.ends)))
        outcome = self.house.tell(RevokeToken(token_digest=token))
        assert isinstance(outcome, Answer) is (self.ends[token][1] > self.house.engine.now_ns())
        del self.ends[token]

    @rule(client_id=st.sampled_from("AB"))
    def change_password(self, client_id: str) -> None:
        """The operator gives a client other credentials."""
        self.house.ok(SetCredentials(client_id=client_id, password_digest="x", pin_digest="y"))
        self.ends = {t: end for t, end in self.ends.items() if end[0] != client_id}
        self.codes = {c: one for c, one in self.codes.items() if one[0] != client_id}

    @rule(seconds=st.sampled_from([0.5, 1, 299, 301, 3600, 43_200, 86_399, 86_400]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.house.wait(seconds)

    @rule(snapshot=st.booleans())
    def restart(self, snapshot: bool) -> None:
        """The process dies and comes back, from the journal or from a snapshot."""
        before = self.house.engine
        if snapshot:
            before.save_snapshot()
        self.house.engine = self.house.opened()
        assert self.house.engine.state_hash() == before.state_hash()

    @invariant()
    def tokens_are_worth_what_the_model_says(self) -> None:
        """Each token that was ever given opens its client while it should, and nothing after."""
        if not hasattr(self, "house"):
            return
        now_ns = self.house.engine.now_ns()
        for number in range(1, self.number + 1):
            client_id, end_ns = self.ends.get(f"n{number}", ("", 0))
            expected = client_id if now_ns < end_ns else None
            assert self.house.who(f"n{number}") == expected
        assert (self.house.who("SA"), self.house.who("SB")) == ("A", "B")


TestModel = Model.TestCase


def test_a_snapshot_of_an_earlier_version_can_be_read() -> None:
    """A snapshot that ends before people came is one in which nobody had logged in."""
    house = House()
    engine = house.engine
    whole = encode(Snapshot(1, engine.state.snapshot(), engine.venue.snapshot(), LAYOUT))
    snapshot = decode_snapshot(whole)
    fields = [getattr(snapshot.core, name) for name in snapshot.core.__struct_fields__]
    earlier: Any = [1, fields[: fields.index(snapshot.core.people)], snapshot.venue, LAYOUT]
    read = decode_snapshot(encode(earlier))
    state = OmsState([stock()], Settings())
    state.restore(read.core)
    assert state.client_of_token("SA", 1) == "A"
    assert state.people.apps == {}
