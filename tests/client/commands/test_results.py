"""A grade as it is shown after ``submit``: in short, whole, and beside the attempt before."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
import pytest

from tests.client.commands.conftest import HALF, RIGHT
from tests.client.conftest import Student
from tests.client.fake import HINTS, SLUG


def test_a_pipe_gets_the_result_in_short(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    code, out, _ = pulled.type("submit", "solution.py")
    assert code == 1
    assert out.splitlines() == [
        f"{SLUG}, attempt 1 (submission 1)",
        "[█✗]  1 of 2 pass, 1 exact",
        "1 more step right.",
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        "The whole table: dojo show 1 --all",
        "",
        "logits          | exact: False | approximate: False | maxdiff: 1.0 | wrong here",
        "  This is a factor of 2 off.",
        "  One more hint (2 of 3): dojo hint",
        "Stuck at dlogits? The lecture at 1:00: https://dojo.test/lecture?t=60",
    ]


@pytest.mark.parametrize("words", [("submit", "solution.py", "--all"), ("show", "1", "--all")])
def test_all_has_the_lectures_lines(pulled: Student, words: tuple[str, ...]) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    code, out, _ = pulled.type(*words)
    assert code == 1
    assert out.splitlines() == [
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        "logits          | exact: False | approximate: False | maxdiff: 1.0 | wrong here",
        f"    {HINTS[0]}",
        "1 of 2 pass, 1 exact; 1 mistake of your own",
        "Stuck at dlogits? The lecture at 1:00: https://dojo.test/lecture?t=60",
    ]


def test_what_changed_is_said(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    assert "Since attempt 1: no other steps pass than before." in pulled.type("submit", "solution.py")[1]
    Path("solution.py").write_text("dlogits = torch.full((2, 3), 2.0)\n")
    out = pulled.type("submit", "solution.py")[1]
    assert "Since attempt 2: counts passed before, and no longer passes.\n" in out
    assert "Since attempt 2: 1 more step right.\nlogits          | exact: True " in out


def test_another_machine_asks_the_server_what_changed(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (pulled.config / "attempts.json").unlink()
    assert "Since attempt 1: no other steps" in pulled.type("submit", "solution.py")[1]
    (pulled.config / "attempts.json").write_text("{broken")
    assert "Since attempt 2: no other steps" in pulled.type("submit", "solution.py")[1]


def test_all_right_says_so_and_what_is_next(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    listed = [pulled.fake.exercise(), {**pulled.fake.exercise(), "slug": "makemore/next"}]
    pulled.fake.before = lambda request: (
        httpx.Response(200, json={"exercises": listed}) if request.url.path.endswith("autumn/exercises") else None
    )
    code, out, _ = pulled.type("submit", "solution.py")
    assert code == 0
    assert out.endswith("All 2 steps pass, exact: this exercise is done.\nNext: dojo pull makemore/next\n")
    listed.insert(0, {**pulled.fake.exercise(), "slug": "makemore/above"})
    assert pulled.type("show", "1")[1].endswith("\nNext: dojo pull makemore/next\n")
    listed.pop()
    assert pulled.type("show", "1")[1].endswith("\nNext: dojo pull makemore/above\n")
    del listed[0]
    assert pulled.type("show", "1")[1].endswith("this exercise is done.\nEvery exercise of this course is done.\n")
