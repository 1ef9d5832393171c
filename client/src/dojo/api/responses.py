"""The server's answers as values. An answer without the promised form raises NotADojo.

A member that is absent has its default; one of another type than promised is refused (``dojo.api.members``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dojo.api.addresses import safe_link
from dojo.api.members import (
    NAME_CHARACTERS_MAX,
    optional,
    read_count,
    read_line,
    read_number,
    read_objects,
    read_seconds,
    read_strings,
    read_word,
    refuse,
    required,
    required_exercise_slug,
    required_name,
    required_objects,
)
from dojo.text import duration, plural

PASSING_VERDICTS = ("exact", "approximate", "rounding")
INHERITED_REMARK = "Right, given the gradients above it: the mistake is further up."
ROUNDING_REMARK = "Passes: the difference is no more than float32 rounding explains."
WORDS_OF_VERDICTS = {
    "approximate": "approximate",
    "rounding": "rounding: passes",
    "missing": "not there yet",
    "shape": "wrong here: shape",
    "dtype": "wrong here: dtype",
    "not_finite": "wrong here: not finite",
}

FORWARD_CHARACTERS_MAX = 256 * 1024
LATE_SECONDS_MAX = 10.0**9  # nobody hands in thirty years late
SIZE_MAX = 2**40  # of a tensor, along one axis


@dataclass(frozen=True)
class Comparison:
    """One row of ``cmp``.

    ``origin`` is ``own`` if a step is wrong by itself, ``inherited`` if it is right given the gradients above it,
    ``unknown`` if those were not handed in, and None if it passed or is not there. ``hints`` holds the levels of the
    diagnosis that the course shows, each of which says more than the one before.
    """

    name: str
    verdict: str
    exact: bool = False
    approximate: bool = False
    maxdiff: float | None = None
    origin: str | None = None
    diagnosis: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    hints: tuple[tuple[str, ...], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the step is right, within the tolerance or within rounding."""
        return self.verdict in PASSING_VERDICTS

    @property
    def missing(self) -> bool:
        """Whether there was no answer."""
        return self.verdict == "missing"

    @property
    def inherits(self) -> bool:
        """Whether the step is wrong only because of the gradients above it."""
        return not self.passed and self.origin == "inherited"

    @property
    def is_unclear(self) -> bool:
        """Whether it cannot be said if the mistake is in this step or above it."""
        return not self.passed and not self.missing and self.origin == "unknown"

    @property
    def own_mistake(self) -> bool:
        """Whether the step is wrong by itself. A missing step is not."""
        return not (self.passed or self.missing or self.inherits or self.is_unclear)

    @property
    def word(self) -> str:
        """What the row is, in words; empty for an exact one."""
        if self.inherits:
            return "inherited"
        if self.is_unclear:
            return "here or above"
        return "" if self.verdict == "exact" else WORDS_OF_VERDICTS.get(self.verdict, "wrong here")

    def line(self) -> str:
        """Return the row as the lecture prints it."""
        maxdiff = "-" if self.maxdiff is None else self.maxdiff
        verdict = f"exact: {self.exact!s:5s} | approximate: {self.approximate!s:5s}"
        return f"{self.name:15s} | {verdict} | maxdiff: {maxdiff}"

    def remarks(self) -> tuple[str, ...]:
        """Return the sentences for under the row: the kind of mistake, then the notes."""
        if self.passed:
            return (ROUNDING_REMARK, *self.notes) if self.verdict == "rounding" else self.notes
        if self.inherits:
            return (INHERITED_REMARK, *self.notes)
        return (*self.diagnosis, *self.notes)


