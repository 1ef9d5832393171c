"""Comments and overrides."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from server.assignments.exercises import find_exercise
from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.feedback import comments, overrides
from server.feedback.comments import Note
from server.feedback.overrides import Setting
from server.feedback.schemas import (
    CommentListBody,
    NewCommentBody,
    NewCommentsBody,
    NewOverrideBody,
    OverrideListBody,
)
from server.http.problems import documented
from server.http.row_id import RowId
from server.submissions.access import AllowedForSubmission, SubmissionAccess
from server.submissions.detail import comment_body, comments_of
from server.submissions.listing import visible_account
from server.submissions.schemas import CommentBody, OverrideBody
from server.tables import AccountRow

router = APIRouter(tags=["feedback"], responses=documented(401, 403, 404, 422))
Commenting = Annotated[SubmissionAccess, Depends(AllowedForSubmission(Permission.COMMENT, Permission.COMMENT))]
Overriding = Annotated[CourseAccess, Depends(Allowed(Permission.OVERRIDE))]


@router.get("/submissions/{id}/comments")
def list_comments(
    access: Annotated[
        SubmissionAccess, Depends(AllowedForSubmission(Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS))
    ],
) -> CommentListBody:
    """The comments on a submission, for its owner and the staff of its course."""
    with access.reading() as opened:
        return CommentListBody(comments=comments_of(opened.session, opened.submission.id))


@router.post("/submissions/{id}/comments", status_code=201)
def write_comment(access: Commenting, new: NewCommentBody) -> CommentBody:
    """Comment on a submission, or on one of its checkpoints. For staff; its student reads it."""
    with access.writing() as opened:
        session, course = opened.session, opened.reader.course
        note = Note(new.checkpoint, new.text)
        (comment,) = comments.write(session, course, [opened.submission], opened.reader_id, note)
        return comment_body(comment, session.get_one(AccountRow, comment.author_id).name)


@router.delete("/submissions/{id}/comments/{comment}")
def withdraw_comment(access: Commenting, comment: RowId) -> CommentBody:
    """Withdraw a comment, as its author or an instructor. Nobody reads it any more."""
    with access.writing() as opened:
        session = opened.session
        withdrawn = comments.withdraw(session, opened.submission, comment, opened.reader, opened.reader_id)
        return comment_body(withdrawn, session.get_one(AccountRow, withdrawn.author_id).name)


@router.post("/courses/{course}/comments", status_code=201)
def write_comments(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.COMMENT))], new: NewCommentsBody
) -> CommentListBody:
    """Write one comment on many submissions of a course. For staff. All of them, or none if one may not be seen."""
    with access.writing() as member:
        session, reader = member.session, member.membership
        found = comments.find_submissions(session, reader, member.account_id, new.submissions)
        written = comments.write(session, member.course, found, member.account_id, Note(new.checkpoint, new.text))
        name = session.get_one(AccountRow, member.account_id).name
        return CommentListBody(comments=[comment_body(comment, name) for comment in written])


@router.get("/courses/{course}/overrides")
def list_overrides(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_OWN_WORK))],
    student: RowId | None = None,
    exercise: str | None = None,
) -> OverrideListBody:
    """The overrides that count: staff see those of the class, a student their own."""
    slug = exercise and find_exercise(exercise).slug
    with access.reading() as member:
        account_id = visible_account(member.membership, member.account_id, student)
        section = member.membership.section
        found = overrides.list_overrides(
            member.session, member.course, account_id=account_id, exercise=slug, section=section
        )
        return OverrideListBody(overrides=found)


@router.post("/courses/{course}/overrides", status_code=201)
def set_override(access: Overriding, new: NewOverrideBody) -> OverrideBody:
    """Give a student points for an assignment instead of those worked out, with the reason. For instructors."""
    with access.writing() as member:
        setting = Setting(new.student, new.exercise, new.points, new.reason)
        override = overrides.set_points(member.session, member.course, setting, member.account_id)
        return overrides.body_of(member.session, override)


@router.delete("/courses/{course}/overrides/{id}")
def withdraw_override(access: Overriding, id: RowId) -> OverrideBody:
    """Withdraw an override: the points worked out count again. For instructors."""
    with access.writing() as member:
        override = overrides.withdraw(member.session, member.course, id, member.account_id)
        return overrides.body_of(member.session, override)
