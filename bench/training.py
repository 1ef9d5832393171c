"""``python -m bench.training``: training runs in the sandbox beside the same loop bare, and who waits for them.

With ``--show`` it demonstrates what is promised of runs: a right one, a wrong one, one that is killed five times and
ends with the same bytes, a forged one, a slow one, and one whose PostgreSQL is killed three times. ``--steps`` says how
long the right one is.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grader import numerics

numerics.pin()

import torch  # noqa: E402
from pydantic import SecretStr  # noqa: E402
from safetensors.torch import load  # noqa: E402

from bench.figures import Times  # noqa: E402
from bench.http_client import HttpClient  # noqa: E402
from bench.test_server import COURSE, EXERCISE, SUBMISSIONS, open_course, run_server  # noqa: E402
from exercises.registry import find  # noqa: E402
from grader.sandbox import RunStatus, Sandbox  # noqa: E402
from grader.training import Chunk, Gradients, Trainer  # noqa: E402
from server.database.engine import Database  # noqa: E402
from server.services import make_trainer  # noqa: E402
from server.settings import Settings  # noqa: E402
from server.tables import TrainingChunkRow, TrainingRunRow  # noqa: E402
from server.training.plan import Plan  # noqa: E402
from server.training.run import plan_of  # noqa: E402
from tests.support import postgres  # noqa: E402
from tests.support.backward import FUNCTION, function  # noqa: E402
from tests.support.processes import ServerProcess, server_environment  # noqa: E402

ROUNDS: Final = 8
CHUNK_STEPS: Final = 1000
RUNS_AT_ONCE: Final = 10
ANSWERS: Final = 40
SHOWN_STEPS: Final = 2000
RUNS: Final = f"/api/v1/courses/{COURSE}/training/runs"
WRONG: Final = function(dC="1.05 * dC")
FORGED: Final = "calls = []\n" + function(dW2="dW2 * (1.5 if calls.append(1) or len(calls) > 5 else 1)")
SLOW: Final = "import time\n" + function(dW2="(time.sleep(0.1), dW2)[1]")
AWAY_SECONDS: Final = 1.0
SERVICE_UNAVAILABLE: Final = 503
LECTURE_LOSSES: Final = "2.0705 / 2.1099"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or show."""
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--show", action="store_true", help="run a right, a wrong, a killed and a forged one")
    parser.add_argument("--steps", type=int, default=SHOWN_STEPS, help="how long the right one is")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    if options.show:
        show(options.steps)
        return 0
    measure_loop(options.rounds)
    measure_answers()
    return 0


def measure_loop(rounds: int) -> None:
    """Print how long a thousand steps take bare, and in the sandbox with everything that belongs to a chunk."""
    _say(f"{CHUNK_STEPS} steps of the lecture's network, by turns, {rounds} rounds")
    trainer, plan = make_trainer(), Plan.made(20_000, 32, None, 200_000)
    gradients = bare_gradients(FUNCTION)
    bare, sandboxed, replayed = list[float](), list[float](), list[float]()
    with Sandbox() as sandbox:
        for number in range(rounds + 1):
            first = number * CHUNK_STEPS
            chunk = trainer.chunk(1, first, plan.batch, plan.rates(first, CHUNK_STEPS), trainer.network.start(1))
            seconds = (
                _timed(lambda: trainer.replay(chunk, gradients)),  # noqa: B023
                _timed(lambda: _take_and_probe(trainer, plan, first, sandbox)),  # noqa: B023
                _timed(lambda: trainer.replay(chunk)),  # noqa: B023
            )
            if number:  # the first round warms up
                for kept, each in zip((bare, sandboxed, replayed), seconds, strict=True):
                    kept.append(each)
    print(f"bare {_median(bare):.3f} s, in the sandbox {_median(sandboxed):.3f} s, replayed {_median(replayed):.3f} s")
    share = statistics.median(one / other for one, other in zip(sandboxed, bare, strict=True)) - 1
    print(f"the sandbox takes {100 * share:.1f} % more; goal: at most 5 %", flush=True)


def _take_and_probe(trainer: Trainer, plan: Plan, first: int, sandbox: Sandbox) -> None:
    """Do all that a chunk asks for, the database aside."""
    start = trainer.network.start(1)
    chunk = trainer.chunk(1, first, plan.batch, plan.rates(first, CHUNK_STEPS), start)
    run = sandbox.run(trainer.job(chunk, FUNCTION, "backward.py"))
    claimed = trainer.parameters(run, start)
    assert run.status is RunStatus.OK and claimed is not None
    trainer.network.probe(claimed)


