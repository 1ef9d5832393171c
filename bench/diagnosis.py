"""What an answer costs to grade: right, with one mistake, and wholly wrong, each with its diagnosis.

``python -m bench.diagnosis`` prints times and ratios of one run. The goal is a wholly wrong answer for at most
four times the price of a right one, the student's code and the sandbox included.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from grader import numerics

if TYPE_CHECKING:
    from exercises.instance import Instance
    from grader.sandbox import Sandbox

ROUNDS = 60
WRONG = {
    "one mistake at the top, 25 rows inherit it": ("-1.0 / n", "-1.0"),
    "one mistake in the middle": ("* bnvar_inv + 2", "* bnvar_inv + 3"),
}
# Every answer is random numbers: 26 mistakes of the kind that no hypothesis explains.
NOISE = "\nfor _name in [_n for _n in dir() if _n[:1] == 'd' and torch.is_tensor(globals()[_n])]:\n"
NOISE += "    globals()[_name] = torch.randn(globals()[_name].shape)\n"


def main() -> int:
    """Print two tables: code in the sandbox, and files of tensors."""
    numerics.pin()
    from exercises.catalog import find
    from grader.grade import grade_code, grade_tensors
    from grader.sandbox import Sandbox

    exercise = find("makemore/full-backward")
    instance = exercise.canonical()
    sources = {"right": exercise.solution}
    for label, (old, new) in WRONG.items():
        assert exercise.solution.count(old) == 1, old
        sources[label] = exercise.solution.replace(old, new)
    sources["wholly wrong: random numbers everywhere"] = exercise.solution + NOISE
    with Sandbox() as sandbox:
        print("code, in the sandbox")
        _table({key: partial(grade_code, instance, code, "solution.py", sandbox) for key, code in sources.items()})
        files = {key: _answers(instance, code, sandbox) for key, code in sources.items()}
    print("tensors, without the sandbox")
    _table({key: partial(grade_tensors, instance, content) for key, content in files.items()})
    return 0


def _answers(instance: Instance, source: str, sandbox: Sandbox) -> bytes:
    import safetensors.torch

    from grader.sandbox import Job, Limits, Slot

    slots = tuple(Slot(each.name, 2**15) for each in instance.exercise.checkpoints)
    run = sandbox.run(Job(source, "solution.py", instance.state, slots, Limits()))
    found = {"d" + name: answer.tensor for name, answer in run.answers.items() if answer.tensor is not None}
    return safetensors.torch.save(found)


def _table(calls: dict[str, Callable[[], object]]) -> None:
    times: dict[str, list[float]] = {label: [] for label in calls}
    for _ in range(ROUNDS):  # taken in turns, so that a busy moment of the machine hits all alike
        for label, call in calls.items():
            start = time.perf_counter()
            call()
            times[label].append(time.perf_counter() - start)
    medians = {label: statistics.median(each[1:]) for label, each in times.items()}
    for label, seconds in medians.items():
        print(f"  {label:45s} {seconds * 1e3:7.2f} ms  {seconds / medians['right']:5.2f} x")


if __name__ == "__main__":
    sys.exit(main())
