"""The lecture in a notebook, one ``cmp`` after another.

    import dojo
    ex = dojo.pull("makemore/full-backward")
    ex.into(globals())
    cmp = ex.cmp
    cmp('logprobs', dlogprobs, logprobs)

``cmp`` prints the lecture's line at once: the server compares, and keeps nothing. What was compared is handed in as one
submission when nothing was compared for a few seconds, by ``ex.check()``, and when the kernel ends. Without a network
it is compared on this machine, and waits in the exercise's folder.
"""

from __future__ import annotations

import atexit
import difflib
import sys
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dojo import kernels, tensors, trainer
from dojo.api.addresses import server_address
from dojo.api.http import Network
from dojo.api.responses import PASSING_VERDICTS, Checkpoint, Comparison, Grade, Submission
from dojo.api.server import Connection, Server
from dojo.api.training import TrainingPlan, TrainingRun
from dojo.compared import Compared, Question, gradients_in
from dojo.errors import DojoError, Outdated, Refused, ServerError, TooManyRequests, Unreachable
from dojo.files import workspace as workspaces
from dojo.files.outbox import Outbox
from dojo.files.workspace import Workspace, open_workspace
from dojo.local_reference import LocalReference, NoLocalReference
from dojo.profiles.config import Config
from dojo.profiles.connection import connect
from dojo.profiles.signin import handed_over_token, sign_in, sign_in_with_code, signed_in_already
from dojo.profiles.tokens import usable_keyring
from dojo.show import html
from dojo.show.grades import first_mistake
from dojo.show.jupyter import ProgressStrip, Results
from dojo.show.lists import explanation_lines
from dojo.tensors import NotATensor
from dojo.text import plural

if TYPE_CHECKING:
    from torch import Tensor

WAIT_SECONDS = 20.0  # for a grade; the server compares tensors in a few milliseconds
MERITS = {"exact": 3, "approximate": 2, "rounding": 1}  # of a verdict; every other one has none
# The course says later whether an answer is right.
NO_CHECKS = ("urn:dojo:problem:checks-closed", "urn:dojo:problem:feedback-withheld")
LOCAL_REMARK = "compared on this machine; the server has the last word"
OTHER_KERNELS_REMARK = "Yours passes. Exact on the server's kernels is another matter: {difference}"


