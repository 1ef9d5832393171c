"""The operator's commands for submissions and overrides: ``submission`` and ``override``."""

from __future__ import annotations

import sys

import click
from sqlmodel import Session

from server.assignments.exercises import find_exercise
from server.command_line import ROW_ID, CommandError, pass_settings
from server.courses.commands import find_course
from server.courses.local_time import find_zone, local_text
from server.database.setup import prepared_database
from server.feedback import overrides
from server.feedback.overrides import Setting
from server.queue import tickets
from server.settings import Settings
from server.submissions import detail
from server.submissions.listing import LISTED, LISTED_MAX, SubmissionFilter, find_submissions
from server.submissions.queries import NEWEST_GRADE, ROWS_OF_GRADE
from server.submissions.schemas import OverrideBody
from server.tables import CourseRow, GradeRow, SubmissionRow


@click.group()
def submission() -> None:
    """Submissions."""


@submission.command("list")
@click.argument("course")
@click.option("--student", "account_id", metavar="ID", type=ROW_ID, help="Only this student's.")
@click.option("--exercise", metavar="SLUG", help="Only of this exercise.")
@click.option("--before", metavar="ID", type=ROW_ID, help="Only those before this one.")
@click.option("--limit", type=click.IntRange(1, LISTED_MAX), default=LISTED, show_default=True)
@pass_settings
def list_submissions(
    settings: Settings, course: str, account_id: int | None, exercise: str | None, before: int | None, limit: int
) -> None:
    """List submissions of a course, the newest first."""
    slug = exercise and find_exercise(exercise).slug
    with prepared_database(settings).reading() as session:
        row = find_course(session, course)
        found = find_submissions(session, row, SubmissionFilter(account_id, None, slug, before, limit))
        students = detail.submitters(session, found)
        zone = find_zone(row.time_zone)
        for each in found:
            student = students[each.account_id]
            click.echo(
                f"{each.id:8d}  {local_text(each.created_at, zone)}  {student.id:6d} {student.name:24s}"
                f"  {each.exercise}, attempt {each.attempt}: {_outcome(session, each)}"
            )


@submission.command("show")
@click.argument("id", type=ROW_ID)
@click.option("--source", is_flag=True, help="Write what was handed in to the standard output, byte for byte.")
@pass_settings
def show_submission(settings: Settings, id: int, source: bool) -> None:
    """Print a submission with its student and its rows.

    Its place in their work and the comments on it are there, too.
    """
    with prepared_database(settings).reading() as session:
        found = session.get(SubmissionRow, id)
        if found is None:
            raise CommandError(f"There is no submission {id}. See: python -m server submission list COURSE")
        if source:
            sys.stdout.buffer.write(found.body)
            return
        _show(session, found)


@click.group()
def override() -> None:
    """Points that staff set."""


@override.command("list")
@click.argument("course")
@pass_settings
def list_overrides(settings: Settings, course: str) -> None:
    """List the overrides of a course that count."""
    with prepared_database(settings).reading() as session:
        for each in overrides.list_overrides(session, find_course(session, course)):
            click.echo(f"{each.id:6d}  {_in_words(each)}")


@override.command("set")
@click.argument("course")
@click.argument("student", type=ROW_ID)
@click.argument("exercise")
@click.argument("points", type=float)
@click.option("--reason", required=True, help="The student reads it.")
@pass_settings
def set_override(settings: Settings, course: str, student: int, exercise: str, points: float, reason: str) -> None:
    """Give STUDENT, a number, points for an exercise.

    They count instead of those worked out.
    """
    with prepared_database(settings).writing() as session:
        setting = Setting(student, exercise, points, reason)
        made = overrides.set_points(session, find_course(session, course), setting, actor_id=None)
        click.echo(f"{made.id:6d}  {_in_words(overrides.body_of(session, made))}")


@override.command("withdraw")
@click.argument("course")
@click.argument("id", type=ROW_ID)
@pass_settings
def withdraw_override(settings: Settings, course: str, id: int) -> None:
    """Withdraw an override: the points worked out count again."""
    with prepared_database(settings).writing() as session:
        gone = overrides.withdraw(session, find_course(session, course), id, actor_id=None)
        click.echo(f"Withdrawn: {_in_words(overrides.body_of(session, gone))}")


def _in_words(each: OverrideBody) -> str:
    return f"{each.student.name} ({each.student.id})  {each.exercise}: {each.points:g} points. {each.reason}"


def _outcome(session: Session, submission: SubmissionRow) -> str:
    """Return how many steps pass, or where the submission stands."""
    grade = _grade(session, submission)
    if grade is not None:
        stopped = f", {grade.run_status}" if grade.run_status not in (None, "ok") else ""
        return f"{grade.passed} of {grade.total} pass{stopped}"
    standing = tickets.standing(session, [submission.id]).get(submission.id)
    return standing.state.value if standing else "not graded"


def _grade(session: Session, submission: SubmissionRow) -> GradeRow | None:
    newest = session.exec(NEWEST_GRADE.statement, params={"submission_id": submission.id}).first()
    return newest[0] if newest else None


def _show(session: Session, submission: SubmissionRow) -> None:
    student = detail.submitters(session, [submission])[submission.account_id]
    place = detail.timeline(session, submission, detail.verdicts(session, submission.id))
    roster = ", ".join(filter(None, [student.university_id, student.section and f"section {student.section}"]))
    zone = find_zone(session.get_one(CourseRow, submission.course_id).time_zone)
    handed_in = f"{local_text(submission.created_at, zone)} ({zone.key})"
    click.echo(f"Submission {submission.id}, {submission.kind.value}, {handed_in}")
    click.echo(f"Student    {student.name} ({student.id}){f': {roster}' if roster else ''}")
    click.echo(f"Exercise   {submission.exercise}, attempt {submission.attempt} of {place.attempts}")
    click.echo(f"Before     {place.previous or 'none'}; after: {place.next or 'none'}")
    click.echo(f"Outcome    {_outcome(session, submission)}")
    for change in place.changes:
        click.echo(f"    {change.name}: {change.before or '(none)'} -> {change.after or '(none)'}")
    grade = _grade(session, submission)
    rows = session.connection().execute(ROWS_OF_GRADE.statement, {"grade_id": grade.id}).mappings() if grade else ()
    for row in rows:
        codes = " ".join(each["code"] for each in row["diagnosis"])
        click.echo(" ".join(filter(None, [f"{row['name']:15s} {row['verdict']}", row["origin"], codes])))
    given = detail.find_override(session, submission.course_id, submission.account_id, submission.exercise)
    if given is not None:
        click.echo(f"Override   {given.points:g} points: {given.reason}")
    for comment in detail.comments_of(session, submission.id):
        click.echo(f"Comment {comment.id} of {comment.author.name} on {comment.checkpoint or 'all of it'}:")
        for line in comment.text.splitlines():
            click.echo(f"    {line}")
