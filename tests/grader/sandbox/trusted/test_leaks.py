"""Two thousand runs leave nothing: no descriptor, no process, no memory in the zygote or in the worker."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.sandbox import RunStatus, Sandbox
from tests.grader.sandbox.conftest import LIMITS, job
from tests.grader.sandbox.traces import Traces, zygote_of

RUNS = 2000
# What ends well, what raises, what prints and what dies: each leaves by another way.
SOURCES = (
    "dx = x * 2\nprint(dx)",
    "dx = x * 2\nraise ValueError('x' * 1000)",
    "open('/')",
    "import ctypes\nctypes.string_at(0)",
    "print('y' * 100_000)",
    "hoard = torch.zeros(10**9)",
    "import os\nos._exit(3)",
    "dw = [torch.ones(100, 100) for _ in range(20)]",
)


def _memory(process: int | str) -> int:
    """Private bytes of a process, its page tables among them."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":" in line
    )
    return sum(int(fields[name].split()[0]) for name in ("RssAnon", "VmPTE")) * 1024


def test_nothing_grows() -> None:
    jobs = [job(source) for source in SOURCES]
    with Sandbox(children=2, limits=LIMITS, most_runs=10**9) as sandbox:

        def go(count: int) -> list[RunStatus]:
            with ThreadPoolExecutor(2) as pool:
                return list(pool.map(lambda i: sandbox.run(jobs[i % len(jobs)]).status, range(count)))

        go(200)
        gc.collect()
        before = Traces.settled(sandbox)
        zygote, worker = _memory(zygote_of(sandbox)), _memory("self")
        statuses = go(RUNS)
        gc.collect()
        Traces.settled(sandbox, like=before)
        assert len(set(statuses)) == 6 and len(statuses) == RUNS
        assert _memory(zygote_of(sandbox)) - zygote < 2 * 2**20
        assert _memory("self") - worker < 8 * 2**20
