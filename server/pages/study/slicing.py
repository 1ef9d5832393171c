"""The slice of a file that somebody dropped, made in a process of its own.

A notebook is read by Python's parser and by many rules. A file can be made for which they take hours, or all memory. So
they run where both end soon, and where nobody else waits for the interpreter.

This file is also that process's program. It is run alone, without the server's packages, and imports none of them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, Final

from dojo.errors import BadFile
from dojo.notebook_slice import SECTIONS, Goal, NotebookSlice, raw_cells, read_cells, slice_notebook, slice_script

CPU_SECONDS_MAX: Final = 5  # the slice of as much code as is taken needs some 3 s in the worst honest case
WALL_SECONDS_MAX: Final = 60.0  # on a machine that has much to do
MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
CODE_CHARACTERS_MAX: Final = 128 * 1024
NICENESS: Final = 5
NOTEBOOK: Final = ".ipynb"


class CannotSlice(Exception):
    """Nothing is taken of the file. The text says why, and what to do."""


@dataclass(frozen=True)
class Wanted:
    """A file by its name, and whose answers are wanted: an exercise's, with its checkpoints and what it hands out."""

    name: str
    exercise: str
    checkpoints: Sequence[str]
    handed_out: Sequence[str]


@dataclass(frozen=True)
class Sliced:
    """What is taken: a sentence about it, remarks, a line for each cell, and the code."""

    summary: str
    remarks: Sequence[str]
    cells: Sequence[str]
    source: str


def slice_apart(wanted: Wanted, content: bytes, cpu_seconds: int = CPU_SECONDS_MAX) -> Sliced:
    """Return what is taken of a file.

    :raises CannotSlice: it holds no answer, cannot be read, or takes too long or too much memory
    """
    too_much = CannotSlice(f"{wanted.name} takes too long to read. Leave out what the gradients do not need.")
    request = json.dumps({**asdict(wanted), "cpu_seconds": cpu_seconds}).encode() + b"\n" + content
    try:
        # Nothing of the environment: it holds secrets of the server.
        ended = subprocess.run(
            [sys.executable, "-I", __file__],
            input=request,
            capture_output=True,
            timeout=WALL_SECONDS_MAX,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise too_much from None
    if ended.returncode != 0:
        raise too_much
    answer: Mapping[str, Any] = json.loads(ended.stdout)
    if "problem" in answer:
        raise CannotSlice(answer["problem"])
    return Sliced(**answer)


def slice_file(wanted: Wanted, content: bytes) -> Sliced:
    """Return what is taken of a file, in this process.

    :raises CannotSlice: it holds no answer, or cannot be read
    """
    goal = Goal(tuple(wanted.checkpoints), frozenset(wanted.handed_out), SECTIONS.get(wanted.exercise))
    try:
        if PurePath(wanted.name).suffix.lower() == NOTEBOOK:
            cells = raw_cells(content, wanted.name)
            _require_short(wanted.name, sum(map(_code_characters, cells)))
            return _taken(slice_notebook(read_cells(cells), goal))
        source = content.decode("utf-8-sig")
        _require_short(wanted.name, len(source))
        part = slice_script(source, goal)
        return Sliced("The whole script is taken.", (), (), source) if part is None else _taken(part)
    except BadFile as error:
        raise CannotSlice(error.message) from None
    except UnicodeDecodeError:
        raise CannotSlice(f"{wanted.name} is not written in UTF-8. Save it as UTF-8, and take it again.") from None
    except (RecursionError, MemoryError):
        raise CannotSlice(f"{wanted.name} holds an expression that is nested too deep. Write it in parts.") from None
    except (TypeError, ValueError, AttributeError):  # cells in which something else stands than Jupyter writes
        raise CannotSlice(f"{wanted.name} cannot be read. Save it again in Jupyter, and take it again.") from None


def _code_characters(cell: Any) -> int:
    """Return how long the code of a cell is, whatever stands there."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return 0
    source = cell.get("source", cell.get("input"))
    lines = source if isinstance(source, list) else [source]
    return sum(len(line) for line in lines if isinstance(line, str))


def _require_short(name: str, characters: int) -> None:
    if characters > CODE_CHARACTERS_MAX:
        limit = CODE_CHARACTERS_MAX // 1024
        raise CannotSlice(f"{name} holds more than {limit} KiB of code. Leave out what the gradients do not need.")


def _taken(part: NotebookSlice) -> Sliced:
    return Sliced(part.summary(), part.remarks, part.contributions(), part.source)


def _main() -> None:
    """Answer one request: a line of JSON, then the content of a file."""
    line, _, content = sys.stdin.buffer.read().partition(b"\n")
    request = json.loads(line)
    seconds = request.pop("cpu_seconds")
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer: dict[str, Any] = asdict(slice_file(Wanted(**request), content))
    except CannotSlice as problem:
        answer = {"problem": str(problem)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main()
