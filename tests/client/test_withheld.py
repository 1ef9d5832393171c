"""While feedback is withheld, the client says what is kept and when feedback shows, and nothing of right or wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dojo import notebook
from dojo.api.responses import read_grade
from dojo.files.outbox import Outbox
from dojo.files.workspace import Workspace
from dojo.show.grades import printed_heading
from tests.client.conftest import Student
from tests.client.fake import SLUG, FakeDojo, expected, problem
from tests.client.test_notebook import Clock

WHEN = "Feedback shows after 2026-12-01 23:00 (Europe/Berlin)."
WRONG = "dcounts = n / counts\ndlogits = torch.ones(2, 3)\n"


@pytest.fixture
def waiting(student: Student) -> Student:
    """A student who handed in code, and reads of it later."""
    student.join()
    student.fake.withheld = WHEN
    Path("solution.py").write_text(WRONG)
    return student


def test_a_kept_answer_is_no_failure_and_says_when_feedback_shows(waiting: Student) -> None:
    sent = waiting.type("submit", "solution.py", "--exercise", SLUG)
    shown = waiting.type("show", "1", "--all")

    for code, out, _ in (sent, shown):
        assert code == 0
        assert out.splitlines() == [
            f"{SLUG}, attempt 1 (submission 1)",
            f"Kept, with 2 steps in it. {WHEN} Then: dojo show 1",
        ]
    code, out, _ = waiting.type("show", "1", "--json")
    assert code == 0 and json.loads(out)["grade"]["feedback"] == "withheld"


def test_nothing_is_kept_where_nothing_was_handed_in(waiting: Student) -> None:
    assert f"{SLUG} | -" in waiting.type("list")[1]


def test_lists_and_status_say_kept_and_not_how_much_is_right(waiting: Student) -> None:
    waiting.type("submit", "solution.py", "--exercise", SLUG)

    listed, history = waiting.type("list")[1], waiting.type("history")[1]
    code, status, _ = waiting.type("status", SLUG)
    whole = waiting.type("status", SLUG, "--all")[1]

    assert f"{SLUG} | kept" in listed and "of 2" not in listed + history
    assert "kept" in history
    assert (code, status.splitlines()) == (0, [f"{SLUG}: Softmax", f"1 attempt kept. {WHEN} See them: dojo history"])
    assert whole.splitlines()[-1] == WHEN


def test_a_status_before_anything_was_handed_in_points_at_nothing(waiting: Student) -> None:
    assert waiting.type("status", SLUG)[1].splitlines() == [f"{SLUG}: Softmax", f"Nothing is handed in yet. {WHEN}"]


def test_the_lecture_is_opened_without_a_word_on_what_is_right(
    waiting: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: None)
    waiting.type("submit", "solution.py", "--exercise", SLUG)

    out = waiting.type("open", SLUG)[1]

    assert out.splitlines() == [f"{WHEN} Here is the lecture of {SLUG}:", "https://dojo.test/lecture?t=60"]


def test_there_is_no_hint_yet(waiting: Student) -> None:
    waiting.type("submit", "solution.py", "--exercise", SLUG)

    code, out, err = waiting.type("hint", "1")

    assert code == 2 and out == ""
    assert WHEN in err and "dojo hint 1" in err


def test_cmp_keeps_and_hands_in_what_is_not_compared(
    student: Student, fake: FakeDojo, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    student.join()
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(student.config))
    exercise = notebook.pull(SLUG, network=fake.network, timing=clock.timing)
    fake.withheld = WHEN
    student.capture.readouterr()

    exercise.cmp("logits", torch.ones(2, 3))

    said = student.capture.readouterr().out
    assert said == f"dlogits: not compared. {WHEN} Until then, hand your answers in: they are kept.\n"
    clock.becomes_quiet()
    assert len(fake.graded) == 1
    results = exercise.check({"dcounts": expected()["counts"], "dlogits": torch.ones(2, 3)})
    assert repr(results) == f"Kept, with 2 steps in it. {WHEN}"
    assert results is not None and results._repr_html_() == f"<div>Kept, with 2 steps in it. {WHEN}</div>"
    assert set(exercise.verdicts.values()) == {None}


def test_a_notebook_makes_no_attempt_unasked_where_they_are_limited(
    student: Student, fake: FakeDojo, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    student.join()
    fake.attempts_left = 3
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(student.config))
    exercise = notebook.pull(SLUG, network=fake.network, timing=clock.timing)
    student.capture.readouterr()

    for _ in range(2):
        exercise.cmp("logits", torch.ones(2, 3))

    said = student.capture.readouterr().out
    assert said.count("Your attempts are limited, so nothing is handed in by itself. Hand in with: ex.check()") == 1
    assert clock.call is None and len(Outbox(exercise.folder)) == 0
    opened = notebook.open_folder(exercise.folder.folder, network=fake.network, timing=clock.timing)
    assert opened.folder.has_attempts_max
    exercise.check({})
    assert len(fake.graded) == 1  # what was compared is handed in by the student's own word


@pytest.mark.parametrize("kind", ["closed", "no-attempts-left"])
def test_an_answer_that_came_too_late_keeps_no_other_back(workspace: Workspace, fake: FakeDojo, kind: str) -> None:
    outbox = Outbox(workspace)
    outbox.put(b"one", "a")
    fake.before = lambda request: problem(403, "It was due yesterday.", kind=f"urn:dojo:problem:{kind}")

    result = outbox.send(fake.connection)

    assert result.refused == ("It was due yesterday.",) and len(outbox) == 0
    assert len(list(workspace.folder.glob(".dojo-outbox/*.refused"))) == 1


def test_what_code_printed_on_unseen_numbers_is_said_to_be_of_them() -> None:
    run = {"status": "ok", "message": "", "stdout": "0.5\n", "hidden": True}

    grade = read_grade({"run": run, "checkpoints": []})

    assert printed_heading(grade) == "Your code printed on numbers that you have not seen:"
    assert printed_heading(grade, 9) == "Your code printed 9 lines on numbers that you have not seen, at the end:"
    assert printed_heading(read_grade({"run": run | {"hidden": False}, "checkpoints": []})) == "Your code printed:"
