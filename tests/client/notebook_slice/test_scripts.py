"""Scripts of many shapes, sliced and graded in the real sandbox: all 26 rows pass."""

from __future__ import annotations

import pytest

from dojo.notebook_slice import NotebookSlice, read_script, runs_as_it_is, slice_notebook
from exercises.instance import Instance
from exercises.registry import find
from grader.grade import grade_code
from grader.sandbox import RunStatus, Sandbox
from tests.client.notebook_slice.scripts import SCRIPTS
from tests.client.notebook_slice.small_notebooks import FULL, wanted


def read(source: str) -> NotebookSlice:
    return slice_notebook(read_script(source), wanted(FULL))


@pytest.mark.parametrize("shape", SCRIPTS)
def test_every_answer_of_a_script_passes(shape: str, sandbox: Sandbox) -> None:
    found = read(SCRIPTS[shape])

    grade = grade_code(Instance.canonical(find(FULL)), found.source, "script.py", sandbox)

    assert grade.run is not None
    assert (grade.run.status, grade.run.message) == (RunStatus.OK, ""), found.source
    assert not [row.line() for row in grade.checkpoints if not row.passed], (found.remarks, found.source)


@pytest.mark.parametrize("shape", SCRIPTS)
def test_a_script_that_needs_files_is_not_sent_as_it_is(shape: str) -> None:
    assert not runs_as_it_is(read_script(SCRIPTS[shape]), wanted(FULL)) or "open(" not in SCRIPTS[shape]
