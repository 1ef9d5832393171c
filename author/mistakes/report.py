"""The mistakes of an exercise with what the grader says of each, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from author.derive.key import key_lines
from author.mistakes.grading import Outcome, outcomes
from author.mistakes.key import KeyRun
from author.mistakes.making import mistakes
from author.named import named as exercise_named
from exercises.instance import Instance
from exercises.tape import variables
from grader.reference.gradients import reference


def report(slug: str, per_line: int | None = None, only_missed: bool = False) -> Iterator[str]:
    """Yield a line for each mistake, and the sum of them.

    :raises NoSuchExercise: there is none of this slug
    :raises Refused: the key cannot be derived
    """
    exercise = exercise_named(slug)
    instance = Instance.canonical(exercise)
    run = KeyRun(key_lines(exercise), variables(dict(reference(instance).state)))
    graded = [each for each in outcomes(instance, run, mistakes(instance, run, per_line)) if each.is_mistake]
    for each in graded:
        if not (only_missed and each.is_located and each.is_named):
            yield from _lines(each)
    located, named = sum(each.is_located for each in graded), sum(each.is_named for each in graded)
    share = f" ({named / len(graded):.1%})" if graded else ""
    yield f"{len(graded)} mistakes, {located} found at their step, {named} named{share}"


def _lines(outcome: Outcome) -> Iterator[str]:
    yield str(outcome.mistake)
    expected = " or ".join(sorted(outcome.mistake.codes))
    said = "; ".join(f"{step}: {', '.join(codes)}" for step, codes in outcome.own.items()) or "nothing"
    mark = "named" if outcome.is_named else "not named" if outcome.is_located else "not found"
    yield f"    {mark}: should be {expected}; the grader says {said}"
