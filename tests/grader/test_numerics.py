"""Grading in another numeric environment is refused, loudly."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from grader import numerics


def python(program: str) -> subprocess.CompletedProcess[str]:
    unpinned = {name: value for name, value in os.environ.items() if name not in numerics.PINNED}
    return subprocess.run([sys.executable, "-c", program], env=unpinned, capture_output=True, text=True)


def test_these_tests_run_in_the_pinned_environment() -> None:
    numerics.pin()  # again: allowed, because it changes nothing
    assert f"kernels=default mkl=compatible threads=1 grader={numerics.GRADER}" in numerics.environment()


def test_pinning_after_torch_was_imported_is_refused() -> None:
    result = python("import torch; from grader import numerics; numerics.pin()")
    assert result.returncode != 0
    assert "UnpinnedNumerics: torch was imported before ATEN_CPU_CAPABILITY, MKL_CBWR" in result.stderr
    assert "Call grader.numerics.pin() first thing" in result.stderr


def test_no_reference_is_made_without_pinning() -> None:
    program = """
from exercises.instance import Instance
from exercises.registry import find
from grader.reference.gradients import reference
reference(Instance.canonical(find("makemore/batch-norm")))
"""
    result = python(program)
    assert result.returncode != 0
    assert "UnpinnedNumerics" in result.stderr
    assert "ATEN_CPU_CAPABILITY=default" in result.stderr


def test_pinning_first_gives_the_environment_that_is_recorded() -> None:
    program = "from grader import numerics; numerics.pin(); print(numerics.environment())"
    program += "; import torch; print(torch.get_num_threads())"

    environment, threads = python(program).stdout.splitlines()

    assert environment == numerics.environment()
    assert "threads=1 " in environment and threads == "1"


@pytest.mark.parametrize("value", ["AUTO", "", None])
def test_matrix_products_of_another_kind_are_refused(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("MKL_CBWR")
    else:
        monkeypatch.setenv("MKL_CBWR", value)

    with pytest.raises(numerics.UnpinnedNumerics, match="MKL_CBWR=COMPATIBLE"):
        numerics.environment.__wrapped__()


def test_every_variable_has_to_be_set_before_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in numerics.PINNED:
        with monkeypatch.context() as changed:
            changed.setenv(name, "2")
            with pytest.raises(numerics.UnpinnedNumerics, match=f"before {name} was set"):
                numerics.pin()
