"""A whole notebook: the exercise's own section, and what is said about the rest."""

from __future__ import annotations

import pytest

from dojo.errors import BadFile
from dojo.notebook_slice import SECTIONS
from tests.client.notebook_slice.small_notebooks import BATCH_NORM, CROSS_ENTROPY, FULL, read, taken, wanted


@pytest.mark.parametrize("slug", [FULL, CROSS_ENTROPY, BATCH_NORM])
def test_an_exercise_is_taken_from_its_own_section(slug: str) -> None:
    answer = next(iter(wanted(slug).checkpoint_by_variable))
    cells = [f"# Exercise {number}\n{answer} = {number}.0" for number in (1, 2, 3, 4)]
    assert taken(*cells, slug=slug) == cells[SECTIONS[slug] - 1]


def test_the_sections_are_those_of_the_lecture() -> None:
    assert SECTIONS == {FULL: 1, CROSS_ENTROPY: 2, BATCH_NORM: 3, "makemore/train": 4}


def test_remarks_are_ordered_by_kind() -> None:
    flat = "def f(x):\n for i in x:\n y = i\n return y\ndW2 = W2 * f([1])"
    found = read(flat, "x = (", "dh = mystery")
    assert [each.partition(" is left out")[0].partition(" has lost")[0] for each in found.remarks] == [
        "Cell 2",
        "Cell 1",
        "Cell 3, line 1",
    ]


def test_an_unused_repaired_cell_is_not_mentioned() -> None:
    found = read("def f(x):\n for i in x:\n y = i\n return y", "dh = h")
    assert not found.remarks


def test_a_notebook_without_answers_gives_three_reasons() -> None:
    with pytest.raises(BadFile) as caught:
        read("x = (", "dh = a", "dW2 = b", "db2 = c")
    message = caught.value.message
    assert "Cell 1 is left out: it is not finished" in message
    assert message.count(" is left out: ") == 3


def test_an_expression_without_end_is_told() -> None:
    with pytest.raises(BadFile, match="nested too deep"):
        read("dh = " + "+".join("1" * 600))
