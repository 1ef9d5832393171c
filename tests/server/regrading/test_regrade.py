"""Grading again: in the background, beside the old grades, where there is a reason to."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from sqlmodel import col, select
from starlette.testclient import TestClient

from exercises.instance import Kind
from exercises.registry import find
from grader import numerics
from grader.sandbox import Job
from server.accounts.accounts import lock_account
from server.database.table import now
from server.grading.grade import compare, store
from server.settings import Settings
from server.tables import (
    AuditRow,
    ComparisonRow,
    CourseRow,
    ExerciseRevisionRow,
    GradeRow,
    ProgressRow,
    SubmissionRow,
    TicketRow,
    TicketState,
)
from tests.support.application import create_app
from tests.support.servers import (
    COURSE,
    EXERCISES,
    FULL,
    HOLD_SECONDS,
    PATIENCE_SECONDS,
    SOLUTION,
    FakeSandbox,
    Members,
    RunningServer,
    Student,
    eventually,
    gradients,
    is_problem,
    waits_for_a_lock,
)

NO_TENSORS = b"\x02\0\0\0\0\0\0\0{}"
REGRADE = "/api/v1/courses/backprop/regrade"
SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def regrade(caller: Student, **scope: Any) -> Any:
    """Ask for a regrade."""
    return caller.post(REGRADE, params=scope)


def report(server: RunningServer) -> dict[str, Any]:
    """The difference report, when nothing waits any more."""
    assert eventually(lambda: server.instructor.get(REGRADE).json()["waiting"] == 0)
    found: dict[str, Any] = server.instructor.get(REGRADE).json()
    return found


def accept(server: RunningServer) -> dict[str, Any]:
    """Accept the regrade once it is done, and return its report."""
    answer = server.instructor.post(f"{REGRADE}/{report(server)['id']}/accept")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def mistake_once(server: RunningServer, checkpoint: str, *, submission: int | None = None) -> None:
    """Change what an older grader judged: it took a wrong answer at a checkpoint for an exact one."""
    with server.services.database.writing() as session:
        rows = select(ComparisonRow).join(GradeRow).where(ComparisonRow.name == checkpoint)
        if submission is not None:
            rows = rows.where(GradeRow.submission_id == submission)
        row = session.exec(rows.order_by(col(ComparisonRow.grade_id)).limit(1)).one()
        row.verdict, row.exact, row.approximate, row.origin = "exact", True, True, None
        graded = session.get_one(SubmissionRow, session.get_one(GradeRow, row.grade_id).submission_id)
        place = (graded.course_id, graded.account_id, graded.exercise, checkpoint)
        progress = session.get_one(ProgressRow, place)
        progress.best, progress.first_passed_at = "exact", graded.created_at
        progress.first_exact_at = graded.created_at


def change_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a newer torch or grader would: every grade of before is out of date."""
    was = numerics.environment()
    monkeypatch.setattr(numerics, "environment", lambda: f"{was} and changed")


def waiting(server: RunningServer) -> list[int]:
    """The submissions that have a ticket."""
    with server.services.database.reading() as session:
        return list(session.exec(select(TicketRow.submission_id).order_by(col(TicketRow.id))))


def cells(student: Student) -> dict[str, Any]:
    """Checkpoint → what a student's own progress says of it."""
    told = student.get(f"{student.address}/progress", params={"exercise": FULL}).json()
    return {column["checkpoint"]: cell for column, cell in zip(told["columns"], told["rows"][0]["cells"], strict=True)}


def test_where_nothing_has_changed_nothing_is_graded_again(server: RunningServer, student: Student) -> None:
    student.submit_code(SOLUTION)
    answer = regrade(server.instructor)
    told = answer.json()
    assert (answer.status_code, told["id"], told["status"], told["waiting"]) == (202, None, "none", 0)
    assert server.instructor.get(REGRADE).json() == told
    assert is_problem(regrade(student), 403)


