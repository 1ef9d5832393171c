"""What a submission earns, and how late it came: by the rules and extensions of the moment of reading."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import safetensors.torch
import torch

from server.courses import courses
from server.database.table import now
from server.tables import AssignmentRow, ExtensionRow, LatePolicy
from tests.support.servers import FULL, Members, RunningServer, Student, gradients

HOUR = timedelta(hours=1)


def assign(server: RunningServer, here: Members, **fields: Any) -> None:
    """Make the exercise an assignment of the course."""
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        session.add(AssignmentRow(course_id=course.id, exercise=FULL, position=0, **fields))


def extend(server: RunningServer, here: Members, **fields: Any) -> None:
    """Give an extension until tomorrow."""
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        session.add(
            ExtensionRow(course_id=course.id, exercise=FULL, due_at=now() + 24 * HOUR, reason="was ill", **fields)
        )


def grades(student: Student, id: int) -> list[dict[str, Any]]:
    """The grade of a submission, alone and in the list."""
    alone = student.get(f"/api/v1/submissions/{id}").json()["grade"]
    (listed,) = student.get(f"{student.address}/submissions").json()["submissions"]
    return [{name: each[name] for name in listed["grade"]} for each in (alone, listed["grade"])]


@pytest.mark.parametrize("weights", [{}, {"logits": 5.0}])
def test_points_are_of_the_assignment(server: RunningServer, here: Members, weights: dict[str, float]) -> None:
    assign(server, here, points=90.0, checkpoint_points=weights, approximate_share=0.5, inherited_share=0.25)
    right = gradients(here.student.state())
    h = right["dh"] * 2

    answer = here.student.submit_tensors(
        {"dlogits": right["dlogits"], "db2": right["db2"] + 1e-9, "dh": h, "dhpreact": right["dhpreact"] * 2}
    ).json()

    assert [row["verdict"] for row in answer["grade"]["checkpoints"] if row["name"] in ("logits", "b2")] == [
        "exact",
        "approximate",
    ]
    first, listed = grades(here.student, answer["id"])
    assert first == listed
    assert first["points"] == answer["grade"]["points"]
    logits = weights.get("logits", 1)
    assert first["points"] == pytest.approx(90 * (logits + 0.5 + 0.25) / (25 + logits), abs=1e-3)
    assert (first["points_max"], first["late_seconds"], first["late_factor"]) == (90, 0, 1)


def test_an_extension_given_afterwards_counts(server: RunningServer, here: Members) -> None:
    assign(
        server,
        here,
        points=26.0,
        due_at=now() - 30 * HOUR,
        late_policy=LatePolicy.DAILY,
        late_per_day=0.1,
        late_floor=0,
    )
    id = here.student.submit_tensors(gradients(here.student.state())).json()["id"]
    late = grades(here.student, id)
    extend(server, here, account_id=here.student.account)

    in_time = grades(here.student, id)

    for grade in late:
        assert (grade["points"], grade["late_factor"]) == (20.8, 0.8)
        assert 30 * 3600 < grade["late_seconds"] < 31 * 3600
    for grade in in_time:
        assert (grade["points"], grade["late_seconds"], grade["late_factor"]) == (26, 0, 1)


def test_nothing_is_earned_below_ones(server: RunningServer, here: Members) -> None:
    assign(server, here, inherited_share=1.0)
    state = here.student.state()
    right, ones = gradients(state), torch.ones(32, 64)

    grade = here.student.submit_tensors({"dh": ones, "dhpreact": ones - _h(state) ** 2}).json()["grade"]
    scaled = here.student.submit_tensors({"dh": right["dh"] * 2, "dhpreact": right["dhpreact"] * 2}).json()["grade"]

    rows = {row["name"]: row for row in grade["checkpoints"]}
    assert (rows["hpreact"]["origin"], rows["hpreact"]["inherits_constant"]) == ("inherited", True)
    assert "no credit is inherited" in rows["hpreact"]["notes"][-1]
    assert (grade["points"], scaled["points"]) == (0, 1)


def _h(state: bytes) -> torch.Tensor:
    return safetensors.torch.load(state)["h"]


def test_what_is_not_assigned_any_more_is_worth_what_practice_is(server: RunningServer, here: Members) -> None:
    id = here.student.submit_tensors(gradients(here.student.state())).json()["id"]
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        session.add(AssignmentRow(course_id=course.id, exercise="makemore/batch-norm", position=0))

    assert [grade["points"] for grade in grades(here.student, id)] == [26, 26]
