"""Rows of the live class: whose mistake the newest wrong answer to a step is."""

from __future__ import annotations

from exercises.registry import find
from server.reports.live_rows import LiveCell, read_live_rows
from server.reports.students import EVERYBODY, Scope
from server.tables import CourseRow
from tests.support.servers import FULL, RunningServer, Student, gradients

NAMES = [each.name for each in find(FULL).checkpoints]


def cells(server: RunningServer, student: Student, scope: Scope = EVERYBODY) -> dict[str, LiveCell]:
    with server.services.database.reading() as session:
        rows = read_live_rows(session, session.get_one(CourseRow, 1), find(FULL), scope)
    (row,) = [each for each in rows if each.standing.id == student.id]
    return {name: cell for name, cell in zip(NAMES, row.cells, strict=True) if cell}


def test_a_wrong_step_is_ones_own_or_inherited(server: RunningServer, student: Student) -> None:
    right = gradients(student.state())
    wrong = {"dlogprobs": right["dlogprobs"] * 2, "dprobs": right["dprobs"] * 2}
    id = student.submit_tensors(wrong).json()["id"]
    server.join("Ben")

    found = cells(server, student)

    assert set(found) == {"logprobs", "probs"}
    assert (found["logprobs"].best, found["logprobs"].origin, found["logprobs"].code) == ("wrong", "own", "scale")
    assert (found["probs"].origin, found["probs"].is_inherited) == ("inherited", True)
    assert found["probs"].submission_id == id


def test_the_newest_wrong_answer_counts_until_one_passes(server: RunningServer, student: Student) -> None:
    right = gradients(student.state())
    student.submit_tensors({"dlogprobs": right["dlogprobs"] * 2, "dprobs": right["dprobs"] * 2})
    newest = student.submit_tensors({"dlogprobs": right["dlogprobs"], "dprobs": -right["dprobs"]}).json()["id"]
    student.submit_tensors({"dlogprobs": right["dlogprobs"] * 3})

    found = cells(server, student, Scope(among=frozenset({student.id})))

    assert (found["probs"].origin, found["probs"].code, found["probs"].submission_id) == ("own", "sign", newest)
    assert (found["logprobs"].best, found["logprobs"].attempts, found["logprobs"].origin) == ("exact", 3, None)


def test_only_those_asked_for_are_read(server: RunningServer, student: Student) -> None:
    ben = server.join("Ben")
    with server.services.database.reading() as session:
        course = session.get_one(CourseRow, 1)
        rows = read_live_rows(session, course, find(FULL), Scope(among=frozenset({ben.id})))
        none = read_live_rows(session, course, find(FULL), Scope(among=frozenset()))

    assert [row.standing.name for row in rows] == ["Ben"]
    assert none == []
