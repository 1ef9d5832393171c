"""The lecture in a notebook, one ``cmp`` after another.

    import dojo
    ex = dojo.pull("makemore/full-backward")
    ex.into(globals())
    cmp = ex.cmp
    cmp('logprobs', dlogprobs, logprobs)

``cmp`` prints the lecture's line. The server compares; without a network the tensors wait in the exercise's folder
and the next call sends them.
"""

from __future__ import annotations

import difflib
import sys
import uuid
from collections.abc import Callable, MutableMapping
from html import escape
from pathlib import Path
from typing import Any

from dojo import tensors
from dojo.api.http import Network
from dojo.api.responses import PASSING_VERDICTS, Checkpoint, Grade, Submission
from dojo.api.server import Connection
from dojo.errors import DojoError, Unreachable
from dojo.files import workspace as workspaces
from dojo.files.outbox import Outbox
from dojo.files.workspace import Workspace, open_workspace
from dojo.profiles.config import Config
from dojo.profiles.connection import connect
from dojo.profiles.tokens import usable_keyring
from dojo.show import html
from dojo.show.grades import first_mistake, lecture_hint, plain_lines
from dojo.show.lists import explanation_lines
from dojo.tensors import NotATensor

WAIT_SECONDS = 20.0  # for a grade; the server compares tensors in a few milliseconds


class Results:
    """The grade of all variables at once: a table in Jupyter, the lecture's lines elsewhere."""

    def __init__(self, submission: Submission, grade: Grade, exercise: NotebookExercise, problems: list[str]) -> None:
        self.submission = submission
        self.grade = grade
        self.problems = problems
        self._checkpoints = exercise.checkpoints
        self._verdicts = dict(exercise.verdicts)
        self._mistake = first_mistake(grade, exercise.checkpoints)

    def __repr__(self) -> str:
        lines = [*plain_lines(self.grade.rows), *self.problems, self.grade.summary()]
        return "\n".join(lines + ([lecture_hint(self._mistake)] if self._mistake else []))

    def _repr_html_(self) -> str:
        problems = "".join(f"<div>{escape(problem)}</div>" for problem in self.problems)
        strip = html.progress_strip(self._checkpoints, self._verdicts)
        hint = html.lecture_hint(self._mistake) if self._mistake else ""
        return html.grade_table(self.grade) + problems + strip + hint


