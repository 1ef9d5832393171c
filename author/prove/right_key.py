"""Whether the answer key is right: the derived one in this process, a person's solution in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from author.prove.findings import Fault, FaultAt, Finding, finding
from author.prove.subject import Subject
from grader.answer import normalise
from grader.grade import compare_all, grade_code
from grader.sandbox import RunStatus

CHECK, SOLUTION_CHECK = "key", "solution"


def right_key(subject: Subject) -> Finding:
    """Check that the derived key passes every checkpoint on every seed, and count the exact ones."""
    faults: list[FaultAt] = []
    exact = rows = 0
    for seed in range(subject.effort.seeds):
        subject.progress(f"runs the key on seed {seed}")
        try:
            answers = subject.key(seed).answers(subject.asked)
        except Exception as error:  # the rules emitted a line that does not run: named like any other fault
            return finding(CHECK, [FaultAt(Fault.NO_KEY, "the loss", {"reason": _first_line(error)})], exact=0, rows=0)
        missing = [name for name in subject.asked if name not in answers]
        if missing:
            reason = "no line sets it"
            return finding(CHECK, [FaultAt(Fault.NO_KEY, missing[0], {"reason": reason})], exact=0, rows=0)
        exact += _exact(answers, subject.reference(seed).gradients, subject.asked)
        rows += len(subject.asked)
        graded = compare_all(subject.instance(seed), {name: normalise(value) for name, value in answers.items()})
        faults += [FaultAt(Fault.KEY_WRONG, row.name, {"seed": seed}) for row in graded if not row.passed]
    return finding(CHECK, faults, exact=exact, rows=rows)


def right_solution(subject: Subject) -> Finding:
    """Check that the solution that a person wrote passes every checkpoint on every seed, in the sandbox."""
    return finding(SOLUTION_CHECK, _faults_of_solution(subject))


def _faults_of_solution(subject: Subject) -> Iterator[FaultAt]:
    source = subject.exercise.solution
    if not source.strip() or subject.sandbox is None:
        return
    for seed in range(subject.effort.seeds):
        subject.progress(f"runs solution.py on seed {seed}")
        grade = grade_code(subject.instance(seed), source, "solution.py", subject.sandbox, subject.bounds.limits)
        assert grade.run is not None
        if grade.run.status is not RunStatus.OK:
            lines = grade.run.message.strip().splitlines() or [grade.run.status.value]
            yield FaultAt(Fault.SOLUTION_STOPS, "", {"reason": f"{grade.run.status.value}, {lines[-1]}".rstrip(".")})
            return
        for row in grade.checkpoints:
            if not row.passed:
                yield FaultAt(Fault.SOLUTION_WRONG, row.name, {"seed": seed})


def _exact(answers: Mapping[str, Tensor], expected: Mapping[str, Tensor], names: tuple[str, ...]) -> int:
    return sum(bool(torch.all(answers[name] == expected[name])) for name in names if name in expected)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
