"""``python -m grader EXERCISE FILE … [--json]``: grade files on the canonical instance, without a server.

``python -m grader replay RECORD …`` grades again what the record of a grade holds (grader.records.replay).

Uses the grader and the sandbox of the server, and no database. Exit codes: 0, every answer is right; 1, something in an
answer is wrong; 2, the call is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grader import numerics
from grader.records import replay

if TYPE_CHECKING:
    from exercises.instance import Instance
    from grader.grade import Grade
    from grader.sandbox import Sandbox

ORIGINS = {
    "own": "the mistake is in this step",
    "inherited": "right, given your gradients above it",
    "unknown": "wrong, and it cannot be told yet whether here or above",
}


def main(arguments: list[str] | None = None) -> int:
    """Grade each file and print its table, or with ``--json`` one line for each file. Returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["replay"]:
        return replay.main(arguments[1:])
    numerics.pin()  # before the imports below, which import torch
    from exercises.errors import PackError
    from exercises.instance import Instance
    from exercises.registry import NoSuchExercise, find
    from grader.sandbox import Sandbox
    from grader.tensors import BadAnswer

    options = _parser().parse_args(arguments)
    try:
        instance = Instance.canonical(find(options.exercise))
        with Sandbox() as sandbox:
            complete = [_report(path, _grade(path, instance, sandbox), options.json) for path in options.files]
    except (NoSuchExercise, PackError, BadAnswer, OSError) as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    return 0 if all(complete) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader", description="Grade files on the canonical instance.")
    parser.add_argument("exercise", metavar="EXERCISE", help="a slug, such as makemore/full-backward")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="code (.py) or tensors (.safetensors)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each file")
    return parser


def _grade(path: Path, instance: Instance, sandbox: Sandbox) -> Grade:
    from grader.grade import grade_code, grade_tensors
    from grader.tensors import BadAnswer

    if path.suffix == ".safetensors":
        try:
            return grade_tensors(instance, path.read_bytes())
        except BadAnswer as error:
            raise BadAnswer(f"{path}: {error}") from None
    # Invalid UTF-8 is graded as the student's error; the next file is still graded.
    return grade_code(instance, path.read_text(encoding="utf-8", errors="surrogateescape"), path.name, sandbox)


def _report(path: Path, grade: Grade, as_json: bool) -> bool:
    """Print a grade. Returns whether everything in it is right."""
    if as_json:
        print(json.dumps({"file": str(path)} | grade.as_json()), flush=True)
    else:
        print(f"{path}: {grade.passed} of {grade.total} right, {grade.exact} exact; {grade.summary()}")
        for row in grade.checkpoints:
            print(row.line())
            origin = [ORIGINS[row.origin.value]] if row.origin else []
            for note in (*origin, *(diagnosis.message for diagnosis in row.diagnosis), *row.notes):
                print(f"{'':15s} | {note}")
        if grade.run and grade.run.message:
            print(f"{grade.run.status.value}: {grade.run.message}")
    return grade.complete


if __name__ == "__main__":
    sys.exit(main())
