"""The verdicts on an answer as a workbench shows them: graph, strip, a panel for each step, where to begin.

They come from a live check or from a submission; both have the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from exercises.exercise import Exercise
from exercises.instance import Instance
from grader.compare import Comparison
from grader.differences import Difference
from server.catalogue.present import checkpoint_bodies
from server.catalogue.schemas import CheckpointBody
from server.pages import graph, heat
from server.pages.graph import PASSED, GraphShown
from server.pages.heat import HeatShown
from server.pages.marks import WORDS, Mark, mark_of
from server.pages.source import inline
from server.pages.study.derivation import DerivationShown, shown_derivation
from server.submissions.schemas import ComparisonBody, GradeBody, RunBody

PATTERNS_MAX: Final = 64
FIRST_HINT: Final = 1  # how many are open before anybody asked for more
LINE_NUMBER: Final = re.compile(r"\bline (\d{1,9})(?!\d)", re.ASCII)  # int() refuses 5,000 digits
LIMITS: Final = {
    "time_limit": ("Out of time", "The code ran too long. Look for a loop that does not end."),
    "memory_limit": ("Out of memory", "The code asked for too much memory. Look for a tensor that grows."),
    "output_limit": ("Too much output", "The code printed too much. Take the prints out of the loops."),
    "crashed": ("The process died", "Nothing more is known. Run the code with fewer lines, and look again."),
    "denied": ("Not allowed here", "The code did something that is not allowed here."),
}


@dataclass(frozen=True)
class LectureShown:
    """A place in the lecture: ``1:12:43 to 1:13:58``."""

    text: str
    address: str


@dataclass(frozen=True)
class StepShown:
    """The panel of a step. ``hints`` are all that the assignment shows, ``open_hints`` how many are open.

    ``carried`` is the step above whose mistake it inherits, or None if that is not known. ``derivation`` is there once
    the step has passed; until then ``tip`` is what the exercise's author says of it.
    """

    name: str
    number: int
    mark: Mark
    shape: str
    line: Markup | None
    used_by: tuple[str, ...]
    lecture: LectureShown | None
    row: tuple[str, ...] | None
    says: Markup
    hints: tuple[Markup, ...]
    open_hints: int
    carried: str | None
    notes: tuple[str, ...]
    heat: HeatShown | None
    attempts: int
    derivation: DerivationShown | None = None
    tip: Markup | None = None

    @property
    def without_heat(self) -> StepShown:
        """The same without its picture."""
        return replace(self, heat=None) if self.heat else self

    @property
    def word(self) -> str:
        """Its verdict in words."""
        return WORDS[self.mark]

    @property
    def tag(self) -> str:
        """The class of its tag."""
        if self.mark in PASSED:
            return "exact"
        return {Mark.OWN: "own", Mark.UNKNOWN: "own", Mark.INHERITED: "inherited"}.get(self.mark, "")


@dataclass(frozen=True)
class ErrorShown:
    """Why the code stopped: ``line`` is where, or None; ``reached`` are the steps that were graded before."""

    title: str
    sentence: str
    line: int | None
    reached: int


@dataclass(frozen=True)
class StripStep:
    """A step of the strip."""

    verdict: str
    origin: str | None


@dataclass(frozen=True)
class Verdicts:
    """What is so with an answer, for the whole page. ``first`` is the step that the panel shows at first."""

    steps: tuple[StepShown, ...]
    rows: tuple[ComparisonBody | None, ...]
    graph: GraphShown
    passed: int
    detail: str
    begin: str | None
    first: str
    error: ErrorShown | None
    printed: str

    @property
    def total(self) -> int:
        """The number of steps."""
        return len(self.steps)

    @property
    def marks(self) -> dict[str, Mark]:
        """Step → mark."""
        return {step.name: step.mark for step in self.steps}

    @property
    def steps_shown(self) -> list[StripStep]:
        """The steps as the strip draws them; one without a row is not there."""
        return [StripStep(row.verdict, row.origin) if row else StripStep("missing", None) for row in self.rows]

    @property
    def strip_label(self) -> str:
        """What the strip says to who reads by ear."""
        return f"{self.passed} of {self.total} steps pass"


@dataclass(frozen=True)
class Looking:
    """What the reader looks at: the step that they chose, and how many of its hints are open."""

    step: str | None = None
    hints: int = FIRST_HINT


def verdicts(
    exercise: Exercise,
    checkpoints: Sequence[CheckpointBody],
    grade: GradeBody | None,
    looking: Looking,
    differences: Mapping[str, Difference] | None = None,
) -> Verdicts:
    """Return the verdicts of a grade; without one, or while feedback is withheld, no step is there."""
    rows = {row.name: row for row in grade.checkpoints} if grade else {}
    marks = {each.name: _mark(rows.get(each.name)) for each in exercise.checkpoints}
    begin = next((name for name, mark in marks.items() if mark in (Mark.OWN, Mark.UNKNOWN)), None)
    names = [each.name for each in exercise.checkpoints]
    first_missing = next((name for name, mark in marks.items() if mark is Mark.MISSING), None)
    first = looking.step if looking.step in marks else begin or first_missing or names[0]
    error = _error(grade.run, sum(mark is not Mark.MISSING for mark in marks.values())) if grade else None
    layout = graph.layout_of(exercise)
    used_by = {node.name: node.used_by for node in layout.nodes}
    steps = tuple(
        _step(exercise, checkpoint, number, marks, used_by, rows, looking, (differences or {}).get(checkpoint.name))
        for number, checkpoint in enumerate(checkpoints, 1)
    )
    return Verdicts(
        steps=steps,
        rows=tuple(rows.get(name) for name in names),
        graph=graph.by_verdicts(exercise, rows, exercise.lines, first),
        passed=sum(mark in PASSED for mark in marks.values()),
        detail=_detail(list(marks.values())),
        begin=begin,
        first=first,
        error=error,
        printed=grade.run.stdout if grade and grade.run else "",
    )


_checkpoints: dict[tuple[str, int], list[CheckpointBody]] = {}


def checkpoints_of(exercise: Exercise) -> Sequence[CheckpointBody]:
    """Return the checkpoints of an exercise without anybody's progress. All instances of a revision have one shape."""
    key = (exercise.slug, exercise.revision)
    if key not in _checkpoints:
        tensors = Instance.canonical(exercise).tensors()
        _checkpoints[key] = checkpoint_bodies(exercise, tensors, {}, is_shown=False)
    return _checkpoints[key]


