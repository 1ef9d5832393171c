"""What a notebook lost on its way is put back; what a student forgot is not made up."""

from __future__ import annotations

import ast

import pytest

from grader.sandbox.child.indentation import repair_indentation

LOST = """\
for k in range(2):
 for j in range(3):
 ix = k + j
 total[ix] += 1

print(total)
"""
KEPT = """\
for k in range(2):
    for j in range(3):
        ix = k + j
        total[ix] += 1

print(total)
"""


def test_a_loop_in_a_loop_gets_its_body_back() -> None:
    found = repair_indentation(LOST)
    assert found is not None
    assert ast.dump(ast.parse(found)) == ast.dump(ast.parse(KEPT))
    assert found.count("\n") == LOST.count("\n")  # line numbers stay the student's


def test_a_branch_goes_with_its_condition() -> None:
    found = repair_indentation("def f(x):\n if x:\n a = 1\n else:\n a = 2\n\n return a\n")
    assert found is not None
    assert (
        ast.unparse(ast.parse(found)) == "def f(x):\n    if x:\n        a = 1\n    else:\n        a = 2\n    return a"
    )


def test_what_python_can_read_is_left_alone() -> None:
    assert repair_indentation(KEPT) == KEPT


@pytest.mark.parametrize(
    "text",
    [
        "for k in range(2):\n",
        "for k in range(2):\nprint(k)\n",
        "a = (1,\n",
        "  for k in x:\n",
        "if x:\n  y\n z\n",
    ],
)
def test_nothing_is_made_up(text: str) -> None:
    assert repair_indentation(text) is None
