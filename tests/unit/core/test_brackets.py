"""
Brackets: target and stop live at the same time, and together never trade more than the entry.

Each story is played for a long and a short position, and its journal is replayed; after every
line the core asserts its invariants.
"""

from typing import Any, Final

import pytest
from msgspec.structs import replace

from kavach.core.commands import CancelCoverOrder, Leg, ModifyCoverOrder, PlaceCoverOrder
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.units import OrderType, Pips, Product, Quantity, Side, Validity
from tests.unit.core.scenario import Scene, play
from tests.unit.core.stocks import stock

OPEN: Final = """
    place 100 @ 13 stopoff 1 targetoff 1 -> E1 buy 100 @ 13, ok     | ENTRY_SENT
    E1 acked                             -> nothing                 | ENTRY_OPEN
"""
COVERED_OPEN: Final = (
    OPEN
    + """
    E1 traded 40                         -> S1 sell 40 on 12        | COVERING
    S1 acked                             -> T2 sell 40 @ 14         | COVERED_OPEN
    T2 acked                             -> nothing                 | COVERED_OPEN
"""
)
COVERED: Final = (
    OPEN
    + """
    E1 traded 100                        -> S1 sell 100 on 12       | COVERING
    S1 acked                             -> T2 sell 100 @ 14        | COVERED
    T2 acked                             -> nothing                 | COVERED
"""
)
STORIES: Final = {
    "target and stop trade at once, the stop told first": COVERED
    + """
    T2 silently traded 30            -> nothing                    | COVERED
    S1 triggered                     -> cancel T2                  | TRIGGERED
    S1 traded 70                     -> nothing                    | TRIGGERED
    S1 unlinked                      -> nothing                    | TRIGGERED
    T2 asked                         -> nothing                    | EXITED
    """,
    "target and stop trade at once, the target told first": COVERED
    + """
    T2 traded 30                     -> nothing                    | COVERED
    S1 silently triggered            -> nothing                    | COVERED
    S1 traded 70                     -> nothing                    | TRIGGERED
    S1 unlinked                      -> nothing                    | TRIGGERED
    T2 unlinked                      -> nothing                    | EXITED
    """,
    "the end of a stop is told, and nothing else: the target is asked": COVERED
    + """
    T2 silently traded 100           -> nothing                    | COVERED
    S1 unlinked                      -> nothing                    | COVERING
    wait 1000ms                      -> alarm unknown, ask S1, ask T2, alarm naked | COVERING
    wait 500ms                       -> ask S1, ask T2             | COVERING
    T2 asked                         -> nothing                    | EXITED
    """,
    "a growing stop crosses a full fill of the smaller target": COVERED_OPEN
    + """
    E1 traded 60                     -> S1 to 100 on 12            | COVERING
    T2 traded 40                     -> nothing                    | COVERING
    S1 unlinked                      -> S3 sell 100 on 12          | COVERING
    S1 amend-refused                 -> nothing                    | COVERING
    S3 acked                         -> T4 sell 100 @ 14           | COVERED
    T4 acked                         -> nothing                    | COVERED
    """,
    "a growing stop crosses a part of the target": COVERED_OPEN
    + """
    E1 traded 60                     -> S1 to 100 on 12            | COVERING
    T2 traded 10                     -> nothing                    | COVERING
    S1 amended                       -> T2 to 100 @ 14             | COVERED
    T2 amended                       -> nothing                    | COVERED
    """,
    "a conversion crosses a fill of the target": COVERED
    + """
    C2                               -> out: user, cancel T2, S1 to 100 @ market, ok | EXITING
    T2 traded 60                     -> nothing                    | EXITING
    S1 amended                       -> nothing                    | EXITING
    S1 traded 40                     -> nothing                    | EXITING
    S1 unlinked                      -> nothing                    | EXITING
    T2 unlinked                      -> nothing                    | EXITED
    """,
    "a conversion crosses the target's last fill": COVERED
    + """
    C2                               -> out: user, cancel T2, S1 to 100 @ market, ok | EXITING
    T2 traded 100                    -> nothing                    | EXITING
    S1 unlinked                      -> nothing                    | EXITED
    S1 amend-refused                 -> nothing                    | EXITED
    """,
    "the last report of the stop is lost after the target traded all": COVERED
    + """
    T2 traded 100                    -> nothing                    | COVERED
    wait 1000ms                      -> alarm unknown, cancel S1, ask S1 | COVERED
    S1 asked                         -> nothing                    | EXITED
    """,
    "the last report of the target is lost after the stop traded all": COVERED
    + """
    S1 triggered                     -> cancel T2                  | TRIGGERED
    S1 traded 100                    -> nothing                    | TRIGGERED
    wait 1000ms                      -> alarm unknown, ask T2      | TRIGGERED
    T2 asked                         -> nothing                    | EXITED
    """,
    "a trade of the target is told twice": COVERED
    + """
    T2 traded 30                     -> nothing                    | COVERED
    T2 traded-again                  -> nothing                    | COVERED
    """,
    "a target that never arrived is sent again": OPEN
    + """
    E1 traded 100                    -> S1 sell 100 on 12          | COVERING
    S1 acked                         -> T2 sell 100 @ 14           | COVERED
    T2 lost                          -> nothing                    | COVERED
    wait 1000ms                      -> alarm unknown, ask T2      | COVERED
    T2 asked                         -> T3 sell 100 @ 14           | COVERED
    T3 acked                         -> nothing                    | COVERED
    """,
    "a target that was denied and lives is taken back": OPEN
    + """
    E1 traded 100                    -> S1 sell 100 on 12          | COVERING
    S1 acked                         -> T2 sell 100 @ 14           | COVERED
    T2 lost                          -> nothing                    | COVERED
    wait 1000ms                      -> alarm unknown, ask T2      | COVERED
    T2 asked                         -> T3 sell 100 @ 14           | COVERED
    T3 acked                         -> nothing                    | COVERED
    T2 acked                         -> alarm contradiction, cancel T2 | COVERED
    T2 cancelled                     -> nothing                    | COVERED
    T3 traded 100                    -> nothing                    | COVERED
    S1 unlinked                      -> nothing                    | EXITED
    """,
    "a doubtful target delays no stop": COVERED_OPEN
    + """
    E1 traded 20                     -> S1 to 60 on 12             | COVERING
    S1 amended                       -> T2 to 60 @ 14              | COVERED_OPEN
    wait 1000ms                      -> alarm unknown, ask T2      | COVERED_OPEN
    E1 traded 20                     -> S1 to 80 on 12             | COVERING
    S1 amended                       -> nothing                    | COVERED_OPEN
    T2 asked                         -> nothing                    | COVERED_OPEN
    """,
    "a link that is lost and comes back": COVERED_OPEN
    + """
    link lost                        -> nothing                    | COVERED_OPEN
    T2 silently traded 40            -> nothing                    | COVERED_OPEN
    link back                        -> cancel E1                  | COVERED_OPEN
    """,
    "the target trades, and the cancel of the remainder loses to its fill": COVERED_OPEN
    + """
    T2 traded 40                     -> cancel E1                  | COVERED_OPEN
    S1 unlinked                      -> nothing                    | COVERED_OPEN
    E1 traded 60                     -> S3 sell 100 on 12          | COVERING
    E1 cancel-refused                -> nothing                    | COVERING
    S3 acked                         -> T4 sell 100 @ 14           | COVERED
    T4 acked                         -> nothing                    | COVERED
    T4 traded 60                     -> nothing                    | COVERED
    S3 unlinked                      -> nothing                    | COVERED
    """,
    "a late fill after the bracket has ended": COVERED_OPEN
    + """
    T2 traded 40                     -> cancel E1                  | COVERED_OPEN
    S1 unlinked                      -> nothing                    | COVERED_OPEN
    E1 cancelled                     -> nothing                    | EXITED
    E1 traded-late 10                -> alarm resurrected, S3 sell 50 on 12 | COVERING
    S3 acked                         -> T4 sell 50 @ 14            | COVERED
    T4 acked                         -> nothing                    | COVERED
    """,
    "the session ends with both exits open, and the next one begins a new link": COVERED
    + """
    T2 traded 30                     -> nothing                    | COVERED
    end                              -> nothing                    | COVERED
    S1 expired                       -> nothing                    | COVERING
    T2 expired                       -> alarm carried              | CARRIED
    open                             -> alarm resumed, out: square_off,
    :                                   X3 sell 70 @ market        | EXITING
    X3 acked                         -> nothing                    | EXITING
    X3 traded 70                     -> nothing                    | EXITED
    """,
    "a price that has passed the stop on arrival: no target": OPEN
    + """
    price 11.9                       -> nothing                    | ENTRY_OPEN
    E1 traded 100                    -> out: breached_on_arrival, X1 sell 100 @ market | EXITING
    X1 acked                         -> nothing                    | EXITING
    X1 traded 100                    -> nothing                    | EXITED
    """,
    "a stop that trails leaves the target where it is": """
    place 100 @ 13 stopoff 1 targetoff 2 trail 0.05 -> E1 buy 100 @ 13, ok        | ENTRY_SENT
    E1 acked                         -> nothing                    | ENTRY_OPEN
    E1 traded 100                    -> S1 sell 100 on 12          | COVERING
    S1 acked                         -> T2 sell 100 @ 15           | COVERED
    T2 acked                         -> nothing                    | COVERED
    price 13.5                       -> S1 to 100 on 12.5          | COVERED
    S1 amended                       -> nothing                    | COVERED
    """,
    "the stop is lost while the target works on": COVERED
    + """
    S1 removed                       -> alarm stop_removed, ask T2, S3 sell 100 on 12 | UNPROTECTED
    T2 traded 100                    -> nothing                    | COVERED
    S3 rejected                      -> nothing                    | EXITED
    """,
    "nobody re-places the stop in time": COVERED
    + """
    S1 removed                       -> alarm stop_removed, ask T2, S3 sell 100 on 12 | UNPROTECTED
    S3 rejected                      -> alarm stop_refused, S4 sell 100 on 12 @ limit | UNPROTECTED
    S4 rejected                      -> nothing                    | UNPROTECTED
    wait 3000ms -> alarm naked, out: naked_too_long, cancel T2, X5 sell 100 @ market | EXITING
    T2 cancelled                     -> nothing                    | EXITING
    X5 acked                         -> nothing                    | EXITING
    X5 traded 100                    -> nothing                    | EXITED
    """,
    "square-off": COVERED_OPEN
    + """
    squareoff                        -> out: square_off, cancel E1, cancel T2 | EXITING
    E1 removed                       -> S1 to 40 @ market          | EXITING
    T2 cancelled                     -> nothing                    | EXITING
    S1 amended                       -> nothing                    | EXITING
    S1 traded 40                     -> nothing                    | EXITED
    """,
    "kill": COVERED_OPEN
    + """
    kill                             -> cancel E1                  | COVERED_OPEN
    E1 cancelled                     -> nothing                    | COVERED
    T2 traded 40                     -> nothing                    | COVERED
    S1 unlinked                      -> nothing                    | EXITED
    """,
    "cancel of the entry leaves both exits": COVERED_OPEN
    + """
    C1                               -> cancel E1, ok CANCEL_PENDING | COVERED_OPEN
    E1 cancelled                     -> nothing                    | COVERED
    T2 traded 40                     -> nothing                    | COVERED
    S1 unlinked                      -> nothing                    | EXITED
    """,
    "the price of the entry is changed before the first fill": OPEN
    + """
    C3 @ 13.2                        -> E1 to 100 @ 13.2, ok       | ENTRY_OPEN
    E1 amended                       -> nothing                    | ENTRY_OPEN
    E1 traded 100                    -> S1 sell 100 on 12.2        | COVERING
    S1 acked                         -> T2 sell 100 @ 14.2         | COVERED
    """,
    "a refused change of the price moves nothing": OPEN
    + """
    C3 @ 13.2                        -> E1 to 100 @ 13.2, ok       | ENTRY_OPEN
    E1 amend-refused                 -> nothing                    | ENTRY_OPEN
    E1 traded 100                    -> S1 sell 100 on 12          | COVERING
    S1 acked                         -> T2 sell 100 @ 14           | COVERED
    """,
    "a fill that crosses the change of the price": OPEN
    + """
    C3 @ 13.2                        -> E1 to 100 @ 13.2, ok       | ENTRY_OPEN
    E1 traded 10                     -> S1 sell 10 on 12           | COVERING
    E1 amended                       -> nothing                    | COVERING
    S1 acked                         -> T2 sell 10 @ 14            | COVERED_OPEN
    """,
    "new offsets": OPEN
    + """
    C3 stopoff 1.1 targetoff 0.5     -> ok                         | ENTRY_OPEN
    E1 traded 100                    -> S1 sell 100 on 11.9        | COVERING
    S1 acked                         -> T2 sell 100 @ 13.5         | COVERED
    """,
    "new offsets after a part has filled": COVERED_OPEN
    + """
    C3 stopoff 0.5 targetoff 2       -> S1 to 40 on 12.5, ok       | COVERED_OPEN
    S1 amended                       -> T2 to 40 @ 15              | COVERED_OPEN
    T2 amended                       -> nothing                    | COVERED_OPEN
    """,
    "a market entry": """
    place 100 stopoff 1 targetoff 1  -> E1 buy 100 @ market, ok    | ENTRY_SENT
    E1 acked                         -> nothing                    | ENTRY_OPEN
    E1 traded 100 @ 13.1             -> S1 sell 100 on 12          | COVERING
    S1 acked                         -> T2 sell 100 @ 14           | COVERED
    """,
    "a stop entry": """
    place 100 on 13.5 stopoff 1 targetoff 1 -> E1 buy 100 on 13.5 @ limit, ok | ENTRY_SENT
    E1 acked                         -> nothing                    | ENTRY_OPEN
    E1 triggered                     -> nothing                    | ENTRY_OPEN
    E1 traded 100 @ 13.6             -> S1 sell 100 on 12.5        | COVERING
    S1 acked                         -> T2 sell 100 @ 14.5         | COVERED
    T2 acked                         -> nothing                    | COVERED
    """,
    "out while the stop grows": COVERED_OPEN
    + """
    E1 traded 20                     -> S1 to 60 on 12             | COVERING
    C2                               -> out: user, cancel E1, cancel T2, ok | EXITING
    E1 removed                       -> nothing                    | EXITING
    S1 amended                       -> S1 to 60 @ market          | EXITING
    S1 amended                       -> nothing                    | EXITING
    S1 traded 60                     -> nothing                    | EXITING
    T2 unlinked                      -> nothing                    | EXITED
    """,
    "out while the stop grows, and both must carry on": COVERED_OPEN
    + """
    E1 traded 20                     -> S1 to 60 on 12             | COVERING
    C2                               -> out: user, cancel E1, cancel T2, ok | EXITING
    E1 removed                       -> nothing                    | EXITING
    S1 amend-refused                 -> S1 to 40 @ market, X3 sell 60 @ market | EXITING
    X3 acked                         -> nothing                    | EXITING
    S1 amended                       -> nothing                    | EXITING
    T2 cancelled                     -> nothing                    | EXITING
    X3 traded 60                     -> nothing                    | EXITING
    S1 unlinked                      -> nothing                    | EXITED
    """,
    "the link is of a session that ended unnoticed": COVERED_OPEN
    + """
    T2 traded 10                     -> cancel E1                  | COVERED_OPEN
    S1 silently expired              -> nothing                    | COVERED_OPEN
    T2 silently expired              -> nothing                    | COVERED_OPEN
    unheard-end                      -> nothing                    | COVERED_OPEN
    E1 traded 20                     -> S1 to 60 on 12             | COVERING
    S1 amend-refused                 -> S3 sell 60 on 12           | COVERING
    S3 rejected                      -> ask S1, ask T2, cancel T2  | COVERING
    S1 asked                         -> alarm stop_removed, ask T2, S4 sell 20 on 12 | UNPROTECTED
    T2 asked                         -> alarm target_removed       | UNPROTECTED
    S4 acked                         -> S5 sell 50 on 12           | UNPROTECTED
    """,
}
ITEM: Final = stock(freeze=200)
BRACKET: Final = PlaceCoverOrder(
    client_id="C",
    instrument=ITEM.key,
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Quantity(100),
    disclosed_quantity=Quantity(0),
    price_pips=Pips(130_000),
    trigger_price_pips=Pips(0),
    validity=Validity.DAY,
    product=Product.MIS,
    stop_price_pips=Pips(0),
    trailing_step_pips=Pips(0),
    user_order_id=1,
    bracket=True,
    stop_offset_pips=Pips(10_000),
    target_offset_pips=Pips(10_000),
)
WRONG: Final[tuple[tuple[Reason, dict[str, Any]], ...]] = (
    (Reason.QUANTITY_MUST_BE_WITHIN_LIMIT, {"quantity": Quantity(201)}),
    (Reason.STOP_MUST_BE_ON_TICK, {"stop_offset_pips": Pips(10_050)}),
    (Reason.STOP_MUST_BE_IN_BAND, {"stop_offset_pips": Pips(50_000)}),
    (Reason.STOP_MUST_BE_POSITIVE, {"stop_offset_pips": Pips(130_000)}),
    (Reason.STOP_MUST_BE_ON_LOSING_SIDE, {"stop_offset_pips": Pips(0)}),
    (Reason.TARGET_MUST_BE_POSITIVE, {"target_offset_pips": Pips(0)}),
    (Reason.TARGET_MUST_BE_ON_TICK, {"target_offset_pips": Pips(10_050)}),
    (Reason.TARGET_MUST_BE_IN_BAND, {"target_offset_pips": Pips(50_000)}),
)
REASONS: Final = frozenset(
    {reason for reason, _ in WRONG}
    | {
        Reason.TARGET_MUST_BE_ON_WINNING_SIDE,
        Reason.BRACKET_MUST_BE_OFFERED,
        Reason.EXECUTION_TYPE_MUST_MATCH,
        Reason.LEG_MUST_EXIST,
    }
)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_a_story(story: str) -> None:
    """What happens to a bracket causes all that is written, and nothing else."""
    assert play(story)


