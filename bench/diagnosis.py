"""What it costs to grade an answer that is right, that has one mistake, or that is wholly wrong.

``python -m bench.diagnosis`` prints times and ratios of one run. The goal is a wholly wrong answer for at most four
times the price of a right one, with the student's code and the sandbox included. A file of tensors is not run, so its
ratio is that of reading and judging alone, and far from the goal.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

from grader import numerics

numerics.pin()

from safetensors.torch import load, save  # noqa: E402
from torch import Tensor  # noqa: E402

from exercises.instance import Instance  # noqa: E402
from exercises.registry import find  # noqa: E402
from grader.answer import Answer  # noqa: E402
from grader.grade import compare_all, grade_tensors  # noqa: E402
from grader.sandbox import Job, Limits, Sandbox, Slot  # noqa: E402

EXERCISE = find("makemore/full-backward")
SLOTS = tuple(Slot(each.name, 2**15) for each in EXERCISE.checkpoints)
ROUNDS = 100
ROUNDS_ALONE = 20
REPLACEMENTS = {  # by the label of the row: a part of the solution, and what it becomes
    "right, in another order of the operations": ("(1.0 - h**2) * dh", "dh - h * (h * dh)"),
    "one mistake at the top, 25 rows inherit it": ("-1.0 / n", "-1.0"),
    "one mistake in the middle": ("* bnvar_inv + 2", "* bnvar_inv + 3"),
}
# Every answer becomes random numbers: 26 mistakes of the kind that no hypothesis explains.
NOISE = "\nfor _name in [_n for _n in dir() if _n[:1] == 'd' and torch.is_tensor(globals()[_n])]:\n"
NOISE += "    globals()[_name] = torch.randn(globals()[_name].shape)\n"
CHANGES_ALONE: dict[str, Callable[[Tensor], Tensor]] = {  # of a right gradient that is handed in alone
    "right": lambda gradient: gradient,
    "its sign turned": lambda gradient: -gradient,
    "random numbers": lambda gradient: gradient.clone().normal_(),
}

Answers = Mapping[str, Answer]  # by the name of the checkpoint


def main() -> int:
    """Print the cost of running code, of judging its answers, and of both together as a ratio."""
    instance = Instance.canonical(EXERCISE)
    with Sandbox() as sandbox:
        jobs = {
            label: Job(source, "solution.py", instance.state, SLOTS, Limits()) for label, source in _sources().items()
        }
        answers = {label: sandbox.run(job).answers for label, job in jobs.items()}
        run_ms = _first_decile_ms(partial(sandbox.run, jobs["right"]))
    _show_judging(instance, answers, run_ms)
    _show_files(instance, answers)
    _show_alone(instance, answers["right"])
    return 0


def _sources() -> dict[str, str]:
    """Return the solutions that are compared, by the label of their row."""
    sources = {"right": EXERCISE.solution}
    for label, (old, new) in REPLACEMENTS.items():
        assert EXERCISE.solution.count(old) == 1, old
        sources[label] = EXERCISE.solution.replace(old, new)
    sources["wholly wrong: random numbers everywhere"] = EXERCISE.solution + NOISE
    return sources


def _show_judging(instance: Instance, answers: Mapping[str, Answers], run_ms: float) -> None:
    judging = {label: _first_decile_ms(partial(compare_all, instance, each)) for label, each in answers.items()}
    right_ms = run_ms + judging["right"]
    print(f"running a right solution in the sandbox: {run_ms:.2f} ms; judging and diagnosing its answers:")
    for label, spent in judging.items():
        print(f"  {label:45s} {spent:6.2f} ms, with the run {(run_ms + spent) / right_ms:5.2f} x")


def _show_files(instance: Instance, answers: Mapping[str, Answers]) -> None:
    files = {label: _save(each) for label, each in answers.items()}
    grading = {label: _first_decile_ms(partial(grade_tensors, instance, file)) for label, file in files.items()}
    print("the same answers as a file of tensors, read, compared and diagnosed:")
    for label, spent in grading.items():
        print(f"  {label:45s} {spent:6.2f} ms, {spent / grading['right']:5.2f} x")


def _show_alone(instance: Instance, right: Answers) -> None:
    gradients = load(_save(right))
    print("one step with the others as context, as a file of tensors, the dearest of all:")
    context = {"context." + name: gradient.clone() for name, gradient in gradients.items()}
    for label, change in CHANGES_ALONE.items():
        alone = {
            name: _first_decile_ms(
                partial(grade_tensors, instance, save(context | {name: change(gradient)})), ROUNDS_ALONE
            )
            for name, gradient in gradients.items()
        }
        dearest = max(alone, key=alone.__getitem__)
        print(f"  {label:45s} {alone[dearest]:6.2f} ms ({dearest})")


def _save(answers: Answers) -> bytes:
    return save({name: each.tensor for name, each in answers.items() if each.tensor is not None})


def _first_decile_ms(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the first decile in milliseconds: the cost while nothing else runs, on a machine where something does."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.quantiles(times[1:], n=10)[0]


if __name__ == "__main__":
    sys.exit(main())
