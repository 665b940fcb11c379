"""A whole market, made once."""

from pathlib import Path
from typing import Final

import pytest

from tests.unit.contracts.published import market, packed

WHOLE: Final = 100_000


@pytest.fixture(scope="session")
def whole_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ZIP of a hundred thousand contracts."""
    return packed(tmp_path_factory.mktemp("published") / "Compact.zip", market(WHOLE))