@pytest.mark.parametrize(("reason", "change"), WRONG, ids=[reason for reason, _ in WRONG])
@pytest.mark.parametrize("side", Side)
def test_what_a_bracket_must_be(side: Side, reason: Reason, change: dict[str, Any]) -> None:
    """A bracket that is wrong in one way is refused for that, and changes nothing."""
    if side is Side.SELL and reason in (Reason.STOP_MUST_BE_POSITIVE,):
        reason = Reason.STOP_MUST_BE_IN_BAND  # Above the price nothing is below zero.
    scene = Scene(side, ITEM)
    right = replace(BRACKET, side=side)
    before = scene.engine.state_hash()
    assert scene.engine.execute(replace(right, **change)) == Refusal(reason)
    assert scene.engine.state_hash() == before
    assert isinstance(scene.engine.execute(right), Answer)


def test_a_short_bracket_whose_target_is_below_zero() -> None:
    """A target that would be no price at all is refused by its own name."""
    scene = Scene(Side.SELL, ITEM)
    low = replace(BRACKET, side=Side.SELL, target_offset_pips=Pips(140_000))
    assert scene.engine.execute(low) == Refusal(Reason.TARGET_MUST_BE_POSITIVE)


def _covered() -> tuple[Scene, int]:
    scene = Scene(item=ITEM)
    for words in ("place 100 @ 13 stopoff 1 targetoff 1", "E1 acked", "E1 traded 40", "S1 acked"):
        scene.tell(words)
    assert scene.cover is not None
    return scene, scene.cover.order_id


