"""The lecture in a notebook, one `cmp` after another.

    import dojo
    ex = dojo.pull("makemore/full-backward")
    ex.into(globals())
    cmp = ex.cmp
    cmp('logprobs', dlogprobs, logprobs)

`cmp` prints the lecture's line. The comparison is the server's; without a network the tensors wait in the
exercise's folder and are sent by the next call."""

from __future__ import annotations

import difflib
import sys
import uuid
from collections.abc import Callable, MutableMapping
from html import escape
from pathlib import Path
from typing import Any

from dojo import html, tensors, workspace
from dojo.config import Config, usable_keyring
from dojo.connection import Connection, connect
from dojo.errors import DojoError, Unreachable
from dojo.exchange import Network
from dojo.outbox import Outbox
from dojo.records import Checkpoint, Grade, Submission
from dojo.table import first_mistake, lecture_hint, remarks_of
from dojo.tensors import Misfit
from dojo.workspace import Workspace, open_workspace

WAIT = 20.0  # seconds; tensors are compared in a few milliseconds


class Results:
    """What `ex.check()` returns: a table in Jupyter, the lecture's lines elsewhere."""

    def __init__(self, submission: Submission, grade: Grade, exercise: Exercise, problems: list[str]) -> None:
        self.submission = submission
        self.grade = grade
        self.problems = problems
        self._checkpoints = exercise.checkpoints
        self._verdicts = dict(exercise.verdicts)
        self._stuck = first_mistake(grade, exercise.checkpoints)

    def __repr__(self) -> str:
        lines = []
        for row, said in zip(self.grade.rows, remarks_of(self.grade.rows), strict=True):
            lines += [row.line(), *(f"    {remark}" for remark in said)]
        lines += [
            *self.problems,
            self.grade.summary(),
        ]
        return "\n".join(lines + ([lecture_hint(self._stuck)] if self._stuck else []))

    def _repr_html_(self) -> str:
        problems = "".join(f"<div>{escape(each)}</div>" for each in self.problems)
        parts = [html.grade_table(self.grade), problems, html.strip(self._checkpoints, self._verdicts)]
        return "".join(parts + ([html.stuck(self._stuck)] if self._stuck else []))


class Exercise:
    """An exercise that was pulled. ``verdicts`` holds the best verdict so far of each checkpoint, "inherited" where it
    is wrong only by what is above it, or None."""

    def __init__(self, folder: Workspace, connection: Callable[[], Connection], *, fresh: bool = False) -> None:
        self.folder = folder
        self.verdicts: dict[str, str | None] = {each.name: each.best for each in folder.checkpoints}
        self._connect = connection
        self._connection: Connection | None = None
        self._fresh = fresh  # whether the state is known to be the one that the server compares with
        self._namespace: MutableMapping[str, Any] | None = None
        self._outbox = Outbox(folder)
        self._strip = _Strip(self)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        return self.folder.checkpoints

    @property
    def tensors(self) -> dict[str, Any]:
        """The forward state: fresh tensors without grad, and Python ints for the constants."""
        return tensors.load(self.folder.state())

    def into(self, namespace: MutableMapping[str, Any]) -> None:
        """Put the forward state under its names into a namespace: `ex.into(globals())`."""
        found = self.tensors
        namespace.update(found)
        self._namespace = namespace
        print(f"{len(found)} names of the forward pass are here now: {', '.join(sorted(found))}")

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
        variable = self.folder.answer(name)
        if variable is None:
            raise Misfit(f"{self.folder.exercise} has no step “{name}”.", self._did_you_mean(name))
        content = tensors.save({variable: value})
        submission = self._send(content)
        if submission is None:
            return
        grade = _graded(submission)
        row = grade.row(variable[1:])
        if row is None:
            raise DojoError(f"The server said nothing about {name}.", f"Look at it: dojo show {submission.id}")
        self._note(grade)
        self._strip.due(first_mistake(grade, self.checkpoints))
        print(row.line())
        for remark in row.remarks():
            print(f"    {remark}")

    def check(self, namespace: MutableMapping[str, Any] | None = None) -> Results | None:
        """Have all `d…` variables compared at once; those of the namespace given to `into`, or of the
        caller."""
        if namespace is None:
            namespace = self._namespace if self._namespace is not None else sys._getframe(1).f_globals
        try:
            return self._check(namespace)
        except DojoError as error:
            print(error)
            return None

    def _check(self, namespace: MutableMapping[str, Any]) -> Results | None:
        answers, problems = {}, []
        for each in self.checkpoints:
            if namespace.get(each.answer) is not None:
                try:
                    answers[each.answer] = tensors.plain(each.answer, namespace[each.answer])
                except Misfit as error:
                    problems.append(str(error))
        if not answers:
            first = self.checkpoints[0].answer
            raise Misfit(" ".join([*problems, "There is no answer yet."]), f"Assign a tensor to {first} first.")
        submission = self._send(tensors.save(answers))
        if submission is None:
            return None
        grade = _graded(submission)
        self._note(grade)
        return Results(submission, grade, self, problems)

    def _send(self, content: bytes) -> Submission | None:
        """Send what waits and then this; None where it has to wait too."""
        key = str(uuid.uuid4())
        try:
            if self._connection is None:
                self._connection = self._connect()
            server, course = self._connection.server, self._connection.course
            if not self._fresh:
                self.folder.must_be_current(server, course)
                self._fresh = True
            waiting = len(self._outbox)
            if waiting:
                sent = self._outbox.send(server, course)
                print(f"Sent {sent.count()} that waited for the network.")
                for reason in sent.refused:
                    print(f"One of them was not taken: {reason}")
                for each in sent.submissions:
                    if each.grade:
                        self._note(each.grade)
            submission = server.submit_tensors(course, self.folder.exercise, content, wait=WAIT, key=key)
            return server.wait_for(submission, seconds=WAIT)
        except Unreachable as error:
            self._outbox.put(content, key)
            print(f"{error.message} Your answer is kept in {self.folder.folder} and sent by the next call.")
            return None

    # -- how far ------------------------------------------------------------------------------------------

    def _note(self, grade: Grade) -> None:
        """Keep the best verdict of each step that was handed in."""
        for row in grade.rows:
            if row.verdict != "missing" and self.verdicts.get(row.name) != "exact":
                passed_before = self.verdicts.get(row.name) == "approximate"
                now = "inherited" if row.inherits else row.verdict
                self.verdicts[row.name] = now if row.passed or not passed_before else "approximate"

    def _did_you_mean(self, name: str) -> str:
        names = [each.name for each in self.checkpoints]
        near = difflib.get_close_matches(name, names, 1)
        return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."

    def __repr__(self) -> str:
        done = sum(each in ("exact", "approximate") for each in self.verdicts.values())
        return f"{self.folder.exercise}: {done} of {len(self.verdicts)} pass"

    def _repr_html_(self) -> str:
        return f"<b>{escape(self.folder.exercise)}</b>{html.strip(self.checkpoints, self.verdicts)}"


