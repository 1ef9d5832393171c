"""Bytes from an adversary, found by coverage: `python -m tests.fuzz result|tensors [options of libFuzzer]`.

`result` is what a child leaves, `tensors` a file handed in. Both readers must be total: whatever else happens stops
this, and the bytes that did it are left in .fuzz. `make fuzz` runs each for a minute.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import atheris

from grader import numerics

CORPORA: Final = Path(".fuzz")  # what is found there is where the next call goes on


def result() -> None:
    """The parser of a child's result, as its test checks it."""
    with atheris.instrument_imports(include=["grader"]):
        from grader.sandbox.result_layout import ENTRY
        from grader.sandbox.trusted.result_reader import read_result
        from tests.grader.sandbox.results import LAYOUT, SIZE, TABLE
        from tests.grader.sandbox.trusted.test_result_reader import check

    honest = bytearray(TABLE + 3 * ENTRY.size)
    honest[:2] = b"\x0d\x60"  # the last mark
    ENTRY.pack_into(honest, TABLE, 1, 0, 2, 0, 24, 2, 3, *(0,) * 6, b"float32", b"")
    _fuzz(CORPORA / "result", lambda content: check(read_result(content, LAYOUT)), bytes(honest), SIZE)


def tensors() -> None:
    """The reader of files with answers."""
    with atheris.instrument_imports(include=["grader"]):
        from exercises.registry import find
        from grader.tensors import BadAnswer, read_answers
        from tests.grader.test_tensors import HONEST
    checkpoints = find("makemore/batch-norm").checkpoints

    def read_it(content: bytes) -> None:
        with contextlib.suppress(BadAnswer):
            for answer in read_answers(checkpoints, content).answers.values():
                assert answer.tensor is not None or answer.misfit

    _fuzz(CORPORA / "tensors", read_it, HONEST, 4 * len(HONEST))


def _fuzz(corpus: Path, target: Callable[[bytes], None], seed: bytes, most: int) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "honest").write_bytes(seed)
    atheris.Setup([*sys.argv, f"-max_len={most}", f"-artifact_prefix={corpus}-", str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    numerics.pin()
    {"result": result, "tensors": tensors}[sys.argv.pop(1)]()
