"""What a course tells its students of a mistake, and what it pays for a step that only inherits one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from server.database import migrate
from server.database.engine import Database
from server.tables import ComparisonRow, CourseRow, GradeRow
from tests.support.assigned import assign
from tests.support.servers import COURSE, FULL, SOLUTION, Members, RunningServer, Student, gradients

ONE_PATH = SOLUTION.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")
KIND = "counts is used twice, in counts_sum and probs; your gradient holds only the path through probs."
LINE = "Look at the line counts_sum = counts.sum(1, keepdim=True)."
LOOK = "Each use of a tensor adds a term of its own to the gradient: +=, not =."


def give(server: RunningServer, **settings: float) -> None:
    """Change the course's settings; without counterexamples, whose numbers are each student's own."""
    settings.setdefault("counterexamples", False)
    with server.services.database.writing() as session:
        course = session.exec(select(CourseRow).where(CourseRow.slug == COURSE)).one()
        for name, value in settings.items():
            setattr(course, name, value)


def told(submission: dict[str, Any]) -> list[dict[str, Any]]:
    """What a submission tells about counts."""
    (row,) = [row for row in submission["grade"]["checkpoints"] if row["name"] == "counts"]
    assert row["origin"] == "own"
    diagnosis = row["diagnosis"]
    assert isinstance(diagnosis, list)
    return diagnosis


@pytest.mark.parametrize(
    ("levels", "diagnosis"),
    [
        (0, []),
        (1, [{"code": "missing_term", "message": KIND, "hints": [KIND]}]),
        (2, [{"code": "missing_term", "message": f"{KIND} {LINE}", "hints": [KIND, LINE]}]),
        (3, [{"code": "missing_term", "message": f"{KIND} {LINE} {LOOK}", "hints": [KIND, LINE, LOOK]}]),
    ],
)
def test_a_course_decides_how_many_levels_a_student_gets(
    server: RunningServer, student: Student, levels: int, diagnosis: list[dict[str, str]]
) -> None:
    give(server, hint_levels=levels)
    by_code = student.submit_code(ONE_PATH)
    assert told(by_code.json()) == diagnosis
    right = gradients(student.state())
    wrong = right | {"dcounts": right["dcounts"] - right["dcounts_sum"]}
    by_tensors = student.submit_tensors(wrong)
    assert told(by_tensors.json()) == diagnosis
    for answer in (by_code, by_tensors):
        address = answer.headers["Location"]
        assert told(student.get(address).json()) == diagnosis
        assert told(json.loads(student.get(f"{address}/events").text.split("data: ")[1].splitlines()[0])) == diagnosis
        listed = student.get("/api/v1/courses/backprop/submissions").text
        hidden = [LINE, LOOK][max(levels - 1, 0) :]
        for text in (answer.text, student.get(address).text, student.get(f"{address}/events").text, listed):
            assert not any(hint in text for hint in hidden)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("after", [0, 2])
def test_at_level_0_no_surface_tells_the_code(server: RunningServer, student: Student, after: int) -> None:
    give(server, hint_levels=0, hints_after=after)
    key = {"Idempotency-Key": "one"}
    right = gradients(student.state())
    wrong = right | {"dcounts": right["dcounts"] - right["dcounts_sum"]}
    answers = [student.submit_code(ONE_PATH, headers=key) for _ in range(2)]
    answers += [student.submit_tensors(wrong, headers={"Idempotency-Key": "two"}) for _ in range(2)]
    waited = student.submit_code(ONE_PATH, wait=0).json()["id"]
    answers.append(student.get(f"/api/v1/submissions/{waited}/events"))
    for id in {answer.json()["id"] for answer in answers[:4]}:
        answers += [student.get(f"/api/v1/submissions/{id}"), student.get(f"/api/v1/submissions/{id}/events")]
    for path in ("submissions", "exercises", f"exercises/{FULL}", "progress", "progress?format=csv"):
        answers.append(student.get(f"{student.address}/{path}"))

    told = [answer.text for answer in answers]

    assert all(answer.status_code in (200, 201) for answer in answers)
    assert not any(secret in text for text in told for secret in ("missing_term", "hints", KIND, LINE, LOOK))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_attempts_elsewhere_earn_no_hints(server: RunningServer, here: Members, there: Members) -> None:
    give(server, hints_after=1)
    abroad = server.seat(here.student, there.slug)
    right = gradients(abroad.state())
    wrong = {"dcounts": right["dcounts"] - right["dcounts_sum"]} | {"dprobs": right["dprobs"]}
    wrong |= {"dcounts_sum": right["dcounts_sum"]}
    for student, exercise in ((abroad, FULL), (server.join("Bob"), FULL), (here.student, "makemore/cross-entropy")):
        student.submit_tensors(wrong, exercise=exercise)

    first, second = (told(here.student.submit_tensors(wrong).json()) for _ in range(2))

    assert [each[0]["message"] for each in (first, second)] == [KIND, f"{KIND} {LINE} {LOOK}"]


def test_staff_are_told_everything(server: RunningServer, student: Student) -> None:
    give(server, hint_levels=0, hints_after=5)
    address = student.submit_code(ONE_PATH).headers["Location"]
    for submission in (server.instructor.get(address).json(), server.instructor.submit_code(ONE_PATH).json()):
        (diagnosis,) = told(submission)
        *hints, counterexample = diagnosis["hints"]
        assert hints == [KIND, LINE, LOOK]
        assert counterexample.startswith("Moving counts[")
        assert diagnosis["message"] == " ".join(diagnosis["hints"])


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
@pytest.mark.parametrize("counterexamples", [True, False])
def test_a_counterexample_comes_with_the_last_level(
    server: RunningServer, student: Student, levels: int, counterexamples: bool
) -> None:
    give(server, hint_levels=levels, counterexamples=counterexamples)

    answer = student.submit_code(ONE_PATH)

    shown = [answer.text, student.get(answer.headers["Location"]).text]
    assert ["Moving counts[" in text for text in shown] == [levels == 3 and counterexamples] * 2


def test_a_grade_from_before_counterexamples_is_shown(server: RunningServer, student: Student) -> None:
    give(server, counterexamples=True)
    answer = student.submit_code(ONE_PATH)
    with server.services.database.writing() as session:
        row = session.exec(select(ComparisonRow).where(ComparisonRow.name == "counts")).one()
        row.diagnosis = [{key: each[key] for key in ("code", "message", "hints")} for each in row.diagnosis]

    shown = told(student.get(answer.headers["Location"]).json())

    assert shown[0]["message"] == f"{KIND} {LINE} {LOOK}"


@pytest.mark.parametrize("kind", ["code", "tensors"])
def test_hints_beyond_the_kind_come_after_some_attempts_at_the_checkpoint(
    server: RunningServer, student: Student, kind: str
) -> None:
    give(server, hints_after=2)
    right = gradients(student.state())
    wrong = right | {"dcounts": right["dcounts"] - right["dcounts_sum"]}
    student.submit_tensors({"dlogits": right["dlogits"]})  # an attempt, and none at counts
    answers = [student.submit_code(ONE_PATH) if kind == "code" else student.submit_tensors(wrong) for _ in range(3)]
    messages = [told(answer.json())[0]["message"] for answer in answers]
    assert messages == [KIND, KIND, f"{KIND} {LINE} {LOOK}"]
    # The grade holds everything: what was earned later is told of the first attempt too.
    assert told(student.get(answers[0].headers["Location"]).json())[0]["message"] == messages[2]
    bob = server.join("Bob")
    assert told(bob.submit_code(ONE_PATH).json())[0]["message"] == KIND


def test_the_same_request_made_again_tells_no_more(server: RunningServer, student: Student) -> None:
    give(server, hint_levels=1)
    for headers in ({"Idempotency-Key": "one"}, {"Idempotency-Key": "one"}):
        assert told(student.submit_code(ONE_PATH, headers=headers).json())[0]["message"] == KIND


def test_what_is_kept_is_whole(server: RunningServer, student: Student) -> None:
    give(server, hint_levels=0)
    student.submit_code(ONE_PATH)
    with server.services.database.reading() as session:
        row = session.exec(select(ComparisonRow).where(ComparisonRow.name == "counts")).one()
    assert row.diagnosis[0]["hints"] == [KIND, LINE, LOOK]


@pytest.mark.parametrize(("share", "worth"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0)])
def test_inherited_steps_earn_the_share_that_the_course_gives(
    server: RunningServer, student: Student, share: float, worth: float
) -> None:
    give(server, inherited_share=share)
    answer = student.submit_code(ONE_PATH)
    grade = answer.json()["grade"]
    inherited = sum(row["origin"] == "inherited" for row in grade["checkpoints"])
    assert inherited > 15
    assert grade["points"] == grade["passed"] + worth * inherited
    assert student.get(answer.headers["Location"]).json()["grade"]["points"] == grade["points"]
    (listed,) = student.get("/api/v1/courses/backprop/submissions", params={"exercise": FULL}).json()["submissions"]
    assert listed["grade"]["points"] == grade["points"]
    with server.services.database.reading() as session:
        assert session.exec(select(GradeRow)).one().inherited == inherited


def test_a_right_answer_is_worth_its_checkpoints(server: RunningServer, student: Student) -> None:
    give(server, inherited_share=0.5)
    assert student.submit_code(SOLUTION).json()["grade"]["points"] == 26


def test_a_database_from_before_has_its_grades_counted(server: RunningServer, student: Student) -> None:
    student.submit_code(ONE_PATH)
    url = server.services.settings.url
    with server.services.database.reading() as session:
        counted = session.exec(select(GradeRow)).one().inherited
    migrate.downgrade(url, "0003")
    migrate.upgrade(url)
    database = Database(url)
    with database.reading() as session:
        assert session.exec(select(GradeRow)).one().inherited == counted > 0
        course = session.exec(select(CourseRow)).one()
    database.close()
    assert (course.hint_levels, course.hints_after, course.inherited_share) == (3, 0, 0.0)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, [KIND, LINE, LOOK]),
        ({"hint_levels": 1}, [KIND]),
        ({"hint_levels": 3, "hints_after": 1}, [KIND]),
        ({"hint_levels": 0}, None),
    ],
)
def test_an_assignment_has_hints_of_its_own(
    server: RunningServer, student: Student, fields: dict[str, Any], shown: list[str] | None
) -> None:
    give(server, hint_levels=3)
    assign(server, **fields)

    diagnosis = told(student.submit_code(ONE_PATH).json())

    assert diagnosis == [] if shown is None else diagnosis[0]["hints"] == shown


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("counterexamples", [True, False])
def test_an_assignment_decides_about_counterexamples(
    server: RunningServer, student: Student, counterexamples: bool
) -> None:
    give(server, counterexamples=not counterexamples)
    assign(server, counterexamples=counterexamples)

    answer = student.submit_code(ONE_PATH)

    assert ("Moving counts[" in answer.text) is counterexamples