def _mark(row: ComparisonBody | None) -> Mark:
    return mark_of(row.verdict, row.origin) if row else Mark.MISSING


def _step(
    exercise: Exercise,
    checkpoint: CheckpointBody,
    number: int,
    marks: Mapping[str, Mark],
    used_by: Mapping[str, tuple[str, ...]],
    rows: Mapping[str, ComparisonBody],
    looking: Looking,
    difference: Difference | None,
) -> StepShown:
    name, row = checkpoint.name, rows.get(checkpoint.name)
    mark, line = marks[name], exercise.lines.get(name)
    hints = _hints(exercise, row) if row and mark in (Mark.OWN, Mark.UNKNOWN) else ()
    return StepShown(
        name=name,
        number=number,
        mark=mark,
        shape=heat.times(checkpoint.shape),
        line=inline(line) if line else None,
        used_by=used_by.get(name, ()),
        lecture=lecture_of(checkpoint),
        row=_row(row) if row and row.verdict != "missing" else None,
        says=as_code(_says(checkpoint, mark, row), code_in_text(exercise)),
        hints=hints,
        open_hints=looking.hints if looking.step == name else FIRST_HINT,
        carried=_carried(name, marks, used_by) if mark is Mark.INHERITED else None,
        notes=tuple(row.notes) if row else (),
        heat=heat.draw(name, difference) if difference else None,
        attempts=checkpoint.attempts,
        derivation=shown_derivation(exercise, name) if mark in PASSED else None,
        tip=None if mark in PASSED else _tip(exercise, name),
    )


def _tip(exercise: Exercise, name: str) -> Markup | None:
    hint = exercise.hints.get(name)
    return None if hint is None else as_code(hint, code_in_text(exercise))


def _hints(exercise: Exercise, row: ComparisonBody) -> tuple[Markup, ...]:
    """Return the hints of a row's diagnoses, one after the other, with names and code set as code."""
    pattern = code_in_text(exercise)
    return tuple(as_code(hint, pattern) for each in row.diagnosis for hint in each.hints)


def code_in_text(exercise: Exercise) -> re.Pattern[str]:
    """Return what is code in a sentence about an exercise."""
    return _code_in_text(tuple(exercise.lines.items()), tuple(each.name for each in exercise.checkpoints))


@lru_cache(PATTERNS_MAX)
def _code_in_text(lines: tuple[tuple[str, str], ...], steps: tuple[str, ...]) -> re.Pattern[str]:
    """Return what is code in a sentence: a line of the forward pass, or one of its names."""
    names = "|".join(
        sorted({re.escape(name) for name in (*steps, *(name for name, _ in lines))}, key=len, reverse=True)
    )
    texts = "|".join(re.escape(text) for _, text in sorted(lines, key=lambda line: len(line[1]), reverse=True))
    return re.compile(rf"{texts}|(?<!\w)d?(?:{names})(?!\w)(?:\[[^\]]*\]|\.T)?|[+*-]=(?=[, .])")


