"""The commands ``status``, ``history``, ``show`` and ``hint``: earlier results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.client.commands.conftest import HALF, RIGHT
from tests.client.conftest import Student
from tests.client.fake import HINTS, SLUG


def test_looking_back(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    code, out, _ = pulled.type("history")
    assert code == 0
    assert out.splitlines()[1].split(" | ")[:2] == ["1 ", "1 of 2"]
    code, out, _ = pulled.type("show", "1")
    assert code == 1
    assert "logits          | exact: False" in out
    assert pulled.type("show", "99")[0] == 2
    code, out, _ = pulled.type("status")
    assert code == 0
    assert out.splitlines()[:2] == [f"{SLUG}: Softmax", "[··]  0 of 2 pass, 0 exact"]
    assert out.splitlines()[-2:] == [
        "Next: dcounts",
        "Stuck at dcounts? The lecture at 1:00: https://dojo.test/lecture?t=60",
    ]
    assert pulled.type("status", "--all")[1].splitlines()[1].startswith("counts | not yet")


def test_status_shows_the_best_and_the_last_mistake(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    shown = pulled.fake.exercise()
    shown["checkpoints"][0] |= {"best": "exact", "attempts": 1}
    shown["checkpoints"][1] |= {"best": "wrong", "attempts": 1}
    pulled.fake.before = lambda request: (
        httpx.Response(200, json=shown) if request.url.path.endswith(f"exercises/{SLUG}") else None
    )
    lines = pulled.type("status")[1].splitlines()
    assert lines[:2] == [f"{SLUG}: Softmax", "[█✗]  1 of 2 pass, 1 exact"]
    assert lines[-4].endswith("| wrong here")
    assert lines[-3:-1] == [f"  {HINTS[0]}", "  One more hint (2 of 3): dojo hint"]
    Path("solution.py").write_text("dlogits = torch.ones(2, 3)\n")
    pulled.type("submit", "solution.py")  # counts is not there now, and passed before
    assert pulled.type("status")[1].splitlines()[1] == "[█✗]  1 of 2 pass, 1 exact"


def test_status_ends_with_the_dates_and_whether_answers_are_taken(
    pulled: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = pulled.fake.exercise() | {"due_at": "2099-12-01T22:00:00Z", "time_zone": "UTC", "attempts_left": 2}
    monkeypatch.setattr(pulled.fake, "exercise", lambda: exercise)

    taken = pulled.type("status")[1].splitlines()
    exercise["answers"] = "closed"
    closed = pulled.type("status")[1].splitlines()

    assert taken[-2].startswith("Due 2099-12-01 22:00 (UTC), in ")
    assert taken[-1] == "2 attempts left."
    assert closed[-1] == "It takes no more answers. See what does: dojo list"


def test_status_elsewhere_ends_with_what_is_next(student: Student) -> None:
    student.join()

    assert student.type("status")[1].endswith(f"\nNext: dojo pull {SLUG}\n")


def test_commands_name_what_was_named(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    exercise = pulled.fake.exercise()
    exercise["checkpoints"][1] |= {"best": "wrong", "attempts": 1}
    monkeypatch.setattr(pulled.fake, "exercise", lambda: exercise)

    status, hint = pulled.type("status", SLUG)[1], pulled.type("hint", "1")[1]

    assert f"Step by step: dojo status {SLUG} --all\n" in status
    assert "  One more hint (2 of 3): dojo hint 1\n" in status
    assert hint.endswith("\nOne more: dojo hint 1\n")


def test_a_hint_that_the_status_showed_counts(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (pulled.config / "attempts.json").unlink()  # it was handed in on another machine
    exercise = pulled.fake.exercise()
    exercise["checkpoints"][1] |= {"best": "wrong", "attempts": 1}
    monkeypatch.setattr(pulled.fake, "exercise", lambda: exercise)

    pulled.type("status")

    assert f"  2. {HINTS[1]}\n" in pulled.type("hint")[1]


def test_points_that_staff_set_are_shown_in_the_status(pulled: Student) -> None:
    exercise = pulled.fake.exercise() | {"override": {"points": 1.5, "reason": "Half of it by hand."}}
    pulled.fake.before = lambda request: (
        httpx.Response(200, json=exercise, headers=pulled.fake.headers) if request.url.path.endswith(SLUG) else None
    )

    shown = pulled.type("status")[1]

    assert shown.startswith("For makemore/cross-entropy you have 1.5 points: Half of it by hand.\n")


def test_what_staff_say_is_shown_with_the_submission(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (submission,) = pulled.fake.graded.values()
    plain = pulled.type("show", "1", "--all")[1]
    author = {"id": 1, "name": "Dr. Example"}
    submission["comments"] = [
        {"id": 1, "author": author, "checkpoint": "counts", "text": "A factor is missing.\nSee \x1b[2J25:07."},
        {"id": 2, "author": author, "checkpoint": None, "text": "Good otherwise."},
    ]
    submission["override"] = {"points": 1.5, "reason": "Half of it by hand."}

    shown = pulled.type("show", "1", "--all")[1]

    assert shown.removesuffix(plain).splitlines() == [
        "Dr. Example on dcounts:",
        "  A factor is missing.",
        "  See 25:07.",
        "Dr. Example:",
        "  Good otherwise.",
        "For makemore/cross-entropy you have 1.5 points: Half of it by hand.",
        "",
    ]
    assert pulled.type("submissions", "show", "1", "--all")[1] == shown


@pytest.mark.parametrize(
    "broken",
    [{"comments": [{"text": "x"}]}, {"comments": [{"author": {}, "text": 3}]}, {"override": {"reason": "x"}}],
)
def test_feedback_that_is_none_is_refused(pulled: Student, broken: dict[str, Any]) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (submission,) = pulled.fake.graded.values()
    submission.update(broken)

    code, _, error = pulled.type("show", "1")

    assert (code, "no usable" in error) == (2, True)


def test_each_hint_says_one_level_more(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    row = "logits          | exact: False | approximate: False | maxdiff: 1.0 | wrong here"
    shown = [f"  {number}. {hint}" for number, hint in enumerate(HINTS, 1)]
    assert pulled.type("hint")[1].splitlines() == [row, *shown[:2], "One more: dojo hint"]
    # The same mistake, handed in again, goes on from there.
    assert f"  {HINTS[1]}\n  One more hint (3 of 3): dojo hint\n" in pulled.type("submit", "solution.py")[1]
    assert "  One more hint (3 of 3): dojo hint 1\n" in pulled.type("show", "1")[1]  # not of the newest
    assert pulled.type("hint")[1].splitlines() == [row, *shown]
    assert pulled.type("hint")[1].splitlines() == [row, *shown, "That was the last hint. The lecture: dojo open"]
    assert json.loads(pulled.type("hint", "1", "--json")[1])["hints"] == list(HINTS)


def test_the_course_limits_the_hints(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (submission,) = pulled.fake.graded.values()
    diagnosis = submission["grade"]["checkpoints"][1]["diagnosis"][0]
    diagnosis["hints"] = diagnosis["hints"][:1]
    assert "That was the last hint." in pulled.type("hint")[1]
    submission["grade"]["checkpoints"][1]["diagnosis"] = []
    assert "This course shows no hints." in pulled.type("hint")[1]


def test_the_last_hint_names_no_lecture_where_there_is_none(pulled: Student) -> None:
    Path("solution.py").write_text("dcounts = torch.ones(2, 3)\n")
    pulled.type("submit", "solution.py")
    pulled.fake.links = False

    last = [pulled.type("hint")[1] for _ in HINTS][-1]

    assert last.endswith("\nThat was the last hint. Read exercise.md once more.\n")


def test_a_hint_without_a_mistake(pulled: Student) -> None:
    assert pulled.type("hint")[0] == 2
    Path("solution.py").write_text(RIGHT)
    pulled.type("submit", "solution.py")
    assert pulled.type("hint")[:2] == (0, "There is no mistake of your own: all of it passes.\n")


def test_a_hint_says_what_comes_next_where_no_step_is_wrong(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    pulled.type("submit", "solution.py")
    (submission,) = pulled.fake.graded.values()
    submission["grade"]["checkpoints"][1] |= {"verdict": "missing", "exact": False, "approximate": False}
    assert pulled.type("hint")[1] == "There is no mistake of your own. Go on with dlogits.\n"
    submission["grade"]["run"] = {"status": "time_limit", "message": "", "stdout": ""}
    sentence = "No step is wrong, and your code did not run to its end. What stopped it: dojo show 1\n"
    assert pulled.type("hint")[1] == sentence


@pytest.mark.parametrize("words", [("show",), ("submissions", "show"), ("restore",), ("hint",)])
@pytest.mark.parametrize("number", ["abc", "0", "1.5"])
def test_what_is_no_number_is_answered_with_where_they_are(
    pulled: Student, words: tuple[str, ...], number: str
) -> None:
    code, _, err = pulled.type(*words, number)

    assert code == 2
    assert f"“{number}” is no number of a submission. See yours: dojo history\n" in err
