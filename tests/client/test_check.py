"""A look at the answers without a server: every sentence that it has to say."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
import pytest
import safetensors.torch
import torch

from dojo.api.responses import Checkpoint
from dojo.check import CheckResult, Finding, _finding, check
from dojo.files import workspace
from dojo.files.answer_file import CodeFile, TensorFile
from dojo.files.workspace import Workspace
from dojo.tensors import TensorInfo
from tests.client.fake import SLUG, FakeDojo

A_GRADIENT = "A gradient is a torch.Tensor."


@pytest.fixture
def pulled(fake: FakeDojo, tmp_path: Path) -> Workspace:
    """A pulled folder."""
    return workspace.pull(fake.connection, SLUG, tmp_path / "x").workspace


def look(pulled: Workspace, source: str) -> CheckResult:
    return check(pulled, CodeFile(Path("solution.py"), source))


def finding(pulled: Workspace, source: str) -> Finding:
    """What is said of ``dcounts``."""
    return look(pulled, source).findings[0]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("dcounts = counts", "shape: [2, 3]       | float32  | fits"),
        ("dcounts = counts.double()", "shape: [2, 3]       | float64  | fits (compared as float32)"),
        ("dcounts = counts[:1]", "shape: [1, 3]       | float32  | fits ([2, 3] by broadcasting)"),
        ("dcounts = counts[0]", "shape: [3]          | float32  | fits ([2, 3] by broadcasting)"),
        ("dcounts = counts[0, 0]", "shape: []           | float32  | fits ([2, 3] by broadcasting)"),
        ("dcounts = counts[None]", "shape: [1, 2, 3]    | float32  | fits ([2, 3] by broadcasting)"),
        ("dcounts = counts.T", "shape: [3, 2]       | float32  | shape [3, 2] does not fit [2, 3]"),
        ("dcounts = counts[:0]", "shape: [0, 3]       | float32  | shape [0, 3] does not fit [2, 3]"),
        ("dcounts = counts.int()", "shape: [2, 3]       | int32    | int32 cannot hold a gradient; use float32"),
        ("dcounts = counts / 0", "shape: [2, 3]       | float32  | holds NaN or infinite numbers"),
        ("dcounts = counts[0] / 0", "shape: [3]          | float32  | holds NaN or infinite numbers"),
        ("dcounts = None", "shape: -            | -        | dcounts is not there yet"),
        (
            "dcounts = 3",
            "shape: -            | -        | dcounts is an int, not a tensor. A gradient is a torch.Tensor.",
        ),
    ],
)
def test_an_answer_is_described_in_a_line(pulled: Workspace, source: str, line: str) -> None:
    assert finding(pulled, source).line() == f"counts          | {line}"


def test_the_exercises_shape_overrides_the_states(fake: FakeDojo, tmp_path: Path) -> None:
    asked = fake.exercise()
    asked["checkpoints"][0]["shape"], asked["checkpoints"][1]["shape"] = [2, 1], None
    fake.before = lambda request: None if "instance" in request.url.path else httpx.Response(200, json=asked)
    pulled = workspace.pull(fake.connection, SLUG, tmp_path / "y").workspace

    found = look(pulled, "dcounts = counts[:, :1]\ndlogits = logits.T")

    assert [each.problem for each in found.findings] == [None, "shape [3, 2] does not fit [2, 3]"]


@pytest.mark.parametrize(
    ("shape", "expected", "fits"),
    [
        ((1, 27), (32, 1), False),
        ((32, 27), (32, 1), False),
        ((32, 64), (64,), False),
        ((0, 27), (1, 27), False),
        ((0,), (1,), False),
        ((2, 64), (1, 64), False),
        ((27,), (32, 1), False),
        ((64,), (1, 64), True),
        ((1, 64), (32, 64), True),
        ((32, 1), (32, 27), True),
        ((), (32, 27), True),
        ((1, 1, 64), (64,), True),
    ],
)
def test_a_shape_fits_what_it_broadcasts_to(shape: tuple[int, ...], expected: tuple[int, ...], fits: bool) -> None:
    info = TensorInfo(shape, "float32", True)
    finding = _finding(Checkpoint("counts"), info, expected)
    assert (finding.problem is None) is fits


def test_the_value_at_cmp_is_the_answer(pulled: Workspace) -> None:
    source = "dcounts = counts * 1\ncmp('counts', dcounts)\ndcounts.resize_(6)\ndcounts = None"
    assert finding(pulled, source).line().endswith("fits")


def test_cmp_goes_before_backwards_result(pulled: Workspace) -> None:
    source = "def backward(state):\n    return {'counts': None}\ncmp('counts', counts)"
    assert finding(pulled, source).problem is None


@pytest.mark.parametrize(
    "signature", ["state, more=1", "s", "", "*state"], ids=["two parameters", "another name", "none", "a star"]
)
def test_only_backward_of_the_state_is_called(pulled: Workspace, signature: str) -> None:
    source = f"def backward({signature}):\n    raise ValueError\ndcounts = counts"
    found = look(pulled, source)
    assert found.error is None
    assert found.findings[0].problem is None


def test_code_is_run_as_a_program(pulled: Workspace) -> None:
    assert look(pulled, "print(__name__, __file__)").printed == "__main__ solution.py\n"


def test_an_error_names_the_students_lines_alone(pulled: Workspace) -> None:
    found = look(pulled, "dcounts = counts\nraise KeyError('x')")
    assert found.error == (
        "Traceback (most recent call last):\n  File \"solution.py\", line 2, in <module>\nKeyError: 'x'\n"
    )
    assert not found.good


def test_tensors_are_found_under_both_names(pulled: Workspace) -> None:
    content = safetensors.torch.save({"counts": torch.ones(2, 3), "dlogits": torch.ones(3, 2)})
    found = check(pulled, TensorFile(Path("a.safetensors"), content))
    assert [each.problem for each in found.findings] == [None, "shape [3, 2] does not fit [2, 3]"]