class _Strip:
    """The progress strip, shown once under a cell in which something was compared. Only in Jupyter: elsewhere
    the printed lines say it all."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._due = False
        self._registered = False
        self._stuck: Checkpoint | None = None

    def due(self, stuck: Checkpoint | None) -> None:
        """Have it shown when the cell has run; ``stuck`` is the step to link to the lecture for."""
        shell = _jupyter()
        if shell is None:
            return
        if not self._registered:
            shell.events.register("post_execute", self._show)
            self._registered = True
        self._due, self._stuck = True, stuck

    def _show(self) -> None:
        if not self._due:
            return
        self._due = False
        from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

        link = html.stuck(self._stuck) if self._stuck else ""
        text = repr(self._exercise) + (f"\n{lecture_hint(self._stuck)}" if self._stuck else "")
        display(  # type: ignore[no-untyped-call, unused-ignore]
            {"text/html": self._exercise._repr_html_() + link, "text/plain": text}, raw=True
        )


def _jupyter() -> Any:
    """Jupyter's shell; None in plain Python and in IPython's terminal."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return shell if shell is not None and getattr(shell, "kernel", None) is not None else None


def _graded(submission: Submission) -> Grade:
    if submission.grade is None:
        raise Unreachable(f"Submission {submission.id} is kept, and not graded yet.", f"dojo show {submission.id}")
    return submission.grade


def pull(
    exercise: str,
    to: str | Path | None = None,
    *,
    profile: str | None = None,
    network: Network | None = None,
) -> Exercise:
    """Fetch an exercise, or bring its folder up to date. Without a network, an earlier copy is used.

    ``to`` is the folder; by default this one if it is the exercise's, else one of the exercise's name in it.
    Raises DojoError.
    """
    config = Config(keyring=usable_keyring())
    folder = Path(to) if to is not None else workspace.folder_for(exercise, Path.cwd())
    known = open_workspace(folder) if (folder / workspace.MARK).is_file() else None

    def connection() -> Connection:
        return connect(config, profile=profile, workspace=known, network=network)

    try:
        connected = connection()
        pulled = workspace.pull(connected.server, connected.course, exercise, folder, student=connected.student)
    except Unreachable as error:
        if known is None or known.exercise != exercise:
            raise
        print(f"{error.message} This is the copy in {folder}; what you compare is kept there until then.")
        return Exercise(known, connection)
    if pulled.new_state:
        print("The server has a new forward state for you: put it in place with ex.into(globals()).")
    return Exercise(pulled.workspace, lambda: connected, fresh=True)


def open_folder(folder: str | Path = ".", *, network: Network | None = None) -> Exercise:
    """An exercise from a folder that was pulled, without asking the server. Raises DojoError."""
    found = open_workspace(Path(folder))
    config = Config(keyring=usable_keyring())
    return Exercise(found, lambda: connect(config, workspace=found, network=network))
