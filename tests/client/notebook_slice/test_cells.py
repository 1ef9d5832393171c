"""Cells of notebooks as Python: magics, indentation kept and lost, half-finished cells, headings."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from dojo.errors import BadFile
from dojo.notebook_slice.cells import NotebookCells, read_cells, read_notebook
from dojo.notebook_slice.indentation import reindented
from tests.client.notebooks import notebook


def read(*cells: str) -> NotebookCells:
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
        ("%%timeit\nx = 1", ["x = 1"]),
        ("%%capture output\nx = 1", ["x = 1"]),
        ("%%prun -l 3\nx = 1", ["x = 1"]),
        ("%%bash\nrm -rf x", []),
        ("  %matplotlib inline\n  x = 1", ["pass", "x = 1"]),
        ("!pip install a \\\n  b \\\n  c\nx = 1", ["pass", "x = 1"]),
        ("x = 1 + \\\n  2\n!ls", ["x = 1 + 2", "pass"]),
        ("x = '\\d'", ["x = '\\\\d'"]),
        ("x = 1\r\ny = 2\rz = 3", ["x = 1", "y = 2", "z = 3"]),
        ("%ls\r\n%ls\rx = 1", ["pass", "pass", "x = 1"]),
        ("x = await y", ["x = await y"]),
        ("x = (7\n % 2)", ["x = 7 % 2"]),
        ("s = '''\n%not magic\n'''", ["s = '\\n%not magic\\n'"]),
        ("    x = 1\n    y = 2", ["x = 1", "y = 2"]),
        ("\tx = 1\n# at the margin\n\ty = 2", ["x = 1", "y = 2"]),
        ("  for i in x:\n    y = i\n  z = 1", ["for i in x:\n    y = i", "z = 1"]),
        ("# only a comment", []),
        ("", []),
    ],
)
def test_a_cell_is_read_as_jupyter_runs_it(cell: str, expected: list[str]) -> None:
    assert statements(cell) == expected
    assert not read(cell).unfinished
    assert not read(cell).repaired


@pytest.mark.parametrize("cell", ["x = (", "for i in x:", "x = 1\n  y = 2", "return 3", "def f(:\n  pass", "x = 1\0"])
def test_an_unfinished_cell_has_a_remark(cell: str) -> None:
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


def test_a_restored_block_ends_at_else_and_blank_line() -> None:
    flat = "def f(x):\n if x:\n y = 1\n else:\n y = 2\n\n return y"
    assert ast.unparse(ast.parse(reindented(flat) or "")) == (
        "def f(x):\n    if x:\n        y = 1\n    else:\n        y = 2\n    return y"
    )


@pytest.mark.parametrize("flat", ["for i in x:\ny = i", "def f():\n for i in x:"])
def test_a_block_at_the_margin_is_not_guessed(flat: str) -> None:
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


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("md:## Exercise no. 2", 2),
        ("md:## exercise nr 3", 3),
        ("md:Exercise #4", 4),
        ("md:# Exercise 2 all in one go", 2),
        ("md:__Exercise 2 all in one go__", 2),
        ("md:Exercise 2 is faster", None),
        ("md:See exercise 2", None),
        ("# Exercise 2 all in one go", 2),
        ("x = 1\n# exercise 2 is faster", None),
        ("x = 1\n# exercise 2:", 2),
        ("exercise2 = 3", None),
        ("md:Backpropagate through the whole thing", 1),
        ("md:2. backprop through cross_entropy but all in one go", 2),
        ("md:3. batch norm, in one go", 3),
        ("md:putting it all together!", 4),
    ],
)
def test_a_heading_announces_an_exercise(text: str, section: int | None) -> None:
    found = [number for cell in read(text, "y = 1").cells for _, number in cell.sections]
    assert found == ([] if section is None else [section])


@pytest.mark.parametrize(
    ("cell", "expected", "lines"),
    [
        ("a = 1\nb = (\nc = 3", ["a = 1", "c = 3"], "line 2"),
        ("a = 1\nprint 2\nb = 1\nfor i in\nc = 3", ["a = 1", "b = 1", "c = 3"], "lines 2, 4"),
        (
            "a = 1\nfor i in x:\n  b = (i\n  c = 2\nd = 1",
            ["a = 1", "for i in x:\n    pass\n    c = 2", "d = 1"],
            "line 3",
        ),
        ("a = 1\nx = [1,\n  2,\n  for i in y", ["a = 1"], "line 2"),
        ("a = 1\nx = f(\n1,\n2 3)\nb = 2", ["a = 1", "b = 2"], "line 2"),
        ("a = 1\nb = \nc = \nd = \ne = 2", ["a = 1", "e = 2"], "lines 2, 3, 4"),
    ],
)
def test_an_unfinished_line_goes_with_its_statement(cell: str, expected: list[str], lines: str) -> None:
    assert statements(cell) == expected
    assert f"Cell 1 is not finished: {lines} left out (" in read(cell).unfinished.get(1, read(cell).repaired.get(1, ""))


def test_a_cell_has_at_most_twenty_gaps() -> None:
    cell = "\n".join(f"a{number} = 1\nb =" for number in range(30))
    assert statements(cell) == [f"a{number} = 1" for number in range(21)]


def test_the_first_problem_of_a_cell_is_told() -> None:
    assert "Did you mean print(...)?" in read("a = 1\nprint 'x'\nfor i in (").unfinished[1]


def test_a_remark_names_the_run() -> None:
    raw = [{"cell_type": "code", "source": "x = (", "execution_count": 7}]
    assert read_cells(raw).unfinished[1].startswith("Cell 1 (In [7]) is left out")


@pytest.mark.parametrize(("count", "run"), [(7, 7), (None, None), ("*", None)])
def test_a_run_is_a_number(count: object, run: int | None) -> None:
    raw = [{"cell_type": "code", "source": "x = 1", "execution_count": count}]
    assert read_cells(raw).cells[0].run == run


def test_an_old_notebook_keeps_its_cells_in_worksheets(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    cell = {"cell_type": "code", "input": ["x = 1"], "prompt_number": 3}
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell]}, {"cells": [cell]}]}))
    found = read_cells(read_notebook(path)).cells
    assert [(each.source, each.run) for each in found] == [("x = 1", 3)] * 2


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps(notebook("x = 1")), encoding="utf-8-sig")
    assert len(read_notebook(path)) == 1


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 3}', "\xff"])
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(BadFile):
        read_notebook(path)


def test_odd_cells_do_no_harm() -> None:
    odd: dict[str, Any] = {"cells": [None, 3, {}, {"cell_type": "code"}, {"cell_type": "code", "source": [1, "x = 1"]}]}
    assert [len(each.statements) for each in read_cells(odd["cells"]).cells] == [0, 1]
