"""Clusters: answers that are wrong alike, so that one comment answers all of them.

Two answers are wrong alike if they are wrong at the same step, by a mistake of their own or by one whose origin is
unknown, and have the same pattern (``grader.diagnosis.pattern``).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Select, Text, cast, or_, select
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Origin, Verdict
from grader.diagnosis.messages import mistake_phrase
from server.courses.schemas import PersonBody
from server.progress.record import PASSING
from server.reports.graded import graded
from server.reports.schemas import ClusterBody, ClustersBody, MemberBody
from server.reports.students import Scope, in_scope
from server.tables import AccountRow, ComparisonRow, CourseRow, ProgressRow, SeatRow

FIGURE: Final = re.compile(r"\d[\d.,e+-]*")
NOT_COMPARED: Final = {
    Verdict.SHAPE.value: "have another shape at",
    Verdict.DTYPE.value: "have another dtype at",
    Verdict.NOT_FINITE.value: "have NaN or infinite numbers at",
}
UNJUDGED: Final = "are wrong alike, here or above, at"


@dataclass(frozen=True)
class Alike:
    """What answers have in common that are wrong alike. ``code`` is None if the kind was not judged."""

    exercise: str
    checkpoint: str
    verdict: str
    code: str | None
    pattern: str


@dataclass
class Cluster:
    """The answers that are wrong alike. ``newest`` is the newest submission of each account."""

    answers: int = 0
    newest: dict[int, int] = field(default_factory=dict)
    hints: Counter[tuple[str, ...]] = field(default_factory=Counter)


@dataclass(frozen=True)
class WantedClusters:
    """Which clusters are asked for: of one checkpoint or of all, at most ``limit``, each with so many ``members``."""

    checkpoint: str | None = None
    limit: int = 100
    members: int = 500


def read_clusters(
    session: Session, course: CourseRow, exercises: Sequence[Exercise], scope: Scope, wanted: WantedClusters
) -> ClustersBody:
    """Return the clusters of some exercises, those of most students first; three queries, whatever the size."""
    clusters = find_clusters(session, course, exercises, scope, wanted.checkpoint)
    ordered = sorted(clusters.items(), key=lambda each: (-len(each[1].newest), -each[1].answers, each[0].pattern))
    names = names_of(session, course, scope)
    passed = {tuple(row) for row in session.connection().execute(_passed(course, exercises))}
    return ClustersBody(
        course=course.slug,
        clusters=len(ordered),
        groups=[_body(alike, cluster, names, passed, wanted.members) for alike, cluster in ordered[: wanted.limit]],
    )


def find_clusters(
    session: Session, course: CourseRow, exercises: Sequence[Exercise], scope: Scope, checkpoint: str | None = None
) -> dict[Alike, Cluster]:
    """Return the clusters of some exercises; one query."""
    clusters: dict[Alike, Cluster] = {}
    parsed: dict[str, list[dict[str, Any]]] = {}  # a class makes the same few mistakes again and again
    for row in session.connection().execute(_wrong(course, exercises, scope, checkpoint)):
        account_id, submission_id, exercise, name, verdict, pattern, text = row
        if text not in parsed:
            parsed[text] = json.loads(text)
        diagnosis = parsed[text]
        if pattern is None and not diagnosis and verdict not in NOT_COMPARED:
            continue  # nothing is known of it: the code stopped before it was done
        code = diagnosis[0]["code"] if diagnosis else None
        alike = Alike(exercise, name, verdict, code, pattern if pattern is not None else _old_pattern(diagnosis))
        cluster = clusters.setdefault(alike, Cluster())
        cluster.answers += 1
        cluster.newest[account_id] = max(submission_id, cluster.newest.get(account_id, 0))
        cluster.hints[tuple(diagnosis[0]["hints"]) if diagnosis else ()] += 1
    return clusters


def names_of(session: Session, course: CourseRow, scope: Scope) -> dict[int, str]:
    """Return the names of the students whom a list shows, by account."""
    seats = select(col(AccountRow.id), col(AccountRow.name)).join(SeatRow, col(SeatRow.account_id) == AccountRow.id)
    rows = session.connection().execute(seats.where(in_scope(course, scope)))
    return {id: name for id, name in rows}  # noqa: C416  # rows are no pairs


def sentence(alike: Alike, students: int) -> str:
    """Return what the students of a cluster did."""
    phrase = mistake_phrase(alike.code) if alike.code is not None else NOT_COMPARED.get(alike.verdict, UNJUDGED)
    return f"{students} student{'s' * (students != 1)} {phrase} {alike.checkpoint}"


def _wrong(
    course: CourseRow, exercises: Sequence[Exercise], scope: Scope, checkpoint: str | None
) -> Select[int, int, str, str, str, str | None, str]:
    """Select account, submission, exercise, checkpoint, verdict, pattern and diagnosis of each wrong answer."""
    grades = graded(course, exercises, scope)
    named = () if checkpoint is None else (col(ComparisonRow.name) == checkpoint,)
    return (
        select(
            grades.c.account_id,
            grades.c.submission_id,
            grades.c.exercise,
            col(ComparisonRow.name),
            col(ComparisonRow.verdict),
            col(ComparisonRow.pattern),
            cast(ComparisonRow.diagnosis, Text),
        )
        .join(grades, grades.c.grade_id == col(ComparisonRow.grade_id))
        .where(
            col(ComparisonRow.verdict).not_in([*PASSING, Verdict.MISSING.value]),
            or_(col(ComparisonRow.origin).is_(None), col(ComparisonRow.origin) != Origin.INHERITED.value),
            *named,
        )
    )


def _old_pattern(diagnosis: Sequence[Mapping[str, Any]]) -> str:
    """Return a pattern for a row that was graded before there were any: the kind in words, without figures."""
    return FIGURE.sub("#", diagnosis[0]["hints"][0]) if diagnosis else ""


def _passed(course: CourseRow, exercises: Sequence[Exercise]) -> Select[int, str, str]:
    """Select account, exercise and checkpoint of each step that was passed."""
    return select(col(ProgressRow.account_id), col(ProgressRow.exercise), col(ProgressRow.checkpoint)).where(
        col(ProgressRow.course_id) == course.id,
        col(ProgressRow.exercise).in_([each.slug for each in exercises]),
        col(ProgressRow.best).in_(PASSING),
    )


def _body(
    alike: Alike, cluster: Cluster, names: Mapping[int, str], passed: set[tuple[Any, ...]], members_max: int
) -> ClusterBody:
    solved = {id for id in cluster.newest if (id, alike.exercise, alike.checkpoint) in passed}
    listed = sorted((submission, id) for id, submission in cluster.newest.items() if id in names)
    ((hints, _),) = cluster.hints.most_common(1)
    return ClusterBody(
        exercise=alike.exercise,
        checkpoint=alike.checkpoint,
        verdict=alike.verdict,
        code=alike.code,
        pattern=alike.pattern,
        answers=cluster.answers,
        students=len(cluster.newest),
        unsolved=len(cluster.newest) - len(solved),
        message=sentence(alike, len(cluster.newest)),
        hints=list(hints),
        example_submission=max(listed)[0] if listed else None,
        members=[
            MemberBody(student=PersonBody(id=id, name=names[id]), submission=submission, solved=id in solved)
            for submission, id in listed[:members_max]
        ],
    )
