"""What the server says, as values. An answer that does not have the promised form is an error of the
server's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dojo.errors import NotADojo

T = TypeVar("T")

PASSING = ("exact", "approximate")
INHERITS = "Right, given the gradients above it: the mistake is further up."


@dataclass(frozen=True)
class Row:
    """One row of `cmp`. ``origin`` says whether a wrong step is wrong itself or only what is above it."""

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
        return self.approximate

    @property
    def inherits(self) -> bool:
        """Whether the step is wrong only because of what is above it."""
        return not self.passed and self.origin == "inherited"

    @property
    def own_mistake(self) -> bool:
        """Whether the step is wrong by itself; a step that is not there yet is none."""
        return not self.passed and not self.inherits and self.verdict != "missing"

    def line(self) -> str:
        """The row as the lecture prints it."""
        maxdiff = "-" if self.maxdiff is None else self.maxdiff
        judged = f"exact: {self.exact!s:5s} | approximate: {self.approximate!s:5s}"
        return f"{self.name:15s} | {judged} | maxdiff: {maxdiff}"

    def remarks(self) -> tuple[str, ...]:
        """What is to be said under the row: the kind of mistake, then the notes."""
        if self.passed:
            return self.notes
        if self.inherits:
            return (INHERITS, *self.notes)
        return (*self.diagnosis, *self.notes)


@dataclass(frozen=True)
class Grade:
    """The table of one submission, and how its code ran (``run`` is None for tensors). ``points`` differ from what
    passed where the course pays for steps that only inherit a mistake."""

    rows: tuple[Row, ...]
    flags: tuple[str, ...]
    run_status: str | None
    run_message: str
    stdout: str
    environment: str
    points: float | None = None

    @property
    def passed(self) -> int:
        return sum(row.passed for row in self.rows)

    @property
    def exact(self) -> int:
        return sum(row.exact for row in self.rows)

    @property
    def all_passed(self) -> bool:
        return bool(self.rows) and self.passed == len(self.rows)

    def summary(self) -> str:
        """How it went, in a line: ``5 of 26 pass, 4 exact; 1 mistake of your own, 20 steps inherit it``."""
        told = f"{self.passed} of {len(self.rows)} pass, {self.exact} exact"
        if self.points is not None and self.points != self.passed:
            told += f", {self.points:g} points"
        own = sum(row.own_mistake for row in self.rows)
        heirs = sum(row.inherits for row in self.rows)
        if own:
            told += f"; {own} mistake{'s' if own > 1 else ''} of your own"
        if own and heirs:
            told += f", {heirs} step{'s' if heirs > 1 else ''} inherit{'' if heirs > 1 else 's'} " + (
                "them" if own > 1 else "it"
            )
        return told

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)


@dataclass(frozen=True)
class Submission:
    """``place`` in the queue counts from 1, ``estimate`` is in seconds until the grade; both only while it is queued.
    ``answer`` is the JSON that it was read from, for `--json`."""

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
    answer: Mapping[str, Any] = field(repr=False)

    @property
    def graded(self) -> bool:
        return self.grade is not None

    @property
    def waiting(self) -> bool:
        return self.status in ("queued", "running")

    def standing(self) -> str:
        """Where a submission without a grade is: ``place 3 in the queue, about 6 s``."""
        if self.status != "queued" or self.place is None:
            return self.status
        soon = f", about {self.estimate} s" if self.estimate is not None else ""
        return f"place {self.place} in the queue{soon}"


@dataclass(frozen=True)
class Checkpoint:
    """A named tensor whose gradient is asked for, and how far the student is with it."""

    name: str
    shape: tuple[int, ...] | None = None
    lecture_start: float | None = None
    lecture_end: float | None = None
    lecture_url: str | None = None
    best: str | None = None
    attempts: int = 0
    first_passed_at: str | None = None

    @property
    def answer(self) -> str:
        """The student's variable."""
        return "d" + self.name

    @property
    def passed(self) -> bool:
        return self.best in PASSING


