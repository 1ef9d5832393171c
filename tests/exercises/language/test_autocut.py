"""Composite lines are cut at each nonlinearity, and the loss is found."""

from __future__ import annotations

import pytest
import torch

from exercises.language import autocut, given, loss, reader
from exercises.language.errors import Refused
from exercises.language.expression import evaluated
from exercises.language.forward import Forward
from exercises.language.text import comments_of

GIVEN = given.read(
    "x = data(4, 3)\nW = param(3, 3)\nV = param(3, 3)\nb = param(3)\ny = labels(3, 4)\ng = data(4, 3)\n"
    "alpha = 0.3\nk = 4"
)


def cut(lines: str) -> Forward:
    forward = reader.read(lines, GIVEN.samples(), keep_spelling=True)
    return autocut.cut(forward, GIVEN.params, [each.name for each in GIVEN.drawn], comments_of(lines))


CUTS = {
    "an activation": ("h = torch.tanh(x @ W + b)", ["h_pre = x @ W + b", "h = torch.tanh(h_pre)"]),
    "softmax by hand": ("p = torch.exp(W) / torch.exp(W).sum(1, keepdim=True)",
                        ["p_exp = torch.exp(W)", "p_sum = p_exp.sum(1, keepdim=True)", "p = p_exp / p_sum"]),
    "log-sum-exp": ("z = W - W.exp().sum(1, keepdim=True).log()",
                    ["z_exp = torch.exp(W)", "z_sum = z_exp.sum(1, keepdim=True)", "z_log = torch.log(z_sum)",
                     "z = W - z_log"]),
    "attention": ("a = F.softmax(W @ V.transpose(0, 1) / 3**0.5, dim=-1)",
                  ["a_scores = W @ V.transpose(0, 1) / 3**0.5", "a = a_scores.softmax(-1)"]),
    "a mean of squares": ("z = ((W - V)**2).mean()", ["z_diff = W - V", "z_sq = z_diff**2", "z = z_sq.mean()"]),
    "a product of products": ("z = (x @ W) @ V", ["z_prod = x @ W", "z = z_prod @ V"]),
    "a gate": ("h = torch.sigmoid(x @ W) * torch.tanh(x @ V)",
               ["h_pre = x @ W", "h_sigmoid = torch.sigmoid(h_pre)", "h_pre_2 = x @ V", "h_tanh = torch.tanh(h_pre_2)",
                "h = h_sigmoid * h_tanh"]),
    "the name of a number": ("z = torch.tanh(x @ W * alpha)", ["z_pre = x @ W * alpha", "z = torch.tanh(z_pre)"]),
    "arithmetic of a number": ("z = torch.tanh(x @ W * (1 - alpha) / -k) * k**-0.5",
                               ["z_pre = x @ W * (1 - alpha) / -k", "z_tanh = torch.tanh(z_pre)",
                                "z = z_tanh * k**-0.5"]),
    "mathematics of a number": ("z = W.exp() / math.sqrt(k)", ["z_exp = torch.exp(W)", "z = z_exp / math.sqrt(k)"]),
    "a number of a function": ("def f(x, scale):\n    return torch.tanh(x @ W * scale)\nz = f(x, 2 * alpha)",
                               ["z_pre = x @ W * (2 * alpha)", "z = torch.tanh(z_pre)"]),
    "sizes of a shape": ("z = W.exp().view(k - 1, -1)", ["z_exp = torch.exp(W)", "z = z_exp.view(k - 1, -1)"]),
    "rows of a range": ("z = torch.exp(x @ W)[range(k), y]", ["z_prod = x @ W", "z_exp = torch.exp(z_prod)",
                                                            "z = z_exp[range(k), y]"]),
    "a long spelling": ("z = torch.tanh(x @ W * (alpha + k + alpha + k + alpha + 1.5))",
                        ["z_pre = x @ W * 10.4", "z = torch.tanh(z_pre)"]),
    "a maximum": ("z = W - W.max(1, keepdim=True).values", ["z_max = W.max(1, keepdim=True).values", "z = W - z_max"]),
}  # fmt: skip
KEPT = [
    "z = x @ W + b",
    "z = -W[range(3), range(3)].mean()",
    "z = (W + 1e-5) ** -0.5",
    "z = (x @ W * g).sum()",
    "z = x @ W + x @ V + b",
    "z = W - W.mean(0, keepdim=True)",
    "z = torch.exp(0.5 * W)",
    "z = W + (torch.exp(V) * 2 - W).detach()",
]


@pytest.mark.parametrize("case", CUTS)
def test_a_composite_line_is_cut(case: str) -> None:
    lines, expected = CUTS[case]

    forward = cut(lines)

    assert [line.text for line in forward.lines] == expected
    again = reader.read(forward.text, GIVEN.samples())
    assert [line.expression for line in again.lines] == [line.expression for line in forward.lines]


@pytest.mark.parametrize("line", KEPT)
def test_a_line_of_one_nonlinearity_is_kept(line: str) -> None:
    assert [each.text for each in cut(line).lines] == [line]


@pytest.mark.parametrize("case", CUTS)
def test_cut_lines_compute_the_same_bits(case: str) -> None:
    values = GIVEN.samples()
    whole = evaluated(reader.read(CUTS[case][0], values).lines[-1].expression, values.__getitem__)
    for line in cut(CUTS[case][0]).lines:
        values[line.name] = evaluated(line.expression, values.__getitem__)

    assert torch.equal(values[line.name], whole)


def test_a_comment_stays_at_the_last_line_of_a_cut() -> None:
    assert cut("h = torch.tanh(x @ W)  # hidden").text == "h_pre = x @ W\nh = torch.tanh(h_pre)  # hidden"


def to_loss(lines: str) -> Forward:
    return loss.to_loss(reader.read(lines, GIVEN.samples()), GIVEN.samples(), comments_of(lines))


def test_the_last_of_several_losses_is_the_loss() -> None:
    forward = to_loss("loss = W.sum()\nloss = loss * 2\nloss += 1")

    assert [line.text for line in forward.lines] == ["loss_1 = W.sum()", "loss_2 = loss_1 * 2", "loss = loss_2 + 1"]


def test_a_loss_of_another_name_is_called_loss() -> None:
    assert to_loss("total = W.sum()").text == "loss = W.sum()"


def test_a_step_that_the_loss_does_not_depend_on_is_left_out_with_a_note() -> None:
    forward = to_loss("h = x @ W\nspare = x @ V\nloss = h.sum()")

    assert [line.name for line in forward.lines] == ["h", "loss"]
    assert [(note.line, note.text) for note in forward.notes] == [
        (2, "spare is left out: the loss does not depend on it")
    ]


def test_a_step_that_is_only_read_behind_a_wall_is_frozen() -> None:
    forward = to_loss("t = x @ W\nloss = (t.detach() * (x @ V)).sum()")

    assert [(line.text, line.frozen) for line in forward.lines[:1]] == [("t = (x @ W).detach()", True)]


@pytest.mark.parametrize(
    ("lines", "number", "reason"),
    [
        ("h = W * 1\n\nloss = x @ W", 3, "is no number: it has 12 elements"),
        ("h = x * 2", 1, "no line computes anything"),
    ],
)
def test_a_loss_that_is_no_number_is_refused(lines: str, number: int, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refusal:
        to_loss(lines)

    assert refusal.value.line == number
