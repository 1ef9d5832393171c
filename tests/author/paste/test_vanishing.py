"""What a pasted forward pass asks for: nothing that has no gradient, and zeros are declared where a state is zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from author.paste.document import split
from author.paste.folder import write
from author.paste.pasting import Pasted, paste
from author.prove.parts import parts
from author.prove.subject import Subject
from exercises.exercise import Exercise
from exercises.folder import load
from tests.author.subjects import SMALL

MOMENTUM = """# --- given
x = data(4, 3)
W = param(3, 2)
W_m = param(3, 2)
# --- lines
q = torch.tanh(x @ W)
with torch.no_grad():
    W_k = 0.9 * W_m + 0.1 * W
loss = ((q - x @ W_k)**2).mean()
"""
GATES = """# --- given
x = data(3, 2, 4)
W = param(4, 6)
# --- lines
c = torch.zeros(2, 3)
for t in range(2):
    gates = x[t] @ W
    f, i = gates.chunk(2, 1)
    c = torch.sigmoid(f) * c + torch.tanh(i)
loss = (c * c).sum()
"""
ATTENTION = """# --- given
x = data(3, 4)
W = param(4, 12)
b = param(12)
g = data(3, 4)
# --- lines
q, k, v = (x @ W + b).chunk(3, -1)
scores = (q @ k.T).masked_fill(torch.ones(3, 3).triu(1) == 1, float("-inf"))
loss = (scores.softmax(-1) @ v * g).sum()
"""


def made(text: str, place: Path) -> tuple[Pasted, Exercise]:
    """Return a text as it is pasted, and the exercise of its folder."""
    pasted = paste(split(text))
    write(pasted, place / "pack" / "exercise")
    return pasted, load(place / "pack" / "exercise", "pack")


def test_a_parameter_behind_a_wall_is_not_asked_for(tmp_path: Path) -> None:
    pasted, exercise = made(MOMENTUM, tmp_path)

    assert [each.name for each in exercise.checkpoints] == ["loss_sq", "loss_diff", "q", "q_pre", "W"]
    notes = [each.text for each in pasted.notes]
    assert notes == ["W_m is not asked for: it is read behind a wall alone, so it has no gradient"]
    assert "- `W_m`, [3, 2]: a parameter without a gradient" in exercise.statement


def test_the_proof_says_what_is_not_asked_for_and_why(tmp_path: Path) -> None:
    finding = parts(Subject(made(MOMENTUM, tmp_path)[1], SMALL))

    assert finding.is_sound
    assert finding.notes == (
        "W_m is not asked for: W_k = (0.9 * W_m + 0.1 * W).detach() reads it behind a wall, "
        "so no gradient comes back to it.",
        "W_k is not asked for: no_grad or detach stands around its line, so it has no gradient.",
    )


def test_what_a_zero_state_leaves_without_a_gradient_is_declared(tmp_path: Path) -> None:
    pasted, exercise = made(GATES, tmp_path)

    assert exercise.vanishing == {"c_1_sigmoid", "f_1", "gates_1[:, 0:3]"}
    assert pasted.notes[-1].text.startswith(
        "no gradient because c starts at zero: c_1_sigmoid, f_1 and gates_1[:, 0:3]"
    )
    assert parts(Subject(exercise, SMALL)).is_sound


def test_what_is_zero_for_any_numbers_is_declared(tmp_path: Path) -> None:
    pasted, exercise = made(ATTENTION, tmp_path)

    assert exercise.vanishing == {"scores[0]", "q[0]", "b[4:8]"}
    assert pasted.notes[-1].text == (
        "no gradient whatever the numbers are: scores[0], q[0] and b[4:8]; declared as vanishing, so zeros pass there"
    )
    assert parts(Subject(exercise, SMALL)).is_sound


@pytest.mark.parametrize("line", ["F.relu(-x * x - W * W)", "torch.maximum(-x * x - W * W, torch.zeros(3))"])
def test_what_is_dead_is_not_declared(line: str) -> None:
    text = f"# --- given\nx = data(3)\nW = param(3)\n# --- lines\nh = {line}\nloss = (h * W).sum() + W.sum()\n"

    assert paste(split(text)).vanishing == ()
