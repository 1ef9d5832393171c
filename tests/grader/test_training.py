"""Chunks of a training run through the sandbox, and what a replay says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from exercises.instance import Instance, Kind
from exercises.makemore import names
from exercises.makemore.training import PARAMETERS, TrainingNumbers
from exercises.registry import find
from grader.answer import Answer
from grader.grade import NOT_ON_EACH, grade_code
from grader.sandbox import Run, RunStatus, Sandbox
from grader.training import AGREED, Chunk, Own, Trainer, Verdict, distance, is_finite
from tests.support.backward import FUNCTION, STATEMENTS, function, training_cell

NUMBERS = TrainingNumbers(names_file=names.BUNDLED, n_hidden=20)
EXERCISE = replace(find("makemore/train"), numbers=NUMBERS)
TRAINER = Trainer(EXERCISE, NUMBERS)
STEPS = 20


@pytest.fixture(scope="module")
def chunk() -> Chunk:
    return TRAINER.chunk(4, 0, 8, [0.1] * STEPS, NUMBERS.start(4))


def taken(sandbox: Sandbox, chunk: Chunk, source: str) -> tuple[Run, dict[str, torch.Tensor] | None]:
    run = sandbox.run(TRAINER.job(chunk, source, "backward.py"))
    return run, TRAINER.parameters(run, chunk.start)


def judged(sandbox: Sandbox, chunk: Chunk, source: str) -> Verdict:
    _, claimed = taken(sandbox, chunk, source)
    assert claimed is not None
    return TRAINER.judge(
        chunk,
        claimed,
        TRAINER.replay(chunk),
        lambda: TRAINER.own(chunk, source, "backward.py", sandbox, lambda: None),
    )


@pytest.mark.parametrize("source", [FUNCTION, STATEMENTS, training_cell()], ids=["function", "statements", "loop"])
def test_right_code_of_each_kind_agrees_with_the_replay(sandbox: Sandbox, chunk: Chunk, source: str) -> None:
    run, claimed = taken(sandbox, chunk, source)

    assert (run.status, run.message) == (RunStatus.OK, "")
    assert claimed is not None and list(claimed) == list(PARAMETERS)
    assert distance(claimed, TRAINER.replay(chunk)) <= AGREED
    assert distance(claimed, chunk.start) > 100 * AGREED


def test_a_chunk_claims_parameters_of_the_networks_shapes_and_type(chunk: Chunk) -> None:
    def claimed(**changed: torch.Tensor) -> dict[str, torch.Tensor] | None:
        answers = {name: Answer(tensor) for name, tensor in {**chunk.start, **changed}.items()}
        return TRAINER.parameters(Run(RunStatus.OK, "", "", answers, (), 0.1), chunk.start)

    b1 = chunk.start["b1"]
    assert claimed() == chunk.start
    assert claimed(b1=b1.double()) is None
    assert claimed(b1=b1[None]) is None


@pytest.mark.parametrize(("share", "verdict"), [(0.5, Verdict.AGREED), (2.0, Verdict.FORGED)])
def test_parameters_agree_within_a_millionth_and_a_little_for_each_step(
    chunk: Chunk, share: float, verdict: Verdict
) -> None:
    reference = TRAINER.replay(chunk)
    largest = max(float(tensor.abs().max()) for tensor in reference.values())
    moved = reference["b1"] + share * (1e-6 + 1e-8 * STEPS) * max(1.0, largest)

    assert TRAINER.judge(chunk, reference | {"b1": moved}, reference, lambda: None) is verdict


def test_two_halves_end_with_the_bytes_of_the_whole(sandbox: Sandbox, chunk: Chunk) -> None:
    _, whole = taken(sandbox, chunk, FUNCTION)
    _, first = taken(sandbox, TRAINER.chunk(4, 0, 8, [0.1] * 7, chunk.start), FUNCTION)
    assert whole is not None and first is not None

    _, second = taken(sandbox, TRAINER.chunk(4, 7, 8, [0.1] * (STEPS - 7), first), FUNCTION)

    assert second is not None and all(torch.equal(second[name], whole[name]) for name in PARAMETERS)


def test_a_wrong_gradient_is_wrong_and_not_forged(sandbox: Sandbox, chunk: Chunk) -> None:
    assert judged(sandbox, chunk, function(dC="1.05 * dC")) is Verdict.WRONG


def test_what_the_backward_pass_does_not_give_is_forged(sandbox: Sandbox, chunk: Chunk) -> None:
    source = "calls = []\n" + function(dW2="dW2 * (2 if calls.append(1) or len(calls) > 3 else 1)")

    assert judged(sandbox, chunk, source) is Verdict.FORGED


def test_right_steps_forgive_no_wrong_one(sandbox: Sandbox) -> None:
    chunk = TRAINER.chunk(4, 0, 8, [0.1] * 3, NUMBERS.start(4))
    wrong_at_first = function(dW2=f"dW2 * (1.05 if torch.equal(W2, torch.tensor({chunk.start['W2'].tolist()})) else 1)")

    own = TRAINER.own(chunk, wrong_at_first, "backward.py", sandbox, lambda: None)

    assert own is not None and not own.are_right


def test_right_gradients_of_a_run_that_blows_up_are_not_called_wrong(chunk: Chunk) -> None:
    reference = TRAINER.replay(chunk)
    claimed = {name: tensor + 0.01 for name, tensor in reference.items()}

    assert TRAINER.judge(chunk, claimed, reference, lambda: Own(claimed, True)) is Verdict.AGREED
    assert TRAINER.judge(chunk, claimed, reference, lambda: Own(claimed, False)) is Verdict.WRONG
    assert TRAINER.judge(chunk, claimed, reference, lambda: Own(reference, True)) is Verdict.FORGED
    assert TRAINER.judge(chunk, claimed, reference, lambda: None) is Verdict.FORGED


@pytest.mark.parametrize(
    ("source", "rate", "are_right"),
    [
        (function(dW2="dW2 * 1.0005"), 0.1, False),  # below a thousandth, and no rounding
        (function(db1="db1 + 1e-5"), 0.1, False),
        (FUNCTION, 0.1, True),
        (FUNCTION, 5.0, True),  # steps that blow up
    ],
    ids=["half a thousandth", "noise", "right", "right and large"],
)
def test_gradients_are_judged_as_answers_are(sandbox: Sandbox, source: str, rate: float, are_right: bool) -> None:
    chunk = TRAINER.chunk(4, 0, 8, [rate] * 4, NUMBERS.start(4))

    own = TRAINER.own(chunk, source, "backward.py", sandbox, lambda: None)

    assert own is not None and own.are_right is are_right


def test_the_lectures_pace_is_measured_with_the_exercises_own_answer(sandbox: Sandbox) -> None:
    assert 0 < TRAINER.lecture_seconds(8, sandbox) < 1


def test_an_error_shows_the_students_line(sandbox: Sandbox, chunk: Chunk) -> None:
    run, _ = taken(sandbox, chunk, FUNCTION.replace("dlogits /= n", "dlogits /= m"))

    assert run.status is RunStatus.ERROR
    assert "dlogits /= m" in run.message and "NameError" in run.message
    assert "descent" not in run.message and "attempt" not in run.message


def test_a_missing_gradient_is_named(sandbox: Sandbox, chunk: Chunk) -> None:
    run, _ = taken(sandbox, chunk, "def backward(state):\n    return {}")

    assert run.status is RunStatus.ERROR
    assert "there is no dC" in run.message


def test_code_that_leaves_claims_no_parameters(sandbox: Sandbox, chunk: Chunk) -> None:
    run, claimed = taken(sandbox, chunk, "def backward(state):\n    raise SystemExit")

    assert run.status is RunStatus.OK and claimed is None


def test_a_step_may_print(sandbox: Sandbox, chunk: Chunk) -> None:
    run, _ = taken(sandbox, chunk, FUNCTION.replace("    dlogits /= n", "    dlogits /= n\n    print('x' * 10_000)"))

    assert run.status is RunStatus.OK


def test_parameters_that_are_no_numbers_are_as_far_as_can_be() -> None:
    start = NUMBERS.start(1)
    broken: Mapping[str, torch.Tensor] = start | {"b1": start["b1"] * float("nan")}

    assert is_finite(start) and not is_finite(broken)
    assert distance(start, start) == 0 and distance(broken, start) == float("inf")


# -- part one ------------------------------------------------------------------------------------------------


def test_code_is_judged_on_five_hidden_instances(sandbox: Sandbox) -> None:
    hidden = Instance.draw(EXERCISE, 11, Kind.HIDDEN)
    first = hidden.tensors()["Yb"].tolist()
    # Right on the instance of which a student could have learned, and on no other one.
    source = STATEMENTS + f"\nif Yb.tolist() != {first}:\n    db2 = db2 * 2\n"

    grade = grade_code(hidden, source, "backward.py", sandbox)
    right = grade_code(hidden, STATEMENTS, "backward.py", sandbox)

    rows = {row.name: row for row in grade.checkpoints}
    assert not rows["b2"].passed and NOT_ON_EACH in rows["b2"].notes
    assert grade.passed == 6 and right.complete


def test_a_run_that_stops_on_a_further_instance_tells_so(sandbox: Sandbox) -> None:
    hidden = Instance.draw(EXERCISE, 11, Kind.HIDDEN)
    first = hidden.tensors()["Yb"].tolist()

    grade = grade_code(hidden, f"assert Yb.tolist() == {first}\n{STATEMENTS}", "backward.py", sandbox)

    assert grade.run is not None and grade.run.status is RunStatus.ERROR
    assert "AssertionError" in grade.run.message and grade.passed == 0


@pytest.mark.parametrize("source", [FUNCTION, training_cell()], ids=["function", "loop"])
def test_part_one_takes_a_function_and_the_lectures_loop(sandbox: Sandbox, source: str) -> None:
    assert grade_code(Instance.canonical(EXERCISE), source, "backward.py", sandbox).complete