@dataclass(frozen=True)
class Exercise:
    """What is asked. Only a single exercise carries ``statement``, ``forward`` and ``checkpoints``."""

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
    answer: Mapping[str, Any] = field(repr=False)


def get(answer: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """A required member of an answer. Raises NotADojo where it is absent or of another kind."""
    value = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise NotADojo(
            f"The server's answer has no usable “{key}”.",
            "Check the address, and whether `dojo` is up to date.",
        )
    return value


def _maybe(answer: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    value = answer.get(key)
    return value if isinstance(value, kind) else None


def _number(answer: Mapping[str, Any], key: str) -> float | None:
    value = answer.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _texts(values: object) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def read_row(answer: Mapping[str, Any]) -> Row:
    diagnosis = [get(each, "message", str) for each in answer.get("diagnosis") or []]
    return Row(
        name=get(answer, "name", str),
        verdict=get(answer, "verdict", str),
        exact=answer.get("exact") is True,
        approximate=answer.get("approximate") is True,
        maxdiff=_number(answer, "maxdiff"),
        origin=_maybe(answer, "origin", str),
        diagnosis=tuple(diagnosis),
        notes=_texts(answer.get("notes")),
    )


def read_grade(answer: Mapping[str, Any]) -> Grade:
    run = _maybe(answer, "run", dict) or {}
    return Grade(
        rows=tuple(read_row(row) for row in get(answer, "checkpoints", list)),
        flags=_texts(answer.get("flags")),
        run_status=_maybe(run, "status", str),
        run_message=_maybe(run, "message", str) or "",
        stdout=_maybe(run, "stdout", str) or "",
        environment=_maybe(answer, "environment", str) or "",
        points=_number(answer, "points"),
    )


def read_submission(answer: Mapping[str, Any]) -> Submission:
    # A list of submissions carries grades without their rows.
    grade = _maybe(answer, "grade", dict)
    return Submission(
        id=get(answer, "id", int),
        exercise=get(answer, "exercise", str),
        course=_maybe(answer, "course", str) or "",
        attempt=_maybe(answer, "attempt", int) or 0,
        kind=_maybe(answer, "kind", str) or "",
        status=get(answer, "status", str),
        filename=_maybe(answer, "filename", str),
        place=_maybe(answer, "place", int),
        estimate=_maybe(answer, "estimate", int),
        created_at=_maybe(answer, "created_at", str) or "",
        grade=read_grade(grade) if grade and "checkpoints" in grade else None,
        answer=answer,
    )


def read_exercise(answer: Mapping[str, Any]) -> Exercise:
    return Exercise(
        slug=get(answer, "slug", str),
        revision=_maybe(answer, "revision", int) or 1,
        title=_maybe(answer, "title", str) or "",
        summary=_maybe(answer, "summary", str) or "",
        due=_maybe(answer, "due", str),
        attempts=_maybe(answer, "attempts", int) or 0,
        passed=_maybe(answer, "passed", int) or 0,
        exact=_maybe(answer, "exact", int) or 0,
        total=_maybe(answer, "total", int) or 0,
        statement=_maybe(answer, "statement", str) or "",
        forward=_maybe(answer, "forward", str) or "",
        lecture_url=_link(answer),
        checkpoints=tuple(_checkpoint(each) for each in answer.get("checkpoints") or []),
        answer=answer,
    )


def _checkpoint(answer: Mapping[str, Any]) -> Checkpoint:
    shape = answer.get("shape")
    return Checkpoint(
        name=get(answer, "name", str),
        shape=tuple(int(size) for size in shape) if isinstance(shape, list) else None,
        lecture_start=_number(answer, "lecture_start"),
        lecture_end=_number(answer, "lecture_end"),
        lecture_url=_link(answer),
        best=_maybe(answer, "best", str),
        attempts=_maybe(answer, "attempts", int) or 0,
        first_passed_at=_maybe(answer, "first_passed_at", str),
    )


def _link(answer: Mapping[str, Any]) -> str | None:
    """A link to the lecture; only web addresses, since it is handed to the browser."""
    link = _maybe(answer, "lecture_url", str)
    return link if link and link.startswith(("https://", "http://")) else None
