"""
Where a bracket's stop and target shall stand: offsets from the entry's price, made into prices.

A client says how far from the entry's price it wants to be out, on either side. The price is the
entry's own (LIMIT, SL), its trigger (SLM), or the last traded (MARKET), as for margin; until
the first fill, stop and target follow it when it is changed. From then on they stand where they
stand, whatever the entry was filled at.

Prices and offsets are pips.

Source: docs/wire/brackets.md; docs/wire/README.md, "Rows"; docs/wire/README.md, "Decisions";
docs/spec/cover_order.md (brackets).
"""

from msgspec.structs import replace

from kavach.core.commands import Leg, ModifyCoverOrder, PlaceCoverOrder
from kavach.core.events import StopPlanned
from kavach.core.model.cover.events import TargetPlanned
from kavach.core.model.cover.offsets import from_reference
from kavach.core.model.cover.order import CoverOrder
from kavach.core.refusals import Reason, Refusal
from kavach.core.rules.context import StepContext
from kavach.instruments import Instrument
from kavach.units import Pips, Side


def priced(command: PlaceCoverOrder, reference_pips: int) -> tuple[PlaceCoverOrder, Pips]:
    """Return the command with its stop's price, and the target's price; 0 if it is no bracket."""
    if not command.bracket:
        return command, Pips(0)
    stop, target = from_reference(
        command.side, reference_pips, command.stop_offset_pips, command.target_offset_pips
    )
    return replace(command, stop_price_pips=stop), target


def check_bracket(
    command: PlaceCoverOrder, instrument: Instrument, target_pips: int, reference_pips: int
) -> Reason | None:
    """Return why a bracket cannot be placed, beyond what holds for every cover order."""
    if not command.bracket:
        return None
    if command.target_offset_pips == 0:
        return Reason.TARGET_MUST_BE_POSITIVE
    return check_target(instrument, command.side, target_pips, reference_pips)


def check_target(
    instrument: Instrument, side: Side, target_pips: int, beyond_pips: int
) -> Reason | None:
    """Return why a target cannot stand at this price: on tick, in band, on the winning side."""
    if target_pips <= 0:
        return Reason.TARGET_MUST_BE_POSITIVE
    if target_pips % instrument.tick_pips:
        return Reason.TARGET_MUST_BE_ON_TICK
    if not instrument.band_low_pips <= target_pips <= instrument.band_high_pips:
        return Reason.TARGET_MUST_BE_IN_BAND
    if target_pips <= beyond_pips if side is Side.BUY else target_pips >= beyond_pips:
        return Reason.TARGET_MUST_BE_ON_WINNING_SIDE
    return None


def modify_target(
    context: StepContext, cover: CoverOrder, command: ModifyCoverOrder
) -> Refusal | None:
    """Plan the target anew; return a refusal, or None. The target follows when it can."""
    planned = planned_target(
        context, cover, command.target_offset_pips, command.price_pips, cover.reference_price_pips
    )
    if isinstance(planned, Reason):
        return Refusal(planned, by="" if command.price_pips is None else "price_pips")
    if planned is not None:
        context.emit(planned)
    return None


def planned_target(
    context: StepContext,
    cover: CoverOrder,
    offset_pips: int | None,
    price_pips: int | None,
    reference_pips: int,
) -> TargetPlanned | Reason | None:
    """Return the new plan of the target, None when nothing changes, or why it cannot be.

    ``reference_pips`` is what the entry's price is to be; the plan goes by what it is now, and
    follows when the venue has changed it. A price or an offset that is as it was asks for nothing:
    a row that is sent back changes only what is different; of two a price goes first. For a target
    that was lost, any word of it asks for it again.
    """
    planned = cover.exit_of(Leg.SECOND)
    target, offset = planned.price_pips, planned.offset_pips
    again = planned.lost and not (price_pips is None and offset_pips is None)
    if price_pips == target:
        price_pips = None
    if offset_pips == offset:
        offset_pips = None
    if price_pips is not None:
        target, offset = price_pips, abs(price_pips - cover.reference_price_pips)
    elif offset_pips is not None:
        offset = offset_pips
        target = from_reference(cover.side, cover.reference_price_pips, 0, offset)[1]
    elif not again and (cover.entry_filled or reference_pips == cover.reference_price_pips):
        return None
    instrument = context.state.instruments[cover.instrument]
    if offset == 0 and price_pips is None:
        return Reason.TARGET_MUST_BE_POSITIVE
    # What has been bought may be sold below its price, but not where the stop would sell it.
    beyond = cover.stop.price_pips if cover.entry_filled else cover.reference_price_pips
    reason = check_target(instrument, cover.side, target, beyond)
    if reason is None and cover.entry_filled == 0:
        then = from_reference(cover.side, reference_pips, 0, offset)[1]
        reason = check_target(instrument, cover.side, then, reference_pips)
    if reason is not None:
        return reason
    same = (target, offset) == (planned.price_pips, planned.offset_pips)
    return None if same and not again else TargetPlanned(cover.order_id, Pips(target), Pips(offset))


def in_force(
    cover: CoverOrder, command: ModifyCoverOrder, planned: StopPlanned | None
) -> StopPlanned | None:
    """Return a bracket's plan of the stop as long as the entry's price is what it is now.

    Before the first fill the plan follows the price, once the venue has changed that.
    """
    if planned is None or cover.entry_filled:
        return planned
    offset = command.stop_offset_pips or cover.stop.offset_pips
    stop = from_reference(cover.side, cover.reference_price_pips, offset, 0)[0]
    step = planned.trailing_step_pips
    if (offset, step) == (cover.stop.offset_pips, cover.trailing_step_pips):
        return None
    return StopPlanned(cover.order_id, stop, step, Pips(offset), Pips(offset))


def stop_from(cover: CoverOrder, command: ModifyCoverOrder, reference_pips: int) -> int | None:
    """Return where a command wants the stop, None if it does not name it.

    For a bracket that holds nothing yet, a new price of the entry moves it.
    """
    if not cover.is_bracket or command.stop_price_pips is not None:
        return command.stop_price_pips
    offset = command.stop_offset_pips
    if offset is None or offset == cover.stop.offset_pips:
        if cover.entry_filled or reference_pips == cover.reference_price_pips:
            return None
        offset = Pips(cover.stop.offset_pips)
    return from_reference(cover.side, reference_pips, offset, 0)[0]
