"""Prove an exercise: run the checks in their order, and stop where the next ones would mean nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from author.mistakes.grading import Outcome
from author.prove.caught import found_in, tried
from author.prove.findings import Fault, Finding
from author.prove.hints import hints
from author.prove.instances import instances
from author.prove.limits import limits
from author.prove.oracle import slopes
from author.prove.parts import parts
from author.prove.proof import Proof, content_of
from author.prove.right_key import right_key, right_solution
from author.prove.subject import THOROUGH, Bounds, Effort, Subject
from exercises.exercise import Exercise
from grader import numerics

if TYPE_CHECKING:
    from grader.sandbox import Sandbox


def prove(
    exercise: Exercise,
    effort: Effort = THOROUGH,
    sandbox: Sandbox | None = None,
    progress: Callable[[str], None] = lambda text: None,
    bounds: Bounds = Bounds(),  # noqa: B008  frozen
) -> Proof:
    """Return the proof of an exercise, with the faults if there are any.

    :param sandbox: where a solution that a person wrote runs; None leaves it out
    :param progress: called with what is done now
    :raises UnpinnedNumerics: this process computes with other kernels
    """
    subject = Subject(exercise, effort, bounds, sandbox, progress)
    findings = [instances(subject)]
    if findings[-1].is_sound:
        findings.append(limits(subject))
    if findings[-1].is_sound:
        findings.append(parts(subject))
        if not any(fault.fault is Fault.UNSEEN for fault in findings[-1].faults):
            findings += _about_answers(subject)
    return _proof(subject, findings)


def _about_answers(subject: Subject) -> list[Finding]:
    """Return the findings of the checks that need a gradient at each checkpoint."""
    findings = [slopes(subject), right_key(subject)]
    graded: list[Outcome] = []
    if findings[-1].is_sound:
        graded = tried(subject)
        findings.append(found_in(subject, graded))
    return [*findings, right_solution(subject), hints(subject, graded)]


def _proof(subject: Subject, findings: Sequence[Finding]) -> Proof:
    figures = {name: value for each in findings for name, value in each.figures.items()}
    exercise = subject.exercise
    return Proof(
        exercise=exercise.slug,
        revision=exercise.revision,
        content=content_of(exercise) if findings[0].is_sound else "",
        environment=numerics.environment(),
        is_quick=subject.effort != THOROUGH,
        seeds=subject.effort.seeds,
        checkpoints=len(subject.asked),
        exact=int(figures.get("exact", 0)),
        rows=int(figures.get("rows", 0)),
        mistakes=int(figures.get("tried", 0)),
        between=int(figures.get("between", 0)),
        located=int(figures.get("located", 0)),
        named=int(figures.get("named", 0)),
        milliseconds=round(figures.get("ms", 0.0), 1),
        findings=tuple(findings),
    )