@dataclass(frozen=True)
class Grade:
    """The rows of one submission, and how its code ran.

    ``run_status`` is None for tensors. ``is_hidden`` says that the code ran, and printed, on numbers that the student
    has not seen. ``points`` differ from the number of passed steps if the course gives points for steps that only
    inherit a mistake. ``late_factor`` is what ``late_seconds`` after the due time leave of them; a server without due
    times sends neither. ``withheld`` is the sentence that says when feedback shows, or empty; until then there are no
    rows, and ``handed_in`` names the steps with an answer.
    """

    rows: tuple[Comparison, ...]
    flags: tuple[str, ...]
    run_status: str | None
    run_message: str
    stdout: str
    environment: str
    points: float | None = None
    late_seconds: float = 0.0
    late_factor: float = 1.0
    is_hidden: bool = False
    withheld: str = ""
    handed_in: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """How many steps are right, within the tolerance or within rounding."""
        return sum(row.passed for row in self.rows)

    @property
    def exact(self) -> int:
        """How many steps are right to the last bit."""
        return sum(row.exact for row in self.rows)

    @property
    def all_passed(self) -> bool:
        """Whether there are steps and all of them passed."""
        return bool(self.rows) and self.passed == len(self.rows)

    @property
    def first_own(self) -> Comparison | None:
        """The first row that is wrong by itself, or None."""
        return next((row for row in self.rows if row.own_mistake), None)

    @property
    def first_wrong(self) -> Comparison | None:
        """The first row to look at: wrong by itself, else wrong here or above. None if there is neither."""
        return self.first_own or next((row for row in self.rows if row.is_unclear), None)

    def counts(self) -> str:
        """Return how many steps pass: ``5 of 26 pass, 4 exact``, and the points if they differ."""
        has_points = self.points is not None and self.points != self.passed
        points = f", {self.points:g} points" if has_points else ""
        return f"{self.passed} of {len(self.rows)} pass, {self.exact} exact{points}"

    def summary(self) -> str:
        """Return one line: ``5 of 26 pass, 4 exact; 1 mistake of your own, 20 steps inherit it``."""
        text = self.counts()
        mistakes = sum(row.own_mistake for row in self.rows)
        heirs = sum(row.inherits for row in self.rows)
        if mistakes:
            text += f"; {plural(mistakes, 'mistake')} of your own"
        if mistakes and heirs:
            text += f", {plural(heirs, 'step')} {'inherits' if heirs == 1 else 'inherit'} "
            text += "it" if mistakes == 1 else "them"
        return text

    def lateness(self) -> str:
        """Return what coming late costs: ``3 hours late: 90 % of the points count``. Empty if it costs nothing."""
        if self.late_factor == 1:
            return ""
        return f"{duration(self.late_seconds)} late: {100 * self.late_factor:.3g} % of the points count"

    def kept(self) -> str:
        """Return what there is to say while feedback is withheld.

        For example ``Kept, with 26 steps in it. Feedback shows after 2026-12-01 23:00 (UTC).``
        """
        steps = f"with {plural(len(self.handed_in), 'step')} in it" if self.handed_in else "and no step is in it"
        return f"Kept, {steps}. {self.withheld}"

    def row(self, name: str) -> Comparison | None:
        """Return the row of a checkpoint, or None if the grade has none."""
        return next((row for row in self.rows if row.name == name), None)


@dataclass(frozen=True)
class GradeSummary:
    """A grade without its rows. While feedback is withheld, ``passed`` is None."""

    passed: int | None
    total: int
    points: float | None

    @property
    def all_passed(self) -> bool:
        """Whether there are steps and all of them passed."""
        return 0 < self.total == self.passed


@dataclass(frozen=True)
class Comment:
    """What staff say of a submission, or of one step of it if ``checkpoint`` is not None."""

    author: str
    checkpoint: str | None
    text: str


@dataclass(frozen=True)
class Override:
    """Points that staff gave for an exercise instead of those worked out."""

    points: float
    reason: str


@dataclass(frozen=True)
class Practice:
    """A drill that the server offers: its slug, and how many lines it has."""

    exercise: str
    lines: int


@dataclass(frozen=True)
class Submission:
    """A submission with its grade, or with its place in the queue.

    In a list, ``summary`` is there and ``grade`` is not.

    ``place`` counts from 1 and ``estimate`` is in seconds until the grade; both are None unless the submission
    is queued. ``body`` is the JSON that it was read from, for ``--json``.
    """

    id: int
    exercise: str
    course: str
    attempt: int
    kind: str
    status: str
    filename: str | None
    place: int | None
    estimate: int | None
    created_at: str
    grade: Grade | None
    summary: GradeSummary | None
    body: Mapping[str, Any] = field(repr=False)
    comments: tuple[Comment, ...] = ()
    override: Override | None = None
    practice: Practice | None = None

    @property
    def graded(self) -> bool:
        """Whether there is a grade."""
        return self.grade is not None

    @property
    def waiting(self) -> bool:
        """Whether a grade will come."""
        return self.status in ("queued", "running")

    def progress(self) -> str:
        """Return where an ungraded submission is: ``place 3 in the queue, about 6 s``."""
        if self.status != "queued" or self.place is None:
            return self.status
        estimate = f", about {self.estimate} s" if self.estimate is not None else ""
        return f"place {self.place} in the queue{estimate}"


