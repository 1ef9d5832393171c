"""``make load``: a deadline evening on both engines. Everybody hands in every step and some full solutions, and in the
middle of it old submissions are graded again.

What is acknowledged has to be graded in the end; what is not is lost, and then the exit code is 1. The server, the
workers, PostgreSQL and all students share this machine. It ends by itself, each evening in five times its length at
the latest, and nothing leaves the machine. Writes ``bench/load.json``.
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

from bench.house import House, house  # noqa: E402
from bench.load.evening import Evening, bare_ms, prepare  # noqa: E402
from bench.load.regrade import Regrade  # noqa: E402
from bench.load.student import Student  # noqa: E402
from bench.load.tally import Tally, percentiles  # noqa: E402
from bench.machine import machine  # noqa: E402
from tests.support import postgres  # noqa: E402

RESULTS = Path(__file__).parents[1] / "load.json"
PER_MINUTE = 60  # as a server has it by default
PATIENCE = 5  # times the evening's length
TELL_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Play the evening on both engines; 1 where something was lost, graded wrongly, or not taken in time."""
    usual = Evening()
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="A deadline evening on both engines.")
    parser.add_argument("--students", type=int, default=usual.students)
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--old", type=int, default=usual.old, help="submissions that are graded again in the middle")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and workers are ended, too
    evening = Evening(**vars(parser.parse_args(arguments)))
    engines = {
        "embedded_sqlite": house(children=2, students=evening.students, per_minute=PER_MINUTE),
        "procrastinate_postgresql": _with_workers(evening.students),
    }
    found = {}
    for name, opened in engines.items():
        _say(f"{name}: {evening.students} students pull their numbers, {evening.old} old submissions are written down")
        with opened as server:
            found[name] = play(server, evening)
        _show(found[name])
    results = {"evening": asdict(evening), "bare_ms": bare_ms(), "engines": found, "machine": machine()}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    _say(f"written to bench/{RESULTS.name}")
    return 0 if all(each["well"] for each in found.values()) else 1


@contextmanager
def _with_workers(students: int) -> Iterator[House]:
    """Two worker processes of one child each, on a PostgreSQL that waits for the disk."""
    with (
        postgres.server(durable=True) as address,
        postgres.database(address) as url,
        house(children=1, students=students, url=url, workers=2, per_minute=PER_MINUTE) as server,
    ):
        yield server


def play(server: House, evening: Evening) -> dict[str, Any]:
    """One evening; the entry of ``bench/load.json``."""
    answers = prepare(server, evening.old)
    tally, regrade = Tally(), Regrade(server.guest(server.instructor), evening.old)
    _say(f"{evening.deeds} are handed in within {evening.seconds:g} s, if this machine can do so")
    begin = time.monotonic()
    deadline = begin + PATIENCE * evening.seconds
    students = [
        Student(server.guest(token), f"student-{number}", steps, tally, deadline)
        for number, (token, steps) in enumerate(zip(server.students, answers, strict=True))
    ]
    threads = [
        threading.Thread(target=student.play, args=(begin, evening.plan(number)), daemon=True)
        for number, student in enumerate(students)
    ]
    regrading = threading.Thread(target=regrade.play, args=(begin, evening.seconds / 2, deadline), daemon=True)
    for thread in (*threads, regrading):
        thread.start()
    while any(thread.is_alive() for thread in (*threads, regrading)):
        time.sleep(TELL_SECONDS)
        _tell(time.monotonic() - begin, evening, tally, regrade)
    for student in students:
        student.look_back()
    return as_json(evening, tally, regrade, tally.ended - begin)


def as_json(evening: Evening, tally: Tally, regrade: Regrade, seconds: float) -> dict[str, Any]:
    """What became of an evening."""
    return {
        "handed_in": len(tally.late),
        "acknowledged": tally.acknowledged,
        "graded": tally.graded,
        "lost": tally.lost,
        "wrong": tally.wrong + regrade.otherwise,
        "statuses": dict(tally.statuses),
        "tensors": percentiles(tally.times["tensors"]),
        "code": percentiles(tally.times["code"]),
        "late": percentiles(tally.late),
        "seconds": round(seconds, 1),
        "regrade": {"done": regrade.done, "seconds": regrade.seconds and round(regrade.seconds, 1)},
        "well": tally.lost == tally.wrong == regrade.otherwise == 0
        and tally.graded == evening.deeds
        and regrade.done == evening.old,
    }


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


def _tell(seconds: float, evening: Evening, tally: Tally, regrade: Regrade) -> None:
    late = tally.late[-1] if tally.late else 0.0
    print(
        f"{seconds:5.0f} s: {len(tally.late)} of {evening.deeds} handed in, the last one {late:.1f} s late; "
        f"{tally.graded} graded; regrade {regrade.done} of {evening.old}",
        flush=True,
    )


def _show(found: dict[str, Any]) -> None:
    print(f"{'':24s} {'p50 ms':>9s} {'p95 ms':>9s} {'p99 ms':>9s} {'n':>6s}")
    for name, label in {"tensors": "tensors → graded", "code": "code → graded", "late": "handed in late"}.items():
        p50, p95, p99 = (found[name].get(f"p{each}_ms", 0.0) for each in (50, 95, 99))
        print(f"{label:24s} {p50:9.1f} {p95:9.1f} {p99:9.1f} {found[name]['n']:6d}")
    counts = ", ".join(f"{found[name]} {name}" for name in ("acknowledged", "graded", "lost", "wrong"))
    print(f"{counts}; the last grade came after {found['seconds']:.1f} s; answers {found['statuses']}")
    done, seconds = found["regrade"]["done"], found["regrade"]["seconds"]
    print(
        f"regrade: {done} graded again, " + ("not over in time" if seconds is None else f"in {seconds:.1f} s"),
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
