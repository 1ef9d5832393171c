"""Backward lines are written as the lecture writes them, and what cannot be derived is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from author.derive import derived
from author.derive.checked import checked
from author.derive.code import broadcast
from author.derive.key import key_of, samples_of
from exercises.language import reader
from exercises.language.errors import Refused
from exercises.registry import find
from tests.author.derive.samples import check, code_of, derive, samples


@pytest.mark.parametrize("name", ["full-backward", "cross-entropy", "batch-norm"])
def test_the_lectures_lines_are_exact(name: str) -> None:
    exercise = find(f"makemore/{name}")
    key = key_of(exercise)

    lines = checked(exercise.forward, samples_of(exercise), key.lines)

    assert [each.line.name for each in lines if not each.is_exact] == []
    assert {each.name for each in exercise.checkpoints} <= {each.line.name for each in lines}


def test_a_name_that_two_gradients_need_is_set_where_it_is_read_first() -> None:
    """``dbnraw_sub`` stands in the gradients of hprebn and of bnmean, which hprebn needs."""
    exercise = find("makemore/train")

    lines = checked(exercise.forward, samples_of(exercise), key_of(exercise).lines)

    assert [each.line.name for each in lines if not each.is_right] == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("dx = 3.0 * dy", ""),
        ("dx = 3.00001 * dy", ""),
        ("dx = (3.0 * dy)[0]", "shape [4] for [1, 4]"),
        ("dx = 3.0 * nothing", "NameError: name 'nothing' is not defined"),
        ("dx = dy * float('nan')", ""),
    ],
)
def test_a_line_is_right_if_it_gives_autograds_gradient(code: str, error: str) -> None:
    given = samples("x:1,4")
    forward, (dy, dx) = derive("y = x * 3.0\nloss = (y * y).sum()", given)

    found = checked(forward, given, [dy, replace(dx, code=code)])

    assert [each.is_right for each in found] == [True, code == "dx = 3.0 * dy"]
    assert found[1].error == error


def test_the_lectures_lines_read_as_in_the_lecture() -> None:
    codes = {line.name: line.code for line in key_of(find("makemore/full-backward")).lines}

    assert codes["logprobs"] == "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0 / n"
    assert codes["counts"] == "dcounts = dprobs * counts_sum_inv + dcounts_sum"
    assert codes["hpreact"] == "dhpreact = (1.0 - h**2) * dh"
    assert codes["bnvar"] == "dbnvar = -0.5 * (bnvar + 1e-5)**-1.5 * dbnvar_inv"
    assert codes["W2"] == "dW2 = h.T @ dlogits"
    assert codes["bngain"] == "dbngain = (dhpreact * bnraw).sum(0, keepdim=True)"
    assert codes["hprebn"] == "dhprebn = dbndiff + 1 / n * dbnmeani"


@pytest.mark.parametrize(
    ("lines", "shapes", "code"),
    [
        (
            "h = torch.tanh(x @ W + b)\nloss = h.sum()",
            "x:2,3 W:3,4 b:4",
            "dh = torch.ones_like(h)\ndh_in = (1.0 - h**2) * dh\ndx = dh_in @ W.T\ndW = x.T @ dh_in\ndb = dh_in.sum(0)",
        ),
        (
            "q, k, v = x.chunk(3, -1)\ny = q * k + v\nloss = (y * y).sum()",
            "x:2,6",
            "dy = 2 * y\ndv = dy\ndk = dy * q\ndq = dy * k\ndx = torch.cat([dq, dk, dv], -1)",
        ),
        (
            "y = x[:, 0] * x[:, 1]\nloss = y.sum()",
            "x:2,3",
            "dy = torch.ones_like(y)\ndx = torch.zeros_like(x)\ndx[:, 1] += dy * x[:, 0]\ndx[:, 0] += dy * x[:, 1]",
        ),
        (
            "y = q @ k.transpose(-2, -1)\nloss = y.sum()",
            "q:2,3,4 k:2,5,4",
            "dy = torch.ones_like(y)\ndq = dy @ k\ndk = dy.transpose(-2, -1) @ q",
        ),
    ],
    ids=["composite", "chunk", "slices", "transposed"],
)
def test_lines_are_short(lines: str, shapes: str, code: str) -> None:
    assert code_of(lines, shapes) == code


def test_a_term_is_what_one_use_adds() -> None:
    given = samples("x:3,4 b:4")
    forward = reader.read("s = x + b\ny = s * s.exp()\nloss = y.sum()", given)

    lines = {line.name: line for line in derived(forward, given, ["y", "s", "x", "b"])}

    assert [(term.consumer, term.rule, term.path) for term in lines["s"].terms] == [
        ("y", "mul", ("mul",)),
        ("y", "exp", ("mul", "exp")),
    ]
    state = {"dy": torch.rand(3, 4), "s": torch.rand(3, 4), "x": torch.rand(3, 4), "b": torch.rand(4)}
    total: Any = sum(eval(term.code, {**state, "torch": torch}) for term in lines["s"].terms)
    namespace: dict[str, Any] = {**state, "torch": torch}
    exec(lines["s"].code, namespace)
    assert torch.equal(total, namespace["ds"])


def test_only_what_is_wanted_and_what_it_needs_is_derived() -> None:
    given = samples("x:3,4 W:4,4 V:4,4")
    forward = reader.read("h = x @ W\ny = h @ V\nloss = (y * y).sum()", given)

    assert [line.answer for line in derived(forward, given, ["W"])] == ["dy", "dh", "dW"]


def test_nothing_goes_back_through_detach_and_frozen_lines() -> None:
    lines = "with torch.no_grad():\n    m = torch.tanh(x)\ny = x * m + (x * x).detach()\nloss = y.sum()"

    (dy, dx) = check(lines, "x:3,4")

    assert (dx.line.code, dx.is_right) == ("dx = dy * m", True)
    assert dy.is_right


def test_a_tensor_that_the_loss_does_not_need_has_gradient_zero() -> None:
    assert code_of("y = x.detach() * 2\nloss = (W * y).sum()", "x:3 W:3").splitlines()[0] == "dx = torch.zeros_like(x)"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "y = torch.matrix_exp(z @ z.T)",
            "matrix_exp has no rule that derives it. Write the first terms of",
        ),
        (
            "y = F.pad(z, (-1, 1))",
            "pad by a negative number has no rule that derives it. Write it with other",
        ),
    ],
)
def test_an_operation_without_a_rule_is_refused_with_its_line(line: str, reason: str) -> None:
    given = samples("x:3,4")
    forward = reader.read(f"z = x * 2\n{line}\nloss = y.sum()", given)

    with pytest.raises(Refused, match=f"line 2: {reason}"):
        derived(forward, given, ["x"])


@pytest.mark.parametrize("shapes", [((3, 4), (4,)), ((2, 1, 4), (3, 1)), ((), (2, 3)), ((1,), (5, 1)), ((0, 3), (1,))])
def test_shapes_are_stretched_as_torch_does(shapes: tuple[tuple[int, ...], ...]) -> None:
    assert broadcast(*shapes) == tuple(torch.broadcast_tensors(*map(torch.empty, shapes))[0].shape)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        broadcast((3,), (4,))
