"""What a child costs, by phase: ``python -m bench.child``.

Processor time and page faults, as the kernel counts them: a busy machine changes the first a little and the second not
at all. Every row takes turns with the others. *in-process* is the solution alone, compiled before, in this process.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader import numerics

numerics.pin()

from bench.bare import LIBRARY  # noqa: E402
from bench.sandbox import JOB, RUN_SECONDS_MAX, SOLUTION, STATE  # noqa: E402
from grader.sandbox import Job, Limits  # noqa: E402
from grader.sandbox.trusted.processes import ZygoteHandle  # noqa: E402

ROUNDS = 60
WARM_UP_ROUNDS = 10
NO_STATE = b"\x02\0\0\0\0\0\0\0{}"  # a safetensors file of no tensors
JOBS = {
    "a right solution": JOB,
    "no code": replace(JOB, source="", slots=()),
    "no code, no state": replace(JOB, source="", slots=(), state=NO_STATE),
}
PHASES = ("locked in", "run", "end", "zygote", "child", "together")
_USER_FAULTS, _STATE = 7, 0  # fields of /proc/PID/stat, after the name


@dataclass(frozen=True)
class Phase:
    """One phase: milliseconds of processor time, and page faults; None where nobody counts."""

    milliseconds: float
    faults: int | None


def main(rounds: int = ROUNDS) -> None:
    """Measure all jobs, with children that rehearse and with children that do not, and print them."""
    zygote = ZygoteHandle.start()
    ways: dict[str, Callable[[], Mapping[str, Phase]]] = {}
    for rehearse in (False, True):
        for name, job in JOBS.items():
            ways[name + ", rehearsed" * rehearse] = lambda job=job, rehearse=rehearse: live(zygote, job, rehearse)  # type: ignore[misc]
    lives: dict[str, list[Mapping[str, Phase]]] = {name: [] for name in ways}
    in_process = []
    for number in range(-WARM_UP_ROUNDS, rounds):
        begun = time.process_time()
        exec(SOLUTION, {**STATE, **LIBRARY})
        took = time.process_time() - begun
        for name, way in ways.items():
            life = way()
            if number >= 0:
                lives[name].append(life)
        if number >= 0:
            in_process.append(took * 1000)
    zygote.close()
    _show(lives, statistics.median(in_process))


def live(zygote: ZygoteHandle, job: Job, rehearse: bool) -> dict[str, Phase]:
    """Run one child from its fork to its end. Return its phases, and what the zygote spends on it."""
    assert zygote.pid is not None
    zygote_before = _counted(zygote.pid)
    child = zygote.fork(Limits(), rehearse=rehearse)
    assert child.wait_until_ready()
    pid = int(Path(f"/proc/{zygote.pid}/task/{zygote.pid}/children").read_text().split()[-1])
    ready = _counted(pid)
    child.send_job(job)
    assert child.wait_for_exit(RUN_SECONDS_MAX).exit_code == 0
    held = _counted(pid)
    child.kill()
    total_ms = child.wait_for_exit(RUN_SECONDS_MAX).cpu_seconds * 1000
    child.clean_up()
    zygote_after = _counted(zygote.pid)
    zygote_ms = zygote_after.milliseconds - zygote_before.milliseconds
    assert ready.faults is not None and held.faults is not None
    assert zygote_before.faults is not None and zygote_after.faults is not None
    zygote_faults = zygote_after.faults - zygote_before.faults
    return {
        "locked in": ready,
        "run": Phase(held.milliseconds - ready.milliseconds, held.faults - ready.faults),
        "end": Phase(total_ms - held.milliseconds, None),
        "zygote": Phase(zygote_ms, zygote_faults),
        "child": Phase(total_ms, held.faults),
        "together": Phase(total_ms + zygote_ms, held.faults + zygote_faults),
    }


def _counted(pid: int) -> Phase:
    """Return what a process has used until now, as soon as it waits for something."""
    while (fields := Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split())[_STATE] == "R":
        time.sleep(0.0002)
    nanoseconds = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    return Phase(nanoseconds / 1e6, int(fields[_USER_FAULTS]))


def _show(lives: Mapping[str, list[Mapping[str, Phase]]], in_process_ms: float) -> None:
    print(f"in-process {in_process_ms:.2f} ms; medians: ms, multiple of in-process, page faults")
    print(f"{'':30}" + "".join(f"{phase:>21}" for phase in PHASES))
    for name, measured in lives.items():
        cells = []
        for phase in PHASES:
            milliseconds = statistics.median(life[phase].milliseconds for life in measured)
            counts = [count for life in measured if (count := life[phase].faults) is not None]
            faults = f"{statistics.median(counts):5.0f}" if counts else f"{'':5}"
            cells.append(f"{milliseconds:8.2f} {milliseconds / in_process_ms:4.2f}x {faults}")
        print(f"{name:30}" + "".join(f"{cell:>21}" for cell in cells))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