def _modify(scene: Scene, order_id: int, **what: Any) -> Outcome:
    before = scene.engine.state_hash()
    outcome = scene.engine.execute(ModifyCoverOrder(client_id="C", order_id=order_id, **what))
    if isinstance(outcome, Refusal):
        assert scene.engine.state_hash() == before
    return outcome


def test_legs_and_kinds_must_match() -> None:
    """A bracket has three legs and a cover order two; who takes one for the other is told."""
    scene, bracket = _covered()
    assert scene.cover is not None
    cancel = CancelCoverOrder(
        client_id="C",
        order_id=bracket,
        leg=Leg.SECOND,
        exchange_order_id=scene.cover.entries[0].exchange_order_id,
    )
    wrong_kind = replace(cancel, bracket=False)
    assert scene.engine.execute(wrong_kind) == Refusal(Reason.EXECUTION_TYPE_MUST_MATCH)
    kind = _modify(scene, bracket, bracket=False, leg=Leg.THIRD)
    assert kind == Refusal(Reason.EXECUTION_TYPE_MUST_MATCH)
    for order_id, leg in (
        (scene.cover.exit_of(Leg.SECOND).order_id, Leg.THIRD),
        (scene.cover.stop.order_id, Leg.SECOND),
    ):
        assert _modify(scene, order_id, leg=leg) == Refusal(Reason.LEG_MUST_MATCH_ID)
    plain = Scene()
    plain.tell("place 100 @ 13 stop 12")
    assert plain.cover is not None
    second = replace(cancel, order_id=plain.cover.order_id)
    assert plain.engine.execute(second) == Refusal(Reason.LEG_MUST_EXIST)
    assert _modify(plain, plain.cover.order_id, leg=Leg.SECOND) == Refusal(Reason.LEG_MUST_EXIST)


