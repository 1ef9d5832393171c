"""``python -m bench.profile``: what a submission costs, by thread, and how many statements it takes.

The server runs in this process, so that its threads have names and its statements are counted; the sandbox is the real
one. The times are processor time as the kernel counts it (``/proc``). Other load changes it less than the clock's, and
yet by half: it empties the processor's caches. So a bare run goes with each round, and ``x bare`` says how many of them
the action takes. The client is a thread of this process too, and is left out.

*loop* is the event loop: HTTP, routing, the answer as JSON. *requests* are the threads that serve requests, *grading*
those that grade code. *zygote* is the zygote with its children. *statements* are those of the requests and the grading,
without BEGIN and COMMIT.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grader import numerics

numerics.pin()

import safetensors.torch  # noqa: E402
import torch  # noqa: E402
import uvicorn  # noqa: E402
from pydantic import SecretStr  # noqa: E402
from sqlalchemy import event  # noqa: E402

from bench.bare import compile_bare, right_answers  # noqa: E402
from bench.figures import Times  # noqa: E402
from bench.http_client import Reply  # noqa: E402
from bench.progress_table import BenchClass, open_classes  # noqa: E402
from bench.single import SINGLE_STEP, WrongGrade  # noqa: E402
from bench.test_server import CHECK, EXERCISE, STATE, SUBMISSIONS, BenchServer, open_course  # noqa: E402
from exercises.instance import Instance, Kind  # noqa: E402
from exercises.registry import find  # noqa: E402
from server.app import create_app  # noqa: E402
from server.database.engine import Database  # noqa: E402
from server.http.connection import ConnectionLimits, Connections  # noqa: E402
from server.instances.pool import POOL_SIZE  # noqa: E402
from server.services import ServerServices  # noqa: E402
from server.settings import Settings  # noqa: E402
from tests.support import postgres  # noqa: E402

ROUNDS = 200
WARM_UP_ROUNDS = 10
FIRST_ROUNDS: Final = {"code": POOL_SIZE + 10}  # the first submissions of code draw the hidden instances
CLASS = 1_000
SLOW: Final = {"matrix": 10}  # a round in so many
LOOP = "loop"
# The beginning of a thread's name → its column. Threads that are not named here are counted as "other".
COLUMN_OF: Final = {LOOP: LOOP, "AnyIO": "requests", "worker": "grading"}
COLUMNS: Final = (LOOP, "requests", "grading", "other", "zygote")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

Action = Callable[[], Reply]


@dataclass(frozen=True)
class Profile:
    """What one round of an action costs: processor time in ms by column, statements, transactions, and wall time.

    ``bare_ms`` is the processor time of a bare run between the rounds.
    """

    milliseconds: Mapping[str, float]
    statements: float
    transactions: float
    bare_ms: float
    times: Times

    @property
    def total_ms(self) -> float:
        """The processor time of all threads and of the zygote."""
        return sum(self.milliseconds.values())

    def as_json(self) -> dict[str, float]:
        """Return the entry of ``--json``."""
        return {
            **{f"{column}_ms": round(each, 3) for column, each in self.milliseconds.items()},
            "total_ms": round(self.total_ms, 3),
            "bares": round(self.total_ms / self.bare_ms, 3),
            "statements": round(self.statements, 2),
            "transactions": round(self.transactions, 2),
            "wall_p50_ms": round(self.times.median_ms, 3),
        }


class StatementCount:
    """Counts the statements and transactions of a database while it listens. A transaction takes one connection."""

    def __init__(self, database: Database) -> None:
        self.counts: Counter[str] = Counter()
        event.listen(database.engine, "before_cursor_execute", self._note)
        event.listen(database.engine, "checkout", self._note_checkout)

    def _note(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        self.counts["statements"] += not statement.startswith("BEGIN")

    def _note_checkout(self, *rest: Any) -> None:
        self.counts["transactions"] += 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Profile every action on each database, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="by default both")
    parser.add_argument("--json", action="store_true", help="print an object instead of the table")
    options = parser.parse_args(arguments)
    profiles: dict[str, dict[str, Profile]] = {}
    if options.database != "postgresql":
        profiles["sqlite"] = profile(None, options.rounds)
    if options.database != "sqlite":
        try:
            with postgres.server(durable=True) as address, postgres.database(address) as url:
                profiles["postgresql"] = profile(url, options.rounds)
        except postgres.PostgresMissing as reason:
            print(f"not on PostgreSQL: {reason}", file=sys.stderr)
    if options.json:
        print(
            json.dumps({name: {row: each.as_json() for row, each in rows.items()} for name, rows in profiles.items()})
        )
    else:
        show(profiles)
    return 0


def profile(url: str | None, rounds: int) -> dict[str, Profile]:
    """Run a server on an empty database, by default SQLite in a temporary folder, and profile every action."""
    with running_server(url) as (server, services):
        counted = StatementCount(services.database)
        zygote = _zygote()
        profiles = {}
        bare = compile_bare(Instance.canonical(find(EXERCISE)))
        for name, action in actions(server).items():
            number = max(rounds // SLOW.get(name, 1), 10)
            for _ in range(FIRST_ROUNDS.get(name, WARM_UP_ROUNDS)):
                action()
            time.sleep(0.3)  # a grading thread finishes after its answer
            profiles[name] = _measure(action, number, counted.counts, zygote, bare)
        return profiles


def show(profiles: Mapping[str, Mapping[str, Profile]]) -> None:
    """Print a row for each action."""
    for database, rows in profiles.items():
        print(f"{database:14s}" + "".join(f"{name:>10s}" for name in (*COLUMNS, "sum ms", "x bare")), end="")
        print(f"{'statements':>12s}{'transactions':>14s}{'wall p50 ms':>13s}")
        for name, each in rows.items():
            figures = [*(each.milliseconds[column] for column in COLUMNS), each.total_ms]
            figures.append(each.total_ms / each.bare_ms)
            print(f"{name:14s}" + "".join(f"{figure:10.2f}" for figure in figures), end="")
            print(f"{each.statements:12.1f}{each.transactions:14.1f}{each.times.median_ms:13.2f}", flush=True)


def actions(server: BenchServer) -> dict[str, Action]:
    """Return what is profiled, by the name of its row."""
    exercise = find(EXERCISE)
    codes, tensors, idle = (server.client(token) for token in server.students[:3])
    own = Instance(exercise=exercise, state=tensors.get(STATE).body, kind=Kind.STUDENT, dataset="")
    step, all_answers = right_answers(own, SINGLE_STEP), right_answers(own)
    wrong_steps = _wrong_steps(step)
    first_wrong = next(wrong_steps)
    submissions: list[int] = []

    def submit(content: bytes) -> Reply:
        reply = tensors.submit_tensors(SUBMISSIONS, content)
        submissions.append(reply.json()["id"])
        return reply

    matrix = _matrix(server)
    return {
        "empty": lambda: idle.get("/healthz"),
        "me": lambda: idle.get("/api/v1/me"),
        "step": lambda: submit(step),
        "step_wrong": lambda: submit(next(wrong_steps)),
        "step_again": lambda: submit(first_wrong),
        "tensors": lambda: submit(all_answers),
        "read": lambda: tensors.get(f"/api/v1/submissions/{submissions[-1]}"),
        "check_step": lambda: tensors.submit_tensors(CHECK, step),
        "code": lambda: codes.submit_code(SUBMISSIONS, exercise.solution),
        "check_code": lambda: codes.check_code(CHECK, exercise.solution),
        "matrix": lambda: matrix.client.get(f"/api/v1/courses/class-{CLASS}/progress?exercise={EXERCISE}"),
    }


def _wrong_steps(content: bytes) -> Iterator[bytes]:
    """Yield the step with its sign turned and one more element changed each time: no two are equal."""
    right = safetensors.torch.load(content)[SINGLE_STEP]
    for number in range(right.numel()):
        wrong = -right
        wrong.view(-1)[number] += 0.125
        yield safetensors.torch.save({SINGLE_STEP: wrong})


def _matrix(server: BenchServer) -> BenchClass:
    (opened,) = open_classes(server, "", [CLASS])
    return opened


def _measure(
    action: Action, rounds: int, counts: Counter[str], zygote: int | None, bare: Callable[[], object]
) -> Profile:
    """Do an action so many times, and return what one of them costs.

    :raises WrongGrade: an answer is refused
    """
    seconds, bare_seconds = [], 0.0
    counts.clear()
    before, zygote_before = _thread_seconds(), _tree_seconds(zygote)
    for _ in range(rounds):
        begun = time.thread_time()
        bare()
        bare_seconds += time.thread_time() - begun
        reply = action()
        if reply.status not in (200, 201):
            raise WrongGrade(f"{reply.status}: {reply.body[:500].decode()}")
        seconds.append(reply.seconds)
    time.sleep(0.05)  # what follows an answer counts too
    after, counted = _thread_seconds(), Counter(counts)
    taken = {name: after[name] - before.get(name, 0.0) for name in after}
    taken["zygote"] = _tree_seconds(zygote) - zygote_before
    milliseconds = {column: 1000 * taken.get(column, 0.0) / rounds for column in COLUMNS}
    return Profile(
        milliseconds,
        counted["statements"] / rounds,
        counted["transactions"] / rounds,
        1000 * bare_seconds / rounds,
        Times.of(seconds),
    )


def _thread_seconds() -> dict[str, float]:
    """Return the processor time of the threads of this process by column, without the calling one."""
    seconds: dict[str, float] = defaultdict(float)
    for thread in threading.enumerate():
        if thread is threading.current_thread() or thread.native_id is None:
            continue
        column = next((column for start, column in COLUMN_OF.items() if thread.name.startswith(start)), "other")
        nanoseconds = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()[0]
        seconds[column] += int(nanoseconds) / 1e9
    return seconds


def _tree_seconds(pid: int | None) -> float:
    """Return the processor time of a process and of its children that have ended; 0 without one."""
    if pid is None:
        return 0.0
    # The fields after the name, which may hold spaces: utime, stime, cutime and cstime are the 14th to the 17th.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / CLOCK_TICKS


def _zygote() -> int | None:
    """Return the process id of the zygote; None if there is none."""
    for task in Path("/proc/self/task").iterdir():  # a process is a child of the thread that started it
        for child in map(int, (task / "children").read_text().split()):
            if b"zygote" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None


@contextmanager
def running_server(url: str | None) -> Iterator[tuple[BenchServer, ServerServices]]:
    """Run a server in a thread of this process until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="dojo-bench-") as folder, ExitStack() as stack:
        database_url = SecretStr(url) if url else None
        settings = Settings(
            data=Path(folder), database_url=database_url, secret=None, children=1, submissions_per_minute=0
        ).model_copy(update={"checks_per_minute": 0})
        instructor, students = open_course(settings, 3)
        app = create_app(settings)
        connections = Connections(ConnectionLimits())
        config = uvicorn.Config(
            app,
            port=0,
            http=connections.protocol,  # type: ignore[arg-type]  # called as a class would be
            ws="none",
            server_header=False,
            log_config=None,
            access_log=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, name=LOOP)
        thread.start()
        stack.callback(thread.join)
        stack.callback(lambda: setattr(server, "should_exit", True))
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        services: ServerServices = app.state.services
        bench_server = BenchServer(settings, (host, port), os.getpid(), instructor, students)
        while services.code_runner.health != "ok":
            time.sleep(0.05)
        torch.set_num_threads(1)
        yield bench_server, services


if __name__ == "__main__":
    sys.exit(main())
