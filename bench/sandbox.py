"""What the sandbox's locks cost: ``python -m bench.sandbox``.

All ways to run the same code take turns, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from grader import numerics

numerics.pin()

from bench.bare import LIBRARY  # noqa: E402
from exercises.instance import Instance  # noqa: E402
from exercises.registry import find  # noqa: E402
from exercises.tape import variables  # noqa: E402
from grader.sandbox import Job, Limits, RunStatus, Sandbox, Slot  # noqa: E402
from grader.sandbox.trusted.processes import ZygoteHandle  # noqa: E402

EXERCISE = find("makemore/full-backward")
INSTANCE = Instance.canonical(EXERCISE)
TENSORS = INSTANCE.tensors()
STATE = variables(TENSORS)
SLOTS = tuple(Slot(checkpoint.name, 16 * 1024) for checkpoint in EXERCISE.checkpoints)
JOB = Job(EXERCISE.solution, "solution.py", INSTANCE.state, SLOTS)
SOLUTION = compile(EXERCISE.solution, "solution.py", "exec")
ALL_LAYERS = "session,descriptors,privileges,rlimits,landlock,attest,seccomp"
ROUNDS = 200
WARM_UP_ROUNDS = 10
PAUSE_SECONDS = 0.03  # children are forked ahead between two submissions
RUN_SECONDS_MAX = 5.0
# The labels of the rows.
IN_PROCESS, SANDBOXED = "in-process", "sandboxed, child waiting"
LOCKED_LIFE, BARE_LIFE = "whole life, all locks", "whole life, bare fork"


def main(rounds: int = ROUNDS) -> None:
    """Measure all ways, and print them with their ratios."""
    with Sandbox() as sandbox:

        def run_sandboxed() -> None:
            assert sandbox.run(JOB).status is RunStatus.OK

        locked, bare = ZygoteHandle.start(), ZygoteHandle.start(f"--without={ALL_LAYERS}")
        before = _processor_ms(locked)
        times = _measure(
            {
                IN_PROCESS: _run_in_process,
                SANDBOXED: run_sandboxed,
                LOCKED_LIFE: _whole_life(locked),
                BARE_LIFE: _whole_life(bare),
            },
            rounds,
        )
        life_ms = (_processor_ms(locked) - before) / locked.fork_count
        locked.close()
        bare.close()
    _show(times, life_ms)


def _show(times: Mapping[str, list[float]], life_ms: float) -> None:
    base = statistics.median(times[IN_PROCESS])
    print(f"{'':26} {'p50 ms':>8} {'p95 ms':>8} {'x in-process':>13}")
    for name, values in times.items():
        p50, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        print(f"{name:26} {p50:8.2f} {p95:8.2f} {p50 / base:13.2f}")
    locks_ms = [locked - bare for locked, bare in zip(times[LOCKED_LIFE], times[BARE_LIFE], strict=True)]
    print(f"the locks cost {statistics.median(locks_ms):.2f} ms over a bare fork (goal 1.00)")
    print(f"a whole life takes {life_ms:.1f} ms of processor time, from fork to end")
    print(f"request to result is {statistics.median(times[SANDBOXED]) / base:.2f}x in-process (goal 2.50)")


def _run_in_process() -> None:
    """Run forward and backward on the tape, then the solution with its double loop, and nothing around it."""
    EXERCISE.played(TENSORS)
    exec(SOLUTION, {**STATE, **LIBRARY})


def _whole_life(zygote: ZygoteHandle) -> Callable[[], None]:
    """Return a function that runs one child from its fork to its end, with nothing done ahead."""

    def run_child() -> None:
        child = zygote.fork(Limits())
        child.wait_until_ready()
        child.send_job(JOB)
        child.wait_for_exit(RUN_SECONDS_MAX)
        child.clean_up()

    return run_child


def _processor_ms(zygote: ZygoteHandle) -> float:
    """Return the milliseconds of processor time that a zygote and all its ended children have used."""
    fields = Path(f"/proc/{zygote.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") * 1000


def _measure(ways: Mapping[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each way, all in turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-WARM_UP_ROUNDS, rounds):
        for name, run in ways.items():
            time.sleep(PAUSE_SECONDS)
            begun = time.perf_counter()
            run()
            if number >= 0:
                times[name].append((time.perf_counter() - begun) * 1000)
    return times


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
