"""Cells of notebooks as Python: magics, indentation kept and lost, half-finished cells, headings."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from dojo.errors import BadFile
from dojo.harvest.cells import Cells, read_cells, read_notebook
from dojo.harvest.indentation import reindented


def notebook(*cells: str) -> dict[str, Any]:
    """Code cells, or markdown where the text begins with `md:`."""
    kinds = [("markdown", each[3:]) if each.startswith("md:") else ("code", each) for each in cells]
    return {"cells": [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in kinds]}


def read(*cells: str) -> Cells:
    return read_cells(notebook(*cells)["cells"])


def statements(*cells: str) -> list[str]:
    return [ast.unparse(each) for cell in read(*cells).cells for each in cell.statements]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%matplotlib inline\nx = 1", ["pass", "x = 1"]),
        ("x = 1\n!ls -l\nx?\n?x\nx.sum??", ["x = 1", "pass", "pass", "pass", "pass"]),
        ("%time x = y.sum(0)", ["x = y.sum(0)"]),
        ("%timeit -n 3 y.sum(0)\nx = 1", ["pass", "x = 1"]),
        ("files = !ls\nx = 1", ["pass", "x = 1"]),
        ("%%time\nx = 1", ["x = 1"]),
        ("%%bash\nrm -rf x", []),
        ("x = (7\n % 2)", ["x = 7 % 2"]),
        ("s = '''\n%not magic\n'''", ["s = '\\n%not magic\\n'"]),
        ("    x = 1\n    y = 2", ["x = 1", "y = 2"]),
        ("\tx = 1\n# at the margin\n\ty = 2", ["x = 1", "y = 2"]),
        ("  for i in x:\n    y = i\n  z = 1", ["for i in x:\n    y = i", "z = 1"]),
        ("# only a comment", []),
        ("", []),
    ],
)
def test_a_cell_is_read_as_the_notebook_runs_it(cell: str, expected: list[str]) -> None:
    assert statements(cell) == expected
    assert not read(cell).unfinished


@pytest.mark.parametrize("cell", ["x = (", "for i in x:", "x = 1\n  y = 2", "return 3", "def f(:\n  pass", "x = 1\0"])
def test_an_unfinished_cell_is_left_out_with_a_sentence(cell: str) -> None:
    cells = read("x = 1", cell)
    assert [len(each.statements) for each in cells.cells] == [1, 0]
    assert cells.unfinished[2].startswith("Cell 2 is left out")


def test_lost_indentation_is_put_back_and_said_so() -> None:
    cell = "for k in a:\n for j in b:\n ix = a[k]\n c[ix] += j\n\nd = 1"
    assert statements(cell) == [
        "for k in a:\n    for j in b:\n        ix = a[k]\n        c[ix] += j",
        "d = 1",
    ]
    assert "lost the indentation" in read(cell).repaired[1]


def test_lost_indentation_stops_at_else_and_at_the_blank_line() -> None:
    flat = "def f(x):\n if x:\n y = 1\n else:\n y = 2\n\n return y"
    assert ast.unparse(ast.parse(reindented(flat) or "")) == (
        "def f(x):\n    if x:\n        y = 1\n    else:\n        y = 2\n    return y"
    )


@pytest.mark.parametrize("flat", ["for i in x:\ny = i", "def f():\n for i in x:"])
def test_where_nothing_says_how_deep_it_was_nothing_is_guessed(flat: str) -> None:
    assert reindented(flat) is None


def test_headings_number_the_sections() -> None:
    cells = read(
        "md:### **EXERCISE 1**",
        "x = 1",
        "# Exercise 2: all in one go\ny = 1",
        "md:In exercise 1 we saw",
        "z = 1",
    )
    assert [each.sections for each in cells.cells] == [((1, 1),), ((1, 2),), ()]


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 3}', "\xff"])
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(BadFile):
        read_notebook(path)


def test_odd_cells_do_no_harm() -> None:
    odd: dict[str, Any] = {"cells": [None, 3, {}, {"cell_type": "code"}, {"cell_type": "code", "source": [1, "x = 1"]}]}
    assert [len(each.statements) for each in read_cells(odd["cells"]).cells] == [0, 1]
