"""One rule for constants on all sides: the tape, the sandbox and the client."""

from __future__ import annotations

import pytest
import torch

from dojo.tensors import load
from exercises.instance import freeze
from exercises.tape import constants, is_constant, variables
from grader.sandbox import Job, Sandbox

TENSORS = {
    "int64": torch.tensor(3),
    "int32": torch.tensor(3, dtype=torch.int32),
    "uint8": torch.tensor(3, dtype=torch.uint8),
    "bool": torch.tensor(True),
    "float32": torch.tensor(3.0),
    "float64": torch.tensor(3.0, dtype=torch.float64),
    "int64_of_one_element": torch.tensor([3]),
    "int64_of_a_row": torch.tensor([3, 4]),
    "float64_of_one_element": torch.tensor([3.0], dtype=torch.float64),
}
CONSTANTS = {"int64": int, "bool": bool, "float64": float}


@pytest.mark.parametrize("name", TENSORS)
def test_only_an_int64_a_float64_and_a_bool_without_a_dimension_are(name: str) -> None:
    assert is_constant(TENSORS[name]) == (name in CONSTANTS)


def test_the_tape_gives_them_as_python_numbers() -> None:
    assert constants(TENSORS) == {"int64": 3, "bool": True, "float64": 3.0}
    assert {name: type(value) for name, value in constants(TENSORS).items()} == CONSTANTS
    assert {name: variables(TENSORS)[name] for name in CONSTANTS} == constants(TENSORS)
    assert all(value is TENSORS[name] for name, value in variables(TENSORS).items() if name not in CONSTANTS)


def test_the_client_has_the_same() -> None:
    loaded = load(freeze(TENSORS))

    assert {name: type(value) for name, value in loaded.items()} == {
        name: type(value) for name, value in variables(TENSORS).items()
    }


def test_the_sandbox_has_the_same() -> None:
    source = f"print(*[f'{{name}}:{{type(globals()[name]).__name__}}' for name in {list(TENSORS)}])"

    with Sandbox() as sandbox:
        run = sandbox.run(Job(source, "solution.py", freeze(TENSORS), ()))

    assert run.stdout.split() == [f"{name}:{type(value).__name__}" for name, value in variables(TENSORS).items()]
