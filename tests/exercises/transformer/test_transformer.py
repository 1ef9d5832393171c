"""The transformer pack: right answers pass on every seed, its parts are the whole block's, and mistakes are named."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as functional

import exercises
from exercises import folder
from exercises.instance import Instance, Kind
from exercises.tape import variables
from grader.answer import normalise
from grader.compare import Origin, Verdict
from grader.grade import compare_all, grade_code
from grader.reference.gradients import reference
from grader.sandbox import Limits, Sandbox
from grader.sandbox.result_layout import Layout
from grader.slots import slots_of
from tests.mistakes.play import play

FOLDER = Path(exercises.__path__[0]) / "transformer"
PACK = {exercise.slug.removeprefix("transformer/"): exercise for exercise in folder.load_pack(FOLDER).exercises}
BLOCK = PACK["gpt-block"]
PARTS = ("gpt-loss", "gpt-mlp", "gpt-attention", "gpt-embedding")
SEEDS = range(20)
SEEDS_IN_FLOAT64 = range(3)
ROUNDING_MAX = 0.05  # of the rows of right answers in another style

every_exercise = pytest.mark.parametrize("name", PACK)


@cache
def instance(name: str, seed: int) -> Instance:
    return Instance.draw(PACK[name], seed, Kind.STUDENT)


@every_exercise
def test_the_solution_passes_on_every_seed(name: str) -> None:
    verdicts = [row.verdict for seed in SEEDS for row in play(instance(name, seed), PACK[name].solution)]

    # The key's bias has only rounding noise.
    exact = len(PACK[name].checkpoints) - sum("[" not in each for each in PACK[name].vanishing)
    assert verdicts.count(Verdict.EXACT) == exact * len(SEEDS)
    assert all(verdict.passed for verdict in verdicts)


@every_exercise
def test_rounding_is_seldom_needed_by_another_style(name: str) -> None:
    verdicts = []
    for seed in SEEDS_IN_FLOAT64:
        names: dict[str, Any] = {"torch": torch, "F": functional}
        for key, value in variables(instance(name, seed).tensors()).items():
            is_real = isinstance(value, torch.Tensor) and value.is_floating_point()
            names[key] = value.double() if is_real else value
        exec(PACK[name].solution, names)
        answers = {each.name: normalise(names[each.answer].float()) for each in PACK[name].checkpoints}
        verdicts += [row.verdict for row in compare_all(instance(name, seed), answers)]

    assert all(verdict.passed for verdict in verdicts)
    assert verdicts.count(Verdict.ROUNDING) <= ROUNDING_MAX * len(verdicts)


@every_exercise
def test_what_vanishes_is_declared(name: str) -> None:
    for seed in SEEDS_IN_FLOAT64:
        asked = {each.name for each in PACK[name].checkpoints}
        whole = {each for each in PACK[name].vanishing if "[" not in each}  # parts are the proof's to look at
        assert reference(instance(name, seed)).vanishing & asked == whole


@every_exercise
def test_each_derivation_gives_the_right_gradient(name: str) -> None:
    exercise, right = PACK[name], reference(instance(name, 1)).gradients
    given: dict[str, Any] = {"torch": torch, "F": functional} | variables(instance(name, 1).tensors())
    above: dict[str, Any] = {f"d{each}": gradient for each, gradient in right.items() if f"d{each}" not in given}

    for checkpoint in exercise.checkpoints:
        names = given | {variable: value for variable, value in above.items() if variable != checkpoint.answer}
        exec(exercise.derivations[checkpoint.name].code, names)
        assert torch.allclose(names[checkpoint.answer], right[checkpoint.name], rtol=1e-4, atol=1e-8), checkpoint.name


def test_the_parts_are_the_lines_of_the_whole_block() -> None:
    lines = [line for name in reversed(PARTS) for line in PACK[name].lines.items() if line[0] not in ("loss", "mid")]
    of_loss = ("loss", PACK["gpt-loss"].lines["loss"])

    assert [*lines, of_loss] == [line for line in BLOCK.lines.items() if line[0] != "mid"]


def test_the_parts_ask_for_what_the_whole_block_asks_for() -> None:
    asked = {each.name for name in PARTS for each in PACK[name].checkpoints}

    # The outputs of the parts are given in them, or handed from one to the next by a plus.
    assert {each.name for each in BLOCK.checkpoints} - asked == {"a"}
    assert len(BLOCK.checkpoints) == 50


@every_exercise
def test_all_answers_fit_into_the_default_limits(name: str) -> None:
    slots = slots_of(instance(name, 1), Limits())

    assert len(Layout.of(slots, Limits()).slots) == len(PACK[name].checkpoints)
    right = reference(instance(name, 1)).gradients
    assert all(slot.capacity >= right[slot.name].double().nbytes for slot in slots)


def test_the_whole_block_is_graded_in_the_sandbox() -> None:
    with Sandbox() as sandbox:
        grade = grade_code(instance("gpt-block", 1), BLOCK.solution, "solution.py", sandbox)

    assert grade.complete and grade.exact == grade.total == 50


MISTAKES = [
    ("layer-norm", "(dout * xhat).sum((0, 1))", "(dout * xhat).sum(0)", "gain", "not_reduced"),
    ("layer-norm", "/ C\ndcentred", "/ (C - 1)\ndcentred", "square", "scale"),
    ("layer-norm", "dx = dcentred + dmean / C", "dx = dcentred", "x", "missing_term"),
    ("gelu", "* (1.0 - t ** 2)", "* (1.0 - t)", "inner", "missing_local"),
    ("gelu", " + dexact * cdf", "", "x", "missing_term"),
    ("gelu", "0.044715 * (", "(", "cube", "scale"),
    ("mlp", "dx = dout + ", "dx = ", "x", "missing_term"),
    ("mlp", "dm.sum((0, 1))", "dm.mean((0, 1))", "b_proj", "scale"),
    ("mlp", "dcdf = dact * h", "dcdf = dact", "cdf", "missing_local"),
    ("causal-attention", "(att * datt).sum(-1", "(att * datt).sum(-2", "masked", "wrong_axis"),
    ("causal-attention", "dmasked.masked_fill(mask, 0.0)", "dmasked.masked_fill(~mask, 0.0)", "scores", "missing_term"),
    ("causal-attention", "dqh = dscores @ kh * (C // H) ** -0.5", "dqh = dscores @ kh", "qh", "scale"),
    ("rms-norm-rotary", "dq_first * cos + dq_second * sin", "dq_first * cos - dq_second * sin", "q1", "term_sign"),
    ("rms-norm-rotary", "(dk1, dk2)", "(dk2, dk1)", "k", "swapped"),
    ("rms-norm-rotary", "dxn = dq @ W_q.T + dk @ W_k.T", "dxn = dq @ W_q.T", "xn", "missing_term"),
    ("gpt-loss", "(probs * dprobs).sum(1", "(probs * dprobs).sum(0", "flat", "wrong_axis"),
    ("gpt-loss", "dprobs = dlogprobs / probs", "dprobs = dlogprobs * probs", "probs", "missing_local"),
    ("gpt-loss", "-1.0 / n", "-1.0", "logprobs", "scale"),
    ("gpt-mlp", "dmid = dout + ", "dmid = ", "mid", "missing_term"),
    ("gpt-mlp", "dvar2 * 2.0", "dvar2", "centred2", "term_scale"),
    ("gpt-mlp", "dmean2 = -d", "dmean2 = d", "mean2", "sign"),
    ("gpt-attention", "(dq, dk, dv)", "(dk, dq, dv)", "qkv", "swapped"),
    ("gpt-attention", "dvh = att.transpose(-2, -1) @ dyh", "dvh = att @ dyh", "vh", "transposed"),
    ("gpt-attention", "dv = dvh.transpose(1, 2).reshape", "dv = dvh.reshape", "v", "wrong_axis"),
    ("gpt-embedding", "dx = dmid + ", "dx = ", "x", "missing_term"),
    ("gpt-embedding", "dwpe = dx.sum(0)", "dwpe = dx[0]", "wpe", "not_reduced"),
    ("gpt-embedding", ".index_add_(0, ", ".index_copy_(0, ", "wte", "overwritten"),
    ("gpt-block", "dwte += ", "dwte = ", "wte", "overwritten"),
    ("gpt-block", "dmid = dout + ", "dmid = ", "mid", "missing_term"),
    ("gpt-block", "dh = dact * cdf + ", "dh = ", "h", "missing_term"),
]


@pytest.mark.parametrize(("name", "old", "new", "step", "code"), MISTAKES)
def test_a_mistake_is_found_and_named(name: str, old: str, new: str, step: str, code: str) -> None:
    assert PACK[name].solution.count(old) == 1
    rows = play(instance(name, 1), PACK[name].solution.replace(old, new))

    assert [row.name for row in rows if row.origin is Origin.OWN] == [step]
    assert code in [each.code for row in rows if row.name == step for each in row.diagnosis]


def test_each_exercise_has_three_of_these_mistakes() -> None:
    assert {name: sum(each[0] == name for each in MISTAKES) for name in PACK} == dict.fromkeys(PACK, 3)
