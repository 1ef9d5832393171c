"""What an answer is handed in for: the exercise, its checkpoints, and the names that it hands out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dojo.connection import Connection
from dojo.desk import Desk
from dojo.errors import BadFile
from dojo.handin import answers_in
from dojo.outbox import Outbox
from dojo.records import Checkpoint, Exercise, get
from dojo.tensors import shapes
from dojo.workspace import Workspace, find_workspace


@dataclass(frozen=True)
class Task:
    """What an answer is handed in for. ``checkpoints`` carry the links to the lecture."""

    slug: str
    checkpoints: tuple[Checkpoint, ...]
    handed_out: frozenset[str]


def find_task(desk: Desk, file: Path, named: str | None) -> tuple[Connection, Task]:
    """Which exercise a file is for: the named one, its folder's, this folder's, or the one whose answers it
    makes."""
    found = None if named else find_workspace(file.parent) or find_workspace(Path.cwd())
    connection = desk.connect(found)
    if found is not None:
        return connection, workspace_task(found)
    exercise = connection.server.exercise(connection.course, named or _guessed(desk, connection, file))
    tensors = get(connection.server.instance(connection.course, exercise.slug), "tensors", dict)
    return connection, Task(exercise.slug, exercise.checkpoints, frozenset(tensors))


def workspace_task(found: Workspace) -> Task:
    return Task(found.exercise, found.checkpoints, frozenset(shapes(found.state(), found.state_path)))


def _guessed(desk: Desk, connection: Connection, file: Path) -> str:
    """The exercise most of whose answers the file makes. Raises BadFile where two do so equally well."""
    made = answers_in(file)
    score = {}
    for each in connection.server.exercises(connection.course):
        exercise = connection.server.exercise(connection.course, each.slug)
        score[each.slug] = sum(checkpoint.answer in made for checkpoint in exercise.checkpoints)
    best = max(score.values(), default=0)
    fitting = [slug for slug, count in score.items() if count == best]
    if best == 0 or len(fitting) > 1:
        raise BadFile(
            f"It is not clear which exercise {file} is for: it could be {' or '.join(fitting)}."
            if best
            else f"{file} makes no answer of any exercise.",
            f"Name it: dojo submit {file} --exercise TOPIC/NAME",
        )
    desk.tell(f"{file.name} makes {best} answers of {fitting[0]}. Another exercise is named with --exercise.")
    return fitting[0]


def send_outbox(desk: Desk, connection: Connection, path: Path) -> None:
    """Send what the notebook could not send before."""
    found = find_workspace(path.parent)
    if found is None or found.server != connection.server.address:
        return
    outbox = Outbox(found)
    if len(outbox):
        sent = outbox.send(connection.server, connection.course)
        desk.tell(f"Sent {sent.count('earlier ')} of the notebook.")
        for reason in sent.refused:
            desk.tell(f"One of them was not taken: {reason}")


def exercise_here(connection: Connection, named: str | None, found: Workspace | None) -> Exercise:
    """The exercise that was named, or the folder's, or the one to go on with."""
    slug = named or (found.exercise if found else _to_go_on_with(connection))
    return connection.server.exercise(connection.course, slug)


def _to_go_on_with(connection: Connection) -> str:
    """The exercise that something was handed in for last, unless all of it is right; else the first that is not
    done; else the last of all."""
    exercises = connection.server.exercises(connection.course)
    if not exercises:
        raise BadFile("This course has no exercises yet.", "Look again later: dojo list")
    latest = {each.exercise for each in connection.server.submissions(connection.course, exercise=None, limit=1)}
    undone = [each.slug for each in exercises if each.passed < each.total]
    return next((slug for slug in undone if slug in latest), [*undone, exercises[-1].slug][0])
