"""
Worlds that last five sessions, a night between each two.

Whatever was held goes on the next day, what has ended stays as it was, and what is carried is
protected or on its way out soon after the opening.

Source: docs/reliability.md; docs/spec/cover_order.md (INV-2, INV-24).
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from kavach.units import NS_PER_SECOND, Product
from tests.simulation.far import FarWorld
from tests.simulation.near import NearWorld
from tests.simulation.schedule import Decision
from tests.simulation.whole import EVENING_NS, NEW_DEEDS, Whole

SESSION: Final = 18  # Decisions: five of these are a world.
DEEDS: Final = {**NEW_DEEDS, "place": 34, "liquidity_order": 44, "night": 0, "day": 0}


class Days(Whole):
    """Five sessions."""

    def a_product(self) -> Product:
        """Return an intraday product or one that is carried."""
        return self.chance.choice((Product.MIS, Product.MIS, Product.NRML, Product.CNC))

    def before(self, decision: Decision) -> None:
        """Let a night pass after each session's decisions."""
        if decision.number and decision.number % SESSION == 0:
            self.tally["day"] += 1
            self.night()
            self.run_until(self.true_ns + EVENING_NS + NS_PER_SECOND)


class NearDays(Days, NearWorld):
    """Five sessions on the exchange inside."""

    deeds: ClassVar[Mapping[str, int]] = {**NearWorld.deeds, **DEEDS}


class FarDays(Days, FarWorld):
    """Five sessions, the exchange far away."""

    deeds: ClassVar[Mapping[str, int]] = {**FarWorld.deeds, **DEEDS}
