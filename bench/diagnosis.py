"""What an answer costs to grade: right, with one mistake, and wholly wrong, each with its diagnosis.

``python -m bench.diagnosis`` prints times and ratios of one run. The goal is a wholly wrong answer for at most
four times the price of a right one, the student's code and the sandbox included.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from grader import numerics

ROUNDS = 60
WRONG = {
    "one mistake at the top, 25 rows inherit it": ("-1.0 / n", "-1.0"),
    "one mistake in the middle": ("* bnvar_inv + 2", "* bnvar_inv + 3"),
}
# Every answer is random numbers: 26 mistakes of the kind that no hypothesis explains.
NOISE = "\nfor _name in [_n for _n in dir() if _n[:1] == 'd' and torch.is_tensor(globals()[_n])]:\n"
NOISE += "    globals()[_name] = torch.randn(globals()[_name].shape)\n"


def main() -> int:
    numerics.pin()
    import safetensors.torch

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
        _table(
            {
                label: lambda source=source: grade_code(instance, source, "solution.py", sandbox)
                for label, source in sources.items()
            }
        )
        files = {
            label: safetensors.torch.save(_answers(instance, source, sandbox)) for label, source in sources.items()
        }
    print("tensors, without the sandbox")
    _table({label: lambda content=content: grade_tensors(instance, content) for label, content in files.items()})
    return 0


def _answers(instance, source, sandbox):  # type: ignore[no-untyped-def]
    from grader.sandbox import Job, Limits, Slot

    slots = tuple(Slot(each.name, 2**15) for each in instance.exercise.checkpoints)
    run = sandbox.run(Job(source, "solution.py", instance.state, slots, Limits()))
    return {"d" + name: answer.tensor for name, answer in run.answers.items()}


def _table(calls: dict[str, Callable[[], object]]) -> None:
    medians = {label: _median(call) for label, call in calls.items()}
    right = medians["right"]
    for label, seconds in medians.items():
        print(f"  {label:45s} {seconds * 1e3:7.2f} ms  {seconds / right:5.2f} x")


def _median(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
