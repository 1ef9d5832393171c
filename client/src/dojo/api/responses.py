"""The server's answers as values. An answer without the promised form raises NotADojo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dojo.errors import NotADojo
from dojo.text import plural

T = TypeVar("T")

PASSING_VERDICTS = ("exact", "approximate", "rounding")
INHERITED_REMARK = "Right, given the gradients above it: the mistake is further up."


@dataclass(frozen=True)
class Comparison:
    """One row of ``cmp``.

    ``origin`` says whose mistake a wrong step is: ``own``, ``inherited``, or ``unknown`` where the gradient above it
    was not handed in. It is None for a step that passed or is missing.
    """

    name: str
    verdict: str
    exact: bool = False
    approximate: bool = False
    maxdiff: float | None = None
    origin: str | None = None
    diagnosis: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the step is right within the tolerance, or but for rounding."""
        return self.verdict in PASSING_VERDICTS

    @property
    def inherits(self) -> bool:
        """Whether the step is wrong only because of the gradients above it."""
        return not self.passed and self.origin == "inherited"

    @property
    def is_unclear(self) -> bool:
        """Whether it cannot be said if the mistake is in this step or above it."""
        return not self.passed and self.verdict != "missing" and self.origin == "unknown"

    @property
    def own_mistake(self) -> bool:
        """Whether the step is wrong by itself. A missing step is not."""
        return not (self.passed or self.verdict == "missing" or self.inherits or self.is_unclear)

    def line(self) -> str:
        """Return the row as the lecture prints it."""
        maxdiff = "-" if self.maxdiff is None else self.maxdiff
        verdict = f"exact: {self.exact!s:5s} | approximate: {self.approximate!s:5s}"
        return f"{self.name:15s} | {verdict} | maxdiff: {maxdiff}"

    def remarks(self) -> tuple[str, ...]:
        """Return the sentences for under the row: the kind of mistake, then the notes."""
        if self.passed:
            return self.notes
        if self.inherits:
            return (INHERITED_REMARK, *self.notes)
        return (*self.diagnosis, *self.notes)


@dataclass(frozen=True)
class Grade:
    """The rows of one submission, and how its code ran.

    ``run_status`` is None for tensors. ``points`` differ from the number of passed steps if the course gives
    points for steps that only inherit a mistake.
    """

    rows: tuple[Comparison, ...]
    flags: tuple[str, ...]
    run_status: str | None
    run_message: str
    stdout: str
    environment: str
    points: float | None = None

    @property
    def passed(self) -> int:
        """How many steps are right within the tolerance."""
        return sum(row.passed for row in self.rows)

    @property
    def exact(self) -> int:
        """How many steps are right to the last bit."""
        return sum(row.exact for row in self.rows)

    @property
    def all_passed(self) -> bool:
        """Whether there are steps and all of them passed."""
        return bool(self.rows) and self.passed == len(self.rows)

    def summary(self) -> str:
        """Return one line: ``5 of 26 pass, 4 exact; 1 mistake of your own, 20 steps inherit it``."""
        text = f"{self.passed} of {len(self.rows)} pass, {self.exact} exact"
        if self.points is not None and self.points != self.passed:
            text += f", {self.points:g} points"
        mistakes = sum(row.own_mistake for row in self.rows)
        heirs = sum(row.inherits for row in self.rows)
        if mistakes:
            text += f"; {plural(mistakes, 'mistake')} of your own"
        if mistakes and heirs:
            text += f", {plural(heirs, 'step')} {'inherits' if heirs == 1 else 'inherit'} "
            text += "it" if mistakes == 1 else "them"
        return text

    def row(self, name: str) -> Comparison | None:
        """Return the row of a checkpoint, or None if the grade has none."""
        return next((row for row in self.rows if row.name == name), None)


@dataclass(frozen=True)
class Submission:
    """A submission with its grade, or with its place in the queue.

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
    body: Mapping[str, Any] = field(repr=False)

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
    """An exercise and the student's progress. In a list it has no statement, forward pass and checkpoints."""

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

    @property
    def is_done(self) -> bool:
        """Whether there are checkpoints and all of them passed."""
        return self.total > 0 and self.passed == self.total


