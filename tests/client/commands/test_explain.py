"""`dojo explain`: a step that passed, and one that did not."""

from __future__ import annotations

import json

import pytest

from tests.client.conftest import Student
from tests.client.fake import EXPLANATION, SLUG


@pytest.mark.parametrize("step", ["counts", "dcounts"])
def test_a_passed_step_is_explained_in_three_lines(pulled: Student, step: str) -> None:
    code, out, _ = pulled.type("explain", step)

    assert code == 0
    assert out.splitlines() == ["dcounts", *(f"  {line}" for line in EXPLANATION)]


def test_a_step_that_has_not_passed_says_what_to_do(pulled: Student) -> None:
    code, _, err = pulled.type("explain", "logits")

    assert code == 2
    assert "Hand in dlogits first." in err


def test_a_name_that_is_no_step_is_refused(pulled: Student) -> None:
    code, _, err = pulled.type("explain", "../me")

    assert code == 2
    assert "has no step “../me”" in err
    assert all("explanation" not in request.url.path for request in pulled.fake.requests)


def test_outside_a_folder_the_exercise_is_named(student: Student) -> None:
    student.join()

    code, out, _ = student.type("explain", "counts", "--exercise", SLUG, "--json")

    assert code == 0
    assert json.loads(out) == {"checkpoint": "counts", "lines": EXPLANATION}
