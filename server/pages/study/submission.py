"""A submission: read by its owner and staff, commented on, overridden, taken out of the queue and put back."""

from __future__ import annotations

import math
from typing import Annotated, Final

from fastapi import Depends, Response

from server.courses.roles import Permission
from server.feedback import comments, overrides
from server.feedback.comments import Note
from server.feedback.overrides import BadPoints, Setting
from server.http.problems import Conflict, Problem
from server.http.row_id import RowId
from server.pages.fields import FormState
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import VisitingSubmission
from server.pages.study.submission_view import read_submission
from server.queue.dispatcher import Dispatcher, TheDispatcher
from server.submissions.access import SubmissionAccess, SubmissionSession
from server.submissions.source import handed_out

router = page_router()
ADDRESS: Final = "/submissions/{id}"
OVERRIDE_LABELS: Final = {"points": "Points", "reason": "Reason"}
OVERRIDE_FIELD_OF: Final = {"bad-points": "points", "bad-text": "reason"}
Reading = Annotated[
    SubmissionAccess, Depends(VisitingSubmission(Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS))
]
Commenting = Annotated[SubmissionAccess, Depends(VisitingSubmission(Permission.COMMENT, Permission.COMMENT))]
Overriding = Annotated[SubmissionAccess, Depends(VisitingSubmission(Permission.OVERRIDE, Permission.OVERRIDE))]
Cancelling = Annotated[
    SubmissionAccess, Depends(VisitingSubmission(Permission.READ_OWN_WORK, Permission.CANCEL_SUBMISSIONS))
]
Releasing = Annotated[
    SubmissionAccess, Depends(VisitingSubmission(Permission.RELEASE_SUBMISSIONS, Permission.RELEASE_SUBMISSIONS))
]


@router.get(ADDRESS)
def show_submission(page: ThePage, access: Reading, dispatcher: TheDispatcher) -> Response:
    """Show a submission."""
    with access.reading() as opened:
        return _render(page, opened, dispatcher, FormState())


@router.get(f"{ADDRESS}/source")
def show_source(access: Reading) -> Response:
    """Hand out what was handed in, byte for byte."""
    with access.reading() as opened:
        return handed_out(opened.submission)


@router.post(f"{ADDRESS}/comments")
def write_comment(page: ThePage, access: Commenting, form: TheForm) -> Response:
    """Write a comment on the submission, or on a step of it."""
    note = Note(text(form, "step") or None, text(form, "text"))
    with access.writing() as opened:
        comments.write(opened.session, opened.reader.course, [opened.submission], opened.reader_id, note)
    return page.go(f"/submissions/{access.id}#comments")


@router.post(f"{ADDRESS}/comments/{{comment}}/withdraw")
def withdraw_comment(page: ThePage, access: Commenting, form: TheForm, comment: RowId) -> Response:
    """Withdraw a comment, as its author or an instructor."""
    with access.writing() as opened:
        comments.withdraw(opened.session, opened.submission, comment, opened.reader, opened.reader_id)
    return page.go(f"/submissions/{access.id}#comments")


@router.post(f"{ADDRESS}/override")
def override(page: ThePage, access: Overriding, form: TheForm, dispatcher: TheDispatcher) -> Response:
    """Give the student points for this exercise instead of those worked out."""
    state = FormState.of(form, OVERRIDE_LABELS)
    try:
        with access.writing() as opened:
            points, submission = _points(text(form, "points")), opened.submission
            setting = Setting(submission.account_id, submission.exercise, points, text(form, "reason"))
            overrides.set_points(opened.session, opened.reader.course, setting, opened.reader_id)
        return page.go(f"/submissions/{access.id}#override")
    except Problem as problem:
        state.blame(problem, OVERRIDE_FIELD_OF.get(problem.slug, ""))
    with access.reading() as opened:
        return _render(page, opened, dispatcher, state)


@router.post(f"{ADDRESS}/override/{{override_id}}/withdraw")
def withdraw_override(page: ThePage, access: Overriding, form: TheForm, override_id: RowId) -> Response:
    """Let the points worked out count again."""
    with access.writing() as opened:
        overrides.withdraw(opened.session, opened.reader.course, override_id, opened.reader_id)
    return page.go(f"/submissions/{access.id}#override")


@router.post(f"{ADDRESS}/cancel")
def cancel(page: ThePage, access: Cancelling, form: TheForm, dispatcher: TheDispatcher) -> Response:
    """Take the submission out of the queue before it is run."""
    with access.writing() as opened:
        if not dispatcher.cancel(opened.session, access.id):
            raise Conflict(f"Submission {access.id} does not wait any more. Go back and load it again.")
    return page.go(f"/submissions/{access.id}")


@router.post(f"{ADDRESS}/release")
def release(page: ThePage, access: Releasing, form: TheForm, dispatcher: TheDispatcher) -> Response:
    """Put a submission that was set aside or cancelled back into the queue."""
    with access.writing() as opened:
        if not dispatcher.requeue(opened.session, access.id):
            raise Conflict(f"Submission {access.id} is neither set aside nor cancelled. Go back and load it again.")
    return page.go(f"/submissions/{access.id}")


def _render(page: Page, opened: SubmissionSession, dispatcher: Dispatcher, state: FormState) -> Response:
    """Return the page. ``state`` is the form of an override, as it was sent if it was refused."""
    view = read_submission(opened, dispatcher)
    status = 422 if state.is_wrong else 200
    return page.render("study/submission.html", status, membership=opened.reader, view=view, state=state)


def _points(typed: str) -> float:
    """Return the points that somebody typed; a comma is a point.

    :raises BadPoints: they are no number
    """
    try:
        points = float(typed.replace(",", "."))
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        raise BadPoints(f"{typed[:40]!r} is no number. Type the points, such as 7.5.")
    return points
