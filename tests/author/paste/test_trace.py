"""A function or module is traced into lines, with its own gradients."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from author.paste.command import paste_command as main
from author.paste.trace import paste_traced
from exercises.language.errors import Refused
from tests.author.paste import models


def test_a_module_is_traced_layer_by_layer() -> None:
    pasted = paste_traced(models.block, "x = data(2, 4)\ng = data(2, 4)")

    assert pasted.compared
    assert pasted.given.splitlines()[2:4] == ["norm_weight = param(4, mean=1.0, scale=0.1)", "norm_bias = param(4)"]
    assert pasted.lines.splitlines() == [
        "h = F.layer_norm(x, (4,), norm_weight, norm_bias)",
        "a = F.linear(h, up_weight, up_bias)",
        "a_2 = F.gelu(a)",
        "out = F.linear(a_2, down_weight, down_bias)",
        "out_2 = x + out",
        "step = out_2 * g",
        "loss = step.sum()",
    ]


def test_a_function_is_traced_with_its_walls_and_noise() -> None:
    pasted = paste_traced(models.attention, "x = param(2, 3, 4)\nW = param(4, 12)\ng = data(2, 3, 4)\nheads = 2")

    assert pasted.compared
    assert pasted.given.splitlines()[-1] == "eps = data(2, 3, 4)"
    assert re.search(r"scale = att_\d.mean\(\).detach\(\)", pasted.lines)


@pytest.mark.parametrize(
    ("function", "reason"),
    [(models.branch, "depends on a tensor's values"), (models.fourier, "rfft is not in the language")],
)
def test_what_a_trace_cannot_hold_is_refused(function: object, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        paste_traced(function, "x = param(4)")  # type: ignore[arg-type]


def test_the_command_writes_the_files_of_an_exercise(tmp_path: Path) -> None:
    (tmp_path / "given.py").write_text("x = data(2, 4)\ng = data(2, 4)")

    result = CliRunner().invoke(
        main,
        ["tests.author.paste.models:block", "--given", f"{tmp_path / 'given.py'}", "--into", f"{tmp_path / 'one/two'}"],
    )

    assert result.exit_code == 0, result.output
    assert (tmp_path / "one/two/forward.py").read_text().endswith("loss = step.sum()\n")
    assert (tmp_path / "one/two/given.py").read_text().startswith("x = data(2, 4)\n")


def test_the_command_says_which_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.py").write_text("# --- given\nx = param(3)\n# --- lines\nif x.sum() > 0:\n    x = x * 2\n")

    result = CliRunner().invoke(main, [f"{tmp_path / 'lines.py'}"])

    assert result.exit_code == 1
    assert "line 1: this branch depends on a tensor's values" in result.output


def test_the_command_reports_a_folder(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("# --- given\nx = param(3)\n# --- lines\nloss = (x * x).sum()\n")
    (tmp_path / "wrong.py").write_text("# --- given\nx = param(3)\n# --- lines\nloss = x[x > 0].sum()\n")

    result = CliRunner().invoke(main, ["--report", f"{tmp_path}"])

    assert "| good.py | 1 | yes |" in result.output
    assert "| wrong.py |  |  |" in result.output
    assert "1 of 2 became exercises, the gradients of 1 equal the original's" in result.output
