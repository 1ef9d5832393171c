"""Standard output: what is printed where the terminal has no such letters."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dojo.show.screen import Screen


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", ("✓", "✗")), ("ascii", ("yes", "no"))])
def test_marks_fall_back_to_ascii(encoding: str, marks: tuple[str, ...]) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    screen = Screen(Console(file=file, force_terminal=True, _environ={"TERM": "xterm"}))
    assert (screen.yes, screen.no) == marks


def test_unencodable_letters_become_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", file)
    Screen(Console(file=file)).print("größe")
    file.flush()
    assert file.buffer.getvalue() == b"gr??e\n"
