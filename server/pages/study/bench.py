"""What the workbench of an exercise shows: the student's draft, the newest verdicts, what handing in does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup
from sqlmodel import col, select

from dojo.api.responses import read_exercise
from dojo.files import starter
from exercises.exercise import Exercise
from server.assignments import packs
from server.catalogue import present as catalogue
from server.catalogue.schemas import ExerciseBody, ExerciseSummaryBody
from server.courses.access import CourseSession, Membership
from server.courses.roles import Permission
from server.http.problems import Problem
from server.instances import choice
from server.instances.store import InstanceStore
from server.pages.heat import times
from server.pages.marks import Mark, mark_of
from server.pages.source import inline
from server.pages.statement import Block, blocks
from server.pages.study.reading import TENSORS_BYTES_MAX
from server.pages.study.verdicts import LectureShown, Looking, Verdicts, lecture_of, verdicts
from server.progress import record
from server.queue.dispatcher import Dispatcher
from server.rules.rules import Rules, find_all_rules, find_rules
from server.submissions import present
from server.submissions.detail import find_override
from server.submissions.drafts import Draft, find_draft
from server.submissions.schemas import GradeBody, SubmissionBody
from server.tables import AnswerKind, ProgressRow, SubmissionRow

FILENAME: Final = "solution.py"


@dataclass(frozen=True)
class HandInShown:
    """What the button does.

    ``refusal`` is why nothing can be handed in, and ``left`` how many attempts are left, each or None.
    """

    attempt: int
    left: int | None
    counts: str
    refusal: str | None
    last_digest: str | None


@dataclass(frozen=True)
class Change:
    """A step whose mark is another one than in the attempt before."""

    name: str
    before: Mark
    after: Mark


@dataclass(frozen=True)
class ResultShown:
    """What became of an attempt: it waits, it is withheld, or it has its verdicts.

    ``changes`` are the steps whose verdict changed since the attempt before; ``next_exercise`` is the next that is not
    done.
    """

    submission: SubmissionBody
    changes: tuple[Change, ...]
    next_exercise: ExerciseSummaryBody | None
    counts: str

    @property
    def is_waiting(self) -> bool:
        """Whether its grade is still to come."""
        return self.submission.status in ("queued", "running")

    @property
    def is_done(self) -> bool:
        """Whether every step passes."""
        grade = self.submission.grade
        return grade is not None and grade.passed == grade.total


@dataclass(frozen=True)
class ForwardLine:
    """A line of the forward pass with its shape and its place in the lecture."""

    code: Markup
    shape: str
    lecture: LectureShown | None


@dataclass(frozen=True)
class Bench:
    """A workbench. ``checks`` is why there are no live checks, or None if there are.

    ``names`` are those of the forward state, and ``shapes`` the same with their shapes, as JSON.
    """

    membership: Membership
    exercise: Exercise
    body: ExerciseBody
    source: str
    draft: Draft | None
    starter: str
    verdicts: Verdicts
    result: ResultShown | None
    hand_in: HandInShown
    checks: str | None
    names: tuple[str, ...]
    shapes: str
    forward: tuple[ForwardLine, ...]

    @property
    def tensors_kib_max(self) -> int:
        """How large a file of tensors may be that a page hands in."""
        return TENSORS_BYTES_MAX // 1024

    @property
    def statement(self) -> tuple[Block, ...]:
        """The statement's blocks, without its title."""
        return blocks(self.body.statement)

    @property
    def address(self) -> str:
        """The address of this page."""
        return f"/courses/{self.membership.course.slug}/exercises/{self.exercise.slug}"

    @property
    def is_first_visit(self) -> bool:
        """Whether there is nothing of the student's yet."""
        return self.draft is None and self.body.attempts == 0


@dataclass(frozen=True)
class _Read:
    """What one transaction read of a student's work in an exercise."""

    rules: Rules
    summary: ExerciseSummaryBody
    progress: dict[str, ProgressRow]
    draft: Draft | None
    newest: SubmissionBody | None
    result: ResultShown | None
    last_digest: str | None
    handed_in: str | None


