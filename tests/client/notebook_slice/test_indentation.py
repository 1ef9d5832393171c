"""Indentation that a cell has too much of, or has lost."""

from __future__ import annotations

import ast

import pytest

from dojo.notebook_slice.indentation import dedented, reindented


def unparsed(flat: str) -> str:
    return ast.unparse(ast.parse(reindented(flat) or "None"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
        ("  x = 1\n# at the margin\n  y = 2", "x = 1\n# at the margin\ny = 2"),
        ("# at the margin\n  x = 1", "# at the margin\nx = 1"),
        ("  x = 1\n # half in\n  y = 2", "x = 1\n# half in\ny = 2"),
        ("  x = 1\n y = 2", "x = 1\n y = 2"),
        ("# only a comment", "# only a comment"),
    ],
)
def test_the_first_lines_indentation_is_removed(text: str, expected: str) -> None:
    assert dedented(text) == expected


@pytest.mark.parametrize("word", ["else", "elif n", "finally", "except ValueError"])
def test_a_block_ends_at_its_else(word: str) -> None:
    head = "if x" if word[:2] == "el" else "try"
    flat = f"def f(x):\n {head}:\n y = 1\n {word}:\n y = 2"
    assert unparsed(flat) == f"def f(x):\n    {head}:\n        y = 1\n    {word}:\n        y = 2"


def test_an_inner_else_stays_in_its_block() -> None:
    flat = "def f(x):\n for i in x:\n if i:\n  if x:\n   y = 1\n  else:\n   y = 2\n z = 3"
    assert unparsed(flat) == (
        "def f(x):\n    for i in x:\n        if i:\n            if x:\n                y = 1\n"
        "            else:\n                y = 2\n        z = 3"
    )


def test_a_block_ends_at_a_less_indented_line() -> None:
    assert unparsed("def f(x):\n for i in x:\n y = 1\nz = 2") == "def f(x):\n    for i in x:\n        y = 1\nz = 2"


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_block_ends_at_a_blank_line(blank: str) -> None:
    assert unparsed(f"def f(x):\n for i in x:\n y = 1\n{blank}\n z = 2") == (
        "def f(x):\n    for i in x:\n        y = 1\n    z = 2"
    )


def test_a_comment_is_no_header() -> None:
    assert unparsed("def f(x):\n for i in x:\n # each\n y = 1") == "def f(x):\n    for i in x:\n        y = 1"


def test_a_comment_behind_the_head_does_no_harm() -> None:
    assert unparsed("def f(x):\n for i in x: # each\n y = 1") == "def f(x):\n    for i in x:\n        y = 1"


def test_ten_nested_blocks_are_put_back() -> None:
    heads = "\n".join(f" for i{depth} in x:" for depth in range(10))
    assert unparsed(f"def f(x):\n{heads}\n y = 1").endswith(" " * 44 + "y = 1")


@pytest.mark.parametrize(
    "flat",
    [
        "for i in x:\ny = i",
        "def f():\n for i in x:",
        "def f(x):\n y = 1\n  z = 2",
        "def f(x):\n  for i in x:\n y = 1",
        "x = (",
    ],
)
def test_a_block_at_the_margin_is_not_guessed(flat: str) -> None:
    assert reindented(flat) is None
