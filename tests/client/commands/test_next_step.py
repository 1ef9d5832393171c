"""What to go on with: never what cannot be handed in now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from dojo.api.responses import Exercise, read_exercise
from dojo.commands.next_step import TRAINING, next_steps
from tests.client.commands.conftest import RIGHT
from tests.client.conftest import Student
from tests.client.fake import SLUG

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def exercise(name: str, **fields: Any) -> Exercise:
    slug = name if "/" in name else f"a/{name}"
    return read_exercise({"slug": slug, "passed": 0, "total": 2, "time_zone": "Europe/Berlin", **fields})


DONE, OPEN = exercise("done", passed=2), exercise("open")
CLOSED, USED_UP = exercise("closed", answers="closed"), exercise("used-up", attempts_left=0)
SOON = exercise("soon", answers="later", opens_at="2026-11-30T07:00:00Z")
LATER = exercise("later", answers="later", opens_at="2026-12-30T07:00:00Z")
KEPT = exercise("kept", feedback="withheld", shown_when="Later.", attempts=1)
TRAIN, TRAINED = exercise(TRAINING), exercise(TRAINING, passed=2)
WAIT = "There is nothing else to hand in now. a/soon opens 2026-11-30 08:00 (Europe/Berlin), in 43 hours."


@pytest.mark.parametrize(
    ("exercises", "done", "lines"),
    [
        ([DONE, CLOSED, USED_UP, SOON, OPEN], None, ["Next: dojo pull a/open"]),
        ([OPEN, DONE, CLOSED], "a/done", ["Next: dojo pull a/open"]),
        ([DONE, LATER, SOON, CLOSED], None, [WAIT]),
        ([DONE, CLOSED], None, ["There is nothing else to hand in now. See what you handed in: dojo history"]),
        ([DONE], None, ["Every exercise of this course is done."]),
        ([DONE, OPEN], "a/open", ["Every exercise of this course is done."]),
        ([], None, []),
        ([KEPT, OPEN], None, ["Next: dojo pull a/open"]),
        ([KEPT, DONE], None, ["Next: dojo pull a/kept"]),
        ([DONE, TRAIN], None, [f"Next: dojo pull {TRAINING}, and once it passes: dojo train FILE"]),
        ([TRAINED, OPEN], TRAINING, ["Train the network with it: dojo train x.py", "Next: dojo pull a/open"]),
        ([TRAINED, SOON], TRAINING, ["Train the network with it: dojo train x.py", WAIT]),
        ([TRAINED, OPEN], None, ["Next: dojo pull a/open"]),
        ([TRAINED, DONE], None, ["Train the network with your backward pass: dojo train FILE"]),
        ([TRAINED, DONE], "a/done", ["Train the network with your backward pass: dojo train FILE"]),
    ],
)
def test_what_is_next_can_be_handed_in_now(exercises: list[Exercise], done: str | None, lines: list[str]) -> None:
    assert next_steps(exercises, done, "x.py", NOW) == lines


def test_what_is_not_open_yet_is_neither_shown_nor_asked_for(student: Student) -> None:
    student.join()
    common = student.fake.exercise()
    listed = [
        {**common, "slug": "a/later", "answers": "later", "opens_at": "2999-01-01T00:00:00Z"},
        {**common, "slug": "a/closed", "answers": "closed"},
        common,
    ]

    def several(request: httpx.Request) -> httpx.Response | None:
        path = request.url.path.removeprefix("/api/v1/courses/autumn/")
        assert not path.endswith(("a/later", "a/closed"))
        return httpx.Response(200, json={"exercises": listed}) if path == "exercises" else None

    student.fake.before = several

    assert student.type("list")[1].endswith(f"\nNext: dojo pull {SLUG}\n")
    assert student.type("open", "--json")[1].count(SLUG) == 1


@pytest.mark.parametrize("words", [("open",), ("submit", "solution.py")])
def test_a_course_that_is_not_open_yet_has_exercises(student: Student, words: tuple[str, ...]) -> None:
    student.join()
    Path("solution.py").write_text(RIGHT)
    later = {**student.fake.exercise(), "answers": "later", "opens_at": "2999-01-01T00:00:00Z"}
    student.fake.before = lambda request: (
        httpx.Response(200, json={"exercises": [later]}) if request.url.path.endswith("autumn/exercises") else None
    )

    code, _, err = student.type(*words)

    assert code == 2
    assert err == "No exercise of this course is open yet.\nSee when the first one opens: dojo list\n"