def as_code(text: str, pattern: re.Pattern[str]) -> Markup:
    """Return a sentence with what is code in it set as code."""
    parts, at = [], 0
    for match in pattern.finditer(text):
        parts += [escape(text[at : match.start()]), Markup("<code>{}</code>").format(match.group())]
        at = match.end()
    return Markup().join((*parts, escape(text[at:])))


def _row(row: ComparisonBody) -> tuple[str, ...]:
    """Return the row of cmp in its parts: the form is that of the lecture, and may wrap before a bar."""
    compared = Comparison(row.name, row.verdict, row.exact, row.approximate, row.maxdiff)
    name, *rest = compared.line().split("|")
    return (name.rstrip().ljust(15), *(f"|{part}" for part in rest))


def _says(checkpoint: CheckpointBody, mark: Mark, row: ComparisonBody | None) -> str:
    """Return the sentence under the row."""
    if row is None or mark is Mark.MISSING:
        return f"It is not there yet. Assign d{checkpoint.name}, shape {heat.times(checkpoint.shape)}."
    if mark is Mark.EXACT:
        return "Right to the last bit."
    largest = heat.number(row.maxdiff) if row.maxdiff is not None else "none"
    if mark is Mark.APPROXIMATE:
        return f"Right, in another order of operations. Largest difference {largest}; it passes."
    if mark is Mark.ROUNDING:
        return (
            f"Right but for rounding. cmp calls {row.mismatched or 0:,} elements wrong; "
            "the difference is within what float32 explains for this step. It passes."
        )
    if mark is Mark.UNKNOWN:
        return "The mistake is here or above. Assign the gradients above, and it can be told which."
    return ""


def _carried(name: str, marks: Mapping[str, Mark], used_by: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the nearest step above with a mistake of its own."""
    waiting, seen = list(used_by.get(name, ())), {name}
    while waiting:
        step = waiting.pop(0)
        if marks.get(step) in (Mark.OWN, Mark.UNKNOWN):
            return step
        if step not in seen:
            seen.add(step)
            waiting += used_by.get(step, ())
    return None


def _detail(marks: Sequence[Mark]) -> str:
    """Return what is not right yet: "1 own mistake, 3 inherit it, 2 not there"."""
    own, unknown = marks.count(Mark.OWN), marks.count(Mark.UNKNOWN)
    inherited, missing = marks.count(Mark.INHERITED), marks.count(Mark.MISSING)
    parts = []
    if own:
        parts.append(f"{own} own mistake{'s' * (own > 1)}")
    if inherited:
        parts.append(f"{inherited} inherit{'s' * (inherited == 1)} {'it' if own < 2 else 'them'}")
    if unknown:
        parts.append(f"{unknown} wrong, here or above")
    if missing:
        parts.append(f"{missing} not there")
    return ", ".join(parts)


def lecture_of(checkpoint: CheckpointBody) -> LectureShown | None:
    """Return where the lecture derives a step, None if it does not."""
    if checkpoint.lecture_url is None or checkpoint.lecture_start is None:
        return None
    start, end = clock(checkpoint.lecture_start), checkpoint.lecture_end
    return LectureShown(f"{start} to {clock(end)}" if end else start, checkpoint.lecture_url)


def clock(seconds: int) -> str:
    """Return seconds as a clock of a film shows them: ``13:01``, ``1:12:43``."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _error(run: RunBody | None, reached: int) -> ErrorShown | None:
    """Return why a run stopped, None if it did not."""
    if run is None or run.status == "ok":
        return None
    lines = [int(number) for number in LINE_NUMBER.findall(run.message)]
    line = lines[-1] if lines else None
    where = f" at line {line}" if line else ""
    said = [each for each in run.message.splitlines() if each.strip() and not each.startswith((" ", "\t", "Traceback"))]
    if run.status in LIMITS:
        title, sentence = LIMITS[run.status]
        more = f" Python says: {said[-1]}" if run.status == "denied" and said else ""
        return ErrorShown(title + where, sentence + more, line, reached)
    kind, _, text = (said[0] if said else run.message).partition(": ")
    if not text or " " in kind:
        kind, text = "Error", said[0] if said else "The code stopped."
    return ErrorShown(f"{kind}{where}", " ".join((text, *said[1:])), line, reached)
