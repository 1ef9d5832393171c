"""Reports are of one course: what the same people do in another one changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from exercises.registry import find
from grader.compare import Comparison, Diagnosis, Origin, Verdict
from grader.grade import Grade
from grader.sandbox import Run, RunStatus
from server.catalogue.present import summaries
from server.courses import courses
from server.courses.access import CourseSession, Membership
from server.database.engine import Database
from server.gradebook.gradebook import read_gradebook
from server.grading.grade import TimedGrade, store
from server.reports.analytics import read_analytics, read_mistakes
from server.reports.clusters import WantedClusters, read_clusters
from server.reports.live_rows import read_live_rows
from server.reports.progress_table import Wanted, read_progress_table
from server.reports.sources import list_handins
from server.reports.students import EVERYBODY, Scope, list_standings
from server.rules.rules import find_all_rules
from server.tables import (
    AnswerKind,
    AssignmentRow,
    CourseRow,
    ExerciseRevisionRow,
    ExtensionRow,
    InstanceRow,
    OverrideRow,
    Role,
    SeatRow,
    SubmissionRow,
)

SLUG = "makemore/full-backward"
EXERCISE = find(SLUG)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hand_in(session: Session, course: CourseRow, account_id: int, instance_id: int, moment: datetime) -> None:
    """Write answers of a person: half of the first is right, the rest comes an hour later, one step never.

    The step that never comes is the last one in spring, and the first one elsewhere.
    """
    names = [each.name for each in EXERCISE.checkpoints]
    never = names[-1 if course.slug == "spring" else 0]
    for attempt in range(1, 7):
        right = {*(names[: len(names) // 2] if attempt == 1 else names)} - {never}
        mistake = Diagnosis("sign", (f"The sign in {course.slug}.", "The line.", "The minus."))
        rows = [
            Comparison(name, Verdict.EXACT, True, True, 0.0)
            if name in right
            else Comparison(name, Verdict.WRONG, origin=Origin.OWN, diagnosis=(mistake,), pattern=f"sign {attempt % 2}")
            for name in names
        ]
        status = RunStatus.ERROR if attempt == 3 else RunStatus.OK
        run = Run(status, f"NameError: {course.slug}" if attempt == 3 else "", "", {}, (), 0.1)
        submission = SubmissionRow(
            course_id=course.id,
            account_id=account_id,
            exercise=SLUG,
            revision=EXERCISE.revision,
            attempt=attempt,
            kind=AnswerKind.CODE,
            body=b"dlogits = 1",
            digest="",
            created_at=moment + (attempt - 1) * HOUR,
        )
        session.add(submission)
        session.flush()
        store(session, submission, TimedGrade(Grade(tuple(rows), "torch", run), instance_id, EXERCISE.revision, 0.1))


def everything(session: Session, course: CourseRow, account_id: int) -> Mapping[str, Any]:
    """All that staff and a student read of a course."""
    asked = [EXERCISE]
    member = CourseSession(session, account_id, Membership(course, frozenset({Role.STUDENT})))
    rules = find_all_rules(session, member.membership, account_id, [SLUG]).values()
    return {
        "analytics": read_analytics(session, course, asked).model_dump(),
        "mistakes": read_mistakes(session, course, EXERCISE, EXERCISE.checkpoints[-1].name, EVERYBODY, 1),
        "table": read_progress_table(session, course, asked).as_json(),
        "own table": read_progress_table(session, course, asked, Wanted(Scope(account_id=account_id))).as_json(),
        "standings": list_standings(session, course, asked, EVERYBODY),
        "live": read_live_rows(session, course, EXERCISE, EVERYBODY),
        "clusters": read_clusters(session, course, asked, EVERYBODY, WantedClusters()).model_dump(),
        "handins": list_handins(session, course, asked, EVERYBODY),
        "gradebook": json.loads(read_gradebook(session, course, asked).as_json()),
        "own": [each.model_dump() for each in summaries(member, rules)],
    }


def test_work_in_another_course_changes_no_report(database: Database) -> None:
    with database.writing() as session:
        spring, autumn = (courses.open_course(session, slug, slug) for slug in ("spring", "autumn"))
        ada, ben = (courses.enrol(session, spring, name, Role.STUDENT).account.id for name in ("Ada", "Ben"))
        session.add(ExerciseRevisionRow(slug=SLUG, revision=EXERCISE.revision))
        session.flush()
        instance = InstanceRow(
            exercise=SLUG, revision=EXERCISE.revision, kind="hidden", dataset="", digest="", state=b""
        )
        session.add(instance)
        session.add(AssignmentRow(course_id=spring.id, exercise=SLUG, position=0, due_at=NOON + HOUR))
        session.flush()
        hand_in(session, spring, ada, instance.id, NOON)
        before = everything(session, spring, ada)

        session.add_all(SeatRow(course_id=autumn.id, account_id=each) for each in (ada, ben))
        session.flush()
        for account_id in (ada, ben):
            hand_in(session, autumn, account_id, instance.id, NOON - 30 * HOUR)
        session.add(AssignmentRow(course_id=autumn.id, exercise=SLUG, position=0, points=100.0))
        session.add(
            ExtensionRow(course_id=autumn.id, exercise=SLUG, account_id=ada, due_at=NOON + 99 * HOUR, reason="ill")
        )
        session.add(
            OverrideRow(course_id=autumn.id, account_id=ada, exercise=SLUG, points=3.0, reason="paper", author_id=ben)
        )
        session.flush()
        session.expire_all()

        after = everything(session, spring, ada)
        assert {name: after[name] for name in after if after[name] != before[name]} == {}
        assert all(before.values())  # each has something to say
        assert before["analytics"]["students"] == 2
        there = everything(session, autumn, ada)
        assert [name for name in there if there[name] == before[name]] == []
