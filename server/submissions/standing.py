"""How far a student is in an exercise: the best outcome of each step, and what all of it earns today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel import Session, col, func, select

from exercises.exercise import Exercise
from grader.compare import Verdict
from server.assignments.assignment import extensions_of
from server.assignments.points import Moments, assignment_points
from server.progress.record import PASSING, of_student
from server.rules.rules import Rules
from server.submissions.detail import find_override
from server.submissions.points import POINTS_DECIMALS
from server.tables import ComparisonRow, GradeRow, SubmissionRow


@dataclass(frozen=True)
class StepOutcome:
    """What became of a step: a verdict, and whose mistake it is if it is wrong."""

    verdict: str
    origin: str | None = None


@dataclass(frozen=True)
class OwnStanding:
    """How far a student is. A step that was never handed in has no outcome; ``points`` is None while withheld."""

    outcomes: Mapping[str, StepOutcome] = field(default_factory=dict)
    points: float | None = None

    @property
    def passed(self) -> int:
        """The number of steps that passed once."""
        return sum(each.verdict in PASSING for each in self.outcomes.values())


def read_standing(session: Session, rules: Rules, exercise: Exercise) -> OwnStanding:
    """Return how far the student of some rules is: the best of what passed, and else the newest answer.

    Nothing is told while feedback is withheld.
    """
    if rules.withheld is not None:
        return OwnStanding()
    names = [each.name for each in exercise.checkpoints]
    progress = of_student(session, rules.course, rules.account_id, exercise.slug)
    newest = _newest(session, rules, exercise)
    best = {name: StepOutcome(row.best) for name, row in progress.items() if row.best in PASSING}
    override = find_override(session, rules.course.id, rules.account_id, exercise.slug)
    if override is not None:
        points = override.points
    else:
        moments = {name: Moments.of(row) for name, row in progress.items()}
        extensions = extensions_of(session, rules.course, exercise.slug, rules.account_id)
        points = round(assignment_points(rules.assignment, names, moments, extensions).points, POINTS_DECIMALS)
    return OwnStanding({name: each for name in names if (each := best.get(name) or newest.get(name))}, points)


def _newest(session: Session, rules: Rules, exercise: Exercise) -> dict[str, StepOutcome]:
    """Return the rows of the student's newest grade that counts."""
    newest = (
        select(func.max(GradeRow.id))
        .join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
        .where(
            SubmissionRow.course_id == rules.course.id,
            SubmissionRow.account_id == rules.account_id,
            SubmissionRow.exercise == exercise.slug,
            GradeRow.revision == exercise.revision,
            col(GradeRow.counts),
        )
        .scalar_subquery()
    )
    rows = select(ComparisonRow.name, ComparisonRow.verdict, ComparisonRow.origin)
    there = rows.where(ComparisonRow.grade_id == newest, ComparisonRow.verdict != Verdict.MISSING)
    found = session.exec(there)
    return {name: StepOutcome(verdict, origin) for name, verdict, origin in found}
