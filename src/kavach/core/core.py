"""
The rules of the order management system: what a command or a report leads to.

``Core`` is a pure machine. Time comes in with ``begin``, prices through ``prices``; what goes
out is events (to be journaled) and requests (to be sent once they are). It reads no clock,
draws no chance and does no I/O, so the same inputs always end in the same state.

A step of the engine is: ``begin``, ``handle`` one command, then ``report`` whatever the venue
answers to the requests, until there are none, then ``conclude``: only then is it known what
became of the command, and that is what the client gets.

Source: docs/spec/cover_order.md, "States"; docs/wire/README.md, "Cancelling and getting out".
"""

from collections.abc import Callable, Collection
from typing import Any, Final, cast

from kavach.core import events as e
from kavach.core.commands import (
    BeginPhase,
    CancelCoverOrder,
    Command,
    EndSession,
    Kill,
    LoseLink,
    ModifyCoverOrder,
    MovePrice,
    OpenClient,
    OpenSession,
    PlaceCoverOrder,
    ReachTime,
    RenewToken,
    RestoreLink,
    SquareOff,
    StopCovers,
)
from kavach.core.model.baskets import commands as basket_commands
from kavach.core.model.cover.exit_group import could_have_traded
from kavach.core.model.cover.order import CoverOrder
from kavach.core.model.gtt import commands as gtt_commands
from kavach.core.model.limits.commands import ChooseLimits, RegisterAlgo
from kavach.core.model.money.commands import ConvertPosition, GrantHoldings
from kavach.core.model.orders.parent_order import ParentOrder
from kavach.core.model.orders.venue_order import LINK_CODES, VenueOrder
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.model.sessions import CLOSING
from kavach.core.model.state import OmsState
from kavach.core.refusals import Answer, Outcome, Reason, Refusal
from kavach.core.rules.advance import advance, arm, schedule
from kavach.core.rules.baskets import requests as baskets
from kavach.core.rules.context import StepContext
from kavach.core.rules.cover.clock import pass_price
from kavach.core.rules.cover.naked_time import Gaps
from kavach.core.rules.cover.requests import (
    cancel_cover_order,
    modify_cover_order,
    place_cover_order,
)
from kavach.core.rules.cover.requests import conclude as conclude_cover
from kavach.core.rules.cover.resume import resume_carried
from kavach.core.rules.decisions import EXEC_TYPE, ClockEvent, ReportEffect
from kavach.core.rules.gtt import requests as gtts
from kavach.core.rules.gtt.triggering import look_again, price_moved, session_ended, time_reached
from kavach.core.rules.keyed import keyed
from kavach.core.rules.limits.requests import choose_limits, register_algo
from kavach.core.rules.money.convert import check_gift, convert_position, give, grant_holdings
from kavach.core.rules.money.day_end import midnight, session_over, settle_days
from kavach.core.rules.orders.deduplication import denied, is_new, missing_reports
from kavach.core.rules.orders.evidence import proves_change
from kavach.core.rules.orders.turns import note_leaving
from kavach.core.rules.orders.unacknowledged import (
    ask_siblings,
    compare_unasked,
    query_unacknowledged,
)
from kavach.core.rules.pending import PendingRequest
from kavach.core.rules.people.requests import PEOPLE_HANDLE
from kavach.core.rules.policies import POLICIES
from kavach.core.rules.regular.requests import cancel_order, modify_order, place_order
from kavach.core.rules.regular.requests import conclude as conclude_regular
from kavach.core.rules.regular.square_off import square_off_rest, square_off_sessions
from kavach.instruments import sessions_of
from kavach.units import InstrumentKey, Phase, Quantity

_NEVER: Final = ReportEffect.NEVER
_NOTED: Final = ReportEffect.NOTED