def bare_gradients(source: str) -> Gradients:
    """Return the function ``backward`` of some code."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exec(compile(source, "backward.py", "exec"), names)
    backward: Gradients = names["backward"]
    return backward


def measure_answers() -> None:
    """Print how long a student's answer waits while ten runs train, and while none does."""
    _say(f"answers of a student while {RUNS_AT_ONCE} runs train, 2 children")
    solution = find(EXERCISE).solution
    with run_server(children=2, students=RUNS_AT_ONCE + 1, processes=1) as server:
        client = server.client(server.students[-1])
        alone = _answers(client, solution)
        trainers = [server.client(token) for token in server.students[:-1]]
        ids = [_start(each, FUNCTION, 200_000) for each in trainers]
        while _run(trainers[0], ids[0])["step"] < CHUNK_STEPS:
            time.sleep(0.5)
        busy = _answers(client, solution)
        chunks = [_run(each, id) for each, id in zip(trainers, ids, strict=True)]
        for each, id in zip(trainers, ids, strict=True):
            each.post(f"/api/v1/training/runs/{id}/cancel")
    seconds = [run["chunk_steps"] * run["batch"] / run["examples_per_second"] for run in chunks]
    print(f"alone: p50 {alone.median_ms:.0f} ms, longest {max(alone.seconds) * 1000:.0f} ms")
    print(f"beside them: p50 {busy.median_ms:.0f} ms, longest {max(busy.seconds) * 1000:.0f} ms")
    print(
        f"a chunk: some {statistics.median(seconds) * 1000:.0f} ms; goal: no answer waits longer than one", flush=True
    )


def _answers(client: HttpClient, source: str) -> Times:
    seconds = []
    for _ in range(ANSWERS):
        reply = client.submit_code(SUBMISSIONS, source)
        assert reply.status == 201, reply.body
        seconds.append(reply.seconds)
        time.sleep(0.05)
    return Times.of(seconds)


# -- what is promised, shown ---------------------------------------------------------------------------------


@dataclass
class Site:
    """A server that can be killed and started again."""

    tokens: tuple[str, ...]
    server: ServerProcess
    settings: Settings

    def restart(self) -> None:
        """Start the server again."""
        self.server = _server(self.settings)

    def client(self, number: int) -> HttpClient:
        """Return a client of a student."""
        host, _, port = self.server.address.removeprefix("http://").partition(":")
        return HttpClient((host, int(port)), self.tokens[number])


def show(steps: int) -> None:
    """Run a right run, a wrong one, a killed one and a forged one, and print what became of them."""
    with tempfile.TemporaryDirectory(prefix="dojo-training-") as folder:
        data = Path(folder)
        settings = Settings(data=data, database_url=None, secret=None, children=2)
        _, tokens = open_course(settings, 5)
        site = Site(tokens, _server(settings), settings)
        try:
            _say(f"a right run of {steps} steps, for the ranking")
            _follow(site.client(0), _start(site.client(0), FUNCTION, steps, "Ada"))
            print(f"the lecture's losses after 200,000 steps with its own names: {LECTURE_LOSSES}")
            _say("a wrong one: dC is 5 % too large")
            _follow(site.client(1), _start(site.client(1), WRONG, SHOWN_STEPS, "Bob"))
            _say("one whose server, zygote or child is killed five times")
            _show_killed(site)
            _say("a forged one: from its sixth call on, its dW2 is another one")
            _follow(site.client(3), _start(site.client(3), FORGED, SHOWN_STEPS, "Eve"))
            _say("a slow one: each step sleeps for a tenth of a second")
            _follow(site.client(4), _start(site.client(4), SLOW, SHOWN_STEPS))
            _say("the ranking")
            for place in site.client(0).get(f"/api/v1/courses/{COURSE}/training/ranking").json()["places"]:
                print(f"{place['place']}. {place['pseudonym']}  {place['dev_loss']:.4f}")
        finally:
            site.server.stop()
    _say("one whose PostgreSQL is killed three times")
    _show_postgresql()


def _show_postgresql() -> None:
    """Run a run on PostgreSQL, kill all processes of the database three times on the way, and compare the bytes."""
    with (
        tempfile.TemporaryDirectory(prefix="dojo-training-") as folder,
        postgres.restartable(durable=True) as database,
        postgres.database(database.url) as url,
    ):
        settings = Settings(data=Path(folder), database_url=SecretStr(url), secret=None, children=2)
        _, tokens = open_course(settings, 1)
        site = Site(tokens, _server(settings), settings)
        try:
            id, step = _start(site.client(0), FUNCTION, SHOWN_STEPS, "Cleo"), 0
            for _ in range(3):
                step = _wait_beyond(site.client(0), id, step)
                database.kill()
                time.sleep(AWAY_SECONDS)
                database.start()
                print(f"after step {step}: killed PostgreSQL, {AWAY_SECONDS:g} s later it is back", flush=True)
            _follow(site.client(0), id)
            _compare_bytes(settings, id)
        finally:
            site.server.stop()