def required(body: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """Return a required member of a JSON object.

    :raises NotADojo: the member is absent or of another type
    """
    value = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise NotADojo(
            f"The server's answer has no usable “{key}”.",
            "Check the address, and whether `dojo` is up to date.",
        )
    return value


def _optional(body: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    value = body.get(key)
    return value if isinstance(value, kind) else None


def _number(body: Mapping[str, Any], key: str) -> float | None:
    value = body.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _strings(values: object) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def read_comparison(body: Mapping[str, Any]) -> Comparison:
    """Read one row of a grade."""
    return Comparison(
        name=required(body, "name", str),
        verdict=required(body, "verdict", str),
        exact=body.get("exact") is True,
        approximate=body.get("approximate") is True,
        maxdiff=_number(body, "maxdiff"),
        origin=_optional(body, "origin", str),
        diagnosis=tuple(required(entry, "message", str) for entry in body.get("diagnosis") or []),
        notes=_strings(body.get("notes")),
    )


def read_grade(body: Mapping[str, Any]) -> Grade:
    """Read a grade with its rows."""
    run = _optional(body, "run", dict) or {}
    return Grade(
        rows=tuple(read_comparison(row) for row in required(body, "checkpoints", list)),
        flags=_strings(body.get("flags")),
        run_status=_optional(run, "status", str),
        run_message=_optional(run, "message", str) or "",
        stdout=_optional(run, "stdout", str) or "",
        environment=_optional(body, "environment", str) or "",
        points=_number(body, "points"),
    )


def read_submission(body: Mapping[str, Any]) -> Submission:
    """Read a submission. In a list, its grade has no rows and is read as None."""
    grade = _optional(body, "grade", dict)
    return Submission(
        id=required(body, "id", int),
        exercise=required(body, "exercise", str),
        course=_optional(body, "course", str) or "",
        attempt=_optional(body, "attempt", int) or 0,
        kind=_optional(body, "kind", str) or "",
        status=required(body, "status", str),
        filename=_optional(body, "filename", str),
        place=_optional(body, "place", int),
        estimate=_optional(body, "estimate", int),
        created_at=_optional(body, "created_at", str) or "",
        grade=read_grade(grade) if grade and "checkpoints" in grade else None,
        body=body,
    )


def read_exercise(body: Mapping[str, Any]) -> Exercise:
    """Read an exercise, alone or from a list."""
    return Exercise(
        slug=required(body, "slug", str),
        revision=_optional(body, "revision", int) or 1,
        title=_optional(body, "title", str) or "",
        summary=_optional(body, "summary", str) or "",
        due=_optional(body, "due", str),
        attempts=_optional(body, "attempts", int) or 0,
        passed=_optional(body, "passed", int) or 0,
        exact=_optional(body, "exact", int) or 0,
        total=_optional(body, "total", int) or 0,
        statement=_optional(body, "statement", str) or "",
        forward=_optional(body, "forward", str) or "",
        lecture_url=_link(body),
        checkpoints=tuple(_checkpoint(entry) for entry in body.get("checkpoints") or []),
        body=body,
    )


def _checkpoint(body: Mapping[str, Any]) -> Checkpoint:
    shape = body.get("shape")
    return Checkpoint(
        name=required(body, "name", str),
        shape=tuple(int(size) for size in shape) if isinstance(shape, list) else None,
        lecture_start=_number(body, "lecture_start"),
        lecture_end=_number(body, "lecture_end"),
        lecture_url=_link(body),
        best=_optional(body, "best", str),
        attempts=_optional(body, "attempts", int) or 0,
        first_passed_at=_optional(body, "first_passed_at", str),
    )


def _link(body: Mapping[str, Any]) -> str | None:
    """Return the link to the lecture if it is a web address: the browser opens it."""
    link = _optional(body, "lecture_url", str)
    return link if link and link.startswith(("https://", "http://")) else None
