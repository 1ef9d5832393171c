"""A student makes one kind of mistake twice, is offered a drill, pulls it and passes it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dojo.cli import run
from dojo.commands.context import Context
from dojo.profiles.config import Config
from tests.client.conftest import Live

OFFER = "  Practise this in 3 lines: dojo pull drills/scale-1"
RIGHT = "dy = g\nda = a.cos() * dy\ndx = 2 * x * da\n"  # of y = sin(x**2)


def test_a_drill_is_offered_pulled_and_passed(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def type_words(words: str) -> str:
        run(words.split(), Context(Config(os.environ)))
        return capsys.readouterr().out

    type_words(f"join {live.address} {live.code} --name Grace")
    type_words("pull puzzles/square")
    monkeypatch.chdir(tmp_path / "square")
    Path("solution.py").write_text("dx = x * dy\n", encoding="utf-8")
    first, second = type_words("submit"), type_words("submit")
    monkeypatch.chdir(tmp_path)
    type_words("pull drills/scale-1")
    monkeypatch.chdir(tmp_path / "scale-1")
    Path("solution.py").write_text(RIGHT, encoding="utf-8")
    drilled = type_words("submit")
    monkeypatch.chdir(tmp_path)
    elsewhere = type_words("open --json")

    assert "Practise this" not in first
    assert OFFER in second.splitlines()
    assert "Find the factor" in Path("scale-1/exercise.md").read_text(encoding="utf-8")
    assert "3 of 3 pass, 3 exact" in drilled
    assert drilled.endswith("\nNext: go on with puzzles/square. Type in its folder: dojo submit\n")
    assert json.loads(elsewhere)["exercise"] == "puzzles/square"
