"""What an answer costs to grade: right, with one mistake, and wholly wrong, each with its diagnosis.

``python -m bench.diagnosis`` prints times and ratios of one run. The goal is a wholly wrong answer for at most
four times the price of a right one, the student's code and the sandbox included. A file of tensors is not run, so
that there the ratio is that of reading and judging alone, and far from the goal.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from grader import numerics

ROUNDS = 100
ROUNDS_ALONE = 20
WRONG = {
    "one mistake at the top, 25 rows inherit it": ("-1.0 / n", "-1.0"),
    "one mistake in the middle": ("* bnvar_inv + 2", "* bnvar_inv + 3"),
}
# Every answer is random numbers: 26 mistakes of the kind that no hypothesis explains.
NOISE = "\nfor _name in [_n for _n in dir() if _n[:1] == 'd' and torch.is_tensor(globals()[_n])]:\n"
NOISE += "    globals()[_name] = torch.randn(globals()[_name].shape)\n"
# What is done to a right gradient that is handed in alone.
ALONE: dict[str, Callable[[Any], Any]] = {
    "right": lambda gradient: gradient,
    "its sign turned": lambda gradient: -gradient,
    "random numbers": lambda gradient: gradient.clone().normal_(),
}


def main() -> int:
    """Print what running the code costs, what judging its answers does, and both together as a ratio."""
    numerics.pin()
    from safetensors.torch import load, save

    from exercises.instance import Instance
    from exercises.registry import find
    from grader.grade import compare_all, grade_tensors
    from grader.sandbox import Job, Limits, Sandbox, Slot

    exercise = find("makemore/full-backward")
    instance = Instance.canonical(exercise)
    sources = {"right": exercise.solution}
    for label, (old, new) in WRONG.items():
        assert exercise.solution.count(old) == 1, old
        sources[label] = exercise.solution.replace(old, new)
    sources["wholly wrong: random numbers everywhere"] = exercise.solution + NOISE
    slots = tuple(Slot(each.name, 2**15) for each in exercise.checkpoints)
    jobs = {label: Job(source, "solution.py", instance.state, slots, Limits()) for label, source in sources.items()}
    with Sandbox() as sandbox:
        answers = {label: sandbox.run(job).answers for label, job in jobs.items()}
        running = _quick(partial(sandbox.run, jobs["right"]))
    judging = {label: _quick(partial(compare_all, instance, each)) for label, each in answers.items()}
    right = running + judging["right"]
    print(f"running a right solution in the sandbox: {running:.2f} ms; judging and diagnosing its answers:")
    for label, spent in judging.items():
        print(f"  {label:45s} {spent:6.2f} ms, with the run {(running + spent) / right:5.2f} x")
    files = {
        label: save({name: each.tensor for name, each in found.items() if each.tensor is not None})
        for label, found in answers.items()
    }
    grading = {label: _quick(partial(grade_tensors, instance, content)) for label, content in files.items()}
    print("the same answers as a file of tensors, read, compared and diagnosed:")
    for label, spent in grading.items():
        print(f"  {label:45s} {spent:6.2f} ms, {spent / grading['right']:5.2f} x")
    right_ones = load(files["right"])
    print("one step alone, as a file of tensors, the dearest of all:")
    for label, changed in ALONE.items():
        alone = {
            name: _quick(partial(grade_tensors, instance, save({name: changed(gradient)})), ROUNDS_ALONE)
            for name, gradient in right_ones.items()
        }
        dearest = max(alone, key=alone.__getitem__)
        print(f"  {label:45s} {alone[dearest]:6.2f} ms ({dearest})")
    return 0


def _quick(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds, the first decile: what it costs when nothing else runs, on a machine where something does."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.quantiles(times[1:], n=10)[0]


if __name__ == "__main__":
    sys.exit(main())
