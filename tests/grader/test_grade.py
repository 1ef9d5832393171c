"""From a student's file to a grade, through the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from exercises.catalog import CATALOG
from exercises.exercise import Exercise
from grader.__main__ import main
from grader.compare import Verdict
from grader.grade import Grade, grade_code
from grader.sandbox import RunStatus, Sandbox
from tests.lecture import lecture_notebook

FULL = CATALOG["makemore/full-backward"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def graded(sandbox: Sandbox, source: str, exercise: Exercise = FULL) -> Grade:
    return grade_code(exercise.canonical(), source, "solution.py", sandbox)


@pytest.mark.parametrize("exercise", CATALOG.values(), ids=lambda exercise: exercise.slug)
def test_the_solution_passes(sandbox: Sandbox, exercise: Exercise) -> None:
    grade = graded(sandbox, exercise.solution, exercise)
    assert grade.complete
    assert grade.passed == grade.total == len(exercise.checkpoints)


def test_the_solution_of_the_full_backward_pass_is_exact_26_times(sandbox: Sandbox) -> None:
    assert graded(sandbox, FULL.solution).exact == 26


def test_the_lectures_own_cells_are_exact_26_times(sandbox: Sandbox) -> None:
    notebook = json.loads(lecture_notebook().read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    forward = next(at for at, cell in enumerate(cells) if "loss.backward()" in cell)
    grade = graded(sandbox, "\n\n".join(cells[forward + 1 :]))
    assert grade.exact == grade.total == 26
    noted = {row.name: note for row in grade.checkpoints for note in row.notes if "broadcasting" in note}
    assert noted == {"bnmeani": "shape [64], compared with [1, 64] by broadcasting"}


def test_a_function_is_taken_like_statements(sandbox: Sandbox) -> None:
    body = FULL.solution.replace('"""', "#", 2).replace("\n", "\n    ")
    names = ", ".join(f"{each.answer!r}: {each.answer}" for each in FULL.checkpoints)
    unpacked = "".join(f"    {name} = state[{name!r}]\n" for name in FULL.canonical().tensors())
    grade = graded(sandbox, f"def backward(state):\n{unpacked}    {body}\n    return {{{names}}}\n")
    assert grade.exact == 26


def test_code_that_stops_half_way_keeps_what_it_had(sandbox: Sandbox) -> None:
    whole = FULL.solution
    grade = graded(sandbox, whole.replace("dh = dlogits @ W2.T", "dh = dlogits @ W2"))
    assert grade.run is not None
    assert grade.run.status is RunStatus.ERROR
    assert 'File "solution.py"' in grade.run.message
    assert "dh = dlogits @ W2" in grade.run.message
    assert [row.verdict for row in grade.checkpoints[:9]] == [Verdict.EXACT] * 8 + [Verdict.MISSING]
    assert not grade.complete


def test_what_was_given_to_cmp_counts_and_a_later_change_is_noted(sandbox: Sandbox) -> None:
    source = FULL.solution + "\ncmp('bndiff', dbndiff, bndiff)\ndbndiff += 1\n"
    row = next(row for row in graded(sandbox, source).checkpoints if row.name == "bndiff")
    assert row.verdict is Verdict.EXACT
    assert any("cmp" in note for note in row.notes)


def test_the_command_grades_files_and_tells_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(CATALOG["makemore/cross-entropy"].solution)
    wrong.write_text("dlogits = undefined")
    assert main(["makemore/cross-entropy", str(right), str(wrong), "--json"]) == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert set(first) >= {"file", "run", "flags", "passed", "exact", "total", "checkpoints"}
    assert (first["file"], first["run"]["status"], first["passed"], first["total"]) == (
        str(right),
        "ok",
        1,
        1,
    )
    assert (second["run"]["status"], second["passed"]) == ("error", 0)
    assert second["checkpoints"][0]["verdict"] == "missing"
    assert main(["makemore/cross-entropy", str(right)]) == 0
    assert "logits          | exact: False | approximate: True" in capsys.readouterr().out


def test_a_file_that_is_no_text_is_told_so_and_does_not_end_the_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latin, after, lie = tmp_path / "latin.py", tmp_path / "after.py", tmp_path / "lie.safetensors"
    latin.write_bytes(b"note = '\xe9'\n")
    after.write_text("dhprebn = hprebn\n")
    lie.write_bytes(b"no tensors")
    assert main(["makemore/batch-norm", str(latin), str(after), "--json"]) == 1
    first, second = (json.loads(line)["run"] for line in capsys.readouterr().out.splitlines())
    assert first["status"] == "error" and first["message"].endswith("Save it as UTF-8 text.")
    assert second["status"] == "ok"
    assert main(["makemore/batch-norm", str(lie)]) == 2
    assert f"{lie}: this is not a safetensors file" in capsys.readouterr().err


def test_the_command_says_which_exercises_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["makemore/nothing", "x.py"]) == 2
    assert "makemore/full-backward" in capsys.readouterr().err
