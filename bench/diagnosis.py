"""What it costs to grade an answer that is right, that has one mistake, or that is wholly wrong.

``python -m bench.diagnosis`` prints times of one process, and each as a multiple of the bare grade of a right answer.
The cases take turns, so that other load hits all alike. The goal is a wholly wrong answer for at most four times the
price of a right one, with the student's code and the sandbox included. A file of tensors is not run, so its ratio is
that of reading and judging alone, and far from the goal.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from grader import numerics

numerics.pin()

from safetensors.torch import save  # noqa: E402
from torch import Tensor  # noqa: E402

from exercises.exercise import Exercise  # noqa: E402
from exercises.instance import Instance, Kind  # noqa: E402
from exercises.registry import find  # noqa: E402
from grader.answer import Answer  # noqa: E402
from grader.grade import compare_all, grade_tensors  # noqa: E402
from grader.sandbox import Job, Limits, Sandbox, Slot  # noqa: E402

FULL = "makemore/full-backward"
LAST = {"makemore/batch-norm": "dhprebn", "makemore/cross-entropy": "dlogits"}  # of the other exercises
ROUNDS = 60
ROUNDS_ALONE = 10
SEEDS = range(1, 13)  # of the instances that are graded for the first time
RIGHT = "right"
# By the label of the row: parts of the solution, and what they become.
REPLACEMENTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "right, in another order of the operations": [("(1.0 - h**2) * dh", "dh - h * (h * dh)")],
    "one mistake at the top, 25 rows inherit it": [("-1.0 / n", "-1.0")],
    "one mistake in the middle": [("* bnvar_inv + 2", "* bnvar_inv + 3")],
    "one mistake at the bottom": [("dembcat = dhprebn @ W1.T", "dembcat = dhprebn @ W1.T * 2")],
    "three mistakes": [
        ("-1.0 / n", "-1.0"),
        ("* bnvar_inv + 2", "* bnvar_inv + 3"),
        ("dembcat = dhprebn @ W1.T", "dembcat = dhprebn @ W1.T * 2"),
    ],
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


@dataclass(frozen=True)
class Case:
    """Code that is graded on instances of one exercise."""

    exercise: Exercise
    source: str

    def job(self, instance: Instance) -> Job:
        """Return the run of the code on an instance."""
        slots = tuple(Slot(each.name, 2**15) for each in self.exercise.checkpoints)
        return Job(self.source, "solution.py", instance.state, slots, Limits())


def main() -> int:
    """Print the cost of running code, of judging its answers, and of both together as a ratio."""
    cases = _cases()
    instances = {each.exercise.slug: Instance.canonical(each.exercise) for each in cases.values()}
    with Sandbox() as sandbox:
        answers = {label: sandbox.run(case.job(instances[case.exercise.slug])).answers for label, case in cases.items()}
        run_ms = _first_decile([_run_ms(sandbox, cases[RIGHT].job(instances[FULL])) for _ in range(ROUNDS)])
        cold = {label: _cold_ms(sandbox, case) for label, case in cases.items() if case.exercise.slug == FULL}
    warm = _times(
        [partial(compare_all, instances[case.exercise.slug], answers[label]) for label, case in cases.items()]
    )
    _show_judging(run_ms, {label: _first_decile(times) for label, times in zip(cases, warm, strict=True)}, cold)
    of_full = {label: answers[label] for label in cold}
    _show_files(instances[FULL], of_full)
    _show_alone(instances[FULL], answers[RIGHT])
    return 0


def _cases() -> dict[str, Case]:
    """Return what is compared, by the label of its row."""
    exercise = find(FULL)
    cases = {RIGHT: Case(exercise, exercise.solution)}
    for label, replacements in REPLACEMENTS.items():
        source = exercise.solution
        for old, new in replacements:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        cases[label] = Case(exercise, source)
    cases["wholly wrong: random numbers everywhere"] = Case(exercise, exercise.solution + NOISE)
    for slug, last in LAST.items():
        other = find(slug)
        cases[f"{slug}: right"] = Case(other, other.solution)
        cases[f"{slug}: one mistake"] = Case(other, f"{other.solution}\n{last} = {last} * 2\n")
        cases[f"{slug}: random numbers"] = Case(other, other.solution + NOISE)
    return cases


def _cold_ms(sandbox: Sandbox, case: Case) -> float:
    """Return the cost of the first grade on an instance, the median over several."""
    spent = []
    for seed in SEEDS:
        instance = Instance.draw(case.exercise, seed, Kind.STUDENT)
        answers = sandbox.run(case.job(instance)).answers
        spent.append(_ms(partial(compare_all, instance, answers)))
    return statistics.median(spent)


def _show_judging(run_ms: float, warm: Mapping[str, float], cold: Mapping[str, float]) -> None:
    right_ms = warm[RIGHT]
    print(
        f"running a right solution in the sandbox: {run_ms:.2f} ms by the clock; judging its answers, in process time:"
    )
    print(f"  {'':45s} {'again':>9s} {'x right':>8s} {'with run':>9s} {'first':>9s}")
    for label, spent in warm.items():
        first = f"{cold[label]:6.2f} ms" if label in cold else ""
        with_run = f"{(run_ms + spent) / (run_ms + right_ms):7.2f} x" if label in cold else ""
        print(f"  {label:45s} {spent:6.2f} ms {spent / right_ms:6.1f} x {with_run:>9s} {first:>9s}")


def _show_files(instance: Instance, answers: Mapping[str, Answers]) -> None:
    times = _times([_grading(instance, _tensors(each), ROUNDS) for each in answers.values()])
    grading = {label: _first_decile(each) for label, each in zip(answers, times, strict=True)}
    print("the same answers as a file of tensors, read, compared and diagnosed:")
    for label, spent in grading.items():
        print(f"  {label:45s} {spent:6.2f} ms {spent / grading[RIGHT]:6.1f} x")


def _show_alone(instance: Instance, right: Answers) -> None:
    gradients = _tensors(right)
    context = {"context." + name: gradient.clone() for name, gradient in gradients.items()}
    for title, around in (("one step alone", {}), ("one step with the others as context", context)):
        print(f"{title}, as a file of tensors, the dearest of all:")
        for label, change in CHANGES_ALONE.items():
            alone = [around | {name: change(gradient)} for name, gradient in gradients.items()]
            times = _times([_grading(instance, each, ROUNDS_ALONE) for each in alone], ROUNDS_ALONE)
            spent, name = max((_first_decile(each), name) for name, each in zip(gradients, times, strict=True))
            print(f"  {label:45s} {spent:6.2f} ms ({name})")


def _tensors(answers: Answers) -> dict[str, Tensor]:
    return {name: each.tensor for name, each in answers.items() if each.tensor is not None}


def _grading(instance: Instance, tensors: Mapping[str, Tensor], rounds: int) -> Callable[[], object]:
    """Return what grades a file in each round. No two files are equal: equal ones are explained once."""
    files = iter([save(dict(tensors), {"round": str(number)}) for number in range(rounds + 1)])
    return lambda: grade_tensors(instance, next(files))


def _run_ms(sandbox: Sandbox, job: Job) -> float:
    """Return the milliseconds of a run by the clock: another process does it."""
    begun = time.perf_counter()
    sandbox.run(job)
    return 1e3 * (time.perf_counter() - begun)


def _times(calls: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[list[float]]:
    """Return the milliseconds of each call in each round but the first. The calls take turns."""
    times = [[_ms(call) for call in calls] for _ in range(rounds + 1)]
    return [list(each) for each in zip(*times[1:], strict=True)]


def _ms(call: Callable[[], object]) -> float:
    """Return the process time of a call in milliseconds, which other processes hardly change."""
    begun = time.process_time()
    call()
    return 1e3 * (time.process_time() - begun)


def _first_decile(times: Sequence[float]) -> float:
    """Return the first decile: the cost while nothing else disturbs the caches of the machine."""
    return statistics.quantiles(times, n=10)[0]


if __name__ == "__main__":
    sys.exit(main())