def _show_killed(site: Site) -> None:
    id = _start(site.client(2), FUNCTION, SHOWN_STEPS, "Cleo")
    victims: list[tuple[str, Callable[[], None]]] = [
        ("the child", lambda: _kill(_running_child(site.server.pid))),
        ("the zygote", lambda: _kill(_zygotes(site.server.pid)[0])),
        ("the server", lambda: _kill_server(site)),
        ("the child", lambda: _kill(_running_child(site.server.pid))),
        ("the server", lambda: _kill_server(site)),
    ]
    step = 0
    for name, kill in victims:
        step = _wait_beyond(site.client(2), id, step)
        kill()
        print(f"after step {step}: killed {name}", flush=True)
    _follow(site.client(2), id)
    _compare_bytes(site.settings, id)


def _compare_bytes(settings: Settings, id: int) -> None:
    """Print whether a run of ``FUNCTION`` ended with the bytes of the same loop in this process."""
    database = Database(settings.url)
    with database.reading() as session:
        row = session.get_one(TrainingRunRow, id)
        chunk = session.get_one(TrainingChunkRow, (id, row.step))
        ended, seed, plan = chunk.parameters, row.seed, plan_of(row)
    database.close()
    trainer = make_trainer()
    whole = Chunk(
        trainer.network.start(seed),
        *trainer.network.minibatches(seed, 0, plan.steps, plan.batch),
        tuple(plan.rates(0, plan.steps)),
    )
    expected, found = trainer.replay(whole, bare_gradients(FUNCTION)), load(ended)
    same = all(torch.equal(found[name], expected[name]) for name in expected)
    print(f"the same bytes as the loop in one process, without a break: {same}", flush=True)


def _wait_beyond(client: HttpClient, id: int, step: int) -> int:
    while True:
        run = _run(client, id)
        if run["step"] > step or run["status"] not in ("queued", "running"):
            return int(run["step"])
        time.sleep(0.02)


def _kill_server(site: Site) -> None:
    site.server.kill()
    site.restart()


def _kill(pid: int | None) -> None:
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def _running_child(pid: int) -> int | None:
    """Return the child of a zygote that has computed most."""
    children = [child for zygote in _zygotes(pid) for child in _offspring(zygote)]
    return max(children, key=_processor_ticks, default=None)


def _zygotes(pid: int) -> list[int]:
    return [each for each in _offspring(pid) if b"sandbox.zygote" in Path(f"/proc/{each}/cmdline").read_bytes()]


def _offspring(pid: int) -> list[int]:
    found = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [each for child in found for each in (child, *_offspring(child))]


def _processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _server(settings: Settings) -> ServerProcess:
    data = settings.data
    environment = server_environment(data, children=2)
    if settings.database_url is not None:
        environment["DOJO_DATABASE_URL"] = settings.database_url.get_secret_value()
    if "DOJO_NAMES_FILE" in os.environ:
        environment["DOJO_NAMES_FILE"] = os.environ["DOJO_NAMES_FILE"]
    server = ServerProcess(environment, data / "server.log", "serve")
    server.wait_until_ready()
    return server


def _start(client: HttpClient, source: str, steps: int, pseudonym: str | None = None) -> int:
    body = {"source": source, "steps": steps, "ranked": pseudonym is not None, "pseudonym": pseudonym}
    reply = client.post_json(RUNS, body)
    assert reply.status == 201, reply.body
    return int(reply.json()["id"])


def _run(client: HttpClient, id: int) -> dict[str, Any]:
    while (reply := client.get(f"/api/v1/training/runs/{id}")).status == SERVICE_UNAVAILABLE:
        time.sleep(0.1)  # the database is away
    found: dict[str, Any] = reply.json()
    return found


def _follow(client: HttpClient, id: int) -> None:
    """Print the curve of a run as it grows, and its end."""
    begun, next_step = time.monotonic(), 0
    while (run := _run(client, id))["status"] in ("queued", "running"):
        if run["step"] >= next_step and run["curve"]:
            step, loss = run["curve"][-1]
            print(f"{step:7d}  {loss:.4f}  {run['seconds_left']} s left", flush=True)
            next_step = step + run["steps"] // 10
        time.sleep(0.2)
    print(
        f"{run['status']}, checked: {run['checked']}, {time.monotonic() - begun:.0f} s; chunks of {run['chunk_steps']}"
    )
    if run["message"]:
        print(run["message"])
    if run["final"]:
        print(f"losses {run['final']['train_loss']:.4f} / {run['final']['dev_loss']:.4f}")
        print(f"names  {' '.join(run['samples'])}", flush=True)


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds)


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
