"""Grades as the commands show them: in short, whole, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.text import Text

from dojo.api.responses import Checkpoint, Comparison, Exercise, Grade, Practice, Submission
from dojo.api.server import Connection
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, WRONG
from dojo.commands.memory import Memory
from dojo.commands.next_step import next_steps
from dojo.commands.target import begun_exercise
from dojo.errors import BadFile, ServerError
from dojo.files.workspace import STATEMENT, find_workspace
from dojo.show import brief, grades
from dojo.show.brief import Before, View
from dojo.show.due import due_lines
from dojo.show.grades import RUN_SENTENCES
from dojo.text import plural

LISTED_MAX = 500  # submissions that are looked through for the attempt before


def show_result(
    context: Context,
    connection: Connection,
    submission: Submission,
    checkpoints: Sequence[Checkpoint],
    *,
    whole: bool = False,
    extra: dict[str, Any] | None = None,
    hint_command: str = "dojo hint",
) -> int:
    """Print a submission, and return the exit code: whether all of it passes. ``extra`` is added to its JSON.

    ``hint_command`` shows one hint more on it; without a number that is of the newest submission. While feedback is
    withheld, the code says that the submission is kept.
    """
    grade = submission.grade
    if context.as_json:
        context.print_json({**submission.body, **(extra or {})})
        return _exit_code(grade)
    grades.show_feedback(context.screen, submission)
    if grade is None:
        grades.show_ungraded(context.screen, submission)
    elif grade.withheld:
        grades.show_withheld(context.screen, submission, grade)
    elif whole:
        grades.show_whole(context.screen, submission, grade, checkpoints)
    else:
        _show_brief(context, connection, submission, grade, View(checkpoints, hint_command=hint_command))
    return _exit_code(grade)


def _exit_code(grade: Grade | None) -> int:
    return PASSED if grade and (grade.all_passed or grade.withheld) else WRONG


def show_earlier(context: Context, number: int, *, whole: bool) -> int:
    """Print an earlier submission, and return the exit code."""
    workspace = find_workspace(Path.cwd())
    connection = context.connect(workspace)
    submission = connection.server.submission(number)
    checkpoints = workspace.checkpoints if workspace and workspace.exercise == submission.exercise else ()
    hint_command = f"dojo hint {number}"
    return show_result(context, connection, submission, checkpoints, whole=whole, hint_command=hint_command)


def _show_brief(context: Context, connection: Connection, submission: Submission, grade: Grade, view: View) -> None:
    memory = Memory(context.config.folder, connection)
    before = memory.before(submission) or _before(connection, submission)
    levels = 1
    mistake = grade.first_own
    if mistake is not None:
        levels = max(memory.hint_levels(submission.exercise, mistake), 1)
        memory.store_hint_levels(submission.exercise, mistake, levels)
    file = submission.filename or "FILE"
    steps = _next_steps(connection, submission.exercise, file) if grade.all_passed else ()
    practice = _practice(connection, submission) if mistake is not None else None
    view = replace(view, before=before, hint_levels=levels, next_steps=steps, practice=practice)
    brief.show_brief(context.screen, submission, grade, view)
    memory.store(submission)


def _practice(connection: Connection, submission: Submission) -> Practice | None:
    """Return the drill that the server offers beside a submission. Only the submission read by itself holds it."""
    if submission.practice is not None:
        return submission.practice
    try:
        return connection.server.submission(submission.id).practice
    except ServerError:
        return None


def _before(connection: Connection, submission: Submission) -> Before | None:
    """Return the attempt before, as the server has it. None if there is none, or it cannot be had."""
    if submission.attempt <= 1:
        return None
    server, wanted = connection.server, submission.attempt - 1
    try:
        listed = server.submissions(connection.course, exercise=submission.exercise, limit=LISTED_MAX)
        number = next((each.id for each in listed if each.attempt == wanted), None)
        earlier = server.submission(number) if number is not None else None
    except ServerError:
        return None
    if earlier is None or earlier.grade is None or earlier.grade.withheld:
        return None
    return Before(wanted, frozenset(row.name for row in earlier.grade.rows if row.passed))


def _next_steps(connection: Connection, done: str, file: str = "FILE") -> Sequence[str]:
    """Return what to go on with after an exercise, a sentence each."""
    try:
        exercises = connection.server.exercises(connection.course)
        is_listed = any(exercise.slug == done for exercise in exercises)  # a drill is not
        begun = None if is_listed else begun_exercise(connection, exercises)
        if begun is not None:
            return (f"Next: go on with {begun.slug}. Type in its folder: dojo submit",)
        return next_steps(exercises, done, file)
    except ServerError:
        return ()


def show_status(context: Context, connection: Connection, exercise: Exercise, *, is_named: bool) -> None:
    """Print the progress in an exercise: the best of each step, and the rows of the last submission for the others.

    :param is_named: the exercise was typed, so it may not be that of the current folder
    """
    heading = f"{exercise.slug}: {exercise.title}"
    grades.show_override(context.screen, exercise.slug, exercise.override)
    if exercise.withheld:
        context.screen.print(heading, style="bold")
        kept = f"{plural(exercise.attempts, 'attempt')} kept. {exercise.withheld} See them: dojo history"
        context.screen.print(kept if exercise.is_kept else f"Nothing is handed in yet. {exercise.withheld}")
        _print_due(context, exercise)
        return
    newest = None
    if any(not checkpoint.passed and checkpoint.attempts for checkpoint in exercise.checkpoints):
        newest = _newest_graded(connection, exercise.slug)
    grade = _best_rows(exercise, newest.grade if newest else None)
    mistake = grade.first_own
    levels = 1
    if mistake is not None:
        memory = Memory(context.config.folder, connection)
        levels = max(memory.hint_levels(exercise.slug, mistake), 1)
        memory.store_hint_levels(exercise.slug, mistake, levels)
    steps = _next_steps(connection, exercise.slug) if grade.all_passed else ()
    hint = f"dojo hint {newest.id}" if is_named and newest else "dojo hint"
    whole = f"dojo status {exercise.slug} --all" if is_named else "dojo status --all"
    view = View(exercise.checkpoints, hint_levels=levels, next_steps=steps, hint_command=hint, whole_command=whole)
    brief.show_progress(context.screen, heading, grade, view)
    if not grade.all_passed:  # what is done needs no hurry
        _print_due(context, exercise)


def _print_due(context: Context, exercise: Exercise) -> None:
    for line in due_lines(exercise):
        context.screen.print(line)


def _newest_graded(connection: Connection, slug: str) -> Submission | None:
    listed = connection.server.submissions(connection.course, exercise=slug, limit=10)
    number = next((each.id for each in listed if each.status == "graded"), None)
    return connection.server.submission(number) if number is not None else None


def _best_rows(exercise: Exercise, newest: Grade | None) -> Grade:
    """Return a row for each step: its best verdict if it passed once, else its row in the last submission."""
    rows = []
    for checkpoint in exercise.checkpoints:
        row = newest.row(checkpoint.name) if newest else None
        if checkpoint.passed and not (row and row.verdict == checkpoint.best):
            row = Comparison(checkpoint.name, checkpoint.best or "", checkpoint.best == "exact", True)
        rows.append(row or Comparison(checkpoint.name, "missing"))
    return Grade(tuple(rows), (), None, "", "", "")


def newest_number(connection: Connection, slug: str | None) -> int:
    """Return the number of the newest submission that is graded.

    :raises BadFile: there is none
    """
    listed = connection.server.submissions(connection.course, exercise=slug, limit=10)
    number = next((each.id for each in listed if each.status == "graded"), None)
    if number is None:
        raise BadFile("Nothing of yours is graded yet.", "Type: dojo submit FILE")
    return number


def show_hint(context: Context, connection: Connection, submission: Submission, command: str) -> int:
    """Print the first mistake of a submission with one level more of its hints than before, by ``command`` again."""
    if submission.grade is None:
        raise BadFile(f"Submission {submission.id} has no grade yet.", f"Look again: dojo show {submission.id}")
    if submission.grade.withheld:
        raise BadFile(submission.grade.withheld, f"Then: dojo hint {submission.id}")
    row = submission.grade.first_wrong
    if row is None:
        return _print_hint(context, submission, None, [], _without_mistake(submission.grade, submission.id))
    if not row.own_mistake:
        return _print_hint(context, submission, row, list(row.notes), "")
    memory = Memory(context.config.folder, connection)
    shown, there = memory.hint_levels(submission.exercise, row), brief.levels_of(row)
    levels = min(shown + 1, there)
    memory.store_hint_levels(submission.exercise, row, levels)
    hints = brief.shown_hints(row, levels)
    sentence = "" if levels == there else f"One more: {command}"
    if shown >= there:
        why = "That was the last hint." if there else "This course shows no hints."
        sentence = f"{why} {_reading(connection, submission)}"
    return _print_hint(context, submission, row, hints, sentence)


def _reading(connection: Connection, submission: Submission) -> str:
    """Return what to read where there is no further hint: the lecture, if it has anything on the exercise."""
    try:
        exercise = connection.server.exercise(connection.course, submission.exercise)
    except ServerError:  # such as one that the course asks for no longer
        return f"Read {STATEMENT} once more."
    has_lecture = exercise.lecture_url or any(checkpoint.lecture_url for checkpoint in exercise.checkpoints)
    return "The lecture: dojo open" if has_lecture else f"Read {STATEMENT} once more."


def _without_mistake(grade: Grade, submission_id: int) -> str:
    """Return what there is to say where no step is wrong by itself: what stopped the code, or what comes next."""
    if grade.all_passed:
        return "There is no mistake of your own: all of it passes."
    if grade.run_status in RUN_SENTENCES:
        return f"No step is wrong, and your code did not run to its end. What stopped it: dojo show {submission_id}"
    missing = next((row.name for row in grade.rows if row.missing), None)
    return "There is no mistake of your own." + (f" Go on with d{missing}." if missing else "")


def _print_hint(
    context: Context, submission: Submission, row: Comparison | None, hints: list[str], sentence: str
) -> int:
    if context.as_json:
        name = row.name if row else None
        context.print_json({"submission": submission.id, "checkpoint": name, "hints": hints, "next": sentence})
        return PASSED
    if row is not None:
        grades.show_row(context.screen, row, grades.row_style(row))
    for number, hint in enumerate(hints, 1):
        lead = f"  {number}. " if len(hints) > 1 else "  "
        context.screen.print_text(Text(hint), indent=len(lead), lead=lead)
    if sentence:
        context.screen.print(sentence)
    return PASSED
