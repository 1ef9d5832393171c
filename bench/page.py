"""``python -m bench.page``: write the figures into the tables of docs/performance.md.

It reads ``bench/results.json`` and ``bench/load.json``. The text between the tables is written by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
PAGE = BENCH.parent / "docs" / "performance.md"
TABLE_ROWS = [f"matrix_{students}{suffix}" for suffix in ("", "_postgresql") for students in (100, 1_000, 10_000)]
BENCH_ROWS = ["bare", "grader", "http_code", "http_tensors", "http_step", "http_empty", "http_me", "cold_process"]
GPT_ROWS = ["gpt_bare", "gpt_grader", "gpt_right", "gpt_three_mistakes", "gpt_first"]
BENCH_ROWS += ["sustained_1", "sustained_2", *TABLE_ROWS]


def main() -> int:
    """Fill every table of the page."""
    results = json.loads((BENCH / "results.json").read_text())
    load = json.loads((BENCH / "load.json").read_text())
    text = PAGE.read_text()
    for name, lines in {
        "machine": [_machine(results["machine"])],
        "bench": _bench(results),
        "gpt_block": _gpt_block(results),
        "memory": _memory(results["memory"]),
        "queries": _queries(results["queries"]),
        "load": _load(load),
    }.items():
        text = _fill(text, name, lines)
    PAGE.write_text(text)
    return 0


def _fill(text: str, name: str, lines: Iterable[str]) -> str:
    """Return the text with these lines between the comments of a table."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    assert text.count(begin) == text.count(end) == 1, name
    return re.sub(f"{begin}.*{end}", lambda _: "\n".join([begin, *lines, end]), text, flags=re.DOTALL)


def _machine(machine: dict[str, Any]) -> str:
    return "{processor}, {cores} cores, {system}, Python {python}, torch {torch}; `{environment}`".format(**machine)


def _bench(results: dict[str, Any]) -> Iterable[str]:
    yield from ("| what | p50 × bare | p50 ms | p95 ms | a second |", "| --- | ---: | ---: | ---: | ---: |")
    for name in BENCH_ROWS:
        each = results[name]
        rate = f"{each['per_second']:.0f}" if "per_second" in each else ""
        ratio = each["ratio_to_bare"]
        yield f"| {name} | {ratio:.2f} | {each['median_ms']:.1f} | {each['p95_ms']:.1f} | {rate} |"


def _gpt_block(results: dict[str, Any]) -> Iterable[str]:
    yield from ("| what | p50 × its bare | p50 ms | p95 ms |", "| --- | ---: | ---: | ---: |")
    for name in GPT_ROWS:
        each = results[name]
        yield f"| {name} | {each['ratio_to_bare']:.2f} | {each['median_ms']:.1f} | {each['p95_ms']:.1f} |"


def _memory(memory: dict[str, Any]) -> Iterable[str]:
    yield from ("| process | its own MiB |", "| --- | ---: |")
    yield from (f"| {each['process']} | {each['uss_mib']:.0f} |" for each in memory["processes"])
    yield f"| together, files once | {memory['together_mib']:.0f} |"


def _queries(databases: dict[str, Any]) -> Iterable[str]:
    yield "| statement | " + " | ".join(databases) + " |"
    yield "| --- |" + " ---: |" * len(databases)
    for name in next(iter(databases.values())):
        ratios = [statements[name]["ratio"] for statements in databases.values()]
        yield f"| `{name}` | " + " | ".join(f"{ratio:.1f} ×" for ratio in ratios) + " |"


def _load(load: dict[str, Any]) -> Iterable[str]:
    bare, engines = load["bare_ms"], load["engines"]
    yield "This one: {students} students, {solutions} solutions each, within {seconds:g} s, {old} old ones.".format(
        **load["deadline_load"]
    )
    yield ""
    yield "| | " + " | ".join(name.replace("_", ", ") for name in engines) + " |"
    yield "| --- |" + " ---: |" * len(engines)
    for row in ("tensors", "code", "late"):
        for percent in ("p50", "p95", "p99"):
            times = [each[row][f"{percent}_ms"] for each in engines.values()]
            yield f"| {row}, {percent} | " + " | ".join(f"{ms:.0f} ms = {ms / bare:.0f} ×" for ms in times) + " |"
    for row in ("acknowledged", "graded", "lost"):
        yield f"| {row} | " + " | ".join(str(each[row]) for each in engines.values()) + " |"
    answers = [", ".join(f"{n} × {status}" for status, n in each["statuses"].items()) for each in engines.values()]
    yield "| answers | " + " | ".join(answers) + " |"
    yield "| last grade after | " + " | ".join(f"{each['seconds']:.0f} s" for each in engines.values()) + " |"
    regrades = [each["regrade"] for each in engines.values()]
    yield "| regrade | " + " | ".join(f"{each['done']} in {each['seconds'] or 0:.0f} s" for each in regrades) + " |"


if __name__ == "__main__":
    sys.exit(main())
