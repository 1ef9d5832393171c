"""Notebooks and scripts in many shapes, read by the client and graded in the real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dojo.errors import BadFile
from dojo.files.answer_file import CodeFile, read_answer_file
from exercises.instance import Instance
from exercises.registry import find
from grader.compare import Comparison, Verdict
from grader.grade import grade_code
from grader.sandbox import Sandbox
from tests.client.notebook_slice.shapes import (
    batch_names,
    exercises_2_to_4,
    half_taken,
    labels,
    more,
    other,
    scripts,
    unfinished,
    writes,
)
from tests.client.notebook_slice.shapes.shape import Shape
from tests.client.notebook_slice.small_notebooks import wanted
from tests.client.notebooks import notebook

SHAPES = [
    shape
    for group in (unfinished, writes, batch_names, half_taken, labels, exercises_2_to_4, scripts, other, more)
    for shape in group.SHAPES
]


def written(shape: Shape, folder: Path) -> Path:
    """Write the shape as a file of its kind."""
    if shape.script:
        path = folder / "answer.py"
        path.write_bytes(shape.script.encode())
        return path
    path = folder / "answer.ipynb"
    path.write_text(json.dumps(notebook(*shape.cells)))
    return path


def played(shape: Shape, folder: Path, sandbox: Sandbox) -> tuple[dict[str, Comparison], str]:
    """Return the rows, and all that the student reads."""
    try:
        answer = read_answer_file(written(shape, folder), wanted(shape.exercise))
    except BadFile as error:
        return {}, f"{error} {getattr(error, 'advice', '')}"
    assert isinstance(answer, CodeFile)
    grade = grade_code(Instance.canonical(find(shape.exercise)), answer.source, answer.path.name, sandbox)
    remarks = answer.notebook.remarks if answer.notebook else ()
    assert grade.run is not None
    notes = [note for row in grade.checkpoints for note in row.notes]
    return {row.name: row for row in grade.checkpoints}, " ".join([*remarks, grade.run.message or "", *notes])


def faults(shape: Shape, rows: dict[str, Comparison], said: str) -> list[str]:
    """Return what is otherwise than the shape says."""
    found = []
    for checkpoint in find(shape.exercise).checkpoints:
        row = rows.get(checkpoint.name)
        outcome = "missing" if row is None or row.verdict is Verdict.MISSING else "passes" if row.passed else "wrong"
        expected = (
            {"passes"}
            if checkpoint.name in shape.passes
            else {"wrong"}
            if checkpoint.name in shape.wrong
            else {"passes", "missing"}
            if checkpoint.name in shape.either
            else {"missing"}
        )
        if outcome not in expected:
            found.append(f"{checkpoint.name}: {outcome}, not {' or '.join(sorted(expected))}")
    text = said.lower()
    found += [
        f"not said: {words}" for words in shape.says if not any(word in text for word in words.lower().split("|"))
    ]
    found += [f"said: {words}" for words in shape.silent if words.lower() in text]
    return found


def test_there_are_many_shapes() -> None:
    assert len(SHAPES) >= 60 and len({shape.name for shape in SHAPES}) == len(SHAPES)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_answer_is_taken_as_it_is(shape: Shape, tmp_path: Path, sandbox: Sandbox) -> None:
    rows, said = played(shape, tmp_path, sandbox)

    assert faults(shape, rows, said) == [], said
