"""Standard output: what is printed where the terminal has no such letters."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from dojo.show.screen import Screen
from tests.client.show.terminal import terminal


def test_a_link_is_never_split() -> None:
    screen, file = terminal(40)
    link = "https://l.test/" + "x" * 60
    screen.print(f"Stuck at dlogits? The lecture at 13:01: {link} or ask your instructor.")
    assert Text.from_ansi(file.getvalue()).plain.split("\n") == [
        "Stuck at dlogits? The lecture at 13:01:",
        link,
        "or ask your instructor.",
        "",
    ]


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}])
def test_a_paragraph_is_indented_as_a_whole(settings: dict[str, str]) -> None:
    screen, file = terminal(20, **settings)
    screen.print_text(Text("one two three four five\nsix"), indent=4)
    screen.print_text(Text("one two three four five"), indent=5, lead="  1. ")
    assert file.getvalue().splitlines() == [
        "    one two three",
        "    four five",
        "    six",
        "  1. one two three",
        "     four five",
    ]


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