@dataclass(frozen=True)
class Checkpoint:
    """A named tensor whose gradient is asked for, and the student's progress at it."""

    name: str
    shape: tuple[int, ...] | None = None
    lecture_start: float | None = None
    lecture_end: float | None = None
    lecture_url: str | None = None
    best: str | None = None
    attempts: int = 0
    first_passed_at: str | None = None

    @property
    def variable(self) -> str:
        """The student's variable: ``d`` and the name."""
        return "d" + self.name

    @property
    def passed(self) -> bool:
        """Whether an earlier submission passed at this checkpoint."""
        return self.best in PASSING_VERDICTS


@dataclass(frozen=True)
class Exercise:
    """An exercise and the student's progress. In a list it has no statement, forward pass and checkpoints.

    ``withheld`` is the sentence that says when feedback shows, or empty; until then ``passed`` and ``exact`` are 0.
    ``opens`` and ``due`` are moments in ISO 8601; clocks of the course show ``time_zone``. ``late`` is a sentence.
    ``answers`` says whether they are taken: ``open``, ``later`` or ``closed``. ``attempts_left`` is None for any
    number.
    """

    slug: str
    revision: int
    title: str
    summary: str
    due: str | None
    attempts: int
    passed: int
    exact: int
    total: int
    statement: str
    forward: str
    lecture_url: str | None
    checkpoints: tuple[Checkpoint, ...]
    body: Mapping[str, Any] = field(repr=False)
    withheld: str = ""
    opens: str | None = None
    time_zone: str | None = None
    late: str = ""
    answers: str = "open"
    attempts_left: int | None = None
    override: Override | None = None

    @property
    def is_done(self) -> bool:
        """Whether there are checkpoints and all of them passed."""
        return self.total > 0 and self.passed == self.total

    @property
    def takes_answers(self) -> bool:
        """Whether the student can hand in now."""
        return self.answers == "open" and self.attempts_left != 0

    @property
    def is_kept(self) -> bool:
        """Whether something was handed in whose feedback shows later."""
        return bool(self.withheld) and self.attempts > 0


@dataclass(frozen=True)
class Explanation:
    """Why the gradient of a step is what it is: what flows in, the local derivative, the result."""

    checkpoint: str
    lines: tuple[str, ...]
    body: Mapping[str, Any] = field(repr=False)


def read_comparison(body: Mapping[str, Any]) -> Comparison:
    """Read one row of a grade."""
    diagnosis = read_objects(body, "diagnosis")
    return Comparison(
        name=required_name(body),
        verdict=read_word(body, "verdict") or required(body, "verdict", str),
        exact=optional(body, "exact", bool) is True,
        approximate=optional(body, "approximate", bool) is True,
        maxdiff=read_number(body, "maxdiff"),
        origin=read_word(body, "origin"),
        diagnosis=tuple(required(entry, "message", str) for entry in diagnosis),
        notes=read_strings(body, "notes"),
        # A server without levels has the message alone.
        hints=tuple(read_strings(entry, "hints") or (required(entry, "message", str),) for entry in diagnosis),
    )


def read_grade(body: Mapping[str, Any]) -> Grade:
    """Read a grade with its rows."""
    run = optional(body, "run", dict) or {}
    return Grade(
        rows=tuple(map(read_comparison, required_objects(body, "checkpoints"))),
        flags=read_strings(body, "flags"),
        run_status=read_word(run, "status"),
        run_message=optional(run, "message", str) or "",
        stdout=optional(run, "stdout", str) or "",
        environment=read_line(body, "environment"),
        points=read_number(body, "points"),
        late_seconds=min(read_number(body, "late_seconds") or 0.0, LATE_SECONDS_MAX),
        late_factor=1.0 if (factor := read_number(body, "late_factor")) is None else factor,
        is_hidden=optional(run, "hidden", bool) is True,
        withheld=_withheld(body),
        handed_in=read_strings(body, "handed_in"),
    )


def _withheld(body: Mapping[str, Any]) -> str:
    """Return when feedback shows, as a sentence; empty if it shows now."""
    if read_word(body, "feedback") != "withheld":
        return ""
    return read_line(body, "shown_when") or "Feedback shows later."