def test_after_a_change_code_and_tensors_are_graded_again_and_old_grades_kept(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [
        student.submit_code(SOLUTION).json()["id"],
        student.submit_tensors(gradients(student.state())).json()["id"],
    ]
    before = cells(student)
    with server.services.database.writing() as session:  # as an older grader judged: one row wrong by mistake
        old = session.exec(select(GradeRow).where(GradeRow.submission_id == ids[0])).one()
        old.passed -= 1
        row = session.get_one(ComparisonRow, (old.id, 0))
        row.verdict, row.exact, row.approximate = "wrong", False, False
        name = row.name
        other = session.exec(select(GradeRow).where(GradeRow.submission_id == ids[1])).one()
        row = ComparisonRow(grade_id=other.id, position=26, name="gone", verdict="exact", exact=True, approximate=True)
        session.add(row)  # a checkpoint that is not asked for any more
    change_environment(monkeypatch)
    assert regrade(server.instructor).status_code == 202
    found = report(server)
    assert found["regraded"] == 2
    assert found["changed"] == [
        {
            "submission": ids[0],
            "student": {"id": student.id, "name": "Ada"},
            "exercise": FULL,
            "before": 25,
            "after": 26,
            "rows": [{"name": name, "before": "wrong", "after": "exact"}],
        },
        {
            "submission": ids[1],
            "student": {"id": student.id, "name": "Ada"},
            "exercise": FULL,
            "before": 26,
            "after": 26,
            "rows": [{"name": "gone", "before": "exact", "after": "(none)"}],
        },
    ]
    with server.services.database.reading() as session:
        grades = session.exec(select(GradeRow).order_by(col(GradeRow.id))).all()
    assert sorted(grade.submission_id for grade in grades) == sorted(ids * 2)
    assert not student.get(f"/api/v1/submissions/{ids[0]}").json()["grade"]["environment"].endswith("changed")
    assert accept(server)["changed"] == found["changed"]
    assert cells(student) == before  # a regrade is no attempt
    assert student.get(f"/api/v1/submissions/{ids[0]}").json()["grade"]["environment"].endswith("changed")


def test_a_regrade_takes_away_what_was_given_by_mistake(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = student.submit_code(SOLUTION.replace("dC = torch.zeros_like(C)", "dC = torch.ones_like(C)")).json()
    last = answer["grade"]["checkpoints"][-1]
    assert (last["name"], last["verdict"]) == ("C", "wrong")
    mistake_once(server, "C")
    change_environment(monkeypatch)
    regrade(server.instructor)

    told = report(server)

    assert [change["rows"][0]["name"] for change in told["changed"]] == ["C"]
    points = {"student": {"id": student.id, "name": "Ada"}, "exercise": FULL, "is_overridden": False}
    assert (told["gain"], told["lose"]) == ([], [{**points, "before": 26, "after": 25}])
    assert cells(student)["C"]["best"] == "exact"  # nothing counts before it is accepted

    assert accept(server)["lose"] == told["lose"]

    assert (cells(student)["C"]["best"], cells(student)["C"]["attempts"]) == ("wrong", 1)


@SQLITE
def test_a_second_regrade_while_the_first_waits_adds_nothing(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [student.submit_tensors({}).json()["id"] for _ in range(2)]
    server.services.dispatcher.stop()
    change_environment(monkeypatch)

    told = [regrade(server.instructor).json()["waiting"] for _ in range(2)]

    assert told == [2, 2]
    assert waiting(server) == ids


@SQLITE
def test_what_has_a_grade_of_today_or_waits_is_left_out(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = student.submit_tensors({}).json()["id"]
    server.services.dispatcher.stop()
    change_environment(monkeypatch)
    student.submit_tensors({})
    queued = student.submit_code(SOLUTION, wait=0).json()["id"]

    assert regrade(server.instructor).json()["waiting"] == 1

    assert waiting(server) == [queued, old]


@SQLITE
def test_a_checkpoint_that_is_new_is_reported(server: RunningServer, student: Student) -> None:
    id = student.submit_code(SOLUTION).json()["id"]
    newest = server.grade_again(id, "counts")
    with server.services.database.writing() as session:
        of_counts = select(ComparisonRow).where(ComparisonRow.name == "counts", ComparisonRow.grade_id != newest)
        session.delete(session.exec(of_counts).one())

    (found,) = server.instructor.get(REGRADE).json()["changed"]

    assert found["rows"] == [{"name": "counts", "before": "(none)", "after": "exact"}]


@SQLITE
def test_a_regrade_is_of_one_course(
    here: Members, there: Members, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [members.student.submit_tensors({}).json()["id"] for members in (here, there)]
    server.services.dispatcher.stop()
    change_environment(monkeypatch)

    assert regrade(server.instructor).json()["waiting"] == 1

    assert waiting(server) == ids[:1]
    assert there.instructor.get(f"{there.address}/regrade").json()["waiting"] == 0


@SQLITE
def test_a_regrade_may_be_of_one_exercise(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [student.submit_tensors({}, exercise=slug).json()["id"] for slug in (FULL, "makemore/cross-entropy")]
    server.services.dispatcher.stop()
    change_environment(monkeypatch)

    server.instructor.post(REGRADE, params={"exercise": "makemore/cross-entropy"})

    assert waiting(server) == ids[1:]


@SQLITE
def test_what_a_student_waits_for_is_no_regrade(server: RunningServer, student: Student) -> None:
    server.services.dispatcher.stop()
    student.submit_code(SOLUTION, wait=0)

    assert server.instructor.get(REGRADE).json()["waiting"] == 0


@SQLITE
def test_the_report_is_of_one_course(server: RunningServer, here: Members, there: Members) -> None:
    id = there.student.submit_code(SOLUTION).json()["id"]

    server.grade_again(id, "counts", verdict="wrong")

    seen = [members.instructor.get(f"{members.address}/regrade").json() for members in (here, there)]
    assert [(each["regraded"], len(each["changed"])) for each in seen] == [(0, 0), (1, 1)]
    assert seen[1]["changed"][0]["submission"] == id


WRONG = SOLUTION.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")
OTHER_CODE = [{"code": "sign", "hints": ["The sign is turned around.", "", ""]}]


@SQLITE
@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        ({"origin": "inherited"}, "wrong own missing_term", "wrong inherited missing_term"),
        ({"origin": None}, "wrong own missing_term", "wrong missing_term"),
        ({"diagnosis": OTHER_CODE}, "wrong own missing_term", "wrong own sign"),
        ({"verdict": "approximate"}, "wrong own missing_term", "approximate own missing_term"),
        ({"name": "renamed"}, "wrong own missing_term", "(none)"),
    ],
)
def test_whatever_a_regrade_changes_in_a_row_is_reported(
    server: RunningServer, student: Student, changes: dict[str, Any], before: str, after: str
) -> None:
    id = student.submit_code(WRONG).json()["id"]

    server.grade_again(id, "counts", **changes)

    (found,) = server.instructor.get(REGRADE).json()["changed"]
    assert (found["submission"], found["student"]["id"]) == (id, student.id)
    assert found["rows"][0] == {"name": "counts", "before": before, "after": after}


@SQLITE
def test_an_origin_that_was_unknown_before_is_reported(server: RunningServer, student: Student) -> None:
    id = student.submit_code(WRONG).json()["id"]
    server.grade_again(id, "counts", origin=None)

    server.grade_again(id, "counts", origin="own")

    (found,) = server.instructor.get(REGRADE).json()["changed"]
    assert found["rows"] == [{"name": "counts", "before": "wrong missing_term", "after": "wrong own missing_term"}]


@SQLITE
def test_other_words_for_the_same_mistake_are_no_difference(server: RunningServer, student: Student) -> None:
    id = student.submit_code(WRONG).json()["id"]

    server.grade_again(id, "counts", diagnosis=[{"code": "missing_term", "hints": ["Another sentence.", "", ""]}])

    told = server.instructor.get(REGRADE).json()
    assert (told["waiting"], told["regraded"], told["changed"], told["gain"]) == (0, 1, [], [])


@SQLITE
def test_the_report_compares_the_last_two_grades(server: RunningServer, student: Student) -> None:
    id = student.submit_code(SOLUTION).json()["id"]

    server.grade_again(id, "counts", verdict="wrong")
    server.grade_again(id, "counts", verdict="shape")

    (found,) = server.instructor.get(REGRADE).json()["changed"]
    assert found["rows"] == [{"name": "counts", "before": "wrong", "after": "shape"}]


@SQLITE
def test_every_surface_shows_the_newest_grade(server: RunningServer, student: Student) -> None:
    first = student.submit_code(SOLUTION).json()

    server.grade_again(first["id"], "counts", verdict="wrong")

    newest = f"{first['grade']['environment']} again"
    (listed,) = student.get("/api/v1/courses/backprop/submissions").json()["submissions"]
    shown = student.get(f"/api/v1/submissions/{first['id']}").json()
    assert (listed["grade"]["environment"], shown["grade"]["environment"]) == (newest, newest)
    assert [row["verdict"] for row in shown["grade"]["checkpoints"] if row["name"] == "counts"] == ["wrong"]


@SQLITE
def test_tensors_of_an_older_revision_keep_their_grade(server: RunningServer, student: Student) -> None:
    ids = [student.submit_code(SOLUTION).json()["id"], student.submit_tensors(gradients(student.state())).json()["id"]]
    server.services.dispatcher.stop()
    with server.services.database.writing() as session:  # as if the exercise were at its second revision now
        session.add(ExerciseRevisionRow(slug=FULL, revision=0))
        session.flush()
        for table in (SubmissionRow, GradeRow):
            for row in session.exec(select(table)):
                row.revision = 0

    regrade(server.instructor)

    assert waiting(server) == ids[:1]


@SQLITE
def test_a_recount_gives_what_was_counted_one_by_one(
    server: RunningServer, here: Members, there: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    abroad, bob = server.seat(here.student, there.slug), server.join("Bob")
    here.student.submit_code(WRONG)
    zeros = {"dcounts": torch.zeros(32, 27), "dprobs": torch.zeros(32, 27)}
    for student in (here.student, abroad, bob):
        student.submit_tensors(zeros)
    other = f"{EXERCISES}/makemore/cross-entropy"
    here.student.submit_tensors({"dlogits": torch.zeros(32, 27)}, exercise="makemore/cross-entropy")
    before = [cells(student) for student in (here.student, abroad, bob)]
    other_before = here.student.get(other).json()
    mistake_once(server, "counts")
    change_environment(monkeypatch)
    regrade(server.instructor)

    assert len(accept(server)["changed"]) == 1

    assert (before[0]["counts"]["attempts"], before[0]["probs"]["best"]) == (2, "exact")
    assert [cells(student) for student in (here.student, abroad, bob)] == before
    assert here.student.get(other).json() == other_before


@SQLITE
def test_a_recount_follows_the_same_submissions_grade(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (student, server.join("Bob")):
        each.submit_code(WRONG)
    mistake_once(server, "counts")
    change_environment(monkeypatch)
    regrade(server.instructor)

    accept(server)

    assert cells(student)["counts"]["best"] == "wrong"


# -- what a regrade is of ------------------------------------------------------------------------------------


@SQLITE
def test_a_regrade_may_be_of_a_submission_or_a_student(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = server.join("Bob")
    ids = [each.submit_tensors({}).json()["id"] for each in (student, bob, bob)]
    ids.append(bob.submit_tensors({}, exercise="makemore/cross-entropy").json()["id"])
    server.services.dispatcher.stop()
    change_environment(monkeypatch)
    scopes: list[tuple[dict[str, Any], list[int]]] = [
        ({"submission": ids[1]}, ids[1:2]),
        ({"student": bob.id}, ids[1:]),
        ({"student": bob.id, "exercise": FULL}, ids[1:3]),
    ]

    for scope, expected in scopes:
        told = regrade(server.instructor, **scope).json()

        assert waiting(server) == expected
        assert {name: told[name] for name in scope} == scope
        server.instructor.post(f"{REGRADE}/{told['id']}/discard")


@SQLITE
def test_a_regrade_of_nobody_here_is_refused(server: RunningServer, there: Members) -> None:
    id = there.student.submit_tensors({}).json()["id"]

    answers = [regrade(server.instructor, **scope) for scope in ({"submission": id}, {"student": there.student.id})]

    assert all(is_problem(answer, 404) for answer in answers)


@SQLITE
def test_an_archived_course_is_not_regraded(server: RunningServer, student: Student) -> None:
    with server.services.database.writing() as session:
        session.get_one(CourseRow, 1).archived_at = now()

    assert regrade(server.instructor).json()["type"] == "urn:dojo:problem:archived"


# -- open, accepted, discarded -------------------------------------------------------------------------------


def test_a_discarded_regrade_leaves_nothing(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = student.submit_code(WRONG).json()["id"]
    mistake_once(server, "counts")
    before = cells(student), student.get(f"/api/v1/submissions/{id}").json()
    change_environment(monkeypatch)
    regrade(server.instructor)
    open_one = report(server)
    assert len(open_one["lose"]) == 1

    answer = server.instructor.post(f"{REGRADE}/{open_one['id']}/discard").json()

    assert (answer["status"], answer["regraded"], answer["changed"]) == ("discarded", 0, [])
    assert (cells(student), student.get(f"/api/v1/submissions/{id}").json()) == before
    with server.services.database.reading() as session:
        assert len(session.exec(select(GradeRow)).all()) == 1
    assert regrade(server.instructor).json()["waiting"] == 1  # it may be asked for again


@SQLITE
def test_a_run_that_outlives_its_regrade_stores_nothing(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.submit_code(SOLUTION)
    change_environment(monkeypatch)
    begun, discarded = threading.Event(), threading.Event()

    def hold(job: Job) -> None:
        begun.set()
        assert discarded.wait(HOLD_SECONDS)

    fake_sandbox.before = hold
    id = regrade(server.instructor).json()["id"]
    assert begun.wait(PATIENCE_SECONDS)
    server.instructor.post(f"{REGRADE}/{id}/discard")
    discarded.set()
    server.services.dispatcher.stop()  # waits for the run

    with server.services.database.reading() as session:
        assert [grade.counts for grade in session.exec(select(GradeRow))] == [True]


@SQLITE
def test_a_regrade_that_is_not_done_is_not_accepted(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.submit_tensors({})
    server.services.dispatcher.stop()
    change_environment(monkeypatch)
    id = regrade(server.instructor).json()["id"]

    answer = server.instructor.post(f"{REGRADE}/{id}/accept")

    assert is_problem(answer, 409) and "1 still wait" in answer.json()["detail"]


@SQLITE
def test_what_was_set_aside_keeps_its_grade(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [student.submit_tensors({}).json()["id"] for _ in range(2)]
    server.services.dispatcher.stop()
    change_environment(monkeypatch)
    regrade(server.instructor)
    with server.services.database.writing() as session:
        first, second = session.exec(select(TicketRow).order_by(col(TicketRow.id)))
        first.state = TicketState.QUARANTINED
        session.delete(second)
    assert report(server)["set_aside"] == ids[:1]

    accepted = accept(server)

    assert (accepted["status"], accepted["set_aside"], waiting(server)) == ("accepted", [], [])
    assert not student.get(f"/api/v1/submissions/{ids[0]}").json()["grade"]["environment"].endswith("changed")


@SQLITE
def test_a_course_has_one_open_regrade(
    server: RunningServer, student: Student, there: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (student, there.student):
        each.submit_tensors({})
    server.services.dispatcher.stop()
    change_environment(monkeypatch)
    first = regrade(server.instructor).json()["id"]

    other, same = regrade(server.instructor, student=student.id), regrade(server.instructor)

    assert is_problem(other, 409) and f"Regrade {first} (the course)" in other.json()["detail"]
    assert same.json()["id"] == first
    assert there.instructor.post(f"{there.address}/regrade").json()["id"] not in (None, first)


def test_two_requests_at_once_open_one_regrade(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [student.submit_tensors({}).json()["id"] for _ in range(3)]
    server.services.dispatcher.stop()
    change_environment(monkeypatch)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: regrade(server.instructor), range(4)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert waiting(server) == ids


@SQLITE
def test_a_regrade_is_accepted_or_discarded_once(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.submit_tensors({})
    change_environment(monkeypatch)
    regrade(server.instructor)
    id = accept(server)["id"]

    answers = [server.instructor.post(f"{REGRADE}/{id}/{act}") for act in ("accept", "discard")]

    assert all(is_problem(answer, 409) for answer in answers)
    assert is_problem(server.instructor.post(f"{REGRADE}/{id + 1}/accept"), 404)


@SQLITE
def test_a_regrade_without_a_difference_changes_nothing(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = student.submit_code(WRONG).json()["id"]
    before = cells(student), student.get(f"/api/v1/submissions/{id}").json()["grade"]["checkpoints"]
    change_environment(monkeypatch)
    regrade(server.instructor)

    accepted = accept(server)

    assert (accepted["regraded"], accepted["changed"], accepted["gain"], accepted["lose"]) == (1, [], [], [])
    assert (cells(student), student.get(f"/api/v1/submissions/{id}").json()["grade"]["checkpoints"]) == before


@SQLITE
def test_no_reader_sees_a_grade_of_an_open_regrade(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = student.submit_code(WRONG).json()["id"]
    mistake_once(server, "counts")
    course = f"/api/v1/courses/{COURSE}"
    readers = [
        (server.instructor, f"{course}/analytics"),
        (server.instructor, f"{course}/progress"),
        (server.instructor, f"{course}/submissions"),
        (server.instructor, f"/api/v1/submissions/{id}"),
        (student, f"/api/v1/submissions/{id}"),
        (student, f"{course}/progress"),
        (student, f"{course}/exercises/{FULL}"),
    ]

    def read() -> list[Any]:
        return [reader.get(address).json() for reader, address in readers]

    before = read()
    change_environment(monkeypatch)
    regrade(server.instructor)
    assert len(report(server)["changed"]) == 1

    during = read()
    accept(server)
    after = read()

    assert during == before
    assert all(one != other for one, other in zip(after, before, strict=True))


# -- while a regrade goes on ---------------------------------------------------------------------------------


def test_what_comes_during_a_regrade_counts_at_once(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.submit_code(WRONG)
    mistake_once(server, "counts")
    change_environment(monkeypatch)
    regrade(server.instructor)
    report(server)

    student.submit_tensors({"dcounts": torch.zeros(32, 27)})
    assert cells(student)["counts"]["attempts"] == 2
    accept(server)

    assert (cells(student)["counts"]["best"], cells(student)["counts"]["attempts"]) == ("wrong", 2)
    assert server.instructor.get(REGRADE).json()["regraded"] == 1


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_grade_that_is_being_stored_is_counted_too(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = student.submit_tensors({"dcounts": torch.zeros(32, 27)}).json()["id"]
    mistake_once(server, "counts")
    change_environment(monkeypatch)
    regrade(server.instructor)
    report(server)
    database = server.services.database
    timed = compare(server.services.instances.get(student.id, find(FULL), Kind.STUDENT), NO_TENSORS)

    with ThreadPoolExecutor(1) as pool:
        with database.writing() as session:
            lock_account(session, student.id)
            again = session.get_one(SubmissionRow, first).model_dump(exclude={"id"}) | {"attempt": 2}
            submission = SubmissionRow(**again)
            submission.insert(session)
            accepted = pool.submit(accept, server)
            assert eventually(lambda: waits_for_a_lock(database))
            row = store(session, submission, timed)
            session.get_one(ComparisonRow, (row.id, 0)).verdict = "shape"  # so that a recount counts it
        accepted.result()

    assert cells(student)["counts"]["best"] == "wrong"
    assert cells(student)["logprobs"]["best"] == "shape"


@SQLITE
def test_a_regrade_goes_on_after_a_crash(
    server: RunningServer, settings: Settings, fake_sandbox: FakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    students = [server.join(f"Student {letter}") for letter in "ABC"]
    for each in students:
        each.submit_code(WRONG)
    server.services.dispatcher.stop()
    change_environment(monkeypatch)
    id = regrade(server.instructor).json()["id"]
    with server.services.database.writing() as session:  # one is done, one was running when the process died
        first, second, _ = session.exec(select(TicketRow).order_by(col(TicketRow.id)))
        done, second.state, second.tries = first.submission_id, TicketState.RUNNING, 1
    server.services.grading.grade_submission(done)
    assert (len(waiting(server)), server.instructor.get(REGRADE).json()["regraded"]) == (2, 1)

    with TestClient(create_app(settings, fake_sandbox.code_runner())) as client:
        again = Student(client, server.instructor_token)
        assert eventually(lambda: again.get(REGRADE).json()["waiting"] == 0)
        told = again.post(f"{REGRADE}/{id}/accept").json()

    assert (told["status"], told["regraded"], told["changed"]) == ("accepted", 3, [])


@SQLITE
def test_a_student_does_not_leave_a_regrade(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = student.submit_code(WRONG).json()["id"]
    server.services.dispatcher.stop()
    change_environment(monkeypatch)
    regrade(server.instructor)

    assert is_problem(student.post(f"/api/v1/submissions/{id}/cancel"), 409)
    assert waiting(server) == [id]


@SQLITE
def test_each_act_is_in_the_audit_log(server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    student.submit_code(WRONG)
    change_environment(monkeypatch)
    for act in ("discard", "accept"):
        regrade(server.instructor, student=student.id)
        server.instructor.post(f"{REGRADE}/{report(server)['id']}/{act}")

    with server.services.database.reading() as session:
        entries = session.exec(select(AuditRow).order_by(col(AuditRow.id))).all()
    assert [entry.act for entry in entries] == ["regrade.begin", "regrade.discard", "regrade.begin", "regrade.accept"]
    assert {(entry.actor_id, entry.subject_id) for entry in entries} == {(server.instructor.account, student.id)}
