"""A submission with its student, its place in their work, and what staff say of it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session, col, select

from server.courses.schemas import PersonBody
from server.submissions.practice import practice_for
from server.submissions.queries import (
    COMMENT_COLUMNS,
    COMMENTS,
    NEIGHBOURS,
    OVERRIDE,
    OVERRIDE_COLUMNS,
    SUBMITTER,
    VERDICTS,
)
from server.submissions.schemas import (
    CommentBody,
    OverrideBody,
    StepChangeBody,
    SubmissionBody,
    SubmissionDetailBody,
    SubmitterBody,
    TimelineBody,
)
from server.tables import AccountRow, CommentRow, OverrideRow, SeatRow, SubmissionRow


def detailed(session: Session, submission: SubmissionRow, body: SubmissionBody) -> SubmissionDetailBody:
    """Return what ``body`` shows of a submission, with its student, timeline, comments and override.

    Where it shows no rows, the timeline tells no changes.
    """
    shown = {row.name: row.verdict.value for row in body.grade.checkpoints} if body.grade else {}
    return SubmissionDetailBody(
        **dict(body),
        student=submitter(session, submission),
        timeline=timeline(session, submission, shown),
        comments=comments_of(session, submission.id),
        override=find_override(session, submission.course_id, submission.account_id, submission.exercise),
        practice=practice_for(session, submission, body.grade.checkpoints if body.grade else ()),
    )


def submitter(session: Session, submission: SubmissionRow) -> SubmitterBody:
    """Return the student of a submission."""
    where = {"course_id": submission.course_id, "account_id": submission.account_id}
    ((id, name, university_id, section),) = SUBMITTER.rows(session, where)
    return SubmitterBody(id=id, name=name, university_id=university_id, section=section)


def submitters(session: Session, submissions: list[SubmissionRow]) -> dict[int, SubmitterBody]:
    """Return the students of submissions of one course, by account."""
    if not submissions:
        return {}
    seats = (
        select(AccountRow.id, AccountRow.name, SeatRow.university_id, SeatRow.section)
        .join(SeatRow, col(SeatRow.account_id) == AccountRow.id)
        .where(
            SeatRow.course_id == submissions[0].course_id,
            col(AccountRow.id).in_({each.account_id for each in submissions}),
        )
    )
    return {
        id: SubmitterBody(id=id, name=name, university_id=university_id, section=section)
        for id, name, university_id, section in session.exec(seats)
    }


def timeline(session: Session, submission: SubmissionRow, shown: Mapping[str, str]) -> TimelineBody:
    """Return the place of a submission among those of the same student and exercise.

    :param shown: the verdicts of its grade, by checkpoint. Without any, no changes are told.
    """
    which = {
        "id": submission.id,
        "course_id": submission.course_id,
        "account_id": submission.account_id,
        "exercise": submission.exercise,
    }
    ((previous, following, attempts),) = NEIGHBOURS.rows(session, which)
    before = verdicts(session, previous) if shown and previous is not None else {}
    return TimelineBody(previous=previous, next=following, attempts=attempts, changes=_changes(before, shown))


def comments_of(session: Session, submission_id: int) -> list[CommentBody]:
    """Return the comments on a submission that were not withdrawn, the oldest first."""
    return [
        comment_body(CommentRow.loaded(zip(COMMENT_COLUMNS, comment, strict=True)), author)
        for *comment, author in COMMENTS.rows(session, {"submission_id": submission_id})
    ]


def comment_body(comment: CommentRow, author: str) -> CommentBody:
    """Return what is sent of a comment whose author has this name."""
    return CommentBody(
        id=comment.id,
        submission=comment.submission_id,
        checkpoint=comment.checkpoint,
        author=PersonBody(id=comment.author_id, name=author),
        text=comment.text,
        created_at=comment.created_at,
    )


def find_override(session: Session, course_id: int, account_id: int, exercise: str) -> OverrideBody | None:
    """Return the override of a student in an exercise, or None."""
    found = OVERRIDE.first(session, {"course_id": course_id, "account_id": account_id, "exercise": exercise})
    if found is None:
        return None
    *override, student, author = found
    return override_body(OverrideRow.loaded(zip(OVERRIDE_COLUMNS, override, strict=True)), student, author)


def override_body(override: OverrideRow, student: str, author: str | None) -> OverrideBody:
    """Return what is sent of an override; ``student`` and ``author`` are names."""
    by = None
    if override.author_id is not None and author is not None:
        by = PersonBody(id=override.author_id, name=author)
    return OverrideBody(
        id=override.id,
        student=PersonBody(id=override.account_id, name=student),
        exercise=override.exercise,
        points=override.points,
        reason=override.reason,
        author=by,
        created_at=override.created_at,
        withdrawn_at=override.withdrawn_at,
    )


def verdicts(session: Session, submission_id: int) -> dict[str, str]:
    """Return the verdicts of a submission's grade, by checkpoint; none if it is not graded."""
    return dict(VERDICTS.rows(session, {"submission_id": submission_id}))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[StepChangeBody]:
    if not before or not after:
        return []
    return [
        StepChangeBody(name=name, before=before.get(name), after=after.get(name))
        for name in {**after, **before}
        if before.get(name) != after.get(name)
    ]
