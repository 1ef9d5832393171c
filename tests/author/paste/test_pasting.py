"""Forward passes in the manner of public code become exercises, with the gradients of the original."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from author.paste import original, pasting
from author.paste.document import split
from author.paste.pasting import paste
from exercises.language import given, reader
from exercises.language.errors import Refused
from tests.lecture import SHARED

FORWARDS = sorted((Path(__file__).parents[1] / "forwards").glob("*.py"))
COMPARED = ("gru_module", "ppo_clip", "crf_forward", "vae_loss", "rnn_inplace_outputs", "dqn_huber")


@pytest.mark.parametrize("path", FORWARDS, ids=lambda path: path.stem)
def test_a_public_forward_pass_becomes_an_exercise(path: Path) -> None:
    pasted = paste(split(path.read_text(encoding="utf-8")), run_original=path.stem in COMPARED)

    assert pasted.compared == (path.stem in COMPARED)
    assert pasted.forward.lines[-1].name == "loss"
    again = given.read(pasted.given)
    assert pasting.gradients(pasted.forward, again, 3).keys() >= pasted.forward.with_gradient.intersection(again.params)
    without = [name for name in again.params if name not in pasted.forward.with_gradient]
    notes = [each.text.partition(" is not asked for")[0] for each in pasted.notes if "is not asked for" in each.text]
    assert notes == without


def cases() -> list[Path]:
    return sorted((SHARED / "cases" / "forwards").glob("*.py"))


@pytest.mark.parametrize("number", range(1, 21))
def test_each_of_the_twenty_cases_does_what_its_first_line_says(number: int) -> None:
    if not cases():
        pytest.skip("the twenty forward passes are not here: put them at ../shared/cases/forwards")
    text = cases()[number - 1].read_text(encoding="utf-8")
    says, line = text.partition("\n")[0], re.match(r"# refused: line (\d+)", text)
    if line and number != 11:  # a write into fresh zeros is read as torch.stack, with a note
        with pytest.raises(Refused) as refusal:
            paste(split(text))
        assert refusal.value.line == int(line[1])
        assert _words(refusal.value.reason) <= _words(says)
    else:
        pasted = paste(split(text), run_original=True)
        assert pasted.compared
        vanishing = [each for each in pasted.notes if each.text.startswith("no gradient ")]
        assert bool(vanishing) == bool(pasted.vanishing) == (number in (1, 3, 12, 20))
        assert (len(pasted.notes) > len(vanishing)) == (number in (8, 11, 12, 14))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{5,}", text.lower()))


MODEL = """# --- given
x = data(2, 3)
# --- lines
class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.fc = nn.Linear(n, 2)
        self.drop = nn.Dropout(0.1)
    def forward(self, x):
        return self.drop(self.fc(x))

net = Net(3)
net.eval()
loss = net(x).sum()
"""


def test_the_parameters_of_a_model_are_given_under_its_names() -> None:
    pasted = paste(split(MODEL), run_original=True)

    assert pasted.compared
    assert pasted.given == "x = data(2, 3)\nfc_weight = param(2, 3)\nfc_bias = param(2)\n"
    assert pasted.lines == "fc = F.linear(x, fc_weight, fc_bias)\nloss = fc.sum()\n"


def test_a_model_in_training_mode_with_dropout_is_refused() -> None:
    with pytest.raises(Refused, match="training mode") as refusal:
        paste(split(MODEL.replace("net.eval()", "")))

    assert refusal.value.line == 7


def test_two_models_have_names_of_their_own() -> None:
    text = MODEL.replace("loss = net(x)", "other = Net(3)\nother.eval()\nloss = other(x).sum() + net(x)")

    assert "other_fc_weight = param(2, 3)" in paste(split(text), run_original=True).given


def test_what_is_pasted_reads_back_to_the_same_steps() -> None:
    pasted = paste(split((FORWARDS[0].parent / "rotary_llama.py").read_text(encoding="utf-8")))

    again = reader.read(pasted.lines, given.read(pasted.given).samples())

    assert [(line.name, line.expression) for line in again.lines] == [
        (line.name, line.expression) for line in pasted.forward.lines
    ]


def test_other_gradients_than_the_original_s_are_refused() -> None:
    document = split("# --- given\nx = param(3)\n# --- lines\nloss = (x * x).sum()\n")
    pasted = paste(document)
    other = replace(document, lines="loss = (x * x.detach()).sum()\n")

    with pytest.raises(Refused, match="the gradient of x differs from the original's"):
        pasting.compared(pasted, given.read(pasted.given), lambda tensors: original.run(other, tensors, (), "loss"))


def test_an_original_that_does_not_run_is_noted() -> None:
    text = "# --- given\nx = param(3)\n# --- lines\nimport no_such_package\nloss = x.sum()\n"

    pasted = paste(split(text), run_original=True)

    assert not pasted.compared
    assert "not compared: the original does not run here (ModuleNotFoundError" in pasted.notes[-1].text


def test_nothing_of_the_lines_runs_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    text = "# --- given\nx = param(3)\n# --- lines\nprint('ran')\nloss = x.sum()\n"

    paste(split(text))

    assert capsys.readouterr().out == ""


def test_noise_of_the_original_is_the_given_one() -> None:
    text = "# --- given\nW = param(3)\n# --- lines\nloss = (W * torch.randn(3) + F.dropout(W, 0.5)).sum()\n"

    pasted = paste(split(text), run_original=True)

    assert pasted.compared
    assert pasted.given == "W = param(3)\neps = data(3)\nkeep = mask(3, share=0.5)\n"


START = """# --- given
x = data(2, 3)
# --- lines
class Cut(nn.Module):
    def forward(self, x):
        return x[:, 1:].contiguous()

class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.scale = nn.Parameter(torch.Tensor(1, n))
        self.fc = nn.Linear(n - 1, 2)
        self.net = nn.Sequential(Cut(), nn.Dropout(P), self.fc)
        self.reset()
    def reset(self):
        self.fc.weight.data.normal_(0, 1 / math.sqrt(self.fc.weight.size(1)))
        self.scale.data.fill_(1.0)
    def forward(self, x):
        return self.net(x * self.scale)

net = Net(3)
loss = net(x).sum()
"""


def test_what_a_model_sets_its_parameters_to_is_left_out() -> None:
    pasted = paste(split(START.replace("P)", "0.0)")), run_original=True)

    assert pasted.compared
    assert "scale = param(1, 3)" in pasted.given


def test_a_layer_is_refused_where_it_is_called_after_a_class_of_the_lines() -> None:
    with pytest.raises(Refused, match="training mode") as refusal:
        paste(split(START.replace("P)", "0.5)")))

    assert refusal.value.line == 16


def test_a_refusal_of_given_says_so() -> None:
    with pytest.raises(Refused) as refusal:
        paste(split("# --- given\nx = data(3)\nW = [param(3), param(3)]\n# --- lines\nloss = x.sum()\n"))

    assert str(refusal.value).startswith("given, line 2: ")
    assert str(refusal.value).endswith("Give each tensor a line and a name: W1 = param(4, 5).")


def test_a_loop_may_count_with_numpy() -> None:
    lines = "h = x\nfor i in np.arange(0, 2):\n    h = h * x[i]\nloss = h[np.arange(3)].sum()\n"

    assert paste(split(f"# --- given\nx = param(3)\n# --- lines\n{lines}"), run_original=True).compared