def _start_timer(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
    """Call a function later, on a thread of its own. Return what calls it off."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer.cancel


@dataclass(frozen=True)
class Timing:
    """When a notebook hands in, and when it asks again. Tests pass their own."""

    quiet_seconds: float = 5.0  # without a comparison, and what was compared is handed in
    offline_seconds: float = 15.0  # after a failure, in which ``cmp`` does not try the network again
    now: Callable[[], float] = time.monotonic
    start_timer: Callable[[float, Callable[[], None]], Callable[[], None]] = _start_timer


class NotebookExercise:
    """A pulled exercise.

    ``verdicts`` holds the best verdict of each checkpoint so far: ``inherited`` if it is wrong only by the gradients
    above it, ``unknown`` if that cannot be known, None without a submission.
    """

    def __init__(
        self,
        folder: Workspace,
        connect: Callable[[], Connection],
        *,
        is_current: bool = False,
        timing: Timing | None = None,
    ) -> None:
        self.folder = folder
        self.verdicts: dict[str, str | None] = {point.name: point.best for point in folder.checkpoints}
        self._connect = connect
        self._timing = timing or Timing()
        self._connection: Connection | None = None
        self._is_current = is_current  # whether the server is known to have this forward state
        self._namespace: MutableMapping[str, Any] | None = None
        self._outbox = Outbox(folder)
        self._compared = Compared(folder)
        self._local = LocalReference(folder)
        self._strip = ProgressStrip(lambda: (self._repr_html_(), repr(self)))
        self._lock = threading.RLock()  # the timer hands in on a thread of its own
        self._call_off: Callable[[], None] | None = None
        self._is_waiting = len(self._outbox) > 0  # whether answers wait for the network
        self._offline_until = float("-inf")
        self._unsaid: list[str] = []  # what the timer's thread has to say, for the next call
        self._last_check: tuple[str, Submission, Grade] | None = None
        self._environment = ""  # in which the server graded last
        self._kernels_are_told = False
        self._limit_is_told = False
        self.run: TrainingRun | None = None  # the last state of the run that was shown last

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The checkpoints, from the loss downwards."""
        return self.folder.checkpoints

    @property
    def tensors(self) -> dict[str, Any]:
        """The forward state: new tensors without grad, and Python numbers for the constants."""
        return tensors.load(self.folder.state())

    def into(self, namespace: MutableMapping[str, Any]) -> None:
        """Put the forward state under its names into a namespace: ``ex.into(globals())``."""
        state = self.tensors
        namespace.update(state)
        self._namespace = namespace
        print(f"{len(state)} names of the forward pass are here now: {', '.join(sorted(state))}")

    # -- one step -----------------------------------------------------------------------------------------

    def cmp(self, s: str, dt: Any, t: Any = None) -> None:
        """Have the gradient ``dt`` at the tensor named ``s`` compared, and print the lecture's line.

        ``t`` is the tensor itself, as in the lecture; it is not needed. The other ``d…`` variables go along, so that
        the answer can say whether a mistake is in this step or above it.
        """
        namespace = self._namespace if self._namespace is not None else sys._getframe(1).f_globals
        try:
            with self._lock:
                self._cmp(*self._read_arguments(s, dt, t, namespace), namespace)
        except DojoError as error:
            print(error)

    def _cmp(self, name: str, value: Any, note: str | None, namespace: Mapping[str, Any]) -> None:
        variable = self.folder.variable(name)
        if variable is None:
            raise NotATensor(f"{self.folder.exercise} has no step “{name}”.", self._suggestion(name))
        gradient = tensors.plain(variable, value)
        context = self._compared.values | gradients_in(namespace, self.folder)
        question = self._compared.question(variable, gradient, context)
        try:
            row = self._compared.earlier_row(variable, question) or self._ask(variable, question)
        except Refused as error:
            if error.problem not in NO_CHECKS:
                raise
            self._keep_unseen(variable, gradient, context, error)
            return
        self._say_unsaid()
        local_row = self._local_row(variable, gradient) if row is None else None
        shown = row or local_row
        self._compared.add(variable, gradient, context, passed=shown is not None and shown.passed)
        self._hand_in_later()
        notes = (note,) if note else ()
        if row is not None:
            self._strip.schedule(first_mistake(_grade_of_rows(row), self.checkpoints))
            _print_row(row, (*notes, *self._kernel_remarks([row])))
        elif local_row is not None:
            _print_row(local_row, (*notes, LOCAL_REMARK))

    def _keep_unseen(self, variable: str, gradient: Tensor, context: Mapping[str, Tensor], error: Refused) -> None:
        """Keep a gradient of which the course says nothing yet. This machine says nothing of it either."""
        self._say_unsaid()
        self._compared.add(variable, gradient, context, passed=False)
        print(f"{variable}: not compared. {error.message}")
        self._hand_in_later()

    def _read_arguments(
        self, label: str, value: Any, tensor: Any, namespace: Mapping[str, Any]
    ) -> tuple[str, Any, str | None]:
        """Return the step, its gradient, and a note or None.

        The lecture's ``cmp`` compares with its third argument, so that decides, and the label is only a label.
        """
        step, step_of_value = (self._step_of(each, namespace) for each in (tensor, value))
        if tensor is not None and step is None and step_of_value is not None:
            order = f"cmp({step_of_value!r}, d{step_of_value}, {step_of_value})"
            return step_of_value, tensor, f"The gradient and its tensor were swapped: write {order}."
        if step is not None and self.folder.variable(label) != f"d{step}":
            return step, value, f"You wrote {label!r}, and the third argument is {step}: compared as d{step}."
        return label, value, None

    def _step_of(self, value: Any, namespace: Mapping[str, Any]) -> str | None:
        """Return the step whose forward tensor a value is, or None."""
        names = (checkpoint.name for checkpoint in self.checkpoints)
        return next((name for name in names if value is not None and namespace.get(name) is value), None)

    def _ask(self, variable: str, question: Question) -> Comparison | None:
        """Return the server's row, or None if the server cannot be asked now."""
        if self._timing.now() < self._offline_until:
            return None
        try:
            connection = self._connected()
            grade = connection.server.check_tensors(connection.course, self.folder.exercise, question.content)
        except ServerError as error:
            if not _is_away(error):
                raise
            self._went_offline(error)
            return None
        row = grade.row(variable[1:])
        if row is None:
            raise DojoError(f"The server said nothing about {variable}.", "Compare all at once: ex.check()")
        self._compared.answered(variable, question, row)
        self._environment = grade.environment
        self._record(grade)
        return row

    def _local_row(self, variable: str, gradient: Tensor) -> Comparison | None:
        """Return the row that this machine makes, or None after saying why it cannot make one."""
        checkpoint = next(each for each in self.checkpoints if each.variable == variable)
        try:
            return self._local.compare(checkpoint, gradient)
        except NoLocalReference as error:
            print(error)
            return None

    # -- all steps ----------------------------------------------------------------------------------------

    def check(self, namespace: MutableMapping[str, Any] | None = None) -> Results | None:
        """Hand in all ``d…`` variables as one submission, and return how they compare.

        They are taken from ``namespace``, else from the namespace given to ``into``, else from the caller's. A step
        without a variable is taken as it was last compared.
        """
        if namespace is None:
            namespace = self._namespace if self._namespace is not None else sys._getframe(1).f_globals
        try:
            with self._lock:
                results = self._check(namespace)
                self._say_unsaid()
                return results
        except DojoError as error:
            print(error)
            return None

    def _check(self, namespace: Mapping[str, Any]) -> Results:
        answers, problems = self._answers(namespace)
        content = tensors.save(answers)
        key = self._compared.key(content)
        if self._last_check is not None and self._last_check[0] == key:  # unchanged, so it is not sent again
            _, submission, grade = self._last_check
            return self._results(submission, grade, problems)
        try:
            submission = self._submit(answers, content, key)
        except ServerError as error:
            if not _is_away(error):
                raise
            self._compared.wait_with(answers, content)
            self._went_offline(error)
            return self._results(None, self._local.grade(self.checkpoints, answers), [*problems, LOCAL_REMARK])
        self._compared.were_kept(answers)
        if submission.grade is None:
            raise Unreachable(f"Submission {submission.id} is kept, and not graded yet.", f"dojo show {submission.id}")
        self._environment = submission.grade.environment
        self._record(submission.grade)
        self._last_check = key, submission, submission.grade
        return self._results(submission, submission.grade, problems)

    def _answers(self, namespace: Mapping[str, Any]) -> tuple[dict[str, Tensor], list[str]]:
        """Return the gradients by variable, and a sentence about each variable that is no tensor.

        :raises NotATensor: there is no gradient at all
        """
        answers, problems = {}, []
        for checkpoint in self.checkpoints:
            variable = checkpoint.variable
            value = namespace.get(variable)
            if value is None:
                value = self._compared.values.get(variable)
            if value is not None:
                try:
                    answers[variable] = tensors.plain(variable, value)
                except NotATensor as error:
                    problems.append(str(error))
        if not answers:
            first = self.checkpoints[0].variable
            raise NotATensor(" ".join([*problems, "There is no answer yet."]), f"Assign a tensor to {first} first.")
        return answers, problems

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
        connection = self._connected()
        return explanation_lines(connection.server.explanation(connection.course, self.folder.exercise, variable[1:]))

    def _submit(self, answers: Mapping[str, Tensor], content: bytes, key: str) -> Submission:
        """Hand in all answers. What was compared and is no longer so goes first, as a submission of its own."""
        connection = self._connected()
        if not self._compared.is_covered_by(answers):
            self._send_outbox(connection)
        server, course = connection.server, connection.course
        submission = server.submit_tensors(course, self.folder.exercise, content, wait=WAIT_SECONDS, key=key)
        return server.wait_for(submission, seconds=WAIT_SECONDS)

    def _results(self, submission: Submission | None, grade: Grade, remarks: list[str]) -> Results:
        told = (*remarks, *self._kernel_remarks(grade.rows))
        return Results(submission, grade, told, self.checkpoints, dict(self.verdicts))

    # -- handing in ---------------------------------------------------------------------------------------

    def _hand_in_later(self) -> None:
        """Hand in what was compared when nothing more comes for a while, or when the kernel ends.

        Where attempts are limited, say once that the student decides when one is made.
        """
        if self.folder.has_attempts_max:
            if not self._limit_is_told:
                print("Your attempts are limited, so nothing is handed in by itself. Hand in with: ex.check()")
            self._limit_is_told = True
            return
        if self._call_off is None:
            atexit.register(self.hand_in)
        else:
            self._call_off()
        self._call_off = self._timing.start_timer(self._timing.quiet_seconds, self.hand_in)

    def hand_in(self) -> None:
        """Hand in what was compared, and print nothing: a timer calls this. What fails is tried by the next call."""
        with self._lock:
            if not len(self._outbox) or self._timing.now() < self._offline_until:
                return
            try:
                self._send_outbox(self._connected())
            except (DojoError, OSError) as error:
                if isinstance(error, ServerError) and _is_away(error):
                    self._is_waiting = True
                else:
                    self._unsaid.append(str(error))

    def _connected(self) -> Connection:
        """Return the connection, once the server is known to have this state and what waited for it was sent."""
        if self._connection is None:
            self._connection = self._connect()
        if not self._is_current:
            self.folder.require_current(self._connection.server, self._connection.course)
            self._is_current = True
        if self._is_waiting:
            count = self._send_outbox(self._connection)
            self._is_waiting = False
            if count:
                self._unsaid.append(f"Sent {plural(count, 'answer')} that waited for the network.")
        return self._connection

    def _send_outbox(self, connection: Connection) -> int:
        """Send all that waits in the folder, and return how many submissions the server took."""
        result = self._outbox.send(connection)
        self._compared.outbox_was_sent()
        self._unsaid += [f"One of them was not taken: {reason}" for reason in result.refused]
        for submission in result.submissions:
            if submission.grade:
                self._record(submission.grade)
        return len(result.submissions)

    def _went_offline(self, error: ServerError) -> None:
        """Ask nobody for a while, and say so."""
        pause = error.pause_seconds if isinstance(error, TooManyRequests) else 0.0
        self._offline_until = self._timing.now() + max(self._timing.offline_seconds, pause)
        self._is_waiting = True
        print(f"{error.message} Your answers are kept in {self.folder.folder}, and sent when the server is there.")

    def _say_unsaid(self) -> None:
        for sentence in self._unsaid:
            print(sentence)
        self._unsaid.clear()

    # -- training -----------------------------------------------------------------------------------------

    def train(
        self,
        backward: Callable[..., Any] | None = None,
        *,
        steps: int | None = None,
        batch: int | None = None,
        lr: trainer.Rate | None = None,
        rank: str | None = None,
    ) -> None:
        """Train the lecture's network with your function ``backward(state)``, and show its loss live.

        The function goes along with the helpers and imports that it needs. ``lr`` is a learning rate, or several with
        the step that each begins at: ``{0: 0.1, 10000: 0.01}``. With ``rank``, a pseudonym, the run is in the ranking.
        Without a function, the newest run is shown again. ``run`` holds the last state.
        """
        try:
            connection = self._training_connection()
            if backward is None:
                run = trainer.newest(connection)
            else:
                run = trainer.start(connection, backward, TrainingPlan(steps, batch, trainer.schedule_of(lr), rank))
            self.run = run
            self.run = trainer.follow(connection, run)
        except DojoError as error:
            print(error)

    def cancel_training(self) -> None:
        """Cancel the training run that goes on."""
        try:
            connection = self._training_connection()
            run = connection.server.cancel_training(trainer.newest(connection).id)
            print(f"Training run {run.id} ends after the steps that it computes now. Another: ex.train(backward)")
        except DojoError as error:
            print(error)

    def _training_connection(self) -> Connection:
        """Return the connection. A run draws numbers of its own, so the folder's need not be the newest."""
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    # -- progress -----------------------------------------------------------------------------------------

    def _record(self, grade: Grade) -> None:
        """Keep the best verdict of each step that was compared."""
        for row in grade.rows:
            best = self.verdicts.get(row.name)
            if row.verdict != "missing" and MERITS.get(row.verdict, 0) >= MERITS.get(best or "", 0):
                self.verdicts[row.name] = html.verdict_of(row)

    def _kernel_remarks(self, rows: tuple[Comparison, ...] | list[Comparison]) -> tuple[str, ...]:
        """Say once why a right answer may not be exact here. A row with a note of the server's has another reason."""
        if self._kernels_are_told or not any(row.verdict == "approximate" and not row.notes for row in rows):
            return ()
        difference = kernels.difference(self._environment)
        if difference is None:
            return ()
        self._kernels_are_told = True
        return (OTHER_KERNELS_REMARK.format(difference=difference),)

    def _suggestion(self, name: str) -> str:
        names = [checkpoint.name for checkpoint in self.checkpoints]
        near = difflib.get_close_matches(name, names, 1)
        return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."

    def __repr__(self) -> str:
        passed = sum(verdict in PASSING_VERDICTS for verdict in self.verdicts.values())
        return f"{self.folder.exercise}: {passed} of {len(self.verdicts)} pass"

    def _repr_html_(self) -> str:
        return f"<b>{escape(self.folder.exercise)}</b>{html.progress_strip(self.checkpoints, self.verdicts)}"


def _print_row(row: Comparison, notes: tuple[str, ...]) -> None:
    print(row.line())
    for remark in (*row.remarks(), *notes):
        print(f"    {remark}")


def _is_away(error: ServerError) -> bool:
    """Return whether the server cannot be asked now: no network, a page of a train's network, a pause."""
    return isinstance(error, TooManyRequests) or not isinstance(error, Refused | Outdated)


def _grade_of_rows(*rows: Comparison) -> Grade:
    return Grade(rows, (), None, "", "", "")


def login(address: str, code: str | None = None, *, network: Network | None = None) -> None:
    """Sign in on this machine with an account that you have already: in Colab, or on a server of notebooks.

    ``code`` is a pairing code, which ``dojo pair`` prints where you are signed in. Without one, the token is taken from
    the secret DOJO_TOKEN in Colab, or from the environment. A machine that is signed in stays so.

    :raises DojoError: there is no token, or the code is not known
    """
    config = Config(keyring=usable_keyring())
    address = server_address(address)
    account = signed_in_already(config, address, network)
    if account is None and code is not None:
        account = sign_in_with_code(config, Server(address, None, network), code)
    elif account is None:
        token = handed_over_token(config)
        account = sign_in(config, Server(address, token, network), token)
    courses = ", ".join(profile.course for profile in account.profiles)
    print(f"You are {account.profiles[0].student}, in {courses}.")


def pull(
    exercise: str,
    to: str | Path | None = None,
    *,
    profile: str | None = None,
    network: Network | None = None,
    timing: Timing | None = None,
) -> NotebookExercise:
    """Fetch an exercise, or update its folder. Without a network an earlier copy is used.

    ``to`` is the folder; by default this one if it is the exercise's, else one of the exercise's name in it. If torch
    is not imported yet, it will run the server's kernels, so that right answers are exact here too.

    :raises DojoError: the exercise cannot be fetched, and there is no earlier copy
    """
    kernels.choose_the_servers()
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
        return NotebookExercise(earlier, connect_again, timing=timing)
    if pulled.new_state:
        print("The server has a new forward state for you: put it in place with ex.into(globals()).")
    return NotebookExercise(pulled.workspace, lambda: connection, is_current=True, timing=timing)


def exercise(
    exercise: str, *, profile: str | None = None, network: Network | None = None, timing: Timing | None = None
) -> NotebookExercise:
    """Return an exercise of your course, in its folder here: ``dojo.exercise("makemore/train")``.

    :raises DojoError: the exercise cannot be fetched, and there is no earlier copy
    """
    return pull(exercise, profile=profile, network=network, timing=timing)


def open_folder(
    folder: str | Path = ".", *, network: Network | None = None, timing: Timing | None = None
) -> NotebookExercise:
    """Return the exercise of a pulled folder, without asking the server.

    :raises BadFile: the folder was not pulled
    """
    kernels.choose_the_servers()
    workspace = open_workspace(Path(folder))
    config = Config(keyring=usable_keyring())
    return NotebookExercise(workspace, lambda: connect(config, workspace=workspace, network=network), timing=timing)
