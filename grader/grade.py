"""A grade: the result of grading an answer on an instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from exercises.instance import Instance, Kind
from grader import numerics
from grader.answer import Answer, missing, unreached
from grader.caches.budget import EXPLAINED_BYTES
from grader.caches.byte_cache import ByteCache
from grader.compare import Comparison, Origin, Verdict, compare
from grader.diagnosis.explain import explain
from grader.diagnosis.misfits import shape_hint
from grader.reference import gradients
from grader.reference.gradients import reference
from grader.sandbox import Job, Limits, Run, RunStatus, Sandbox
from grader.slots import slots_of
from grader.tensors import read_answers

CONTEXT_ONLY = "d{} came as context, and is not graded; hand it in to have it graded"
NOT_ON_EACH = "right on one minibatch, and wrong on another"
VANISHING = "the true gradient is zero: only rounding noise is compared"


@dataclass(frozen=True)
class Grade:
    """The rows of an answer, in the exercise's order.

    ``environment`` is the numeric environment that made them. ``run`` is the run of the code; None for tensors.
    """

    checkpoints: tuple[Comparison, ...]
    environment: str
    run: Run | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """Hints for the instructor, such as ``autograd``."""
        return self.run.flags if self.run else ()

    @property
    def total(self) -> int:
        """The number of checkpoints."""
        return len(self.checkpoints)

    @property
    def passed(self) -> int:
        """The number of rows that passed."""
        return sum(row.passed for row in self.checkpoints)

    @property
    def exact(self) -> int:
        """The number of rows that are right to the last bit."""
        return sum(row.exact for row in self.checkpoints)

    @property
    def own(self) -> int:
        """The number of rows with a mistake of their own."""
        return sum(row.origin is Origin.OWN for row in self.checkpoints)

    @property
    def inherited(self) -> int:
        """The number of rows that only inherit a mistake, and may earn credit for that."""
        return sum(row.inherits_credit for row in self.checkpoints)

    @property
    def unknown(self) -> int:
        """The number of wrong rows whose mistake may be theirs or lie above them."""
        return sum(row.origin is Origin.UNKNOWN for row in self.checkpoints)

    @property
    def complete(self) -> bool:
        """Whether every row passed, and the code ran to its end."""
        return self.passed == self.total and (self.run is None or self.run.status is RunStatus.OK)

    @property
    def first_mistake(self) -> Comparison | None:
        """The first row with a mistake of its own; None if there is none."""
        return next((row for row in self.checkpoints if row.origin is Origin.OWN), None)

    def summary(self) -> str:
        """Return where to begin: "1 mistake of your own, 19 steps inherit it; begin with dcounts"."""
        own, unknown = self.own, self.unknown
        inherited = sum(row.origin is Origin.INHERITED for row in self.checkpoints)
        undecided = self.total - self.passed - own - inherited - unknown
        parts = []
        if own:
            parts.append(f"{own} mistake{'s' * (own > 1)} of your own")
        if inherited:
            verb = "inherits" if inherited == 1 else "inherit"
            what = "a mistake from above" if own == 0 else "it" if own == 1 else "them"
            parts.append(f"{inherited} step{'s' * (inherited > 1)} {verb} {what}")
        if unknown:
            parts.append(f"{unknown} step{'s' * (unknown > 1)} wrong, here or above")
        if undecided:
            parts.append(f"{undecided} missing or not to be judged yet")
        return ", ".join(parts) + self._advice() if parts else "everything is right"

    def _advice(self) -> str:
        """Return where to begin, as the end of a sentence."""
        if self.first_mistake:
            return f"; begin with d{self.first_mistake.name}"
        # An inherited row knows which step above it is wrong; an unknown one only what was not handed in.
        certain = [name for row in self.checkpoints if row.origin is Origin.INHERITED for name in row.blames]
        possible = [name for row in self.checkpoints if row.origin is Origin.UNKNOWN for name in row.blames]
        if certain:
            return f"; begin with d{certain[0]}"
        return f"; hand in d{possible[0]} as well" if possible else ""

    def as_json(self) -> dict[str, Any]:
        """Return the grade as REST and ``--json`` show it."""
        run = self.run and {
            "status": self.run.status.value,
            "message": self.run.message,
            "stdout": self.run.stdout,
        }
        return {
            "run": run,
            "flags": list(self.flags),
            "passed": self.passed,
            "exact": self.exact,
            "total": self.total,
            "summary": self.summary(),
            "environment": self.environment,
            "checkpoints": [row.as_json() for row in self.checkpoints],
        }


def grade_tensors(instance: Instance, content: bytes) -> Grade:
    """Grade a safetensors file with the gradients under ``dlogits`` or ``logits``.

    Entries such as ``context.dlogits`` say what the student has above, and are not graded.

    :raises BadAnswer: the bytes are not a safetensors file
    :raises UnpinnedNumerics: this process computes with other kernels
    :raises StaleInstance: other kernels froze the instance
    """
    file = read_answers(instance.exercise.checkpoints, content)
    rows = compare_all(instance, file.answers, context=file.context, digest=lambda: sha256(content).digest())
    return Grade(rows, numerics.environment())


def grade_code(instance: Instance, source: str, filename: str, sandbox: Sandbox, limits: Limits | None = None) -> Grade:
    """Run a student's code on an instance in the sandbox, and grade the gradients that it leaves.

    Code that stops early keeps the rows that it reached. Where the numbers of an exercise say so, a hidden instance has
    further ones, and the first row counts that did not pass on one of them.

    :raises SandboxFault: the sandbox failed, not the student's code; try again
    :raises UnpinnedNumerics: this process computes with other kernels
    :raises StaleInstance: other kernels froze the instance
    """
    grade = _graded_run(instance, source, filename, sandbox, limits or Limits())
    for further in _further_instances(instance):
        if grade.run is None or grade.run.status is not RunStatus.OK:
            break
        grade = _joined(grade, _graded_run(further, source, filename, sandbox, limits or Limits()))
    return grade


def _graded_run(instance: Instance, source: str, filename: str, sandbox: Sandbox, limits: Limits) -> Grade:
    job = Job(source, filename, instance.state, slots_of(instance, limits), limits)
    run = _with_shape_hint(instance, sandbox.run(job))
    return Grade(compare_all(instance, run.answers, run.status is not RunStatus.OK), numerics.environment(), run)


def _further_instances(instance: Instance) -> Iterator[Instance]:
    """Yield the further instances on which code is judged that is graded on a hidden one.

    Its bytes decide them, so nobody can foresee them, and a grade can be made again. They are of the kind that is kept
    in memory for a while: those of the pool stay.
    """
    if instance.kind is Kind.HIDDEN:
        for number in range(1, instance.exercise.draws_judged):
            seed = int.from_bytes(sha256(f"{instance.digest}/{number}".encode()).digest()[:8], "little") >> 1
            yield Instance.draw(instance.exercise, seed, Kind.STUDENT)


def _joined(grade: Grade, further: Grade) -> Grade:
    """Return a grade with the rows of a further one where those of the first passed, and the further ones did not."""
    rows = tuple(
        replace(other, notes=(*other.notes, NOT_ON_EACH)) if row.passed and not other.passed else row
        for row, other in zip(grade.checkpoints, further.checkpoints, strict=True)
    )
    assert further.run is not None
    return replace(grade, checkpoints=rows, run=grade.run if further.run.status is RunStatus.OK else further.run)


@cache
def _not_handed_in(name: str, answer: str) -> Comparison:
    """Return the row of a checkpoint without an answer: most rows of a single step. It never changes."""
    return Comparison(name, Verdict.MISSING, notes=(f"{answer} was not handed in",))


def _weigh(rows: Sequence[Comparison]) -> int:
    """Return how many bytes rows take, roughly: an object each, and the texts of those with a mistake."""
    return sum(_ROW_BYTES + len(str(row.diagnosis)) + len(str(row.notes)) for row in rows)


_ROW_BYTES: Final = 400
# A wrong single step costs 20 times a right one. It comes again from a cell that is run again, or as what was checked.
_explained: ByteCache[tuple[str, str, bytes], tuple[Comparison, ...]] = ByteCache(EXPLAINED_BYTES, _weigh)


def divide_room(processes: int) -> None:
    """Give this process its part of what a server keeps, if several of it grade."""
    gradients.divide_room(processes)
    _explained.bound(EXPLAINED_BYTES // processes)


def _with_shape_hint(instance: Instance, run: Run) -> Run:
    """Return a run that stopped because shapes do not fit with what to do about it after its traceback."""
    shapes = {name: list(shape) for name, shape in reference(instance).shapes.items()}
    hint = shape_hint(instance.exercise, shapes, run)
    return run if hint is None else replace(run, message=f"{run.message.rstrip()}\n{hint}")


def compare_all(
    instance: Instance,
    answers: Mapping[str, Answer],
    stopped: bool = False,
    context: Mapping[str, Answer] = MappingProxyType({}),
    digest: Callable[[], bytes] | None = None,
) -> tuple[Comparison, ...]:
    """Return a row for each checkpoint, in the exercise's order, with the origin and the kind of each mistake.

    ``stopped`` says that the code that gave the answers did not run to its end. ``context`` are further gradients of
    the student. They are not graded: their rows are missing, and they say what the student has above the others.

    :param digest: of the answers and the context. With it, equal answers on an instance are explained once.
    :raises UnpinnedNumerics: this process computes with other kernels
    :raises StaleInstance: other kernels froze the instance
    """
    expected = reference(instance)
    known = {**context, **answers}
    only_context = context.keys() - answers.keys()
    rows = []
    for checkpoint in instance.exercise.checkpoints:
        name = checkpoint.name
        answer = known.get(name)
        if answer is None:
            rows.append(_not_handed_in(name, checkpoint.answer))
            continue
        if stopped and answer.misfit == missing(checkpoint.answer).misfit:
            answer = unreached(checkpoint.answer)
        row = compare(name, answer, expected.gradients[name])
        if name in expected.vanishing and row.passed:
            row = replace(row, notes=(*row.notes, VANISHING))
        rows.append(row)
    if digest is None or all(row.passed for row in rows if row.name in known):
        explained = explain(instance, known, rows, stopped, only_context)
    else:
        key = (instance.exercise.slug, instance.digest, digest())  # an instance as a key would be kept, too
        explained = _explained.get(key, lambda: explain(instance, known, rows, stopped, only_context))
    return tuple(
        Comparison(row.name, Verdict.MISSING, notes=(CONTEXT_ONLY.format(row.name),))
        if row.name in only_context
        else row
        for row in explained
    )
