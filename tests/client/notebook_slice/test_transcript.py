"""The chosen statements as one program, and what each cell gave."""

from __future__ import annotations

import pytest

from tests.client.notebook_slice.small_notebooks import read

HEADER = "from __future__ import annotations"


@pytest.mark.parametrize(
    "cell",
    [
        "dh: Array = h",
        "def f(x: Array):\n    return x\ndh = f(h)",
        "def f(x) -> Array:\n    return x\ndh = f(h)",
    ],
)
def test_annotations_are_not_evaluated(cell: str) -> None:
    assert read(cell).source.startswith(f"{HEADER}\n")


def test_without_hints_nothing_is_added() -> None:
    assert read("def f(x):\n    return x\ndh = f(h)").source.startswith("# --- cell 1 ---\ndef f(x):")


def test_display_prints_where_it_is_graded() -> None:
    source = read("for i in range(2):\n    dh = h\n    display(dh)").source
    assert source.startswith("display = print\n\n# --- cell 1 ---\nfor i")


def test_cells_are_told_apart() -> None:
    assert read("dh = h", "x = 1", "dW2 = W2").source == "# --- cell 1 ---\ndh = h\n\n# --- cell 3 ---\ndW2 = W2\n"


def test_lines_are_found_in_their_cells() -> None:
    found = read("# why\ndh: Array = h", "\n\nfor i in range(2):\n    display(i)\n    dW2 = W2")
    places = dict(zip(found.source.split("\n"), found.lines, strict=False))
    assert places["# why"] == (1, 1)
    assert places["dh: Array = h"] == (1, 2)
    assert places["for i in range(2):"] == (2, 3)
    assert places["    dW2 = W2"] == (2, 5)
    assert places[HEADER] is None and places["# --- cell 2 ---"] is None
    assert found.place(0) is None


def test_a_cells_names_are_listed() -> None:
    found = read("base = 2\nmore = 3\ndh = h * base * more", "dh += 1; box = [1]; box[0] = 2", "dW2 = W2 * box[0]")
    assert [(each.cell, each.names, each.whole) for each in found.taken] == [
        (1, ("base", "more", "dh"), True),
        (2, ("dh", "box"), True),
        (3, ("dW2",), True),
    ]


def test_answers_of_one_statement_are_named_before_helpers() -> None:
    found = read("a, dh, z = 1, h, 2", "print(1)\ndW2 = W2 * a * z")
    assert found.taken[0].names[0] == "dh"
    assert [each.whole for each in found.taken] == [True, False]


def test_cells_are_named_in_their_order() -> None:
    found = read("dh = twice(h)", "def twice(x):\n    return x * 2")
    assert [each.cell for each in found.taken] == [1, 2]
    assert found.source.index("cell 2") < found.source.index("cell 1")


def test_a_changed_name_is_not_listed() -> None:
    found = read("box = [0]", "box[0] = 2", "dh = h * box[0]")
    assert [each.names for each in found.taken] == [("box",), (), ("dh",)]
