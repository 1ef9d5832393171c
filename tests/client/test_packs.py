"""docs/packs.md: a student's way through one exercise of each pack, typed word for word, against a real server."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dojo.cli import run
from dojo.commands.context import Context
from dojo.notebook import Timing, pull
from dojo.profiles.config import Config
from tests.client.conftest import PINNED, Live
from tests.support.processes import PROJECT

PAGE = (PROJECT / "docs" / "packs.md").read_text(encoding="utf-8")
TEXT = PAGE.partition("## A way through, typed")[2]
IN_A_FILE, IN_A_NOTEBOOK, HANDED_IN = re.split(r"^### .*\n", TEXT, flags=re.MULTILINE)[1:]
# Nothing is handed in behind the test's back.
BY_HAND = Timing(start_timer=lambda *_: lambda: None)


@dataclass(frozen=True)
class Student:
    """A student who types what the page says, beginning in an empty folder."""

    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def type(self, commands: str) -> str:
        """Type lines of a shell, and return what they printed."""
        for line in commands.strip().splitlines():
            program, *words = shlex.split(line)
            if program == "cd":
                self.monkeypatch.chdir(words[0])
            else:
                assert program == "dojo", line
                run(words, Context(Config(os.environ)))
        return self.printed()

    def printed(self) -> str:
        """Return what was printed since the last call."""
        return self.capture.readouterr().out


@pytest.fixture
def student(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Student:
    """A student who has joined the course."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(tmp_path / "config"))
    student = Student(monkeypatch, capsys)
    assert "Welcome, Ada." in student.type(f"dojo join {live.address} {live.code} --name Ada")
    return student


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def quoted(text: str) -> list[str]:
    """Return the lines that a part of the page quotes of what is printed."""
    return re.findall(r"^    (\S.*)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)


def replaced(path: Path, lines: str) -> None:
    """Write lines of code into a file of the exercise, each in place of the None of its variable."""
    text = path.read_text(encoding="utf-8")
    for line in lines.strip().splitlines():
        old, new = f"{line.partition(' = ')[0]} = None", line
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def test_the_page_pins_the_packs_that_this_course_has() -> None:
    command = "python -m server course packs autumn" + "".join(f" --pin {name}" for name in PINNED)

    assert [line for line in blocks("sh", PAGE)[0].splitlines() if "--pin" in line] == [command]


def test_in_a_file(student: Student, tmp_path: Path) -> None:
    pulled, submitted, explained = blocks("sh", IN_A_FILE)
    (lines,) = blocks("python", IN_A_FILE)
    bar, following, derivation = quoted(IN_A_FILE)

    student.type(pulled)
    assert "One neuron" in Path("exercise.md").read_text(encoding="utf-8")
    replaced(Path("solution.py"), lines)
    shown = student.type(submitted)

    assert bar in shown
    assert following in shown.splitlines()
    assert derivation in student.type(explained)
    assert Path.cwd() == tmp_path


def test_in_a_notebook(student: Student) -> None:
    start, again = blocks("python", IN_A_NOTEBOOK)
    mistake, row = quoted(IN_A_NOTEBOOK)
    names: dict[str, Any] = {"pull": lambda slug: pull(slug, timing=BY_HAND)}

    exec(start.replace("dojo.pull(", "pull("), names)
    assert mistake in student.printed()
    exec(again, names)
    assert row in student.printed().splitlines()
    results = names["ex"].check()

    assert results is not None and results.grade.passed == 1


def test_a_notebook_handed_in(student: Student) -> None:
    pulled, submitted = blocks("sh", HANDED_IN)
    (line,) = blocks("python", HANDED_IN)
    bar, following = quoted(HANDED_IN)

    student.type(pulled)
    notebook = json.loads(Path("exercise.ipynb").read_text(encoding="utf-8"))
    (cell,) = [each for each in notebook["cells"] if each["source"] and "dyes = None" in "".join(each["source"])]
    cell["source"] = "".join(cell["source"]).replace("dyes = None", line.strip())
    Path("exercise.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    shown = student.type(submitted)

    assert bar in shown
    assert following in shown.splitlines()
