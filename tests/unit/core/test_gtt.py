"""
GTT rules, told in words: who asks, where the price goes, what the day does, and what follows.

Source: docs/spec/gtt.md.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from kavach.core.commands import OpenClient
from kavach.core.model.gtt.expiry import DAYS_MAX, day_ends_ns, days_of
from kavach.core.model.gtt.tables import GTT, Deny, GttEvent, GttState
from kavach.core.model.orders.life import Illegal
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.gtt.requests import GTTS_MAX
from kavach.units import IST_OFFSET_SECONDS, NS_PER_SECOND
from tests.unit.core.gtt_scene import TODAY, GttScene, check_scene
from tests.unit.core.stocks import stock

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "spec" / "gtt.md"

SCENES: Final = {
    "it fires when the price comes to its trigger, and only once": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    price 13.19               -> nothing                             | ACTIVE
    price 13.20               -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    price 13.30               -> nothing                             | TRIGGERED
    price 13.00               -> nothing                             | TRIGGERED
    price 13.20               -> nothing                             | TRIGGERED
    """,
    "a gap over the trigger fires it like a touch": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    price 14                  -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    """,
    "a trigger below fires from above": """
    rule 10 @ 12.60 on 12.50  -> ok                                  | ACTIVE
    price 14                  -> nothing                             | ACTIVE
    price 12.51               -> nothing                             | ACTIVE
    price 12                  -> R1 fires, E1 buy 10 @ 12.6          | TRIGGERED
    """,
    "the side is that of the price when it was made, not of the close": """
    price 13.50               -> nothing                             | none
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    price 13.40               -> nothing                             | ACTIVE
    price 13.20               -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    """,
    "a rule without a price orders at the market": """
    rule 10 on 13.20          -> ok                                  | ACTIVE
    price 13.20               -> R1 fires, E1 buy 10 @ market        | TRIGGERED
    """,
    "a stop order is one whose stop has been reached": """
    rule 10 @ 13.30 on 13.20 sl -> ok                                | ACTIVE
    rule 10 on 13.40 sl         -> ok                                | ACTIVE ACTIVE
    price 13.20                 -> R1 fires, E1 buy 10 @ 13.3        | TRIGGERED ACTIVE
    price 13.40                 -> R2 fires, E1 buy 10 @ market      | TRIGGERED TRIGGERED
    """,
    "several rules at one price fire in the order of their making": """
    rule 10 @ 13.10 on 13.30  -> ok                                  | ACTIVE
    rule 20 @ 13.10 on 13.20  -> ok                                  | ACTIVE ACTIVE
    rule 30 @ 13.10 on 13.25  -> ok                                  | ACTIVE ACTIVE ACTIVE
    price 13.25               -> R2 fires, E1 buy 20 @ 13.1,
    :                            R3 fires, E1 buy 30 @ 13.1          | ACTIVE TRIGGERED TRIGGERED
    """,
    "an oco fires on one side, and is done": """
    rule 10 @ 13.10 on 12 or 14 -> ok                                | ACTIVE
    price 14                  -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    price 12                  -> nothing                             | TRIGGERED
    """,
    "an oco fires on the other side": """
    rule 10 @ 13.10 on 14 or 12 -> ok                                | ACTIVE
    price 13.99               -> nothing                             | ACTIVE
    price 11.90               -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    price 15                  -> nothing                             | TRIGGERED
    """,
    "a change arms it from the price as it is now": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    price 13.10               -> nothing                             | ACTIVE
    modify R1 5 @ 13 on 13.05 -> ok                                  | ACTIVE
    price 13.15               -> nothing                             | ACTIVE
    price 13.25               -> nothing                             | ACTIVE
    price 13.05               -> R1 fires, E1 buy 5 @ 13             | TRIGGERED
    """,
    "a refused change leaves it as it was": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    modify R1 5 @ 13 on 13    -> no: gtt_trigger_must_not_be_last_price | ACTIVE
    price 13.20               -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    """,
    "a cancelled rule does nothing, and says so as often as it is asked": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    cancel R1                 -> ok                                  | CANCELLED
    cancel R1                 -> again                               | CANCELLED
    modify R1 5 @ 13 on 13.05 -> no: gtt_must_be_active              | CANCELLED
    price 13.20               -> nothing                             | CANCELLED
    """,
    "what has fired cannot be changed": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    price 13.20               -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    cancel R1                 -> no: gtt_must_be_active              | TRIGGERED
    modify R1 5 @ 13 on 13.05 -> no: gtt_must_be_active              | TRIGGERED
    """,
    "it expires at the end of its last day": """
    rule 10 @ 13.10 on 13.20 last 1 -> ok                            | ACTIVE
    midnight                  -> nothing                             | ACTIVE
    midnight                  -> R1 expires                          | EXPIRED
    price 13.20               -> nothing                             | EXPIRED
    cancel R1                 -> no: gtt_must_be_active              | EXPIRED
    modify R1 5 @ 13 on 13.05 -> no: gtt_must_be_active              | EXPIRED
    """,
    "it expires with the session of its last day": """
    rule 10 @ 13.10 on 13.20 last 0 -> ok                            | ACTIVE
    rule 10 @ 13.10 on 13.20 last 1 -> ok                            | ACTIVE ACTIVE
    end                       -> R1 expires                          | EXPIRED ACTIVE
    midnight                  -> nothing                             | EXPIRED ACTIVE
    open                      -> nothing                             | EXPIRED ACTIVE
    end                       -> R2 expires                          | EXPIRED EXPIRED
    """,
    "days that nobody was there for are made up at once": """
    rule 10 @ 13.10 on 13.20 last 3 -> ok                            | ACTIVE
    rule 10 @ 13.10 on 13.20 last 1 -> ok                            | ACTIVE ACTIVE
    restart                   -> nothing                             | ACTIVE ACTIVE
    days 5                    -> R2 expires, R1 expires              | EXPIRED EXPIRED
    """,
    "a change moves the last day": """
    rule 10 @ 13.10 on 13.20 last 1 -> ok                            | ACTIVE
    modify R1 10 @ 13.10 on 13.20 last 2 -> ok                       | ACTIVE
    days 2                    -> nothing                             | ACTIVE
    midnight                  -> R1 expires                          | EXPIRED
    """,
    "a price that the rules refuse ends it with a rejected order": """
    rule 10 @ 16 on 13.20     -> ok                                  | ACTIVE
    price 13.20               -> R1 fires, R1 refused 7001           | REJECTED
    price 13.30               -> nothing                             | REJECTED
    cancel R1                 -> no: gtt_must_be_active              | REJECTED
    modify R1 5 @ 13 on 13.05 -> no: gtt_must_be_active              | REJECTED
    """,
    "a client who was stopped opens nothing": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    kill                      -> nothing                             | ACTIVE
    price 13.20               -> R1 fires, R1 refused 1010           | REJECTED
    """,
    "the link is down: it waits, and looks once when it is back": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    rule 10 @ 13.10 on 14     -> ok                                  | ACTIVE ACTIVE
    link down                 -> nothing                             | ACTIVE ACTIVE
    price 13.25               -> nothing                             | ACTIVE ACTIVE
    link back                 -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED ACTIVE
    """,
    "what was passed while the link was down, and left again, is not seen": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    link down                 -> nothing                             | ACTIVE
    price 13.25               -> nothing                             | ACTIVE
    price 13                  -> nothing                             | ACTIVE
    link back                 -> nothing                             | ACTIVE
    """,
    "it expires while the link is down": """
    rule 10 @ 13.10 on 13.20 last 0 -> ok                            | ACTIVE
    link down                 -> nothing                             | ACTIVE
    midnight                  -> R1 expires                          | EXPIRED
    link back                 -> nothing                             | EXPIRED
    """,
    "a closed session fires nothing; the opening looks once": """
    rule 10 @ 13.10 on 13.20 last 2 -> ok                            | ACTIVE
    end                       -> nothing                             | ACTIVE
    price 13.25               -> nothing                             | ACTIVE
    midnight                  -> nothing                             | ACTIVE
    open                      -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    """,
    "a restart forgets nothing": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    restart                   -> nothing                             | ACTIVE
    price 13.10               -> nothing                             | ACTIVE
    modify R1 5 @ 13 on 13.05 -> ok                                  | ACTIVE
    restart                   -> nothing                             | ACTIVE
    price 13.05               -> R1 fires, E1 buy 5 @ 13             | TRIGGERED
    E1 acked                  -> nothing                             | TRIGGERED
    restart                   -> nothing                             | TRIGGERED
    price 13.05               -> nothing                             | TRIGGERED
    """,
    "somebody else's rule is none": """
    rule 10 @ 13.10 on 13.20  -> ok                                  | ACTIVE
    cancel R1 other           -> no: gtt_must_exist                  | ACTIVE
    cancel R2                 -> no: gtt_must_exist                  | ACTIVE
    modify R1 5 @ 13 on 13.05 other -> no: gtt_to_modify_must_exist  | ACTIVE
    modify R2 5 @ 13 on 13.05 -> no: gtt_to_modify_must_exist        | ACTIVE
    price 13.20               -> R1 fires, E1 buy 10 @ 13.1          | TRIGGERED
    """,
}

REFUSED: Final = {
    "rule 10 @ 13.10 on 13": Reason.GTT_TRIGGER_MUST_NOT_BE_LAST_PRICE,
    "rule 10 @ 13.10 on 13.2050": Reason.TRIGGER_PRICE_MUST_BE_ON_TICK,
    "rule 10 @ 13.1050 on 13.20": Reason.PRICE_MUST_BE_ON_TICK,
    "rule 0 @ 13.10 on 13.20": Reason.QUANTITY_MUST_BE_POSITIVE,
    "rule 10000000 @ 13.10 on 13.20": Reason.QUANTITY_MUST_BE_WITHIN_LIMIT,
    "rule 10 @ 13.10 on 13.20 elsewhere": Reason.INSTRUMENT_MUST_EXIST,
    "rule 10 @ 13.10 on 13.20 or 13.30": Reason.GTT_TRIGGERS_MUST_SURROUND_LAST_PRICE,
    "rule 10 @ 13.10 on 13.20 or 13": Reason.GTT_TRIGGERS_MUST_SURROUND_LAST_PRICE,
    "rule 10 @ 13.10 on 13.20 or 12.0050": Reason.GTT_STOP_TRIGGER_MUST_FIT,
    "rule 10 @ 13.10 on 13.20 last -1": Reason.EXPIRY_MUST_BE_AHEAD,
}
ELSEWHERE: Final = frozenset(  # Brought about over the wire, in tests/api.
    {
        Reason.CLIENT_MUST_HAVE_GTTS,
        Reason.GTT_STOP_QUANTITY_MUST_FIT,
        Reason.GTT_STOP_PRICE_MUST_FIT,
    }
)
TOLD: Final = (
    frozenset(REFUSED.values())
    | ELSEWHERE
    | {
        Reason.GTT_MUST_EXIST,
        Reason.GTT_TO_MODIFY_MUST_EXIST,
        Reason.GTT_MUST_BE_ACTIVE,
        Reason.EXPIRY_MUST_BE_WITHIN_LIMIT,
        Reason.GTTS_MUST_BE_FEWER,
    }
)


@pytest.mark.parametrize("name", SCENES)
def test_a_rule(name: str) -> None:
    """What happens to a rule is what the table says, both ways round, and after a replay."""
    check_scene(SCENES[name])


@pytest.mark.parametrize("words", REFUSED)
def test_what_no_rule_can_be(words: str) -> None:
    """The first reason that does not hold is told, and nothing is kept."""
    scene = GttScene()
    before = scene.engine.state_hash()
    assert scene.tell(words) == f"no: {REFUSED[words]} | none"
    assert scene.engine.state_hash() == before


def test_every_cell_is_reached_or_cannot_be() -> None:
    """The scenes enter each cell of the grid but those that are NEVER, and none of these."""
    visited = {cell for table in SCENES.values() for cell in check_scene(table)}
    possible = {
        (state, event)
        for state, row in GTT.items()
        for event, cell in row.items()
        if cell is not Illegal.NEVER
    }
    assert visited == possible


def test_a_rule_without_money_is_rejected_with_the_figures() -> None:
    """The order is taken and rejected, as any is; the rule says the same."""
    scene = GttScene(cash_paise=100)
    assert scene.tell("rule 10 @ 13.10 on 13.20") == "ok | ACTIVE"
    assert scene.tell("price 13.20") == "R1 fires, R1 refused 12001 | REJECTED"
    [rule] = scene.rules
    order = scene.engine.state.regulars[rule.order_id]
    assert (order.state.value, order.ended_code) == ("REJECTED", 12001)
    assert rule.reject_text == order.ended_reason
    assert "Margin ShortFall" in rule.reject_text


def test_a_refused_order_has_a_row_that_says_why() -> None:
    """What the rules refuse has nobody to be told to; so the order book tells it."""
    scene = GttScene()
    scene.tell("rule 10 @ 16 on 13.20")
    scene.tell("price 13.20")
    [rule] = scene.rules
    order = scene.engine.state.regulars[rule.order_id]
    assert (order.state.value, order.ended_code, order.ended_reason) == (
        "REJECTED",
        7001,
        "Price must be in band: outside 10.40 to 15.60",
    )
    assert scene.engine.state.clients["C"].blocked_paise == 0


def test_a_rule_and_its_order_are_one_record() -> None:
    """Trigger, order and request stand in one record, so a crash leaves all or nothing."""
    scene = GttScene()
    scene.tell("rule 10 @ 13.10 on 13.20")
    before = scene.journal.durable_sequence
    scene.tell("price 13.20")
    assert scene.journal.durable_sequence == before + 1


def test_a_price_that_reaches_nothing_leaves_no_record() -> None:
    """Watching costs no write."""
    scene = GttScene()
    scene.tell("rule 10 @ 13.10 on 13.20")
    before = scene.journal.durable_sequence
    scene.tell("price 13.10")
    assert scene.journal.durable_sequence == before


def test_nobody_watches_where_nobody_waits() -> None:
    """The price of an instrument is watched from the first rule to the end of the last."""
    scene = GttScene()
    watches = scene.engine.core.watches
    assert not watches(scene.item.key)
    scene.tell("rule 10 @ 13.10 on 13.20")
    scene.tell("rule 10 @ 13.10 on 12 or 14")
    assert watches(scene.item.key)
    assert not watches(stock(token=1).key)
    scene.tell("cancel R1")
    assert watches(scene.item.key)
    scene.tell("price 14")
    assert not watches(scene.item.key)
    assert not scene.engine.core.gtts.ends


def test_a_rule_is_due_when_its_last_day_is_over() -> None:
    """The engine is woken at midnight in India, not earlier."""
    scene = GttScene()
    scene.tell("rule 10 @ 13.10 on 13.20 last 1")
    due_ns = scene.engine.next_due_ns()
    assert due_ns == day_ends_ns(TODAY + 1)
    midnight = (due_ns + IST_OFFSET_SECONDS * NS_PER_SECOND) % (86_400 * NS_PER_SECOND)
    assert midnight == 0


def test_the_last_day_is_a_year_ahead_at_most() -> None:
    """Which is counted in days."""
    scene = GttScene()
    assert scene.tell("rule 10 @ 13.10 on 13.20 last 0") == "ok | ACTIVE"
    command: Any = scene._create("rule 10 @ 13.10 on 13.20")
    for day, told in ((20271124, None), (20271125, Reason.EXPIRY_MUST_BE_WITHIN_LIMIT)):
        assert days_of(day) - days_of(TODAY) == DAYS_MAX + (told is not None)
        outcome = scene.engine.execute(_with(command, expiry_day=day))
        assert (outcome.reason if isinstance(outcome, Refusal) else None) == told


def test_only_so_many_rules_are_active() -> None:
    """A rule that is over makes room, and one client's rules take none from another's."""
    scene = GttScene()
    for _ in range(GTTS_MAX):
        assert scene.tell("rule 1 @ 13.10 on 13.20").startswith("ok")
    assert scene.tell("rule 1 @ 13.10 on 13.20").startswith(f"no: {Reason.GTTS_MUST_BE_FEWER}")
    command: Any = _with(scene._create("rule 1 @ 13.10 on 13.20"), client_id="OTHER")
    assert not isinstance(scene.engine.execute(command), Refusal)
    scene.tell("cancel R7")
    assert scene.tell("rule 1 @ 13.10 on 13.20").startswith("ok")
    again = GttScene._engine(scene, scene.venue)
    again.recover()
    assert again.state.gtts.active_count("C") == GTTS_MAX


def test_a_snapshot_holds_rules_and_baskets() -> None:
    """An engine that starts from a snapshot has the same rules, and they still fire."""
    scene = GttScene()
    scene.tell("rule 10 @ 13.10 on 13.20")
    scene.tell("rule 10 @ 13.10 on 12 or 14")
    scene.tell("cancel R1")
    scene.engine.save_snapshot()
    scene.restart()
    assert scene.engine.replayed == 0
    assert scene.tell("price 12") == "R2 fires, E1 buy 10 @ 13.1 | CANCELLED TRIGGERED"


def _with(command: Any, **changes: Any) -> Any:
    fields = {name: getattr(command, name) for name in command.__struct_fields__}
    return type(command)(**fields | changes)


def test_an_id_is_never_given_twice() -> None:
    """Not to a client's next rule, nor to another client's, nor after a restart."""
    scene = GttScene()
    ids = set()
    for who in ("C", "OTHER", "C"):
        command = _with(scene._create("rule 1 @ 13.10 on 13.20"), client_id=who)
        ids.add(scene.engine.execute(command).subject)  # type: ignore[union-attr]
        scene.restart()
    assert len(ids) == 3
    assert isinstance(scene.engine.execute(OpenClient(client_id="C", cash_paise=0)), Refusal)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [GttState, GttEvent, Deny])
def test_every_word_of_the_grid_is_explained(words: Any) -> None:
    """Whatever stands in the grid or above it is said in prose what it means."""
    prose = "\n".join(
        line for line in DOCUMENT.read_text().splitlines() if not line.startswith("| `")
    )
    missing = [
        word.name
        for word in words
        if f"`{word.value}`" not in prose and f"*{word.value}*" not in prose
    ]
    assert missing == []
