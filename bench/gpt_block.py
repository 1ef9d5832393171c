"""What it costs to grade a whole GPT block: 64 channels, 50 checkpoints, with no mistake and with three.

``python -m bench.gpt_block`` prints medians of one process, each as a multiple of the block's own bare: its forward and
backward pass and its solution in one warm process. The actions take turns, so that other load hits all alike.
What is judged is process time. Bare and ``gpt_grader``, which waits for the sandbox, are times by the clock.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from grader import numerics

numerics.pin()

import exercises  # noqa: E402
from bench.bare import compile_bare  # noqa: E402
from bench.figures import Times  # noqa: E402
from exercises import folder  # noqa: E402
from exercises.exercise import Exercise  # noqa: E402
from exercises.instance import Instance, Kind  # noqa: E402
from grader.answer import Answer  # noqa: E402
from grader.grade import compare_all, grade_code  # noqa: E402
from grader.sandbox import Job, Limits, Sandbox  # noqa: E402
from grader.slots import slots_of  # noqa: E402

FOLDER = Path(exercises.__path__[0]) / "transformer" / "gpt-block"
ROUNDS = 60
WARM_UP_ROUNDS = 5
PAUSE_SECONDS = 0.04  # children are forked ahead between two runs
BARE, GRADER, RIGHT, WRONG, FIRST = "gpt_bare", "gpt_grader", "gpt_right", "gpt_three_mistakes", "gpt_first"
BY_THE_CLOCK = (BARE, GRADER)  # one as the other, since their ratio counts
GOALS = {GRADER: "at most 3 x bare", WRONG: "at most 30 ms"}
MISTAKES = (
    ("-1.0 / n", "-1.0"),
    ("dvar2 * 2.0", "dvar2 * 3.0"),
    ("dqkv = torch.cat((dq, dk, dv)", "dqkv = torch.cat((dk, dq, dv)"),
)
OWN = {"logprobs", "centred2", "qkv"}  # the steps of these mistakes


def main() -> int:
    """Print the figures."""
    show(measure(ROUNDS))
    return 0


def measure(rounds: int) -> dict[str, Times]:
    """Return how long each action took, by the name of its row.

    ``gpt_first`` is the first grade of the three mistakes on an instance, with nothing of it in a cache.
    """
    exercise = folder.load(FOLDER, "transformer")
    hidden = Instance.draw(exercise, 1, Kind.HIDDEN)
    with Sandbox() as sandbox:
        right, wrong = (sandbox.run(_job(hidden, source)).answers for source in (exercise.solution, _wrong(exercise)))
        own = {row.name for row in compare_all(hidden, wrong) if row.origin == "own"}
        assert own == OWN, own
        students = iter([Instance.draw(exercise, seed, Kind.STUDENT) for seed in range(2, rounds + WARM_UP_ROUNDS + 3)])
        answers_of = partial(_answers, sandbox, _wrong(exercise))
        actions: Mapping[str, Callable[[], object]] = {
            BARE: compile_bare(hidden),
            GRADER: lambda: grade_code(hidden, exercise.solution, "solution.py", sandbox),
            RIGHT: lambda: compare_all(hidden, right),
            WRONG: lambda: compare_all(hidden, wrong),
        }
        seconds: dict[str, list[float]] = {name: [] for name in [*actions, FIRST]}
        for number in range(-WARM_UP_ROUNDS, rounds):
            student = next(students)
            first = partial(compare_all, student, answers_of(student))
            turn: dict[str, Callable[[], object]] = {**actions, FIRST: first}
            for name, action in turn.items():
                time.sleep(PAUSE_SECONDS)
                clock = time.perf_counter if name in BY_THE_CLOCK else time.process_time
                begun = clock()
                action()
                if number >= 0:
                    seconds[name].append(clock() - begun)
    return {name: Times.of(each) for name, each in seconds.items()}


def show(times: Mapping[str, Times]) -> None:
    """Print a row for each action."""
    bare_ms = times[BARE].median_ms
    print(f"{'':24s} {'p50 ms':>9s} {'p95 ms':>9s} {'x bare':>9s}")
    for name, each in times.items():
        print(f"{name:24s} {each.median_ms:9.2f} {each.percentile_ms(95):9.2f} {each.median_ms / bare_ms:9.2f}", end="")
        print(f"  goal: {GOALS[name]}" if name in GOALS else "", flush=True)


def as_json(times: Mapping[str, Times]) -> dict[str, dict[str, float | int]]:
    """Return the entries of ``bench/results.json``."""
    return {name: each.as_json(times[BARE].median_ms) for name, each in times.items()}


def _wrong(exercise: Exercise) -> str:
    source = exercise.solution
    for old, new in MISTAKES:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


def _job(instance: Instance, source: str) -> Job:
    return Job(source, "solution.py", instance.state, slots_of(instance, Limits()), Limits())


def _answers(sandbox: Sandbox, source: str, instance: Instance) -> Mapping[str, Answer]:
    return sandbox.run(_job(instance, source)).answers


if __name__ == "__main__":
    sys.exit(main())
