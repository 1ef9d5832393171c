"""The lecture's flow with three mistakes, a cell at a time, in a notebook against a real server."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from dojo import pull
from tests.client.conftest import Live
from tests.client.test_live import SLUG
from tests.client.test_notebook_live import BY_HAND, history, joined  # noqa: F401
from tests.mistakes.three_mistakes import CELLS


def test_each_mistake_is_told_once(live: Live, joined: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    exercise = pull(SLUG, timing=BY_HAND)
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exercise.into(names)
    names["cmp"] = exercise.cmp
    said: list[str] = []

    for cell in CELLS:
        capsys.readouterr()
        exec(cell.source, names)
        said.append(capsys.readouterr().out)
    exercise.hand_in()

    for cell, text in zip(CELLS, said, strict=True):
        for name, outcome in cell.outcomes.items():
            told = remarks(text, name)
            assert ("further up" in told) == (outcome == "inherited"), told
            assert ("line" in told) == (outcome == "own"), told
    assert [entry["attempt"] for entry in history(live, joined)] == [1]


def remarks(text: str, name: str) -> str:
    """What a cell says of a step: its row, and the indented lines below it."""
    lines = iter(text.splitlines())
    row = next(line for line in lines if line.startswith(f"{name} "))
    return "\n".join([row, *itertools.takewhile(lambda line: line.startswith(" "), lines)]).lower()
