"""Every cell of the tables that a talking venue can reach, played in words; and cells changed."""

from collections.abc import Callable

import pytest

from tests.unit.core.cell_mutants import drawn, every_change, known, survivors
from tests.unit.core.scenes import every_scene, of_cells
from tests.unit.core.watched import every_cell, watching

CASES = dict(of_cells())
SAMPLE = 12


@pytest.mark.parametrize("scene", CASES.values(), ids=CASES.keys())
def test_a_cell(scene: Callable[[], object]) -> None:
    """What the event causes is all that the table says, for a long and for a short position."""
    with watching() as entered:
        scene()
        assert entered, "no cell was entered"


def test_cells_that_no_scene_enters_are_known() -> None:
    """A cell that is entered by no scene stands in the list of what is not noticed, whole."""
    with watching() as entered:
        for scene in every_scene().values():
            scene()
        missing = [cell for cell in every_cell() if cell.column and cell not in entered]
    unnoticed = known()
    changes = [str(one) for one in every_change() if one.cell in set(missing)]
    assert [one for one in changes if one not in unnoticed] == []


def test_a_changed_cell_is_noticed() -> None:
    """Of the changes that scenes notice a few are made, others with every commit."""
    unnoticed = known()
    changes = [one for one in every_change() if str(one) not in unnoticed]
    assert len(changes) > 700, "the tables were read"
    assert survivors(drawn(changes, SAMPLE)) == []


def test_the_list_names_changes_that_exist() -> None:
    """No line of the list speaks of a cell or a word that is not there."""
    assert known() <= {str(one) for one in every_change()}
