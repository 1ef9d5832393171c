"""``make bench``: how fast it grades on this machine, in one run of about four minutes.

Everything is compared with *bare*: the forward and the backward pass and a lecture-style solution in one warm process.
What is compared with each other takes turns, because a shared machine is never equally busy for long. Writes
``bench/results.json``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from grader import numerics

numerics.pin()

from bench import (  # noqa: E402  # noqa: E402
    diagnosis,
    gpt_block,
    gradebook,
    live_check,
    memory,
    progress_table,
    queries,
    sandbox,
    single,
    sustained,
)
from bench.classes import fetch_in_turns  # noqa: E402
from bench.figures import Times  # noqa: E402
from bench.machine import machine  # noqa: E402
from bench.memory import Memory  # noqa: E402
from bench.queries import Ratios  # noqa: E402
from bench.sustained import Rate  # noqa: E402
from bench.test_server import run_server  # noqa: E402
from grader.sandbox import Sandbox  # noqa: E402
from tests.support import postgres  # noqa: E402

RESULTS = Path(__file__).with_name("results.json")
ROUNDS = 120
SANDBOX_ROUNDS = 50
QUERY_ROUNDS = 60
GPT_ROUNDS = 40
SUSTAINED_ROUNDS, SUSTAINED_SECONDS = 3, 5.0
FETCHES = {100: 20, 1_000: 12, 10_000: 4}  # students of a class → how often its progress table is fetched
GOALS = {  # of docs/performance.md
    "grader": "at most 2.5 x bare",
    "http_code": "at most 5 x bare, and a hundredth of cold_process",
    "http_tensors": "at most 5 ms over http_empty",
    "sustained_2": "at least 100 a second",
    "matrix_1000": "under 50 ms",
    "matrix_1000_postgresql": "under 50 ms",
    "gradebook_10000": "some 1000 ms",
}


def main() -> int:
    """Measure everything, print it, and write it down."""
    begun = time.monotonic()
    times, memories = measure_single(ROUNDS)
    bare_ms = times["bare"].median_ms
    _show(times, bare_ms)
    over_ms = times["http_tensors"].median_ms - times["http_empty"].median_ms
    print(f"tensors are {over_ms:.2f} ms over an empty request (http_empty is GET /healthz, http_me is GET /api/v1/me)")
    factor = times["cold_process"].median_ms / times["http_code"].median_ms
    print(f"code over HTTP is {factor:.0f} times faster than a fresh process")
    rates = measure_sustained(SUSTAINED_ROUNDS, SUSTAINED_SECONDS)
    _show({name: rate.times for name, rate in rates.items()}, bare_ms)
    for name, rate in rates.items():
        print(f"{name}: {rate.per_second:.1f} a second; a submission keeps all cores busy for {rate.bares:.1f} x bare")
    tables = measure_progress_tables(FETCHES)
    _show(tables, bare_ms)
    _show_memory(memories)
    _say("hand-built statements: plain SQLAlchemy takes so many times as long")
    ratios = queries.measure_everywhere(QUERY_ROUNDS)
    queries.show_briefly(ratios)
    _say("a whole GPT block")
    block = gpt_block.measure(GPT_ROUNDS)
    gpt_block.show(block)
    results = as_json(times | tables, rates, memories, ratios) | gpt_block.as_json(block)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    _say("what the locks cost")
    sandbox.main(SANDBOX_ROUNDS)
    _say("what a diagnosis costs")
    diagnosis.main()
    _say("live checks while a class types")
    live_check.main()
    _say(f"done in {time.monotonic() - begun:.0f} s; written to bench/{RESULTS.name}")
    return 0


def measure_single(rounds: int) -> tuple[dict[str, Times], list[Memory]]:
    """Measure one submission in every way, and the memory of the server that took them."""
    _say(f"one at a time, by turns, {rounds} rounds")
    with run_server(children=1, students=3) as server, Sandbox() as code_sandbox:
        single.fill_pool(server)
        times = single.measure(single.actions(server, code_sandbox), rounds)
        return times, memory.of_server(server.pid)


def measure_sustained(rounds: int, seconds: float) -> dict[str, Rate]:
    """Measure how many a second are graded, with one child and with two at once."""
    _say(f"{sustained.CLIENTS} students at once, 1 and 2 children, {rounds} rounds of {seconds:g} s each")
    rates: dict[str, Rate] = {}
    with ExitStack() as stack:
        servers = {
            f"sustained_{children}": stack.enter_context(run_server(children=children, students=sustained.CLIENTS))
            for children in (1, 2)
        }
        for _ in range(rounds):
            for name, server in servers.items():
                rate = sustained.measure(server, seconds)
                rates[name] = rates[name].and_then(rate) if name in rates else rate
    return rates


def measure_progress_tables(fetches: Mapping[int, int]) -> dict[str, Times]:
    """Measure the progress table and the gradebook of several classes, on SQLite and on PostgreSQL."""
    _say(f"progress and gradebook of {', '.join(map(str, fetches))} students")
    with ExitStack() as stack:
        server = stack.enter_context(run_server(children=1, students=0))
        classes = progress_table.open_classes(server, "", fetches)
        gradebooks = gradebook.open_gradebooks(server, "", fetches)
        try:
            url = stack.enter_context(postgres.database(stack.enter_context(postgres.server())))
        except postgres.PostgresMissing as reason:
            print(f"not on PostgreSQL: {reason}")
        else:
            server = stack.enter_context(run_server(children=1, students=0, url=url))
            classes += progress_table.open_classes(server, "_postgresql", fetches)
            gradebooks += gradebook.open_gradebooks(server, "_postgresql", fetches)
        return fetch_in_turns([*classes, *gradebooks], fetches)


def as_json(
    times: Mapping[str, Times], rates: Mapping[str, Rate], memories: list[Memory], ratios: Mapping[str, Ratios]
) -> dict[str, Any]:
    """Return what ``bench/results.json`` holds."""
    bare_ms = times["bare"].median_ms
    return (
        {name: each.as_json(bare_ms) for name, each in times.items()}
        | {
            name: rate.times.as_json(bare_ms) | {"per_second": round(rate.per_second, 2), "bares": round(rate.bares, 2)}
            for name, rate in rates.items()
        }
        | {
            "memory": {
                "processes": [each.as_json() for each in memories],
                "together_mib": round(memory.together(memories), 1),
            },
            "queries": {database: queries.as_json(each) for database, each in ratios.items()},
            "machine": machine(),
        }
    )


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


def _show(times: Mapping[str, Times], bare_ms: float) -> None:
    print(f"{'':24s} {'p50 ms':>9s} {'p95 ms':>9s} {'x bare':>9s} {'n':>6s}")
    for name, each in times.items():
        p95, ratio = each.percentile_ms(95), each.median_ms / bare_ms
        print(f"{name:24s} {each.median_ms:9.2f} {p95:9.2f} {ratio:9.2f} {len(each.seconds):6d}", end="")
        print(f"  goal: {GOALS[name]}" if name in GOALS else "", flush=True)


def _show_memory(memories: list[Memory]) -> None:
    _say("memory of the first server, in MiB: its own, and with its share of what is shared")
    for each in memories:
        print(f"{each.name:24s} {each.uss:9.1f} {each.pss:9.1f}")
    print(f"{'together, files once':24s} {memory.together(memories):9.1f}  goal: at most 700")


if __name__ == "__main__":
    sys.exit(main())