class Core(StepContext):
    """Decides; keeps the state by its own events only."""

    def __init__(self, state: OmsState) -> None:
        super().__init__(state, POLICIES)
        self.gaps = Gaps()

    # --- What a step consists of --------------------------------------------------------------

    def begin(self, at_ns: int) -> None:
        """Start a step at a time that is not before the last."""
        assert not self.requests, "the last step was not finished"
        assert at_ns >= self.now_ns, "time runs forwards"
        self.now_ns = at_ns
        self.events = []
        self.refused.clear()
        self.changed_orders.clear()
        self.days_over.clear()

    def handle(self, command: Command) -> PendingRequest | Refusal:
        """Decide on a command: a refusal that changed nothing, or a ticket to conclude."""
        return _HANDLE[type(command)](self, command)

    def on_report(self, said: e.ExecutionReport) -> None:
        """Take a report of one order, unsolicited or in answer to a query."""
        if type(said) is e.OrderStatus or type(said) is e.OrderAbsent:
            self._compare(said)
        else:
            self.report(cast(e.Report, said))

    def _compare(self, status: e.OrderStatus | e.OrderAbsent) -> None:
        """Take the reports that a status implies and that never came."""
        state = self.state
        order = state.orders[status.tag]
        if isinstance(status, e.OrderStatus):
            self._check_identity(order, status.exchange_order_id)
        parent = state.parents[order.parent_id]
        before = parent.state
        reported = list(missing_reports(order, status, state.settings.t_absent_ns))
        for report in reported:
            self._take(parent, order, report)
        if reported:
            advance(self, parent, before)  # Once, when all of them are applied.
            if type(parent) is RegularOrder:
                square_off_rest(self, parent)

    def report(self, report: e.Report) -> None:
        """Take a report of one order; what is known already changes nothing (INV-10)."""
        order = self.state.orders[report.tag]
        parent = self.state.parents[order.parent_id]
        before = parent.state
        if self._take(parent, order, report):
            advance(self, parent, before)
            if type(parent) is RegularOrder:
                square_off_rest(self, parent)

    def _take(self, parent: ParentOrder, order: VenueOrder, report: e.Report) -> bool:
        """Apply a report that is new, and return whether it was."""
        if type(report) is e.OrderAccepted:
            self._check_identity(order, report.exchange_order_id)
        if not is_new(parent, order, report):
            return False
        if type(report) is e.OrderRejected and order.filled_quantity:
            # It traded, so it lived: this rejection is its end.
            report = e.OrderClosed(
                report.tag,
                Quantity(order.filled_quantity),
                e.Closing.REMOVED,
                report.code,
                report.reason,
            )
        elif type(report) is e.OrderTraded:
            if proves_change(order, order.amend, report):
                self._take(parent, order, e.OrderAmended(order.tag, order.serial))
            elif proves_change(order, order.unproven, report):
                self.emit(e.OrderAmended(order.tag, order.serial))
            self._check_trade(parent, order, report)
        before = parent.state
        policy = self.policies[type(parent)]
        effects = policy.reports[order.leg][before]
        exec_type = EXEC_TYPE.get(type(report))
        effect = _NOTED if exec_type is None else effects.get(exec_type, _NOTED)
        assert effect is not _NEVER, f"{parent.order_id}: {report} in {before}"
        if type(report) is e.OrderAmendRefused or type(report) is e.OrderCancelRefused:
            self.refused[report.tag] = (report.code, report.reason)
        refused_before = order.cancel_refused_at_ns
        policy.apply_report(self, parent, order, report, effect)
        if type(report) is e.OrderCancelRefused and not order.waits:
            # Twice refused: perhaps it is gone, and the report of that is lost (INV-8). What is
            # linked is asked about at once: as long as it counts, no stop may stand beside it.
            if refused_before or order.link:
                self.send(e.OrderQuerySent(order.tag))
        elif type(report) is e.OrderClosed and order.link:
            self._ask_what_is_left(parent, order)
        return True

    def _ask_what_is_left(self, parent: ParentOrder, order: VenueOrder) -> None:
        """Ask about the others of a link of which the venue has taken one out: they may be gone.

        At the end of a session that is no question; then all of them are.
        """
        instrument = self.state.instruments[parent.instrument]
        continuous = self.state.sessions.is_continuous(instrument)
        if order.removed and order.code not in LINK_CODES and continuous:
            ask_siblings(self, parent, order)

    def conclude(self, pending: PendingRequest | Refusal) -> Outcome:
        """Return what became of a command, now that every request is answered or on its way."""
        if type(pending) is Refusal:
            return pending
        assert type(pending) is PendingRequest
        outcome = self.review(pending)
        if pending.key and isinstance(outcome, Answer) and not outcome.replayed:
            self.emit(
                e.RequestAnswered(
                    pending.client_id,
                    pending.key,
                    pending.fingerprint,
                    outcome.order_id,
                    outcome.basket_id,
                    outcome.state,
                    outcome.reason,
                    outcome.subject,
                )
            )
        return outcome

    def review(self, pending: PendingRequest) -> Outcome:
        """Return what became of a command by now; changes nothing."""
        if pending.answer is not None:
            return pending.answer
        if pending.parent is None:
            return Answer(0, 0, "")
        return _CONCLUDE[type(pending.parent)](self, pending)

    def finish(self) -> None:
        """Settle the days that have ended and arrange the next calls; the step is over."""
        if self.days_over:
            settle_days(self)
            self.state.derived.clear()
        schedule(self)

    def _check_identity(self, order: VenueOrder, exchange_order_id: str) -> None:
        """Deal with an order that the venue has twice, or has after denying it."""
        parent = self.state.parents[order.parent_id]
        if denied(order):
            self.alarm(
                parent, e.Alarm.CONTRADICTION, f"{exchange_order_id} lives after it was denied"
            )
            before = parent.state
            if parent.over:
                self.emit(self.policies[type(parent)].reopened(parent.order_id))
            self.emit(e.OrderResurfaced(order.tag, exchange_order_id))
            if order.is_entry and parent.cancel_source is None:
                self.emit(e.EntryCancelRequested(parent.order_id, e.Source.RESURFACED))
            advance(self, parent, before)
        elif order.exchange_order_id not in ("", exchange_order_id):
            self.alarm(parent, e.Alarm.STRAY, f"the venue has it twice: {exchange_order_id}")
            self.send(e.StrayCancelSent(order.tag, exchange_order_id))

    def _check_trade(self, parent: ParentOrder, order: VenueOrder, trade: e.OrderTraded) -> None:
        """Raise an alarm for a trade that the order could not make; it is booked all the same."""
        if denied(order):
            self._check_identity(order, "")
        could = could_have_traded(parent.exits, order) if order.link else order.leaves_max
        if trade.quantity > could and not (order.is_entry and order.closed):
            text = f"{trade.quantity} traded where {could} could"
            self.alarm(parent, e.Alarm.CONTRADICTION, text)

    # --- Being called again -------------------------------------------------------------------

    def next_due_ns(self) -> int | None:
        """Return when the next timer is due, if any is."""
        due_ns, day_ends_ns = self.timers.next_due_ns(), self.state.day_ends_ns
        if day_ends_ns is not None and (due_ns is None or day_ends_ns < due_ns):
            due_ns = day_ends_ns
        if not self.gtts.ends:  # Asked with every command: where no rule waits, it costs nothing.
            return due_ns
        ends_ns = self.gtts.ends[0][0]
        return ends_ns if due_ns is None or ends_ns < due_ns else due_ns

    def watches(self, instrument: InstrumentKey) -> bool:
        """Return whether some cover order or GTT rule wants to know this instrument's price."""
        return self.gtts.watches(instrument) or bool(self.timers.watchers(instrument))

    def recovered(self, at_ns: int, real_ns: int = 0) -> None:
        """Arm timers and price watches anew after a replay or a snapshot."""
        self.gaps.recovered(self.state.every_cover(), real_ns)
        self.now_ns = max(self.now_ns, at_ns)
        living = self._all_living()
        for parent in living:
            parent.check()
            note_leaving(self, parent)
        for parent in living:
            arm(self, parent)
        for rule in self.state.gtts.rules.values():
            rule.check()
            if rule.active:
                self.gtts.arm(rule)

    # --- Commands that are not a client's question --------------------------------------------

    def open_client(self, command: OpenClient) -> PendingRequest | Refusal:
        """Open an account."""
        if command.client_id in self.state.clients:
            return Refusal(Reason.CLIENT_MUST_BE_NEW, command.client_id)
        reason = check_gift(self, (), command.holdings)
        if reason is not None:
            return Refusal(reason)
        self.emit(
            e.ClientOpened(
                command.client_id,
                command.cash_paise,
                command.token_digest,
                command.password_digest,
                command.pin_digest,
                command.totp_secret,
            )
        )
        give(self, command.client_id, command.holdings)
        return PendingRequest()

    def renew_token(self, command: RenewToken) -> PendingRequest | Refusal:
        """Replace a client's standing token."""
        client = self.state.clients.get(command.client_id)
        if client is None:
            return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
        if client.token_digest != command.token_digest:
            self.emit(e.TokenRenewed(command.client_id, command.token_digest))
        return PendingRequest()

    def reach_time(self, command: ReachTime) -> PendingRequest:
        """Do what is due, in order."""
        midnight(self)
        while (order_id := self.timers.take_due(self.now_ns)) is not None:
            parent = self.state.parents[order_id]
            before = parent.state
            orders = () if self.state.venue_disconnected else parent.entries + parent.exits
            for order in orders:
                if order.waits:
                    query_unacknowledged(self, parent, order)
            advance(self, parent, before)
            for order in orders:
                compare_unasked(self, order)  # Of those of which nothing is awaited, still.
        if self.gtts.ends:
            time_reached(self)
        return PendingRequest()

    def move_price(self, command: MovePrice) -> PendingRequest:
        """Trail, or act for a stop that is not at the venue."""
        for cover in self.timers.watchers(command.instrument):
            assert isinstance(cover, CoverOrder), "only cover orders watch prices"
            before = cover.state
            pass_price(self, cover, command.price_pips)
            advance(self, cover, before)
        price_moved(self, command.instrument, command.price_pips)
        return PendingRequest()

    def square_off(self, command: SquareOff) -> PendingRequest:
        """Stop entries in a session and flatten what is intraday there (T1)."""
        names = sessions_of(command.exchange, command.session)
        self.emit(e.EntriesStopped(command.exchange, command.session))
        self._pass_moment_in(names, ClockEvent.SQUARE_OFF, e.Source.SQUARE_OFF)
        square_off_sessions(self, names)
        return PendingRequest()

    def begin_phase(self, command: BeginPhase) -> PendingRequest:
        """Begin a phase of an auction; a closing one begins with the expiry of the stops."""
        names = sessions_of(command.exchange, command.session)
        closing = command.phase in CLOSING and any(
            self.state.sessions.phase(name) not in CLOSING for name in names
        )
        self.emit(e.PhaseBegan(command.exchange, command.phase, command.session))
        if closing:
            self._pass_moment_in(names, ClockEvent.AUCTION, e.Source.SQUARE_OFF)
        else:
            for parent in self._living(names):
                advance(self, parent, parent.state)
        if command.phase is Phase.CLOSING_AUCTION:
            square_off_sessions(self, names)
        return PendingRequest()

    def end_session(self, command: EndSession) -> PendingRequest:
        """End a session of an exchange; the venue expires what rests there."""
        names = sessions_of(command.exchange, command.session)
        session_over(self, command.exchange, names)
        self.emit(e.SessionEnded(command.exchange, command.session))
        self._pass_moment_in(names, ClockEvent.SESSION_END, e.Source.SESSION_END)
        session_ended(self, names)
        return PendingRequest()

    def open_session(self, command: OpenSession) -> PendingRequest:
        """Open a session of an exchange; what was left over is met again."""
        names = sessions_of(command.exchange, command.session)
        self.emit(e.SessionOpened(command.exchange, command.session))
        self._pass_moment_in(names, ClockEvent.OPENING, e.Source.USER)
        resume_carried(self, names)
        look_again(self)
        return PendingRequest()

    def stop_covers(self, command: StopCovers) -> PendingRequest:
        """Take no new cover order in a session until the next one."""
        self.emit(e.CoversStopped(command.exchange, command.session))
        return PendingRequest()

    def lose_link(self, command: LoseLink) -> PendingRequest:
        """Take every request in flight for unknown, and send nothing until the link is back (D)."""
        if not self.state.venue_disconnected:
            self.emit(e.LinkLost())
            for parent in self._all_living():
                before = parent.state
                for order in parent.entries + parent.exits:
                    if order.waits and not order.doubted:
                        self.emit(e.OrderDoubted(order.tag))
                advance(self, parent, before)
        return PendingRequest()

    def restore_link(self, command: RestoreLink) -> PendingRequest:
        """Note that the venue is reachable; what is owed is sent once its orders are compared."""
        if self.state.venue_disconnected:
            self.emit(e.LinkRestored())
        return PendingRequest()

    def unacknowledged_tags(self) -> list[int]:
        """Return the orders that a snapshot must speak of: all that are not known dead."""
        return [
            order.tag
            for parent in self._all_living()
            for order in parent.entries + parent.exits
            if not order.dead
        ]

    def resume(self) -> None:
        """Send what every order is owed, after the venue's orders were compared."""
        for parent in self._all_living():
            advance(self, parent, parent.state)
        square_off_sessions(self, self.state.sessions.entries_stopped)  # It may be time by now.
        look_again(self)

    def _all_living(self) -> list[ParentOrder]:
        return self.state.index.all_living()

    def kill(self, command: Kill) -> PendingRequest | Refusal:
        """Throw a client's kill switch: entries go, stops stay (K)."""
        if command.client_id not in self.state.clients:
            return Refusal(Reason.CLIENT_MUST_EXIST, command.client_id)
        self.emit(e.ClientKilled(command.client_id))
        for parent in self.state.living_of(command.client_id):
            if not parent.over:  # It may have ended by what became of one before it.
                self._pass_moment(parent, ClockEvent.KILL, e.Source.KILL)
        return PendingRequest()

    def _living(self, names: Collection[str]) -> list[ParentOrder]:
        instruments = self.state.instruments
        return [
            parent
            for parent in self._all_living()
            if instruments[parent.instrument].session in names
        ]

    def _pass_moment_in(self, names: Collection[str], moment: ClockEvent, source: e.Source) -> None:
        for parent in self._living(names):
            self._pass_moment(parent, moment, source)

    def _pass_moment(self, parent: ParentOrder, moment: ClockEvent, source: e.Source) -> None:
        """Do what a moment of the day asks of an order."""
        before = parent.state
        self.policies[type(parent)].pass_moment(self, parent, moment, source)
        advance(self, parent, before)


