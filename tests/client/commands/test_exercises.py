"""The commands ``pull`` and ``open``, typed by a student at a fake server."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from dojo.commands.next_step import TRAINING
from tests.client.conftest import Student
from tests.client.fake import SLUG


def test_an_unwritable_path_is_no_traceback(student: Student) -> None:
    student.join()
    Path("file").write_text("")
    code, _, err = student.type("pull", SLUG, "--to", "file/inside")
    assert code == 2
    assert "Not a directory" in err or "cannot find" in err


def test_open_shows_the_first_wrong_step(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert pulled.type("open")[0] == 0
    code, out, _ = pulled.type("open", "--json")
    assert json.loads(out)["checkpoint"] == "counts"
    assert opened == ["https://dojo.test/lecture?t=60"]
    pulled.fake.links = False
    code, out, _ = pulled.type("open")
    assert code == 0
    assert "exercise.md" in out


def test_open_continues_the_last_exercise(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    done = {**pulled.fake.exercise(), "passed": 2}
    other, third = ({**pulled.fake.exercise(), "slug": slug, "lecture_url": None} for slug in ("a/other", "a/third"))
    listed = [done, other, third]
    submissions = [{"id": 1, "exercise": "a/third", "status": "graded"}]

    def several(request: httpx.Request) -> httpx.Response | None:
        path = request.url.path.removeprefix("/api/v1/courses/autumn/")
        answers: dict[str, Any] = {"exercises": {"exercises": listed}, "submissions": {"submissions": submissions}}
        answers |= {f"exercises/{each['slug']}": each for each in listed}
        return httpx.Response(200, json=answers[path]) if path in answers else None

    pulled.fake.before = several
    os.chdir("..")
    code, out, _ = pulled.type("open")
    assert (code, opened) == (0, ["https://dojo.test/lecture?t=60"])
    assert out == "dcounts is the first step of a/third that is not right yet:\nhttps://dojo.test/lecture?t=60\n"
    for latest, todo, slug in ((SLUG, listed, "a/other"), ("a/third", [done], SLUG)):
        submissions[0]["exercise"], listed = latest, todo
        assert json.loads(pulled.type("open", "--json")[1])["exercise"] == slug


def test_pulling_says_when_it_is_due_and_whether_it_takes_answers(
    student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.join()
    exercise = student.fake.exercise() | {"due_at": "2099-12-01T22:00:00Z", "time_zone": "UTC", "late": "It closes."}
    monkeypatch.setattr(student.fake, "exercise", lambda: exercise)

    open_now = student.type("pull", SLUG)[1].splitlines()
    exercise["answers"] = "closed"
    closed = student.type("pull", SLUG)[1].splitlines()

    assert open_now[1].startswith("Due 2099-12-01 22:00 (UTC), in ")
    assert open_now[2:] == [
        "It closes.",
        "Next: read exercise.md, write solution.py, then: cd cross-entropy && dojo submit",
    ]
    assert closed[-1] == "It takes no more answers. See what does: dojo list"


def test_after_pulling_the_last_exercise_training_is_named(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    student.join()
    exercise = student.fake.exercise() | {"slug": TRAINING}
    monkeypatch.setattr(student.fake, "exercise", lambda: exercise)
    plain = student.fake.before

    def answer(request: httpx.Request) -> httpx.Response | None:
        if TRAINING not in request.url.path:
            return plain(request) if plain else None
        twin = httpx.Request("GET", str(request.url).replace(TRAINING, SLUG), headers=request.headers)
        return student.fake._answer(twin)

    student.fake.before = answer

    assert student.type("pull", TRAINING)[1].endswith(
        "\nOnce it passes, train the network with it: dojo train solution.py\n"
    )