class NotebookExercise:
    """A pulled exercise.

    ``verdicts`` holds the best verdict of each checkpoint so far: ``inherited`` if it is wrong only by the gradients
    above it, None without a submission.
    """

    def __init__(self, folder: Workspace, connect: Callable[[], Connection], *, is_current: bool = False) -> None:
        self.folder = folder
        self.verdicts: dict[str, str | None] = {point.name: point.best for point in folder.checkpoints}
        self._connect = connect
        self._connection: Connection | None = None
        self._is_current = is_current  # whether the server is known to have this forward state
        self._namespace: MutableMapping[str, Any] | None = None
        self._outbox = Outbox(folder)
        self._strip = _ProgressStrip(self)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The checkpoints, from the loss downwards."""
        return self.folder.checkpoints

    @property
    def tensors(self) -> dict[str, Any]:
        """The forward state: new tensors without grad, and Python ints for the constants."""
        return tensors.load(self.folder.state())

    def into(self, namespace: MutableMapping[str, Any]) -> None:
        """Put the forward state under its names into a namespace: ``ex.into(globals())``."""
        state = self.tensors
        namespace.update(state)
        self._namespace = namespace
        print(f"{len(state)} names of the forward pass are here now: {', '.join(sorted(state))}")

    # -- answers ------------------------------------------------------------------------------------------

    def cmp(self, s: str, dt: Any, t: Any = None) -> None:
        """Have the gradient ``dt`` at the tensor named ``s`` compared, and print the lecture's line.

        ``t`` is the tensor itself, as in the lecture; it is not needed.
        """
        try:
            self._cmp(s, dt)
        except DojoError as error:
            print(error)

    def _cmp(self, name: str, value: Any) -> None:
        variable = self.folder.variable(name)
        if variable is None:
            raise NotATensor(f"{self.folder.exercise} has no step “{name}”.", self._suggestion(name))
        submission = self._send(tensors.save({variable: value}))
        if submission is None:
            return
        grade = _grade_of(submission)
        row = grade.row(variable[1:])
        if row is None:
            raise DojoError(f"The server said nothing about {name}.", f"Look at it: dojo show {submission.id}")
        self._record(grade)
        self._strip.schedule(first_mistake(grade, self.checkpoints))
        print(row.line())
        for remark in row.remarks():
            print(f"    {remark}")

    def check(self, namespace: MutableMapping[str, Any] | None = None) -> Results | None:
        """Have all ``d…`` variables compared at once.

        They are taken from ``namespace``, else from the namespace given to ``into``, else from the caller's.
        """
        if namespace is None:
            namespace = self._namespace if self._namespace is not None else sys._getframe(1).f_globals
        try:
            return self._check(namespace)
        except DojoError as error:
            print(error)
            return None

    def _check(self, namespace: MutableMapping[str, Any]) -> Results | None:
        answers, problems = {}, []
        for checkpoint in self.checkpoints:
            value = namespace.get(checkpoint.variable)
            if value is not None:
                try:
                    answers[checkpoint.variable] = tensors.plain(checkpoint.variable, value)
                except NotATensor as error:
                    problems.append(str(error))
        if not answers:
            first = self.checkpoints[0].variable
            raise NotATensor(" ".join([*problems, "There is no answer yet."]), f"Assign a tensor to {first} first.")
        submission = self._send(tensors.save(answers))
        if submission is None:
            return None
        grade = _grade_of(submission)
        self._record(grade)
        return Results(submission, grade, self, problems)

    def explain(self, step: str) -> None:
        """Print why the gradient of a step is what it is, in three lines, once you have passed it."""
        try:
            print("\n".join(self._explanation(step)))
        except DojoError as error:
            print(error)

    def _explanation(self, step: str) -> list[str]:
        variable = self.folder.variable(step)
        if variable is None:
            raise NotATensor(f"{self.folder.exercise} has no step “{step}”.", self._suggestion(step))
        if self._connection is None:
            self._connection = self._connect()
        server, course = self._connection.server, self._connection.course
        return explanation_lines(server.explanation(course, self.folder.exercise, variable[1:]))

    def _send(self, content: bytes) -> Submission | None:
        """Send the waiting answers and then this one. Return None if this one has to wait too."""
        key = str(uuid.uuid4())
        try:
            if self._connection is None:
                self._connection = self._connect()
            server, course = self._connection.server, self._connection.course
            if not self._is_current:
                self.folder.require_current(server, course)
                self._is_current = True
            if len(self._outbox):
                self._send_outbox(self._connection)
            submission = server.submit_tensors(course, self.folder.exercise, content, wait=WAIT_SECONDS, key=key)
            return server.wait_for(submission, seconds=WAIT_SECONDS)
        except Unreachable as error:
            self._outbox.put(content, key)
            print(f"{error.message} Your answer is kept in {self.folder.folder} and sent by the next call.")
            return None

    def _send_outbox(self, connection: Connection) -> None:
        result = self._outbox.send(connection)
        print(f"Sent {result.count()} that waited for the network.")
        for reason in result.refused:
            print(f"One of them was not taken: {reason}")
        for submission in result.submissions:
            if submission.grade:
                self._record(submission.grade)

    # -- progress -----------------------------------------------------------------------------------------

    def _record(self, grade: Grade) -> None:
        """Keep the best verdict of each step that was submitted."""
        for row in grade.rows:
            before = self.verdicts.get(row.name)
            if row.verdict == "missing" or before == "exact":
                continue
            if row.passed or before != "approximate":
                self.verdicts[row.name] = "inherited" if row.inherits else row.verdict

    def _suggestion(self, name: str) -> str:
        names = [checkpoint.name for checkpoint in self.checkpoints]
        near = difflib.get_close_matches(name, names, 1)
        return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."

    def __repr__(self) -> str:
        passed = sum(verdict in PASSING_VERDICTS for verdict in self.verdicts.values())
        return f"{self.folder.exercise}: {passed} of {len(self.verdicts)} pass"

    def _repr_html_(self) -> str:
        return f"<b>{escape(self.folder.exercise)}</b>{html.progress_strip(self.checkpoints, self.verdicts)}"


class _ProgressStrip:
    """The progress strip under a cell in which something was compared. Only Jupyter shows it."""

    def __init__(self, exercise: NotebookExercise) -> None:
        self._exercise = exercise
        self._is_scheduled = False
        self._is_registered = False
        self._mistake: Checkpoint | None = None

    def schedule(self, mistake: Checkpoint | None) -> None:
        """Show the strip after the cell, with a link to the lecture at a mistake."""
        shell = _jupyter_shell()
        if shell is None:
            return
        if not self._is_registered:
            shell.events.register("post_execute", self._show)
            self._is_registered = True
        self._is_scheduled, self._mistake = True, mistake

    def _show(self) -> None:
        if not self._is_scheduled:
            return
        self._is_scheduled = False
        from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

        hint = html.lecture_hint(self._mistake) if self._mistake else ""
        text = repr(self._exercise) + (f"\n{lecture_hint(self._mistake)}" if self._mistake else "")
        display(  # type: ignore[no-untyped-call, unused-ignore]
            {"text/html": self._exercise._repr_html_() + hint, "text/plain": text}, raw=True
        )


def _jupyter_shell() -> Any:
    """Return Jupyter's shell, or None in plain Python and in IPython's terminal."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return shell if shell is not None and getattr(shell, "kernel", None) is not None else None


