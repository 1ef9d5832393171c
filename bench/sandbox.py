"""What the locks cost: `python -m bench.sandbox`. All ways take turns, so that a busy machine is busy for all."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from grader import numerics

numerics.pin()

import torch  # noqa: E402

from exercises.catalog import find  # noqa: E402
from grader.sandbox import Job, Limits, RunStatus, Sandbox, Slot  # noqa: E402
from grader.sandbox.trusted.processes import ZygoteHandle  # noqa: E402

EXERCISE = find("makemore/full-backward")
INSTANCE = EXERCISE.canonical()
TENSORS = INSTANCE.tensors()
STATE = {
    name: int(value) if value.dim() == 0 and value.dtype is torch.int64 else value for name, value in TENSORS.items()
}
SLOTS = tuple(Slot(checkpoint.name, 16 * 1024) for checkpoint in EXERCISE.checkpoints)
JOB = Job(EXERCISE.solution, "solution.py", INSTANCE.state, SLOTS)
SOLUTION = compile(EXERCISE.solution, "solution.py", "exec")
ALL_LAYERS = "session,descriptors,privileges,rlimits,landlock,attest,seccomp"


def in_process() -> None:
    """Forward and backward with the tape, then the solution with its double loop; nothing around it."""
    EXERCISE.played(TENSORS)
    exec(SOLUTION, {**STATE, "torch": torch, "F": torch.nn.functional})


def whole_life(zygote: ZygoteHandle) -> Callable[[], None]:
    """Run one child from the request for it to its cleanup, with nothing done ahead."""

    def one() -> None:
        child = zygote.fork(Limits())
        child.wait_until_ready()
        child.send_job(JOB)
        child.wait_for_exit(5)
        child.clean_up()

    return one


def processor_ms(zygote: ZygoteHandle) -> float:
    """Milliseconds of processor time that a zygote and all its reaped children have had."""
    fields = Path(f"/proc/{zygote.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") * 1000


def measure(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 10):
        for name, way in ways.items():
            time.sleep(0.03)  # children are made ahead in the time between two submissions
            started = time.perf_counter()
            way()
            if number >= 10:
                taken[name].append((time.perf_counter() - started) * 1000)
    return taken


def main(rounds: int = 200) -> None:
    with Sandbox() as sandbox:

        def sandboxed() -> None:
            assert sandbox.run(JOB).status is RunStatus.OK

        locked, bare = ZygoteHandle.start(), ZygoteHandle.start(f"--without={ALL_LAYERS}")
        before = processor_ms(locked)
        taken = measure(
            {
                "in-process": in_process,
                "sandboxed, child waiting": sandboxed,
                "whole life, all locks": whole_life(locked),
                "whole life, bare fork": whole_life(bare),
            },
            rounds,
        )
        life = (processor_ms(locked) - before) / locked.fork_count
        locked.close()
        bare.close()
    base = statistics.median(taken["in-process"])
    print(f"{'':26} {'p50 ms':>8} {'p95 ms':>8} {'x in-process':>13}")
    for name, values in taken.items():
        p50, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        print(f"{name:26} {p50:8.2f} {p95:8.2f} {p50 / base:13.2f}")
    each = [
        one - other for one, other in zip(taken["whole life, all locks"], taken["whole life, bare fork"], strict=True)
    ]
    print(f"the locks cost {statistics.median(each):.2f} ms over a bare fork (goal 1.00)")
    print(f"a whole life takes {life:.1f} ms of processor time, fork to cleanup")
    ratio = statistics.median(taken["sandboxed, child waiting"]) / base
    print(f"request to result is {ratio:.2f}x in-process (goal 2.50)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
