"""Lists of exercises and submissions on terminals of all widths."""

from __future__ import annotations

import time

import pytest
from rich.text import Text

from dojo.api.responses import read_exercise, read_submission
from dojo.files.starter import statement
from dojo.show.lists import show_checkpoints, show_exercises, show_history
from tests.client.fake import FakeDojo
from tests.client.show.terminal import terminal


def test_times_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        screen, file = terminal(100)
        moments = ("2026-01-02T23:04:05Z", "2026-01-02T23:04:05+00:00", "yesterday", "")
        answers = [{"id": 1, "exercise": "a/e", "status": "queued", "created_at": moment} for moment in moments]
        show_history(screen, [read_submission(each) for each in answers])
    finally:
        monkeypatch.undo()
        time.tzset()
    text = Text.from_ansi(file.getvalue()).plain
    assert text.count("2026-01-03 01:04") == 2
    assert "yesterday" in text


def test_done_rows_are_green() -> None:
    done = {"slug": "a/done", "passed": 2, "total": 2}
    others = [{"slug": "a/half", "passed": 1, "total": 2}, {"slug": "a/empty", "passed": 0, "total": 0}]
    screen, file = terminal(100)
    show_exercises(screen, [read_exercise(each) for each in (done, *others)])
    assert [line for line in file.getvalue().splitlines() if "\x1b[32m" in line] == [
        line for line in file.getvalue().splitlines() if "a/done" in line
    ]
    screen, file = terminal(100)
    grades = [{"passed": 2, "total": 2}, {"passed": 1, "total": 2}, {}]
    answers = [{"id": 7, "exercise": "a/b", "status": "queued", "grade": grade} for grade in grades]
    show_history(screen, [read_submission(each) for each in answers])
    assert file.getvalue().count("\x1b[32m7") == 1


def test_a_narrow_list_shows_whole_slugs(fake: FakeDojo) -> None:
    screen, file = terminal(30)
    show_exercises(screen, [read_exercise(fake.exercise())])
    assert "makemore/cross-entropy" in file.getvalue()


def test_an_exercise_that_no_lecture_is_about_has_no_column_for_it(
    fake: FakeDojo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown() -> str:
        exercise = read_exercise(fake.exercise())
        screen, file = terminal(100)
        show_checkpoints(screen, exercise)
        return file.getvalue() + statement(exercise)

    with_lecture = shown()
    for checkpoint in (common := fake.exercise())["checkpoints"]:
        checkpoint |= {"lecture_start": None, "lecture_url": None}
    monkeypatch.setattr(fake, "exercise", lambda: common)
    without_lecture = shown()

    assert "| first passed | lecture" in with_lecture and "| in the lecture |" in with_lecture
    assert "lecture" not in without_lecture
    assert "| 1 | `dcounts` | 2 × 3 |\n" in without_lecture


def test_the_history_shows_points_if_they_differ() -> None:
    heads = [
        {"id": id, "exercise": "a/e", "status": "graded", "grade": {"passed": 5, "total": 26, "points": points}}
        for id, points in ((1, 5.0), (2, 15.5))
    ]
    screen, file = terminal(100)
    show_history(screen, [read_submission(each) for each in heads])
    first, second = [line for line in Text.from_ansi(file.getvalue()).plain.splitlines() if " of 26" in line]
    assert "5 of 26" in first and "points" not in first
    assert "5 of 26, 15.5 points" in second


LONG = "makemore-with-a-long-topic/full-backward-through-the-whole-thing"


@pytest.mark.parametrize("width", [20, 40, 60, 70, 80, 100, 140])
def test_what_one_types_is_never_cut(fake: FakeDojo, width: int) -> None:
    for settings in ({}, {"NO_COLOR": "1"}):
        screen, file = terminal(width, **settings)
        show_exercises(screen, [read_exercise({**fake.exercise(), "slug": LONG, "title": "A title " * 9})])
        assert LONG in Text.from_ansi(file.getvalue()).plain
        screen, file = terminal(width, **settings)
        show_history(
            screen, [read_submission({"id": 1234567, "exercise": LONG, "status": "queued", "filename": "a" * 99})]
        )
        text = Text.from_ansi(file.getvalue()).plain
        assert LONG in text and "1234567" in text


def test_other_columns_are_cut_with_a_mark() -> None:
    screen, file = terminal(50)
    show_exercises(screen, [read_exercise({"slug": "a/b", "title": "x" * 99})])
    lines = Text.from_ansi(file.getvalue()).plain.splitlines()
    assert max(map(len, lines)) <= 50
    screen, file = terminal(80)
    show_exercises(screen, [read_exercise({"slug": "a/b", "title": "x" * 99})])
    assert Text.from_ansi(file.getvalue()).plain.splitlines()[1].endswith("xxx…")
