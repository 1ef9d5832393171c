"""``make load``: the deadline load on both engines.

Everybody hands in every step and some whole solutions. In the middle of it, old submissions are graded again. What is
acknowledged must be graded in the end: what is not is lost, and then the exit code is 1.

The server, the workers, PostgreSQL and all students share this machine, and nothing leaves it. Each engine has five
times the length of the load at most. Writes ``bench/load.json``.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader import numerics

numerics.pin()

from bench import memory  # noqa: E402
from bench.load import cpu  # noqa: E402
from bench.load.deadline_load import DeadlineLoad, bare_ms, prepare  # noqa: E402
from bench.load.regrade import Regrade  # noqa: E402
from bench.load.student import LoadStudent  # noqa: E402
from bench.load.tally import PERCENTS, Tally, percentiles  # noqa: E402
from bench.machine import machine  # noqa: E402
from bench.test_server import BenchServer, run_server  # noqa: E402
from tests.support import postgres  # noqa: E402

RESULTS = Path(__file__).parents[1] / "load.json"
ENGINES = ["embedded_sqlite", "procrastinate_postgresql"]
PER_MINUTE = 60  # the default of a server
TIMEOUT_LENGTHS = 5  # of the load
REPORT_SECONDS = 5.0
ROW_LABELS = {"tensors": "tensors → graded", "code": "code → graded", "late": "handed in late"}


def main(arguments: list[str] | None = None) -> int:
    """Run the load on both engines; return 1 if something was lost, graded wrongly, or not done in time."""
    defaults = DeadlineLoad()
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="The deadline load on both engines.")
    parser.add_argument("--students", type=int, default=defaults.students)
    parser.add_argument("--seconds", type=float, default=defaults.seconds)
    parser.add_argument("--old", type=int, default=defaults.old, help="submissions that are graded again")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="this one alone, or these")
    parser.add_argument("--processes", type=int, help="processes of the server; by default as many as it takes itself")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and workers are stopped, too
    chosen = vars(parser.parse_args(arguments))
    names, processes = chosen.pop("engine") or ENGINES, chosen.pop("processes")
    load = DeadlineLoad(**chosen)
    engines = {
        "embedded_sqlite": run_server(children=2, students=load.students, per_minute=PER_MINUTE, processes=processes),
        "procrastinate_postgresql": _server_with_workers(load.students, processes),
    }
    outcomes = {}
    for name, running in engines.items():
        if name not in names:
            continue
        _say(f"{name}: {load.students} students pull their numbers, {load.old} old submissions are written")
        with running as server:
            outcomes[name] = measure(server, load)
        _show(outcomes[name])
    results = {"deadline_load": asdict(load), "bare_ms": bare_ms(), "engines": outcomes, "machine": machine()}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    _say(f"written to bench/{RESULTS.name}")
    return 0 if all(each["well"] for each in outcomes.values()) else 1


@contextmanager
def _server_with_workers(students: int, processes: int | None) -> Iterator[BenchServer]:
    """Run two workers of one child each, on a PostgreSQL that waits for the disk."""
    with (
        postgres.server(durable=True) as address,
        postgres.database(address) as url,
        run_server(
            children=1, students=students, url=url, workers=2, per_minute=PER_MINUTE, processes=processes
        ) as server,
    ):
        yield server


def measure(server: BenchServer, load: DeadlineLoad) -> dict[str, Any]:
    """Run the load on one engine; return its entry of ``bench/load.json``."""
    answers = prepare(server, load.old)
    before = cpu.seconds_by_name(server.pid)
    tally, regrade = Tally(), Regrade(server.client(server.instructor), load.old)
    _say(f"{load.action_count} are handed in within {load.seconds:g} s, if this machine can do so")
    begin = time.monotonic()
    deadline = begin + TIMEOUT_LENGTHS * load.seconds
    students = [
        LoadStudent(server.client(token), f"student-{number}", files, tally, deadline)
        for number, (token, files) in enumerate(zip(server.students, answers, strict=True))
    ]
    threads = [
        threading.Thread(target=student.run, args=(begin, load.plan(number)), daemon=True)
        for number, student in enumerate(students)
    ]
    threads.append(threading.Thread(target=regrade.run, args=(begin, load.seconds / 2, deadline), daemon=True))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(REPORT_SECONDS)
        _report(time.monotonic() - begin, load, tally, regrade)
    for student in students:
        student.count_lost()
    memories = memory.of_server(server.pid)
    used = {name: after - before.get(name, 0.0) for name, after in cpu.seconds_by_name(server.pid).items()}
    return as_json(load, tally, regrade, tally.ended - begin) | {
        "cpu_seconds": {name: round(seconds, 1) for name, seconds in used.items()},
        "memory_mib": round(memory.together(memories), 1),
        "memories": [each.as_json() for each in memories],
    }


def as_json(load: DeadlineLoad, tally: Tally, regrade: Regrade, seconds: float) -> dict[str, Any]:
    """Return the entry of an engine in ``bench/load.json``. ``seconds`` are until the last grade."""
    return {
        "handed_in": len(tally.late),
        "acknowledged": tally.acknowledged,
        "graded": tally.graded,
        "lost": tally.lost,
        "wrong": tally.wrong + regrade.changed,
        "statuses": dict(tally.statuses),
        "tensors": percentiles(tally.times["tensors"]),
        "code": percentiles(tally.times["code"]),
        "late": percentiles(tally.late),
        "seconds": round(seconds, 1),
        "regrade": {"done": regrade.done, "seconds": regrade.seconds and round(regrade.seconds, 1)},
        "well": tally.lost == tally.wrong == regrade.changed == 0
        and tally.graded == load.action_count
        and regrade.done == load.old,
    }


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


def _report(seconds: float, load: DeadlineLoad, tally: Tally, regrade: Regrade) -> None:
    late = tally.late[-1] if tally.late else 0.0
    print(
        f"{seconds:5.0f} s: {len(tally.late)} of {load.action_count} handed in, the last one {late:.1f} s late; "
        f"{tally.graded} graded; regrade {regrade.done} of {load.old}",
        flush=True,
    )


def _show(outcome: dict[str, Any]) -> None:
    print(f"{'':24s} {'p50 ms':>9s} {'p95 ms':>9s} {'p99 ms':>9s} {'n':>6s}")
    for name, label in ROW_LABELS.items():
        p50, p95, p99 = (outcome[name].get(f"p{percent}_ms", 0.0) for percent in PERCENTS)
        print(f"{label:24s} {p50:9.1f} {p95:9.1f} {p99:9.1f} {outcome[name]['n']:6d}")
    counts = ", ".join(f"{outcome[name]} {name}" for name in ("acknowledged", "graded", "lost", "wrong"))
    print(f"{counts}; the last grade came after {outcome['seconds']:.1f} s; answers {outcome['statuses']}")
    done, seconds = outcome["regrade"]["done"], outcome["regrade"]["seconds"]
    end = "not done in time" if seconds is None else f"in {seconds:.1f} s"
    print(f"regrade: {done} graded again, {end}")
    used = ", ".join(f"{name} {seconds} s" for name, seconds in outcome["cpu_seconds"].items())
    print(f"processor time: {used}; memory of all {outcome['memory_mib']} MiB", flush=True)
    for each in outcome["memories"]:
        print(
            f"{each['process']:24s} {each['uss_mib']:6.1f} MiB of its own, {each['anonymous_mib']:6.1f} with its "
            f"share; {each['files_mib']:6.1f} of files",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
