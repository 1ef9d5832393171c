"""``python -m grader replay RECORD … [--key KEY]``: grade what a record holds again, and compare.

Needs no server and no database. Exit codes: 0, every record is the same; 1, one is different; 2, a record cannot be
read, is not from the server with this key, or was graded in an environment that this grader is not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import numerics
from grader.records.record import BadRecord, Record

if TYPE_CHECKING:
    from grader.grade import Grade
    from grader.sandbox import Sandbox


def main(arguments: list[str]) -> int:
    """Replay each record and print "same" or "different". Returns the exit code."""
    numerics.pin()  # before the imports below, which import torch
    from exercises.errors import PackError
    from exercises.registry import NoSuchExercise
    from grader.sandbox import Sandbox

    options = _parser().parse_args(arguments)
    code = 0
    with Sandbox() as sandbox:
        for path in options.records:
            try:
                differences = _replay(path, options.key, sandbox)
            except (BadRecord, NoSuchExercise, PackError, OSError) as error:
                print(f"{path}: {error}", file=sys.stderr)
                code = 2
                continue
            print(f"{path}: {'different' if differences else 'same'}", flush=True)
            for difference in differences:
                print(f"  {difference}")
            code = code or int(bool(differences))
    if options.key is None:
        print("The signatures are whole. Whose they are is not checked: give --key, from GET /api/v1/signing-key.")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader replay", description="Grade again what a record holds.")
    parser.add_argument("records", metavar="RECORD", nargs="+", type=Path, help="a record of a grade")
    parser.add_argument("--key", help="the server's public key, in hexadecimal")
    return parser


def _replay(path: Path, key: str | None, sandbox: Sandbox) -> list[str]:
    record, signer = Record.read(path.read_bytes())
    if key is not None and signer != key.strip().lower():
        raise BadRecord("Another server signed this record. Ask the right one for it, or check the key.")
    return differences(record, sandbox)


def differences(record: Record, sandbox: Sandbox) -> list[str]:
    """Grade what a record holds, and return what comes out otherwise; nothing if it is the same.

    :raises BadRecord: it was graded by another revision or in another environment, so that a comparison says nothing
    :raises NoSuchExercise: its exercise is not installed
    """
    from exercises.registry import find

    exercise = find(record.exercise)
    if exercise.revision != record.revision:
        raise BadRecord(
            f"It was graded on revision {record.revision} of {record.exercise}, and revision {exercise.revision} is "
            "installed. Install the version of that time."
        )
    if record.environment != numerics.environment():
        raise BadRecord(
            f"It was graded in the environment {record.environment!r}, and this one is {numerics.environment()!r}. "
            "Install the versions of that time."
        )
    grade = _grade(record, sandbox)
    run_status = grade.run.status.value if grade.run else None
    found = [] if run_status == record.run_status else [f"run: {record.run_status} then, {run_status} now"]
    rows = [row.as_json() for row in grade.checkpoints]
    if len(rows) != len(record.rows):
        return [*found, f"{len(record.rows)} rows then, {len(rows)} now"]
    return found + [line for then, now in zip(record.rows, rows, strict=True) for line in _differing(then, now)]


def _grade(record: Record, sandbox: Sandbox) -> Grade:
    from exercises.instance import Instance, Kind
    from exercises.registry import find
    from grader.grade import grade_code, grade_tensors
    from grader.tensors import BadAnswer

    try:
        kind = Kind(record.instance_kind)
        instance = Instance(exercise=find(record.exercise), state=record.state, kind=kind, dataset=record.dataset)
        if record.kind == "tensors":
            return grade_tensors(instance, record.body)
        return grade_code(instance, record.body.decode(), record.filename or "solution.py", sandbox)
    except (BadAnswer, ValueError) as error:
        raise BadRecord(f"What it holds cannot be graded: {error}") from None


def _differing(then: Any, now: dict[str, Any]) -> list[str]:
    return [
        f"{now['name']}.{field}: {then.get(field)!r} then, {value!r} now"
        for field, value in now.items()
        if then.get(field) != value
    ]
