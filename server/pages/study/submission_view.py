"""What the page of a submission shows: the code with its marks, the rows, what staff say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from exercises import registry
from exercises.exercise import Exercise
from server.assignments.assignment import NotAssigned, find_assignment
from server.assignments.points import points_max
from server.courses.roles import Permission
from server.pages.graph import layout_of
from server.pages.marks import Mark, mark_of
from server.pages.source import CodeLine, lines_of, setting_lines
from server.pages.steps import Column, columns_of
from server.pages.study.verdicts import as_code, code_in_text
from server.queue.dispatcher import Dispatcher
from server.submissions import present
from server.submissions.access import SubmissionSession
from server.submissions.detail import detailed
from server.submissions.schemas import CommentBody, ComparisonBody, SubmissionDetailBody
from server.tables import AnswerKind

WAITING = ("queued", "running")


@dataclass(frozen=True)
class Step:
    """A row of the grade with its mark. ``line`` is where the code sets it, None if it does not."""

    row: ComparisonBody
    mark: Mark
    column: Column
    number: int
    line: int | None
    used_by: Sequence[str]

    @property
    def cmp(self) -> tuple[str, str]:
        """The row of ``cmp`` in two parts, so that it may wrap between them."""
        exact, approximate = f"exact: {self.row.exact!s:5}", f"approximate: {self.row.approximate!s:5}"
        return f"| {exact} | {approximate}", f"| maxdiff: {self.row.maxdiff}"


@dataclass(frozen=True)
class SubmissionView:
    """The page. ``lines`` is None if it is no code, or kept no longer.

    ``threads`` are the comments that stand in the code, by line; ``remarks`` the others.
    """

    body: SubmissionDetailBody
    exercise: Exercise
    lines: Sequence[CodeLine] | None
    is_kept: bool
    steps: Sequence[Step]
    threads: Mapping[int, Sequence[CommentBody]]
    remarks: Sequence[CommentBody]
    reader_id: int
    is_own: bool
    points_max: float | None
    may_override: bool

    @property
    def counts(self) -> Counter[Mark]:
        """How many steps have each mark."""
        return Counter(each.mark for each in self.steps)

    @property
    def passed(self) -> int:
        """How many steps pass."""
        return sum(each.row.verdict.passed for each in self.steps)

    @property
    def marks(self) -> dict[str, Mark]:
        """The marks for the gutter, by step."""
        return {each.row.name: each.mark for each in self.steps}

    @property
    def mistakes(self) -> list[Step]:
        """The steps that are wrong by a mistake of their own, or of which that is not known."""
        return [each for each in self.steps if each.mark in (Mark.OWN, Mark.UNKNOWN)]

    def as_code(self, hint: str) -> Markup:
        """Return a hint with what is code in it set as code."""
        return as_code(hint, code_in_text(self.exercise))

    @property
    def is_waiting(self) -> bool:
        """Whether its grade is still to come."""
        return self.body.status in WAITING


def read_submission(opened: SubmissionSession, dispatcher: Dispatcher) -> SubmissionView:
    """Return a submission as its reader may see it."""
    session, submission, reader = opened.session, opened.submission, opened.reader
    body = detailed(session, submission, present.show(session, submission, reader, dispatcher))
    exercise = registry.find(submission.exercise)
    names = frozenset(each.name for each in exercise.checkpoints)
    is_code, is_kept = submission.kind is AnswerKind.CODE, submission.emptied_at is None
    source = submission.body.decode("utf-8", "replace") if is_code and is_kept else None
    setters = setting_lines(source, names) if source is not None else {}
    in_code = {each.id: setters[each.checkpoint] for each in body.comments if each.checkpoint in setters}
    threads: dict[int, list[CommentBody]] = {}
    for comment in body.comments:
        if comment.id in in_code:
            threads.setdefault(in_code[comment.id], []).append(comment)
    may_override = reader.may(Permission.OVERRIDE)
    return SubmissionView(
        body=body,
        exercise=exercise,
        lines=None if source is None else lines_of(source, names),
        is_kept=is_kept,
        steps=_steps(exercise, body, setters),
        threads=threads,
        remarks=[each for each in body.comments if each.id not in in_code],
        reader_id=opened.reader_id,
        is_own=submission.account_id == opened.reader_id,
        points_max=_points_max(opened, exercise) if may_override else None,
        may_override=may_override,
    )


def _steps(exercise: Exercise, body: SubmissionDetailBody, setters: Mapping[str, int]) -> list[Step]:
    columns = {each.name: (number, each) for number, each in enumerate(columns_of(exercise), 1)}
    used_by = {node.name: node.used_by for node in layout_of(exercise).nodes}
    steps = []
    for row in body.grade.checkpoints if body.grade else ():
        number, column = columns.get(row.name, (0, Column(row.name, None, "", 0, None)))
        mark = mark_of(row.verdict, row.origin)
        steps.append(Step(row, mark, column, number, setters.get(row.name), used_by.get(row.name, ())))
    return steps


def _points_max(opened: SubmissionSession, exercise: Exercise) -> float | None:
    """Return what the assignment gives at most; None if the course does not ask for it any more."""
    try:
        assignment = find_assignment(opened.session, opened.reader.course, exercise.slug)
    except NotAssigned:
        return None
    return points_max(assignment, [each.name for each in exercise.checkpoints])
