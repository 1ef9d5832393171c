"""From a student's file to a grade, through the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from exercises.registry import exercises, find
from grader import numerics
from grader.__main__ import main
from grader.answer import normalise
from grader.compare import Origin, Verdict
from grader.grade import VANISHING, Grade, compare_all, grade_code
from grader.reference.gradients import reference
from grader.sandbox import Limits, RunStatus, Sandbox
from tests.grader.rows import RIGHT, judged, written
from tests.lecture import lecture_notebook
from tests.mistakes.play import play

FULL = find("makemore/full-backward")
INSTANCE = Instance.canonical(FULL)


def graded(sandbox: Sandbox, source: str, exercise: Exercise = FULL) -> Grade:
    return grade_code(Instance.canonical(exercise), source, "solution.py", sandbox)


@pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)
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
    unpacked = "".join(f"    {name} = state[{name!r}]\n" for name in Instance.canonical(FULL).tensors())
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


def test_a_grade_as_json_has_all_of_its_parts(sandbox: Sandbox) -> None:
    grade = graded(sandbox, "print('hello')\nloss.backward()\n" + FULL.solution)

    told = grade.as_json()
    assert told["run"] == {"status": "ok", "message": "", "stdout": "hello\n"}
    assert told["flags"] == list(grade.flags) == ["autograd"]
    assert (told["passed"], told["exact"], told["total"]) == (26, 26, 26)
    assert told["summary"] == "everything is right"
    assert told["environment"] == numerics.environment()
    assert told["checkpoints"] == [row.as_json() for row in grade.checkpoints]


def test_code_that_raises_at_its_end_is_not_complete(sandbox: Sandbox) -> None:
    grade = graded(sandbox, FULL.solution + "\nraise ValueError('at the end')\n")

    assert grade.passed == grade.total
    assert not grade.complete


def test_a_limit_that_is_asked_for_is_the_one_that_holds(sandbox: Sandbox) -> None:
    source = "print('x' * 2_000)\n"

    grade = grade_code(Instance.canonical(FULL), source, "solution.py", sandbox, Limits(stdout_bytes=1_000))

    assert grade.run is not None and grade.run.status is RunStatus.OUTPUT_LIMIT


def test_a_checkpoint_without_an_answer_names_the_variable() -> None:
    rows = compare_all(Instance.canonical(FULL), {})

    assert [row.notes for row in rows[:2]] == [
        ("dlogprobs was not handed in",),
        ("dprobs was not handed in",),
    ]


def test_what_stopped_code_left_undone_is_noted(sandbox: Sandbox) -> None:
    stop = FULL.solution.replace("dh = dlogits @ W2.T", "dh = torch.zeros_like(h)\nraise SystemExit(1)")

    stopped = {row.name: row for row in graded(sandbox, stop).checkpoints}["h"]
    finished = {row.name: row for row in graded(sandbox, "dh = torch.zeros_like(h)").checkpoints}["h"]

    assert stopped.origin is Origin.UNKNOWN and stopped.diagnosis == ()
    assert stopped.notes == ("the code stopped before all of this gradient was there",)
    assert finished.notes == (
        "the mistake is here, in dlogits, which you did not hand in, or above; hand it in as well",
    )


def test_float64_answers_fit_and_are_noted(sandbox: Sandbox) -> None:
    doubled = "".join(f"\n{each.answer} = {each.answer}.double()" for each in FULL.checkpoints)

    grade = graded(sandbox, FULL.solution + doubled)

    assert grade.exact == 26
    assert all("float64, compared as float32" in row.notes for row in grade.checkpoints)


def test_rounding_noise_is_noted_where_the_true_gradient_is_zero() -> None:
    right = reference(Instance.canonical(FULL)).gradients
    answers = {name: normalise(gradient) for name, gradient in right.items()}
    noise = {"logit_maxes": normalise(torch.zeros(32, 1)), "b1": normalise(torch.full((64,), 1e-9))}
    wrong = {name: normalise(torch.ones_like(right[name])) for name in ("logit_maxes", "b1")}

    assert {row.name for row in compare_all(INSTANCE, answers) if VANISHING in row.notes} == set(noise)
    assert {row.name for row in compare_all(INSTANCE, answers | noise) if VANISHING in row.notes} == set(noise)
    assert not any(VANISHING in row.notes for row in compare_all(INSTANCE, answers | wrong))


def test_what_was_given_to_cmp_counts_and_a_later_change_is_noted(sandbox: Sandbox) -> None:
    source = FULL.solution + "\ncmp('bndiff', dbndiff, bndiff)\ndbndiff += 1\n"
    row = next(row for row in graded(sandbox, source).checkpoints if row.name == "bndiff")
    assert row.verdict is Verdict.EXACT
    assert any("cmp" in note for note in row.notes)


def test_the_command_grades_files_and_tells_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(find("makemore/cross-entropy").solution)
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


def test_the_command_prints_what_is_known_of_each_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign, stops, tensors = tmp_path / "sign.py", tmp_path / "stops.py", tmp_path / "right.safetensors"
    exercise = find("makemore/cross-entropy")
    sign.write_text(exercise.solution + "\ndlogits = -dlogits\n")
    stops.write_text("dlogits = undefined")
    gradient = reference(Instance.canonical(exercise)).gradients["logits"]
    tensors.write_bytes(safetensors.torch.save({"dlogits": gradient[None]}))

    code = main(["makemore/cross-entropy", str(sign), str(stops), str(tensors)])

    assert code == 1  # the last file is right, the others are not
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{sign}: 0 of 1 right, 0 exact; 1 mistake of your own; begin with dlogits"
    assert lines[1].startswith("logits          | exact: False | approximate: False | maxdiff: ")
    assert lines[2] == "                | the mistake is in this step"
    assert lines[3].startswith("                | The sign is turned around everywhere")
    assert lines[4] == f"{stops}: 0 of 1 right, 0 exact; 1 missing or not to be judged yet"
    assert any(line.startswith("error: Traceback") for line in lines)
    assert lines[-1] == "                | shape [1, 32, 27], compared with [32, 27] by broadcasting"


def test_the_command_names_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["makemore/batch-norm", "not-there.py"]) == 2
    assert "not-there.py" in capsys.readouterr().err


def test_the_command_says_which_exercises_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["makemore/nothing", "x.py"]) == 2
    assert "makemore/full-backward" in capsys.readouterr().err


def test_the_summary_says_where_to_begin() -> None:
    grade = Grade(tuple(written(("counts_sum_inv + dcounts_sum ", "counts_sum_inv ")).values()), "here")
    assert grade.summary() == "1 mistake of your own, 20 steps inherit it; begin with dcounts"
    assert grade.first_mistake is not None and grade.first_mistake.name == "counts"
    assert Grade(tuple(judged({}).values()), "here").summary() == "everything is right"


def test_the_summary_names_the_first_of_several_mistakes() -> None:
    rows = judged({"probs": RIGHT["probs"] * 3, "W2": RIGHT["W2"] * 3, "b2": RIGHT["b2"] * 3, "C": None})
    grade = Grade(tuple(rows.values()), "here")

    assert grade.summary() == "3 mistakes of your own, 1 missing or not to be judged yet; begin with dprobs"
    assert grade.first_mistake is rows["probs"]


def test_the_summary_names_a_step_that_passes_beyond_rounding_if_nothing_else_is_wrong() -> None:
    """The path through the maximum is there, at every class: dlogits passes, and rounding cannot explain it."""
    change = ("F.one_hot(logits.argmax(1), num_classes=vocab_size) * dlogit_maxes", "dlogit_maxes")
    drawn = Instance.draw(FULL, 1, Kind.HIDDEN)

    rows = {row.name: row for row in play(drawn, FULL.solution.replace(*change))}

    assert rows["logits"].passed
    inherited = [row for row in rows.values() if not row.passed]
    assert {"W2", "W1"} < {row.name for row in inherited}
    assert all(row.origin is Origin.INHERITED and row.blames == ("logits",) for row in inherited)
    assert Grade(tuple(rows.values()), "here").summary() == (
        f"{len(inherited)} steps inherit a mistake from above; begin with dlogits"
    )


def test_the_summary_counts_one_as_one() -> None:
    upstream = RIGHT["embcat"] * 2
    rows = judged({"embcat": upstream, "emb": upstream.view(32, 3, 10)})
    two = judged({"embcat": upstream, "emb": upstream.view(32, 3, 10), "h": RIGHT["h"] * 3})

    assert Grade(tuple(rows.values()), "here").summary() == (
        "1 mistake of your own, 1 step inherits it; begin with dembcat"
    )
    assert Grade(tuple(two.values()), "here").summary() == (
        "2 mistakes of your own, 1 step inherits them; begin with dh"
    )


def test_the_summary_counts_what_cannot_be_told() -> None:
    alone: dict[str, Tensor | None] = {each.name: None for each in FULL.checkpoints}

    one = Grade(tuple(judged(alone | {"C": -RIGHT["C"]}).values()), "here")
    two = Grade(tuple(judged(alone | {"C": 2 * RIGHT["C"], "h": -RIGHT["h"]}).values()), "here")

    assert (one.own, one.inherited, one.unknown) == (0, 0, 1)
    assert one.summary() == "1 step wrong, here or above, 25 missing or not to be judged yet; hand in demb as well"
    assert two.summary() == "2 steps wrong, here or above, 24 missing or not to be judged yet; hand in dlogits as well"


def test_the_summary_without_anything_to_begin_with_gives_no_advice() -> None:
    rows = judged({each.name: None for each in FULL.checkpoints})

    assert Grade(tuple(rows.values()), "here").summary() == "26 missing or not to be judged yet"


def test_rounding_passes_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = {"d" + each.name: RIGHT[each.name].clone() for each in FULL.checkpoints}
    tensors["dW2"] += 3e-8 * (RIGHT["W2"].abs() < 1e-4)
    (tmp_path / "answer.safetensors").write_bytes(safetensors.torch.save(tensors))

    status = main([FULL.slug, str(tmp_path / "answer.safetensors")])

    assert status == 0
    printed = capsys.readouterr().out
    assert "26 of 26 right, 25 exact; everything is right" in printed
    assert "W2              | exact: False | approximate: False | maxdiff: " in printed


def test_unknown_is_said_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answer.safetensors").write_bytes(safetensors.torch.save({"dC": -RIGHT["C"]}))

    status = main([FULL.slug, str(tmp_path / "answer.safetensors")])

    assert status == 1
    assert "wrong, and it cannot be told yet whether here or above" in capsys.readouterr().out


def test_what_stopped_code_did_not_assign_may_stand_below(sandbox: Sandbox) -> None:
    code = FULL.solution.replace("dh = dlogits @ W2.T", "dh = dlogits @ W2")

    row = {row.name: row for row in graded(sandbox, code).checkpoints}["W2"]

    assert row.notes == ("dW2 was not assigned when the code stopped; mend what stopped it first",)