def _grade_of(submission: Submission) -> Grade:
    if submission.grade is None:
        raise Unreachable(f"Submission {submission.id} is kept, and not graded yet.", f"dojo show {submission.id}")
    return submission.grade


def pull(
    exercise: str,
    to: str | Path | None = None,
    *,
    profile: str | None = None,
    network: Network | None = None,
) -> NotebookExercise:
    """Fetch an exercise, or update its folder. Without a network an earlier copy is used.

    ``to`` is the folder; by default this one if it is the exercise's, else one of the exercise's name in it.

    :raises DojoError: the exercise cannot be fetched, and there is no earlier copy
    """
    config = Config(keyring=usable_keyring())
    folder = Path(to) if to is not None else workspaces.default_folder(exercise, Path.cwd())
    earlier = open_workspace(folder) if (folder / workspaces.MARKER).is_file() else None

    def connect_again() -> Connection:
        return connect(config, profile=profile, workspace=earlier, network=network)

    try:
        connection = connect_again()
        pulled = workspaces.pull(connection, exercise, folder)
    except Unreachable as error:
        if earlier is None or earlier.exercise != exercise:
            raise
        print(f"{error.message} This is the copy in {folder}; what you compare is kept there until then.")
        return NotebookExercise(earlier, connect_again)
    if pulled.new_state:
        print("The server has a new forward state for you: put it in place with ex.into(globals()).")
    return NotebookExercise(pulled.workspace, lambda: connection, is_current=True)


def open_folder(folder: str | Path = ".", *, network: Network | None = None) -> NotebookExercise:
    """Return the exercise of a pulled folder, without asking the server.

    :raises BadFile: the folder was not pulled
    """
    workspace = open_workspace(Path(folder))
    config = Config(keyring=usable_keyring())
    return NotebookExercise(workspace, lambda: connect(config, workspace=workspace, network=network))
