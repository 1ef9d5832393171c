"""What the grader says of mistakes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from author.mistakes.key import KeyRun, compiled, gradients
from author.mistakes.making import Mistake
from exercises.instance import Instance
from grader.answer import normalise
from grader.compare import Comparison, Origin
from grader.diagnosis.codes import Code
from grader.grade import compare_all


@dataclass(frozen=True)
class Outcome:
    """What the grader says of a mistake.

    ``own`` maps the steps to which it gives a mistake to the kinds it names. ``messages`` are its sentences at the
    mistake's step. ``is_mistake`` is false if the answer passes: rounding is all that it changes. ``seconds`` is what
    the grade took.
    """

    mistake: Mistake
    own: Mapping[str, tuple[str, ...]]
    messages: tuple[str, ...]
    is_mistake: bool
    seconds: float

    @property
    def is_located(self) -> bool:
        """Whether the mistake is found at its step, and nowhere else."""
        return set(self.own) == {self.mistake.step}

    @property
    def is_named(self) -> bool:
        """Whether a kind that is right is named at its step."""
        return bool(self.mistake.codes & set(map(Code, self.own.get(self.mistake.step, ()))))

    @property
    def is_asked(self) -> bool:
        """Whether the mistake is in a line that is asked for, and not in one between."""
        return self.mistake.is_asked

    @property
    def is_unknown(self) -> bool:
        """Whether the grader says that it does not know the kind."""
        return self.own.get(self.mistake.step) == (Code.UNKNOWN,)


def outcomes(
    instance: Instance, run: KeyRun, made: Sequence[Mistake], progress: Callable[[int], None] = lambda done: None
) -> list[Outcome]:
    """Grade answers with one mistake each, on one instance and with one reference.

    :param progress: called with the number of those that are done
    """
    found = []
    for number, mistake in enumerate(made, start=1):
        found.append(_outcome(instance, run, mistake))
        progress(number)
    return found


def _outcome(instance: Instance, run: KeyRun, mistake: Mistake) -> Outcome:
    names = [checkpoint.name for checkpoint in instance.exercise.checkpoints]
    answers = _answers(run, mistake, names)
    begun = time.perf_counter()
    rows = compare_all(instance, {name: normalise(value) for name, value in answers.items()})
    seconds = time.perf_counter() - begun
    own = {row.name: tuple(each.code for each in row.diagnosis) for row in rows if row.origin is Origin.OWN}
    row = next(row for row in rows if row.name == mistake.step)
    return Outcome(mistake, own, tuple(each.message for each in row.diagnosis), not _all_pass(rows), seconds)


def _answers(run: KeyRun, mistake: Mistake, names: Sequence[str]) -> dict[str, Tensor]:
    """Return the gradients of a key with a mistake.

    Those below a gradient of another shape are left out, as in a notebook that compared it at once: what the lines
    below make of it, if they run at all, is their own affair.
    """
    answer, code = run.lines[mistake.number].answer, compiled(mistake.written)
    value = run.value(mistake.number, code)
    if value.shape == run.made[answer].shape:
        try:
            return gradients(run.with_code(mistake.number, code), names)
        except Exception:  # a line below refuses a value, such as an index; graded is what was reached
            pass
    return gradients({**run.before(mistake.number), answer: value}, names)


def _all_pass(rows: Sequence[Comparison]) -> bool:
    return all(row.passed or row.maxdiff is None for row in rows)