def _summary(body: Mapping[str, Any]) -> GradeSummary | None:
    passed, total = read_count(body, "passed"), read_count(body, "total")
    if total is None or (passed is None and not _withheld(body)):
        return None
    return GradeSummary(passed, total, read_number(body, "points"))


def read_submission(body: Mapping[str, Any]) -> Submission:
    """Read a submission. In a list, its grade has no rows and is read as None."""
    grade = optional(body, "grade", dict) or {}
    return Submission(
        id=required(body, "id", int),
        exercise=required_exercise_slug(body, "exercise"),
        course=read_line(body, "course"),
        attempt=read_count(body, "attempt") or 0,
        kind=read_word(body, "kind") or "",
        status=read_word(body, "status") or required(body, "status", str),
        filename=read_line(body, "filename") or None,
        place=read_count(body, "place"),
        estimate=read_count(body, "estimate"),
        created_at=read_line(body, "created_at"),
        grade=read_grade(grade) if "checkpoints" in grade else None,
        summary=_summary(grade),
        body=body,
        comments=tuple(map(_comment, read_objects(body, "comments"))),
        override=_override(optional(body, "override", dict)),
        practice=_practice(optional(body, "practice", dict)),
    )


def _practice(body: Mapping[str, Any] | None) -> Practice | None:
    return None if body is None else Practice(required_exercise_slug(body, "exercise"), read_count(body, "lines") or 0)


def _comment(body: Mapping[str, Any]) -> Comment:
    checkpoint = read_line(body, "checkpoint")[:NAME_CHARACTERS_MAX]
    return Comment(read_line(required(body, "author", dict), "name"), checkpoint or None, required(body, "text", str))


def _override(body: Mapping[str, Any] | None) -> Override | None:
    if body is None:
        return None
    points = read_number(body, "points")
    if points is None:
        raise refuse("points")
    return Override(points, read_line(body, "reason"))


def read_exercise(body: Mapping[str, Any]) -> Exercise:
    """Read an exercise, alone or from a list."""
    forward = optional(body, "forward", str) or ""
    if len(forward) > FORWARD_CHARACTERS_MAX:
        raise refuse("forward")
    return Exercise(
        slug=required_exercise_slug(body, "slug"),
        revision=read_count(body, "revision") or 1,
        title=read_line(body, "title"),
        summary=read_line(body, "summary"),
        due=read_line(body, "due_at") or None,
        attempts=read_count(body, "attempts") or 0,
        passed=read_count(body, "passed") or 0,
        exact=read_count(body, "exact") or 0,
        total=read_count(body, "total") or 0,
        statement=optional(body, "statement", str) or "",
        forward=forward,
        lecture_url=_link(body),
        checkpoints=tuple(map(read_checkpoint, read_objects(body, "checkpoints"))),
        body=body,
        withheld=_withheld(body),
        opens=read_line(body, "opens_at") or None,
        time_zone=read_line(body, "time_zone") or None,
        late=read_line(body, "late"),
        answers=read_word(body, "answers") or "open",
        attempts_left=read_count(body, "attempts_left"),
        override=_override(optional(body, "override", dict)),
    )


def read_checkpoint(body: Mapping[str, Any]) -> Checkpoint:
    """Read a checkpoint, of the server or of a pulled folder."""
    shape = optional(body, "shape", list)
    if shape is not None and not all(type(size) is int and 0 <= size <= SIZE_MAX for size in shape):
        raise refuse("shape")
    return Checkpoint(
        name=required_name(body),
        shape=None if shape is None else tuple(shape),
        lecture_start=read_seconds(body, "lecture_start"),
        lecture_end=read_seconds(body, "lecture_end"),
        lecture_url=_link(body),
        best=read_word(body, "best"),
        attempts=read_count(body, "attempts") or 0,
        first_passed_at=read_line(body, "first_passed_at") or None,
    )


def _link(body: Mapping[str, Any]) -> str | None:
    """Return the link to the lecture if it is safe: it is shown, and the browser opens it."""
    return safe_link(optional(body, "lecture_url", str) or "")


def read_explanation(body: Mapping[str, Any]) -> Explanation:
    """Read the explanation of a step."""
    return Explanation(required(body, "checkpoint", str), read_strings(body, "lines"), body)
