"""
Worlds in which clients ask for everything: the whole trading API beside cover and bracket orders.

Regular and after-market orders, GTT rules, saved baskets, conversions, square-offs, and nights
after which another day begins. The faults, the crashes and the markets are those of the far and
the near world.

Source: docs/reliability.md; docs/wire/README.md, "Regular and after-market orders";
docs/wire/portfolio.md; docs/wire/baskets.md; docs/wire/gtt.md.
"""

from collections.abc import Mapping
from typing import ClassVar, Final
from zlib import crc32

from kavach.core.commands import Command, KeyedCommand, Shares, SquareOff
from kavach.core.day import DAY_NS, IST_NS
from kavach.core.model.baskets.basket import BasketType
from kavach.core.model.baskets.commands import AddBasketOrder, CreateBasket, ExecuteBasket
from kavach.core.model.gtt.commands import CancelGtt, CreateGtt, GttWish, ModifyGtt
from kavach.core.model.gtt.rule import GttAction, GttRule
from kavach.core.model.money.commands import ConvertPosition, GrantHoldings
from kavach.core.model.orders.terms import OrderTerms
from kavach.core.model.regular.commands import CancelOrder, ModifyOrder, PlaceOrder
from kavach.core.model.regular.order import RegularOrder
from kavach.core.refusals import Answer, Outcome, Refusal
from kavach.instruments import Instrument
from kavach.units import (
    NS_PER_SECOND,
    OrderType,
    Pips,
    Product,
    Quantity,
    Side,
    TimestampNs,
    Validity,
)
from tests.conservation import check_conservation
from tests.simulation.accounts import Shown
from tests.simulation.desk_auditor import PIPS_PER_PAISA, Book, DeskAuditor, OrderRow
from tests.simulation.far import FarWorld
from tests.simulation.near import NearWorld
from tests.simulation.process import KINDS, NSE, SHARES
from tests.simulation.rules_kept import RuleRow, day_in_india
from tests.simulation.world import QUIET_NS, World

PRODUCTS: Final = (Product.MIS, Product.MIS, Product.CNC, Product.NRML)
OPEN_MAX: Final = 12
RULES_MAX: Final = 6
LINES_MAX: Final = 3
DAWN_NS: Final = 9 * 3600 * NS_PER_SECOND  # After midnight.
SQUARE_OFF_NS: Final = 5 * NS_PER_SECOND
EVENING_NS: Final = 12 * NS_PER_SECOND  # By then whatever rested at the exchange has expired.
NEW_DEEDS: Final = {
    "place": 14,
    "order": 34,
    "order_cancel": 9,
    "order_modify": 9,
    "rule": 12,
    "rule_modify": 3,
    "rule_cancel": 3,
    "basket": 4,
    "basket_execute": 5,
    "convert": 5,
    "early_square_off": 2,
    "night": 3,
    "day": 3,
}