def test_where_a_target_may_go() -> None:
    """What has been bought may be sold below its price, but not where the stop would sell it."""
    scene, bracket = _covered()
    low = _modify(scene, bracket, leg=Leg.SECOND, price_pips=Pips(120_000))
    assert isinstance(low, Refusal) and low.reason is Reason.TARGET_MUST_BE_ON_WINNING_SIDE
    assert isinstance(_modify(scene, bracket, leg=Leg.SECOND, price_pips=Pips(120_100)), Answer)
    assert scene.cover is not None
    assert (
        scene.cover.exit_of(Leg.SECOND).price_pips,
        scene.cover.exit_of(Leg.SECOND).offset_pips,
    ) == (120_100, 9_900)
    empty = Scene(item=ITEM)
    empty.tell("place 100 @ 13 stopoff 1 targetoff 1")
    assert empty.cover is not None
    low = _modify(empty, empty.cover.order_id, leg=Leg.SECOND, price_pips=Pips(129_900))
    assert isinstance(low, Refusal) and low.reason is Reason.TARGET_MUST_BE_ON_WINNING_SIDE


def test_a_bracket_does_not_grow_beyond_one_order() -> None:
    """A change of quantity keeps each leg one order at the exchange, and prices in the band."""
    scene, bracket = _covered()
    too_many = _modify(scene, bracket, quantity=Quantity(201))
    assert too_many == Refusal(Reason.QUANTITY_MUST_BE_WITHIN_LIMIT)
    empty = Scene(item=ITEM)
    empty.tell("place 100 @ 13 stopoff 1 targetoff 1")
    empty.tell("E1 acked")
    assert empty.cover is not None
    far = _modify(empty, empty.cover.order_id, price_pips=Pips(ITEM.band_high_pips))
    assert isinstance(far, Refusal) and far.reason is Reason.TARGET_MUST_BE_IN_BAND


def test_rows_have_ids_of_their_own() -> None:
    """Each leg is found under an id that is given with the first fill, also after a restart."""
    scene, bracket = _covered()
    cover = scene.cover
    assert cover is not None
    found = [
        scene.engine.state.leg(order_id)
        for order_id in (bracket, cover.exit_of(Leg.SECOND).order_id)
    ]
    assert found == [(cover, Leg.ENTRY), (cover, Leg.SECOND)]
    assert scene.engine.state.leg(cover.stop.order_id) == (cover, Leg.THIRD)
    assert scene.engine.state.leg(cover.basket_id) is None
    scene.engine.save_snapshot()
    scene.check_replay()
    assert (
        len({bracket, cover.exit_of(Leg.SECOND).order_id, cover.stop.order_id, cover.basket_id})
        == 4
    )
