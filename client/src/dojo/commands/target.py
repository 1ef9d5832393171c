"""The exercise that an answer is for, and the exercise to continue with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dojo.api.members import required
from dojo.api.responses import Checkpoint, Exercise
from dojo.api.server import Connection
from dojo.commands.context import Context
from dojo.commands.paths import shell_word
from dojo.errors import BadFile
from dojo.files.answer_file import variables_in
from dojo.files.outbox import Outbox
from dojo.files.workspace import Workspace, find_workspace
from dojo.notebook_slice import SECTIONS, Goal
from dojo.tensors import shapes
from dojo.text import plural

NEWEST_MAX = 50  # submissions that are looked through for one that is no drill's


@dataclass(frozen=True)
class Target:
    """The exercise that an answer is for. ``handed_out`` holds the names of its forward state."""

    slug: str
    checkpoints: tuple[Checkpoint, ...]
    handed_out: frozenset[str]

    @property
    def goal(self) -> Goal:
        """The names that a notebook is searched for."""
        names = tuple(checkpoint.name for checkpoint in self.checkpoints)
        return Goal(names, self.handed_out, SECTIONS.get(self.slug))


def find_target(context: Context, file: Path, named: str | None) -> tuple[Connection, Target]:
    """Return the exercise that a file is for.

    1. The exercise after ``--exercise``.
    2. Else the exercise of the file's folder, or of the current folder.
    3. Else the exercise most of whose answers the file makes.

    :raises BadFile: no exercise fits, or two fit equally well
    """
    workspace = None if named else find_workspace(file.parent) or find_workspace(Path.cwd())
    connection = context.connect(workspace)
    if workspace is not None:
        return connection, target_of(workspace)
    server, course = connection.server, connection.course
    exercise = server.exercise(course, named or _best_exercise(context, connection, file))
    tensors = required(server.instance(course, exercise.slug), "tensors", dict)
    return connection, Target(exercise.slug, exercise.checkpoints, frozenset(tensors))


def target_of(workspace: Workspace) -> Target:
    """Return the exercise of a workspace."""
    handed_out = frozenset(shapes(workspace.state(), workspace.state_path))
    return Target(workspace.exercise, workspace.checkpoints, handed_out)


def _best_exercise(context: Context, connection: Connection, file: Path) -> str:
    variables = variables_in(file)
    counts = {}
    for entry in _readable_exercises(connection):
        exercise = connection.server.exercise(connection.course, entry.slug)
        counts[entry.slug] = sum(checkpoint.variable in variables for checkpoint in exercise.checkpoints)
    best = max(counts.values(), default=0)
    candidates = [slug for slug, count in counts.items() if count == best]
    if best == 0 or len(candidates) > 1:
        naming = f"dojo submit {shell_word(str(file))} --exercise PACK/NAME"
        if best:
            message = f"It is not clear which exercise {file} is for: it could be {' or '.join(candidates)}."
            raise BadFile(message, f"Name it: {naming}")
        raise BadFile(
            f"{file} makes no answer of any exercise. An answer is a variable such as dlogits.",
            f"Write one. If the file makes them in another way, name its exercise: {naming}",
        )
    slug = candidates[0]
    answers = plural(best, "answer")
    context.print_note(f"{file.name} makes {answers} of {slug}. Another exercise is named with --exercise.")
    return slug


def send_outbox(context: Context, connection: Connection, path: Path) -> None:
    """Send the answers that wait in the workspace of a path, if it belongs to this server."""
    workspace = find_workspace(path.parent)
    if workspace is None or workspace.server != connection.server.address:
        return
    outbox = Outbox(workspace)
    if len(outbox):
        result = outbox.send(connection)
        context.print_note(f"Sent {result.count('earlier')} of the notebook.")
        for reason in result.refused:
            context.print_note(f"One of them was not taken: {reason}")


def current_exercise(connection: Connection, named: str | None, workspace: Workspace | None) -> Exercise:
    """Return the exercise that was named, else the workspace's, else the one to continue with."""
    slug = named or (workspace.exercise if workspace else _next_exercise(connection))
    return connection.server.exercise(connection.course, slug)


def begun_exercise(connection: Connection, exercises: Sequence[Exercise]) -> Exercise | None:
    """Return the one of these exercises that was handed in last, if it is not done and takes answers; else None.

    What was handed in for a drill does not count: drills are in no course's list.
    """
    listed = {exercise.slug: exercise for exercise in exercises}
    newest = connection.server.submissions(connection.course, exercise=None, limit=NEWEST_MAX)
    latest = next((listed[each.exercise] for each in newest if each.exercise in listed), None)
    return latest if latest is not None and not latest.is_done and latest.takes_answers else None


def _next_exercise(connection: Connection) -> str:
    """Return the exercise that was handed in last if it is not done, else the first that is not, else the last.

    :raises BadFile: none is open yet
    """
    exercises = _readable_exercises(connection)
    begun = begun_exercise(connection, exercises)
    undone = [exercise for exercise in exercises if not exercise.is_done and exercise.takes_answers]
    return (begun or [*undone, exercises[-1]][0]).slug


def _readable_exercises(connection: Connection) -> list[Exercise]:
    """Return the exercises of a course that are open already.

    :raises BadFile: there is none
    """
    exercises = connection.server.exercises(connection.course)
    readable = [exercise for exercise in exercises if exercise.answers != "later"]
    if exercises and not readable:
        raise BadFile("No exercise of this course is open yet.", "See when the first one opens: dojo list")
    if not exercises:
        raise BadFile("This course has no exercises yet.", "Look again later: dojo list")
    return readable
