"""
What a client may ask about its GTT rules.

Source: docs/wire/gtt.md.
"""

from typing import ClassVar

import msgspec

from kavach.core.commands import KeyedCommand
from kavach.core.model.gtt.rule import GttAction
from kavach.core.model.orders.terms import OrderTerms
from kavach.units import Pips, Quantity


class GttWish(msgspec.Struct, frozen=True, array_like=True):
    """A trigger as a client writes it: on which side it lies is seen when the rule is armed."""

    at_pips: Pips
    price_pips: Pips
    quantity: Quantity


class CreateGtt(KeyedCommand, frozen=True, kw_only=True):
    """Wait for a price until the end of a day, then place an order."""

    action: GttAction
    terms: OrderTerms
    wishes: tuple[GttWish, ...]  # One, or two for an OCO: the second is the ``sl_`` one.
    expiry_day: int  # YYYYMMDD.


class ModifyGtt(KeyedCommand, frozen=True, kw_only=True):
    """Replace the terms of an active rule, armed from the price as it is now."""

    rule_id: str
    action: GttAction
    terms: OrderTerms
    wishes: tuple[GttWish, ...]
    expiry_day: int


class CancelGtt(KeyedCommand, frozen=True, kw_only=True):
    """Wait no longer."""

    protective: ClassVar[bool] = True

    rule_id: str
