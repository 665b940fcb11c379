"""
What has happened to GTT rules.

``GttTriggered`` and what becomes of the order (``GttOrderPlaced``, ``GttOrderRefused``) stand in
the record of one step, with the order's own events between them, so a crash leaves all or nothing.

Source: docs/wire/gtt.md.
"""

from kavach.core.events import Event
from kavach.core.model.gtt.rule import GttAction, GttTrigger
from kavach.core.model.orders.terms import OrderTerms


class GttCreated(Event, frozen=True):
    """A rule waits for its price."""

    rule_id: str
    client_id: str
    action: GttAction
    terms: OrderTerms
    triggers: tuple[GttTrigger, ...]
    expiry_day: int


class GttModified(Event, frozen=True):
    """A rule is another one now, armed anew."""

    rule_id: str
    action: GttAction
    terms: OrderTerms
    triggers: tuple[GttTrigger, ...]
    expiry_day: int


class GttCancelled(Event, frozen=True):
    """A rule waits no longer, because its client wants it so."""

    rule_id: str


class GttExpired(Event, frozen=True):
    """A rule's last day is over."""

    rule_id: str


class GttTriggered(Event, frozen=True):
    """The last price has reached a trigger."""

    rule_id: str
    which: int
    last_price_pips: int


class GttOrderPlaced(Event, frozen=True):
    """The rule's one order is owned."""

    rule_id: str
    order_id: int


class GttOrderRefused(Event, frozen=True):
    """The rule's one order was refused by the rules, or for want of margin."""

    rule_id: str
    code: int
    text: str


GttRuleEvent = (
    GttCreated
    | GttModified
    | GttCancelled
    | GttExpired
    | GttTriggered
    | GttOrderPlaced
    | GttOrderRefused
)