_CONCLUDE: Final[dict[type[ParentOrder], Callable[[Core, PendingRequest], Outcome]]] = {
    CoverOrder: conclude_cover,
    RegularOrder: conclude_regular,
}
_HANDLE: Final[dict[type, Callable[[Core, Any], PendingRequest | Refusal]]] = {
    OpenClient: Core.open_client,
    RenewToken: Core.renew_token,
    PlaceCoverOrder: keyed(place_cover_order),
    ModifyCoverOrder: keyed(modify_cover_order),
    CancelCoverOrder: keyed(cancel_cover_order),
    PlaceOrder: keyed(place_order),
    ModifyOrder: keyed(modify_order),
    CancelOrder: keyed(cancel_order),
    ReachTime: Core.reach_time,
    MovePrice: Core.move_price,
    StopCovers: Core.stop_covers,
    SquareOff: Core.square_off,
    BeginPhase: Core.begin_phase,
    EndSession: Core.end_session,
    OpenSession: Core.open_session,
    Kill: Core.kill,
    basket_commands.CreateBasket: keyed(baskets.create_basket),
    basket_commands.RenameBasket: keyed(baskets.rename_basket),
    basket_commands.DeleteBasket: keyed(baskets.delete_basket),
    basket_commands.AddBasketOrder: keyed(baskets.add_basket_order),
    basket_commands.EditBasketOrder: keyed(baskets.edit_basket_order),
    basket_commands.RemoveBasketOrder: keyed(baskets.remove_basket_order),
    basket_commands.ExecuteBasket: keyed(baskets.execute_basket),
    gtt_commands.CreateGtt: keyed(gtts.create_gtt),
    gtt_commands.ModifyGtt: keyed(gtts.modify_gtt),
    gtt_commands.CancelGtt: keyed(gtts.cancel_gtt),
    LoseLink: Core.lose_link,
    RestoreLink: Core.restore_link,
    **PEOPLE_HANDLE,
    ConvertPosition: keyed(convert_position),
    GrantHoldings: grant_holdings,
    ChooseLimits: choose_limits,
    RegisterAlgo: register_algo,
}
