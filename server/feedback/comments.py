"""Comments on submissions, and on single steps. Their student reads them; no regrade touches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from server.assignments.exercises import find_exercise
from server.audit.log import Entry, record
from server.courses.access import Membership, require_active
from server.courses.roles import Permission
from server.database.table import now
from server.http.problems import Forbidden, NotFound, Unprocessable
from server.http.text import clean_comment
from server.submissions.access import UnknownSubmission
from server.tables import AccountRow, CommentRow, CourseRow, SeatRow, SubmissionRow


@dataclass(frozen=True)
class Note:
    """What a comment says: of a checkpoint, or of the whole submission."""

    checkpoint: str | None
    text: str


class UnknownStep(Unprocessable):
    """The exercise has no such step."""

    title, slug = "No such step", "unknown-step"


class UnknownComment(NotFound):
    """The submission has no such comment."""

    title, slug = "No such comment", "unknown-comment"


def write(
    session: Session,
    course: CourseRow,
    submissions: Sequence[SubmissionRow],
    author_id: int,
    note: Note,
) -> list[CommentRow]:
    """Write the same comment on each of these submissions.

    :raises Archived: the course is archived
    :raises BadText: the text is empty, too long, or holds control characters
    :raises UnknownStep: an exercise has no such checkpoint
    :raises UnknownSubmission: the person who handed it in was erased
    """
    require_active(course)
    _require_unerased(session, submissions)
    checkpoint, text = note.checkpoint, clean_comment(note.text)
    for exercise in {submission.exercise for submission in submissions} if checkpoint is not None else ():
        names = [each.name for each in find_exercise(exercise).checkpoints]
        if checkpoint not in names:
            raise UnknownStep(f"{exercise} has no step {checkpoint!r}. It has: {', '.join(names)}.")
    return [_write(session, submission, author_id, checkpoint, text) for submission in submissions]


def find_submissions(session: Session, reader: Membership, reader_id: int, ids: Sequence[int]) -> list[SubmissionRow]:
    """Return these submissions of a course, each once, if the reader may see every one.

    :raises UnknownSubmission: one of them is not there, or belongs to a student whom the reader does not look after
    """
    found = session.exec(
        select(SubmissionRow, SeatRow.section)
        .join(
            SeatRow,
            (col(SeatRow.course_id) == SubmissionRow.course_id) & (col(SeatRow.account_id) == SubmissionRow.account_id),
        )
        .where(SubmissionRow.course_id == reader.course.id, col(SubmissionRow.id).in_(ids))
        .options(defer(SubmissionRow.body))  # type: ignore[arg-type]
        .order_by(col(SubmissionRow.id))
    ).all()
    visible = [
        submission
        for submission, section in found
        if reader.section in (None, section) or submission.account_id == reader_id
    ]
    missing = sorted(set(ids) - {submission.id for submission in visible})
    if missing:
        raise UnknownSubmission(
            f"You see no submission {missing[0]} in this course. Nothing was written; leave it out, and send it again."
        )
    return visible


def withdraw(
    session: Session, submission: SubmissionRow, comment_id: int, reader: Membership, reader_id: int
) -> CommentRow:
    """Take a comment back: its author may, and everybody who may override points. Nobody reads it any more.

    :raises Archived: the course is archived
    :raises UnknownComment: the submission has no such comment, or it was withdrawn already
    :raises Forbidden: somebody else wrote it
    """
    require_active(reader.course)
    comment = session.exec(
        select(CommentRow)
        .where(
            CommentRow.id == comment_id,
            CommentRow.submission_id == submission.id,
            col(CommentRow.withdrawn_at).is_(None),
        )
        .with_for_update()
    ).first()
    if comment is None:
        raise UnknownComment(
            f"Submission {submission.id} has no comment {comment_id}.",
            on_api=f"GET /api/v1/submissions/{submission.id} has them.",
        )
    if comment.author_id != reader_id and not reader.may(Permission.OVERRIDE):
        raise Forbidden("Somebody else wrote this comment. Ask them, or an instructor, to withdraw it.")
    comment.withdrawn_at = now()
    session.add(comment)
    _log(session, submission, reader_id, "comment.withdraw", comment)
    return comment


def _require_unerased(session: Session, submissions: Sequence[SubmissionRow]) -> None:
    """Do nothing if nobody of these was erased: what is written about them later would stay for ever."""
    owners = {each.account_id: each.id for each in submissions}
    erased = select(AccountRow.id).where(col(AccountRow.id).in_(owners), col(AccountRow.erased_at).is_not(None))
    found = session.exec(erased.limit(1)).first()
    if found is not None:
        raise UnknownSubmission(
            f"Submission {owners[found]} is of a person who was erased. Nothing was written; leave it out."
        )


def _write(
    session: Session, submission: SubmissionRow, author_id: int, checkpoint: str | None, text: str
) -> CommentRow:
    comment = CommentRow(submission_id=submission.id, checkpoint=checkpoint, author_id=author_id, text=text)
    comment.insert(session)
    _log(session, submission, author_id, "comment.write", comment)
    return comment


def _log(session: Session, submission: SubmissionRow, actor_id: int, act: str, comment: CommentRow) -> None:
    """Log an act, without the text: it may name somebody."""
    entry = Entry(
        course_id=submission.course_id,
        actor_id=actor_id,
        act=act,
        subject_id=submission.account_id,
        exercise=submission.exercise,
        submission_id=submission.id,
        after={"comment": comment.id, "checkpoint": comment.checkpoint},
    )
    record(session, entry)