@dataclass(frozen=True)
class Benches:
    """Puts workbenches together."""

    instances: InstanceStore
    dispatcher: Dispatcher

    def open(self, member: CourseSession, exercise: Exercise, attempt: int | None = None) -> Callable[[Looking], Bench]:
        """Read a student's work; return what makes the page of it once the transaction is over.

        :param attempt: the attempt whose result is shown; by default none.

        :raises NotAssigned: the course does not ask for the exercise
        :raises NotOpenYet: it opens later
        """
        read = self._read(member, exercise, attempt)
        membership, account_id = member.membership, member.account_id
        override = find_override(member.session, member.course.id, account_id, exercise.slug)

        def finish(looking: Looking) -> Bench:
            stored = self.instances.get(account_id, exercise, choice.handed_out(read.rules.assignment))
            tensors = stored.instance.tensors()
            body = catalogue.exercise_body(exercise, read.summary, read.progress, stored.instance)
            body = body.model_copy(update={"override": override})
            shown = read.result.submission if read.result and read.result.submission.grade else read.newest
            grade = shown.grade if shown else None
            begun = starter_of(body)
            return Bench(
                membership=membership,
                exercise=exercise,
                body=body,
                source=read.draft.source if read.draft else read.handed_in or begun,
                draft=read.draft,
                starter=begun,
                verdicts=verdicts(exercise, body.checkpoints, grade, looking),
                result=read.result,
                hand_in=hand_in(membership, read.rules, read.summary, grade, read.last_digest),
                checks=refusal_of(read.rules.require_checkable),
                names=tuple(tensors),
                shapes=json.dumps({name: times(each.shape) for name, each in tensors.items()}),
                forward=tuple(_forward(exercise, body, {name: each.shape for name, each in tensors.items()})),
            )

        return finish

    def _read(self, member: CourseSession, exercise: Exercise, attempt: int | None) -> _Read:
        session, course, account_id = member.session, member.course, member.account_id
        rules = find_rules(session, member.membership, account_id, exercise.slug)
        rules.require_readable()
        (summary,) = catalogue.summaries(member, [rules])
        own = select(SubmissionRow).where(
            SubmissionRow.course_id == course.id,
            SubmissionRow.account_id == account_id,
            SubmissionRow.exercise == exercise.slug,
        )
        in_order = own.order_by(col(SubmissionRow.attempt).desc())
        row = session.exec(in_order).first()
        code = session.exec(in_order.where(SubmissionRow.kind == AnswerKind.CODE)).first()
        newest = present.show(session, row, member.membership, self.dispatcher) if row else None
        asked = self._attempt(member, exercise.slug, attempt) if attempt else None
        result = self._result(member, asked) if asked else None
        return _Read(
            rules,
            summary,
            record.of_student(session, course, account_id, exercise.slug),
            find_draft(session, course.id, account_id, exercise.slug),
            newest,
            result,
            row.digest if row and row.kind is AnswerKind.CODE else None,
            code.body.decode() if code and code.emptied_at is None else None,
        )

    def _result(self, member: CourseSession, row: SubmissionRow) -> ResultShown:
        submission = present.show(member.session, row, member.membership, self.dispatcher)
        before = self._attempt(member, row.exercise, row.attempt - 1)
        changes = tuple(_changes(self._marks(member, before), self._marks(member, row))) if before else ()
        return ResultShown(submission, changes, self._next(member, row.exercise), counts(submission.grade))

    def _marks(self, member: CourseSession, row: SubmissionRow) -> dict[str, Mark]:
        grade = present.show(member.session, row, member.membership, self.dispatcher).grade
        return {each.name: mark_of(each.verdict, each.origin) for each in grade.checkpoints} if grade else {}

    def _attempt(self, member: CourseSession, exercise: str, attempt: int) -> SubmissionRow | None:
        return member.session.exec(
            select(SubmissionRow).where(
                SubmissionRow.course_id == member.course.id,
                SubmissionRow.account_id == member.account_id,
                SubmissionRow.exercise == exercise,
                SubmissionRow.attempt == attempt,
            )
        ).first()

    def _next(self, member: CourseSession, done: str) -> ExerciseSummaryBody | None:
        """Return the next exercise of the course that is open and not done."""
        rules = find_all_rules(member.session, member.membership, member.account_id, packs.exercises_of(member.course))
        open_ones = [each for each in rules.values() if each.is_assigned and refusal_of(each.require_readable) is None]
        order = [each.exercise for each in open_ones]
        start = order.index(done) + 1 if done in order else 0
        later = catalogue.summaries(member, open_ones[start:] + open_ones[: max(start - 1, 0)])
        return next((each for each in later if each.passed != each.total), None)


def _forward(exercise: Exercise, body: ExerciseBody, shapes: Mapping[str, Sequence[int]]) -> Iterator[ForwardLine]:
    checkpoints = {each.name: each for each in body.checkpoints}
    for name, line in exercise.lines.items():
        checkpoint = checkpoints.get(name)
        place = lecture_of(checkpoint) if checkpoint else None
        yield ForwardLine(inline(line), times(shapes.get(name, ())), place)


def _changes(before: Mapping[str, Mark], after: Mapping[str, Mark]) -> Iterator[Change]:
    for name, mark in after.items():
        if before and before.get(name, Mark.MISSING) is not mark:
            yield Change(name, before.get(name, Mark.MISSING), mark)


def starter_of(body: ExerciseBody) -> str:
    """Return the code that a student starts from: what ``dojo pull`` writes into ``solution.py``."""
    return starter.solution(read_exercise(body.model_dump(mode="json")))


def hand_in(
    membership: Membership,
    rules: Rules,
    summary: ExerciseSummaryBody,
    grade: GradeBody | None,
    last_digest: str | None = None,
) -> HandInShown:
    """Return what handing in does now, and what the answer that was graded would count."""
    refusal = None if membership.may(Permission.HAND_IN) else "You look at this course without a seat in it."
    refusal = refusal or refusal_of(lambda: rules.require_open(AnswerKind.CODE))
    if refusal is None and summary.attempts_left == 0:
        refusal = "You have made all attempts. What you handed in counts."
    said = counts(grade)
    if said and summary.passed:
        said += f"; your best so far is {summary.passed} of {summary.total}"
    return HandInShown(summary.attempts + 1, summary.attempts_left, said, refusal, last_digest)


def counts(grade: GradeBody | None) -> str:
    """Return what an answer counts: "on time, counts 20 points"; empty while it is not shown."""
    if grade is None or grade.points is None:
        return ""
    points = f"counts {grade.points:g} point{'' if grade.points == 1 else 's'}"
    if grade.late_seconds <= 0:
        return f"on time, {points}"
    return f"late, {points} at {grade.late_factor:.0%}"


def refusal_of(require: Callable[[], None]) -> str | None:
    """Return why something may not be done, as a sentence; None if it may."""
    try:
        require()
    except Problem as problem:
        return problem.for_page
    return None


def digest(source: str) -> str:
    """Return the SHA-256 of code as a submission has it."""
    return hashlib.sha256(source.encode()).hexdigest()


def key_of(source: bytes, attempt: int) -> str:
    """Return the idempotency key of an attempt with this content: a form that is sent twice is one submission."""
    return f"page-{attempt}-{hashlib.sha256(source).hexdigest()}"


def parsed_moment(text: str) -> datetime | None:
    """Return a moment in ISO 8601, None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
