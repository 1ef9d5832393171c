"""Statements one after another: the exercise that each is under, and second names for one tensor."""

from __future__ import annotations

import pytest

from dojo.notebook_slice.cells import read_cells
from dojo.notebook_slice.statements import read_parts, read_statements
from tests.client.notebook_slice.small_notebooks import BATCH_NORM, CROSS_ENTROPY, FULL, taken
from tests.client.notebooks import notebook


def sections(*cells: str) -> list[int | None]:
    return [each.section for each in read_statements(read_parts(read_cells(notebook(*cells)["cells"])))]


def test_a_heading_counts_from_its_line() -> None:
    assert sections("a = 1\n# Exercise 2\nb = 2\nc = 3") == [None, 2, 2]
    assert sections("a = 1\n# exercise 2 does it in one go\nb = 2") == [None, None]
    assert sections("# Exercise 1\na = 1\n# Exercise 2: in one go\nb = 2\nc = 3") == [1, 2, 2]
    assert sections("# Exercise 1\n# Exercise 2: in one go\nb = 2") == [2]


def test_a_trailing_heading_counts_for_the_next_cell() -> None:
    assert sections("# Exercise 1\na = 1\n# Exercise 2:\n# Exercise 3:", "b = 2") == [1, 3]
    assert sections("# Exercise 1", "md:# Exercise 2", "b = 2") == [2]


def test_a_decorator_is_under_the_heading_above_it() -> None:
    assert sections("# Exercise 1\na = 1\n# Exercise 2:\n@f\ndef g(): ...") == [1, 2]


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("## Fast backprop for the loss (cross entropy)", 2),
        ("## Softmax, analytically in closed form", 2),
        ("# Batch norm in a single expression", 3),
        ("### All in together", 4),
        ("A fast way through cross entropy", None),  # no heading
        ("## Batch norm", None),
    ],
)
def test_headings_of_students_announce_an_exercise_in_markdown_alone(heading: str, section: int | None) -> None:
    assert sections("a = 1", f"md:{heading}", "b = 2") == [None, section]
    assert sections("a = 1", f"# {heading}\nb = 2") == [None, None]


def test_own_numbers_of_many_exercises_are_not_the_lectures() -> None:
    assert sections(*(f"# Exercise {number}\na = {number}" for number in range(1, 6))) == [None] * 5


@pytest.mark.parametrize(
    ("name", "section"), [("loss_fast", 2), ("hpreact_fast", 3), ("bn_out_fast", 3), ("loss_slow", None)]
)
def test_the_lectures_own_names_begin_an_exercise(name: str, section: int | None) -> None:
    assert sections("a = 1", f"{name} = 3", "b = 2") == [None, section, section]


def test_the_lectures_own_names_separate_the_exercises() -> None:
    first = ("dlogits = logits * 1", "dhprebn = hprebn * 1")
    cells = (*first, "loss_fast = 3", "dlogits = logits * 2", "hpreact_fast = 3", "dhprebn = hprebn * 3")
    assert taken(*cells, slug=FULL) == "\n".join(first)
    assert taken(*cells, slug=CROSS_ENTROPY) == "dlogits = logits * 2"
    assert taken(*cells, slug=BATCH_NORM) == "dhprebn = hprebn * 3"


# Every cell of these belongs to the answer.
WHOLE = {
    "a second name": ("dh = h * 1", "x = dh", "x += 1"),
    "a second name for a view": ("dh = h * 1", "x = dh.view(-1)", "x += 1"),
    "a second name for a row": ("dh = h * 1", "x = dh[0]", "x += 1"),
    "a second name of a second name": ("dh = h * 1", "x = dh", "y = x", "y += 1"),
    "two second names": ("dh = h * 1", "x = dh", "y = dh", "x += 1", "y += 1"),
    "two second names at once": ("dh = h * 1", "x = y = dh", "y += 1"),
}

# Cells, and what is taken of them.
PARTS = {
    "a name that is bound anew is no second name": (("dh = h * 1", "x = dh", "x = h * 2", "x += 1"), "dh = h * 1"),
    "what was bound anew is not changed by its old name": (
        ("x = h * 1", "dh = x", "dh = h * 2", "x += 1"),
        "dh = h * 2",
    ),
    "a copy is no second name": (("dh = h * 1", "x = dh.clone()", "x += 1"), "dh = h * 1"),
    "of several imports one is taken": (
        ("import math, os.path, sys as s", "dh = h * math.pi"),
        "import math\ndh = h * math.pi",
    ),
    "of several imports from a module one is taken": (
        ("from math import pi, e as euler, sqrt", "dh = h * euler"),
        "from math import e as euler\ndh = h * euler",
    ),
    "a single import is taken as it was written": (
        ("import  math  # for pi", "dh = h * math.pi"),
        "import  math  # for pi\ndh = h * math.pi",
    ),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_a_change_through_a_second_name_is_taken(rule: str) -> None:
    cells = WHOLE[rule]
    assert taken(*cells) == "\n".join(cells)


@pytest.mark.parametrize("rule", PARTS)
def test_other_changes_are_not_taken(rule: str) -> None:
    cells, expected = PARTS[rule]
    assert taken(*cells) == expected