class Whole(World):
    """Clients who ask for everything."""

    auditor: DeskAuditor
    asleep = False

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.gifted = self.clients[:2]
        for client in self.gifted:
            gifts = tuple(Shares(share.key, Quantity(100), Pips(120_000)) for share in SHARES)
            self.execute(GrantHoldings(client_id=client, holdings=gifts))
        self.flush()

    def first_auditor(self) -> DeskAuditor:
        """Return who looks on, with the order book at hand."""
        auditor = DeskAuditor(SHARES, self.settings.t_absent_ns, prompt=self.prompt)
        auditor.look_up = self._row_of  # type: ignore[method-assign]
        return auditor

    # --- What clients see ---------------------------------------------------------------------

    def _row_of(self, order_id: int) -> OrderRow | None:
        order = self.engine.state.regulars.get(order_id)
        return None if order is None else _order_row(order)

    def look(self) -> None:
        """Let the auditor judge, cover orders first."""
        super().look()
        state = self.engine.state
        checked = self.auditor.checked
        book = Book(
            [_order_row(o) for i, o in state.regulars.items() if i not in checked or not o.over],
            [_rule_row(rule) for rule in state.gtts.rules.values()],
            {i: [o.order_id for o in x.outcomes] for i, x in state.shelf.executions.items()},
            [
                Shown(
                    client.client_id,
                    client.cash_paise * PIPS_PER_PAISA + client.cash_rest_pips,
                    {(p.instrument, p.product): p.net_quantity for p in client.positions},
                    {h.instrument: h.quantity for h in client.holdings},
                )
                for client in state.clients.values()
            ],
        )
        able = self.alive and not state.venue_disconnected and state.sessions.all_continuous
        sequence = self.journal.durable_sequence
        self.auditor.read(book, sequence, self.engine.core.now_ns, able=able)

    # --- Orders -------------------------------------------------------------------------------

    def ask(self, name: str, command: Command) -> Outcome | None:
        """Return the answer, counted; who has a key asks again now and then (INV-6)."""
        repeats = self.chance.randrange(4) == 0
        outcome = self.execute(command)
        if outcome is None:
            return None
        refused = isinstance(outcome, Refusal)
        self.tally[f"{name}: {outcome.reason if refused else 'ok'}"] += 1
        if repeats and isinstance(command, KeyedCommand) and isinstance(outcome, Answer):
            if not command.idempotency_key:
                return outcome
            sent = len(self.in_transit())
            again = self.execute(command)
            assert isinstance(again, Answer) and again.replayed, f"INV-6: {name} is not replayed"
            assert len(self.in_transit()) == sent, "INV-6: a repetition sent something"
        return outcome

    def terms(self, *, kinds: tuple[OrderType, ...] = KINDS, amo: bool = False) -> OrderTerms:
        """Return some order, near the market."""
        chance = self.chance
        share = self.a_share()
        side, kind = chance.choice(list(Side)), chance.choice(kinds)
        tick, sign = share.tick_pips, 1 if side is Side.BUY else -1
        last = self.last_pips(share) // tick * tick
        trigger = last + sign * tick * chance.choice((1, 2))
        limit = last + sign * tick * chance.choice((-3, -1, 0, 0, 1, 3))
        lots = min(chance.choice((1, 2, 5, 20, 40)), share.slice_max // share.lot)
        price, trigger = {
            OrderType.LIMIT: (limit, 0),
            OrderType.MARKET: (0, 0),
            OrderType.SL: (trigger + sign * tick, trigger),
            OrderType.SLM: (0, trigger),
        }[kind]
        quick = chance.randrange(8) == 0 and kind is OrderType.LIMIT
        return OrderTerms(
            instrument=share.key,
            side=side,
            order_type=kind,
            quantity=Quantity(lots * share.lot),
            disclosed_quantity=Quantity(0),
            price_pips=Pips(price),
            trigger_price_pips=Pips(trigger),
            validity=Validity.IOC if quick else Validity.DAY,
            product=chance.choice(PRODUCTS),
            user_order_id=self.number,
            amo=amo,
            protection_bp=300 if self.limited else 0,
        )

    def order(self) -> None:
        """Place a regular order, or one for after the opening."""
        client, amo = self.chance.choice(self.clients), self.chance.randrange(5) == 0
        terms = self.terms(amo=amo)
        if len([o for o in self.engine.state.regulars.values() if not o.over]) >= OPEN_MAX:
            return
        outcome = self.ask(
            "order",
            PlaceOrder(
                client_id=client,
                idempotency_key=f"K{self.number}",
                fingerprint="order",
                instrument=terms.instrument,
                side=terms.side,
                order_type=terms.order_type,
                quantity=terms.quantity,
                disclosed_quantity=terms.disclosed_quantity,
                price_pips=terms.price_pips,
                trigger_price_pips=terms.trigger_price_pips,
                validity=terms.validity,
                product=terms.product,
                amo=amo,
                user_order_id=terms.user_order_id,
                protection_bp=terms.protection_bp,
            ),
        )
        self.tally["parked"] += amo and isinstance(outcome, Answer)

    def pick_order(self) -> RegularOrder | None:
        """Return a regular order, a living one as a rule."""
        if not self.alive:
            return None
        orders = list(self.engine.state.regulars.values())
        if self.chance.randrange(5):
            orders = [order for order in orders if not order.over] or orders
        return max(orders, key=lambda order: self._rank(order.order_id), default=None)

    def _rank(self, name: object) -> int:
        return crc32(f"{self.number}/{name}".encode())

    def order_cancel(self) -> None:
        """Cancel a regular order, perhaps twice (INV-7)."""
        repeats = self.chance.randrange(3) == 0
        order = self.pick_order()
        if order is None:
            return
        command = CancelOrder(client_id=order.client_id, order_id=order.order_id)
        systems = order.squares_off
        first = self.ask("order cancel", command)
        taken = systems and isinstance(first, Answer)
        assert not taken, f"INV-15: a client has cancelled the square-off {order.order_id}"
        if repeats and isinstance(first, Answer):
            sent = len(self.in_transit())
            second = self.execute(command)
            assert isinstance(second, Answer), f"INV-7: cancelled, and then {second}"
            assert len(self.in_transit()) == sent, "INV-7: a repetition sent something"

    def order_modify(self) -> None:
        """Change a regular order's quantity, price or both."""
        chance = self.chance
        more, reprices = chance.randint(-10, 20), chance.randrange(3)
        order = self.pick_order()
        if order is None:
            return
        share = self.engine.state.instruments[order.instrument]
        price = self.near_price(share, 3)
        lots = min(max(1, order.quantity // share.lot + more), share.slice_max // share.lot)
        command = ModifyOrder(
            client_id=order.client_id,
            order_id=order.order_id,
            quantity=Quantity(lots * share.lot),
            price_pips=price if reprices and order.order_type is OrderType.LIMIT else None,
        )
        self.ask("order modify", command)

    # --- Rules --------------------------------------------------------------------------------

    def _wishes(self, share: Instrument, terms: OrderTerms) -> tuple[GttWish, ...]:
        """Return a trigger near the price, or one on either side of it."""
        chance = self.chance
        tick = share.tick_pips
        last = self.last_pips(share) // tick * tick
        away = tick * chance.choice((1, 2, 3, 6))
        sides = chance.choice(((1,), (-1,), (1, -1), (-1, 1)))
        priced = terms.order_type in (OrderType.LIMIT, OrderType.SL)
        quantities = (terms.quantity, Quantity(share.lot))
        return tuple(
            GttWish(
                Pips(last + sign * away),
                Pips(last + sign * away if priced else 0),
                quantities[number],
            )
            for number, sign in enumerate(sides)
        )

    def _last_day(self) -> int:
        """Return a rule's last day: today as a rule."""
        days = self.chance.choice((0, 0, 1, 5))
        return day_in_india(self.now_ns() + days * DAY_NS)

    def rule(self) -> None:
        """Let a rule wait for a price."""
        client = self.chance.choice(self.clients)
        terms = self.terms(kinds=(OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET))
        wishes = self._wishes(self._share(terms), terms)
        day = self._last_day()
        if len(list(self.engine.state.gtts.active())) >= RULES_MAX:
            return
        action = GttAction.OCO if len(wishes) > 1 else GttAction.SINGLE
        command = CreateGtt(
            client_id=client,
            idempotency_key=f"K{self.number}",
            fingerprint="rule",
            action=action,
            terms=terms,
            wishes=wishes,
            expiry_day=day,
        )
        self.ask(f"rule {action.value}", command)

    def _share(self, terms: OrderTerms) -> Instrument:
        return next(share for share in SHARES if share.key == terms.instrument)

    def _pick_rule(self) -> GttRule | None:
        if not self.alive:
            return None
        rules = list(self.engine.state.gtts.rules.values())
        if self.chance.randrange(4):
            rules = [rule for rule in rules if rule.active] or rules
        return max(rules, key=lambda rule: self._rank(rule.number), default=None)

    def rule_modify(self) -> None:
        """Let a rule wait for another price."""
        rule = self._pick_rule()
        if rule is not None:
            wishes = self._wishes(self._share(rule.terms), rule.terms)
            command = ModifyGtt(
                client_id=rule.client_id,
                rule_id=rule.rule_id,
                action=GttAction.OCO if len(wishes) > 1 else GttAction.SINGLE,
                terms=rule.terms,
                wishes=wishes,
                expiry_day=self._last_day(),
            )
            self.ask("rule modify", command)

    def rule_cancel(self) -> None:
        """Let a rule wait no longer."""
        rule = self._pick_rule()
        if rule is not None:
            command = CancelGtt(client_id=rule.client_id, rule_id=rule.rule_id)
            self.ask("rule cancel", command)

    # --- Baskets ------------------------------------------------------------------------------

    def basket(self) -> None:
        """Keep a basket of some orders."""
        client = self.chance.choice(self.clients)
        lines = {terms.instrument: terms for terms in (self.terms() for _ in range(LINES_MAX))}
        command = CreateBasket(
            client_id=client,
            idempotency_key=f"K{self.number}",
            fingerprint="basket",
            name=f"Basket {self.number}",
            basket_type=BasketType.NORMAL,
        )
        made = self.ask("basket", command)
        if isinstance(made, Answer):
            for terms in lines.values():
                line = AddBasketOrder(client_id=client, basket_id=made.subject, terms=terms)
                self.ask("basket line", line)

    def basket_execute(self) -> None:
        """Place all orders of a basket, now and then on the other side."""
        turns = self.chance.randrange(3) == 0
        baskets = [b for b in self.engine.state.shelf.baskets.values() if b.orders]
        if not self.alive or not baskets:
            return
        chosen = max(baskets, key=lambda basket: self._rank(basket.name))
        command = ExecuteBasket(
            client_id=chosen.client_id,
            idempotency_key=f"K{self.number}",
            fingerprint="execute",
            basket_id=chosen.basket_id,
            square_off=turns,
        )
        self.ask("basket execute", command)

    # --- Positions and days -------------------------------------------------------------------

    def convert(self) -> None:
        """Take a part of a position for another product."""
        new, part = self.chance.choice(PRODUCTS), self.chance.choice((1, 2, 3))
        if not self.alive:
            return
        held = [
            (client.client_id, position)
            for client in self.engine.state.clients.values()
            for position in client.positions
            if position.plain_net
        ]
        if not held:
            return
        client_id, position = max(
            held, key=lambda one: self._rank((one[0], one[1].instrument, one[1].product.value))
        )
        lot = self.engine.state.instruments[position.instrument].lot
        command = ConvertPosition(
            client_id=client_id,
            idempotency_key=f"K{self.number}",
            fingerprint="convert",
            instrument=position.instrument,
            side=Side.BUY if position.plain_net > 0 else Side.SELL,
            quantity=Quantity(max(lot, abs(position.plain_net) // part // lot * lot)),
            product=position.product,
            new_product=new,
        )
        self.ask("convert", command)

    def early_square_off(self) -> None:
        """Let the square-off time come some seconds before the end of the session."""
        if not self.open:
            return
        self._square_off()
        self.later(SQUARE_OFF_NS, lambda: self.turn(is_open=False))
        self.later(SQUARE_OFF_NS + NS_PER_SECOND, lambda: self.turn(is_open=True))

    def _square_off(self) -> None:
        self.tally["square-off"] += 1
        self.execute(SquareOff(NSE))

    def night(self) -> None:
        """End the session, and begin the next one on another morning, if it gets quiet."""
        if not self.open:
            return
        self.tally["session"] += 1
        if self.chance.randrange(2):
            self._square_off()
        self.later(0, lambda: self.turn(is_open=False))
        self.later(EVENING_NS, self._sleep)

    def turn(self, *, is_open: bool) -> None:
        """Let the session end or begin, but not in the middle of the night."""
        if not self.asleep:
            super().turn(is_open=is_open)

    def _sleep(self) -> None:
        self.rest()
        self.turn(is_open=True)

    def rest(self) -> None:
        """Let it be the next morning, if it gets quiet."""
        due_ns = self.engine.next_due_ns() if self.alive else None
        calm = due_ns is None or due_ns > self.now_ns() + EVENING_NS
        if self.alive and self.linked and calm and not self.open:
            self.tally["night"] += 1
            day = (self.true_ns + IST_NS) // DAY_NS + 1
            self.asleep = True
            self.run_until(day * DAY_NS - IST_NS + DAWN_NS)
            self.asleep = False

    # --- The end ------------------------------------------------------------------------------

    def wind_up(self) -> None:
        """First whatever is no cover order ends: nothing else trades by itself then."""
        orders = self.engine.state.regulars.values()
        self.tally["released"] += sum(order.amo and bool(order.entries) for order in orders)
        self.tally["given back"] += sum(order.squares_off for order in orders)
        rules = self.engine.state.gtts.rules.values()
        self.tally["rule fired"] += sum(rule.fired >= 0 for rule in rules)
        self.end_faults()
        self.run_until(self.true_ns + QUIET_NS)
        assert self.alive and self.linked and self.open, "the world has not come back"
        for rule in list(self.engine.state.gtts.active()):
            self.execute(CancelGtt(client_id=rule.client_id, rule_id=rule.rule_id))
        for order in list(self.engine.state.regulars.values()):
            if not order.over:
                self.execute(CancelOrder(client_id=order.client_id, order_id=order.order_id))
        super().wind_up()

    def check_settled(self, living: set[str]) -> None:
        """Assert that every regular order is over, too (INV-8)."""
        for order in self.engine.state.regulars.values():
            assert order.over, f"INV-8: {order.order_id} is still {order.state}"
        super().check_settled(living)

    def leave(self) -> None:
        """Square off what is held intraday, at prices that are told once more."""
        for share in SHARES:
            self._print(share)
            self.run_until(self.true_ns + NS_PER_SECOND)  # One at a time: none overtakes another.
        self.execute(SquareOff(NSE))
        self.go_on(QUIET_NS // 2)
        self.check_settled(set())
        for client_id, account in self.auditor.accounts.of.items():
            for (key, product), held in account.plain.items():
                intraday = product is Product.MIS and held
                assert not intraday, f"INV-9: {client_id} keeps {held} of {key} intraday"

    def _print(self, share: Instrument) -> None:
        """Let everybody hear a price, however many were lost on the way."""
        last, tick = self.last_pips(share), share.tick_pips
        price = Pips(last - tick if last > share.band_low_pips else last + tick)
        self.at_exchange(
            share.key,
            lambda at_ns: self.exchange.print_trade(
                share.key, price, share.lot, TimestampNs(at_ns)
            ),
        )

    def check_money(self) -> None:
        """INV-11: nothing was lost or made; ``read`` has compared every account already."""
        state = self.engine.state
        ledger = self.auditor.ledger()
        gifts = {client: {share.key: [100, 0, 0, 0] for share in SHARES} for client in self.gifted}
        for client_id, client in state.clients.items():
            rows = {(k, p): row for (owner, k, p), row in ledger.items() if owner == client_id}
            for key, gift in gifts.get(client_id, {}).items():
                rows[key, Product.MTF] = gift  # Shares that nobody paid for here.
            check_conservation(state, client_id, rows)
            held = any(position.plain_net for position in client.positions)
            assert held or client.blocked_paise == 0, f"INV-11: {client_id} has margin blocked"


def _order_row(order: RegularOrder) -> OrderRow:
    return OrderRow(
        order.order_id,
        order.client_id,
        order.instrument,
        order.side,
        order.product,
        order.order_type,
        order.quantity,
        order.price_pips,
        order.trigger_price_pips,
        order.state.value,
        order.entry_filled,
        order.amo,
        "SQUARE_OFF" if order.squares_off else "",
    )


def _rule_row(rule: GttRule) -> RuleRow:
    return RuleRow(
        rule.rule_id, rule.client_id, rule.state.value, rule.order_id, rule.updated_at_ns
    )


class FarWhole(Whole, FarWorld):
    """The whole API, the exchange far away."""

    deeds: ClassVar[Mapping[str, int]] = {**FarWorld.deeds, **NEW_DEEDS}


class NearWhole(Whole, NearWorld):
    """The whole API, on the exchange inside."""

    deeds: ClassVar[Mapping[str, int]] = {**NearWorld.deeds, **NEW_DEEDS}
