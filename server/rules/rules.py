"""The rules of an exercise as they hold for one account at one moment, and reading them.

``Rules`` is a value and asks neither database nor clock. Staff are free of them: they read and hand in at any time, and
see all feedback. Only an archived course refuses staff too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from sqlmodel import Session

from exercises import registry
from exercises.registry import is_drill
from server.assignments.assignment import Assignment, NotAssigned, extensions_of, list_assignments
from server.courses.access import Membership, require_active
from server.courses.local_time import local_text, zone_of
from server.courses.pinned_packs import holds
from server.courses.roles import Permission
from server.database.table import now
from server.rules.problems import (
    ChecksClosed,
    Closed,
    FeedbackWithheld,
    KindNotAccepted,
    NoAttemptsLeft,
    NotOpenYet,
)
from server.rules.queries import ASSIGNMENT_COLUMNS, ASSIGNMENT_OF_EXERCISE, ATTEMPTS_USED
from server.tables import Accepts, AnswerKind, AssignmentRow, CourseRow, Feedback, LatePolicy

Answers = Literal["open", "later", "closed"]


@dataclass(frozen=True)
class Rules:
    """What holds for an account's work in an exercise, at a moment and for the person who asks.

    ``due_at`` is the account's own, with its extensions where something depends on them. ``attempts`` is how many
    count, and 0 where nothing depends on it. ``is_free`` says that staff ask. ``is_assigned`` is False for an exercise
    that the course does not ask for; ``assignment`` is open practice then.
    """

    course: CourseRow
    account_id: int
    assignment: Assignment
    moment: datetime
    due_at: datetime | None = None
    attempts: int = 0
    is_free: bool = False
    is_assigned: bool = True

    @property
    def exercise(self) -> str:
        """The slug of the exercise."""
        return self.assignment.exercise

    @property
    def ends_at(self) -> datetime | None:
        """The due time and its grace; None without a due time. What comes at this moment still counts."""
        return None if self.due_at is None else self.due_at + timedelta(minutes=self.assignment.grace_minutes)

    @property
    def is_over(self) -> bool:
        """Whether the due time and its grace have passed."""
        return self.ends_at is not None and self.moment > self.ends_at

    @property
    def is_before_opening(self) -> bool:
        """Whether the exercise opens later. Staff may use it before."""
        opens_at = self.assignment.opens_at
        return not self.is_free and opens_at is not None and self.moment < opens_at

    @property
    def is_closed(self) -> bool:
        """Whether it is too late for an answer. Staff may hand in at any time."""
        return not self.is_free and self.assignment.late_policy is LatePolicy.CLOSED and self.is_over

    @property
    def answers(self) -> Answers:
        """Whether answers are taken: now, from when it opens, or no more. Attempts are not counted."""
        if self.is_closed or self.course.archived_at is not None:
            return "closed"
        return "later" if self.is_before_opening else "open"

    @property
    def withheld(self) -> str | None:
        """When feedback will show, as a sentence; None if it shows now."""
        if self.is_free:
            return None
        feedback, wanted = self.assignment.feedback, self.assignment.feedback_after
        if feedback is Feedback.AFTER_ATTEMPTS and self.attempts < wanted:
            return f"Feedback shows after {wanted} attempts at {self.exercise}; {self.attempts} of them are made."
        if feedback is not Feedback.AFTER_DUE or self.is_over:
            return None
        if self.ends_at is None:
            return "Feedback shows after the due time, which is not set yet. Ask your instructor."
        return f"Feedback shows after {self._shown(self.ends_at)}."

    def require_readable(self) -> None:
        """Do nothing if the account may read the exercise.

        :raises NotAssigned: the course does not ask for it
        :raises NotOpenYet: it opens later
        """
        if self.is_free:
            return
        if not self.is_assigned:
            raise NotAssigned(
                f"This course does not ask for {self.exercise!r}.",
                on_api=f"GET /api/v1/courses/{self.course.slug}/exercises lists what it asks for.",
            )
        if self.is_before_opening:
            assert self.assignment.opens_at is not None
            raise NotOpenYet(f"{self.exercise} opens at {self._shown(self.assignment.opens_at)}. Come back then.")

    def require_open(self, kind: AnswerKind) -> None:
        """Do nothing if the account may hand in an answer of this kind, as far as no attempts are counted.

        :raises Archived: the course takes nothing in
        :raises NotAssigned: the course does not ask for the exercise
        :raises NotOpenYet: it opens later
        :raises Closed: it takes no more answers
        :raises KindNotAccepted: it takes answers of the other kind alone
        """
        self._require_time()
        accepts = Accepts.CODE if takes_code_alone(self.exercise) else self.assignment.accepts
        if self.is_free or accepts is Accepts.BOTH or accepts.value == kind.value:
            return
        if accepts is Accepts.CODE:
            raise KindNotAccepted(f"{self.exercise} takes code, and no tensors. Nothing was kept; hand in a .py file.")
        raise KindNotAccepted(
            f"{self.exercise} takes tensors, and no code. Nothing was kept; hand in a .safetensors file."
        )

    def require_attempts_left(self, session: Session) -> None:
        """Do nothing if the account may hand in once more. It holds its lock, so that no two count the same.

        :raises NoAttemptsLeft: it has made all attempts
        """
        allowed = self.assignment.attempts_max
        if allowed is None or self.is_free or self._count(session) < allowed:
            return
        made = "the only attempt" if allowed == 1 else f"all {allowed} attempts"
        raise NoAttemptsLeft(
            f"You have made {made} at {self.exercise}. Nothing was kept; what you handed in before counts. "
            "If something went wrong, ask your instructor."
        )

    def attempts_left(self, session: Session) -> int | None:
        """Return how many more answers the account may hand in; None for any number."""
        allowed = self.assignment.attempts_max
        return None if allowed is None or self.is_free else max(allowed - self._count(session), 0)

    def require_checkable(self) -> None:
        """Do nothing if the account may have an answer graded that is not kept.

        :raises Archived: the course takes nothing in
        :raises NotAssigned: the course does not ask for the exercise
        :raises NotOpenYet: it opens later
        :raises Closed: it takes no more answers
        :raises ChecksClosed: the assignment has no live checks
        :raises FeedbackWithheld: feedback shows later
        """
        self._require_time()
        if not self.is_free and not self.assignment.checks_open:
            raise ChecksClosed(f"There are no live checks of {self.exercise}. Hand your answer in instead.")
        self.require_feedback()

    def require_feedback(self) -> None:
        """Do nothing if feedback shows.

        :raises FeedbackWithheld: it shows later
        """
        if self.withheld is not None:
            raise FeedbackWithheld(f"{self.withheld} Until then, hand your answers in: they are kept.")

    def recounted(self, session: Session) -> Self:
        """Return these rules after an answer was handed in."""
        counts = self.assignment.feedback is Feedback.AFTER_ATTEMPTS
        return replace(self, attempts=self._count(session)) if counts else self

    def _require_time(self) -> None:
        require_active(self.course)
        self.require_readable()
        if self.is_closed:
            assert self.due_at is not None
            raise Closed(
                f"{self.exercise} was due at {self._shown(self.due_at)}, and takes no more answers. "
                "Nothing was kept; ask your instructor for an extension."
            )

    def _count(self, session: Session) -> int:
        where = {"course_id": self.course.id, "account_id": self.account_id, "exercise": self.exercise}
        return int(ATTEMPTS_USED.scalar(session, where))

    def _shown(self, moment: datetime) -> str:
        """Return a moment as the clocks of the course show it."""
        return f"{local_text(moment, zone_of(self.course))} ({self.course.time_zone})"


def takes_code_alone(slug: str) -> bool:
    """Return whether an exercise is judged on several instances, so that tensors of one say too little."""
    exercise = registry.exercises().get(slug)
    return exercise is not None and exercise.draws_judged > 1


def find_rules(
    session: Session, asking: Membership, account_id: int, exercise: str, moment: datetime | None = None
) -> Rules:
    """Return the rules for an account's work in an exercise, towards a member of the course.

    One statement; none for a drill, which every course has to practise. Extensions are read only if late answers are
    refused and this one is late, or if feedback waits for the due time; attempts only if feedback waits for them.

    :param moment: by default now.
    """
    course = asking.course
    where = {"course_id": course.id, "exercise": exercise}
    practised = is_drill(exercise)
    has_assignments, row = (False, None) if practised else assignment_of(session, where)
    assignment = Assignment.of(row, course) if row else Assignment.open_practice(course, exercise)
    is_assigned = practised or row is not None or (not has_assignments and holds(course, exercise))
    rules = Rules(course, account_id, assignment, moment or now(), is_free=_is_free(asking), is_assigned=is_assigned)
    return _completed(session, rules)


def assignment_of(session: Session, where: Mapping[str, Any]) -> tuple[bool, AssignmentRow | None]:
    """Return whether a course has any assignment, and that of an exercise or None."""
    has_assignments, *values = ASSIGNMENT_OF_EXERCISE.rows(session, where)[0]
    is_found = values[0] is not None
    row = AssignmentRow.loaded(zip(ASSIGNMENT_COLUMNS, values, strict=True)) if is_found else None
    return bool(has_assignments), row


def find_all_rules(
    session: Session, asking: Membership, account_id: int, exercises: Iterable[str], moment: datetime | None = None
) -> dict[str, Rules]:
    """Return the rules for an account's work in each of some exercises, in the course's order.

    Those that the course does not ask for come last.
    """
    course, wanted, moment, is_free = asking.course, list(exercises), moment or now(), _is_free(asking)
    assigned = {each.exercise: each for each in list_assignments(session, course, wanted)}
    others = {each: Assignment.open_practice(course, each) for each in wanted if each not in assigned}
    return {
        slug: _completed(
            session,
            Rules(course, account_id, each, moment, is_free=is_free, is_assigned=slug in assigned or is_drill(slug)),
        )
        for slug, each in (assigned | others).items()
    }


def _is_free(asking: Membership) -> bool:
    return asking.may(Permission.READ_SUBMISSIONS)


def _completed(session: Session, rules: Rules) -> Rules:
    """Return rules with the account's own due time and attempts, as far as something depends on them."""
    assignment = rules.assignment
    rules = replace(rules, due_at=assignment.due_at)
    may_be_closed = assignment.late_policy is LatePolicy.CLOSED and rules.is_over
    if not rules.is_free and (may_be_closed or assignment.feedback is Feedback.AFTER_DUE):
        extensions = extensions_of(session, rules.course, rules.exercise, rules.account_id)
        rules = replace(rules, due_at=assignment.due_for(extensions))
    return rules if rules.is_free else rules.recounted(session)
