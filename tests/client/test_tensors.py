"""Tensors in and out of safetensors, whatever a student calls a gradient."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from dojo.api.server import Server
from dojo.errors import BadFile, TorchMissing
from dojo.tensors import NotATensor, TensorInfo, describe, load, plain, save
from tests.client.conftest import Live

KINDS = {
    "plain": torch.ones(2, 3),
    "with grad": torch.ones(2, 3, requires_grad=True) * 1,
    "a parameter": torch.nn.Parameter(torch.ones(2, 3)),
    "not contiguous": torch.ones(3, 2).T,
    "expanded": torch.ones(1, 3).expand(2, 3),
    "sparse": torch.ones(2, 3).to_sparse(),
    "conjugated": torch.complex(torch.ones(2, 3), torch.ones(2, 3)).conj().real,
    "negated in its flag": torch.complex(torch.zeros(2, 3), -torch.ones(2, 3)).conj().imag,
    "numpy": np.ones((2, 3), dtype=np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_ones_arrives_as_ones(kind: str) -> None:
    assert torch.equal(load(save({"dx": KINDS[kind]}))["dx"], torch.ones(2, 3))


class Labelled(torch.Tensor):
    """A tensor of a class of the student's own."""


@pytest.mark.parametrize("value", [torch.ones(2, 3), torch.nn.Parameter(torch.ones(2, 3)), torch.ones(3, 2).T])
def test_a_plain_tensor_shares_no_memory(value: torch.Tensor) -> None:
    found = plain("dx", value)
    assert found.data_ptr() != value.data_ptr()
    assert found.is_contiguous()
    assert not found.requires_grad


def test_a_class_of_ones_own_becomes_a_tensor() -> None:
    assert type(plain("dx", torch.ones(2).as_subclass(Labelled))) is torch.Tensor


def test_complex_numbers_are_kept_as_they_are_seen() -> None:
    value = torch.tensor([1 + 2j]).conj()
    assert plain("dx", value).tolist() == [1 - 2j]
    assert not plain("dx", value).is_conj()


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_quantized_tensor_is_sent_dequantized() -> None:
    value = torch.quantize_per_tensor(torch.ones(2, 3), 0.5, 0, torch.qint8)
    assert torch.equal(load(save({"dx": value}))["dx"], torch.ones(2, 3))


@pytest.mark.filterwarnings("ignore:ComplexHalf")
def test_a_dtype_that_cannot_be_sent_is_named() -> None:
    with pytest.raises(NotATensor, match="complex32"):
        save({"dx": torch.ones(2, dtype=torch.complex32)})


def test_two_names_for_one_tensor_are_sent_twice() -> None:
    shared = torch.ones(3)
    assert set(load(save({"da": shared, "db": shared[:2]}))) == {"da", "db"}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "is None"),
        (1.5, "is a float"),
        ([1.0], "is a list"),
        (torch.ones(2, device="meta"), "meta tensor"),
    ],
)
def test_a_value_that_is_no_tensor_is_explained(value: Any, says: str) -> None:
    with pytest.raises(NotATensor, match=says):
        save({"dx": value})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("number", "finite"), [(1.0, True), (float("nan"), False), (float("-inf"), False)])
def test_finite_is_seen_without_torch(dtype: torch.dtype, number: float, finite: bool) -> None:
    content = save({"dx": torch.tensor([0.0, number], dtype=dtype)})
    assert describe(content) == {"dx": TensorInfo((2,), str(dtype).removeprefix("torch."), finite)}


def test_integers_hold_no_gradient() -> None:
    assert describe(save({"dx": torch.ones(2, dtype=torch.int32)}))["dx"] == TensorInfo((2,), "int32", None)


def test_constants_come_as_plain_ints() -> None:
    found = load(save({"n": torch.tensor(32), "loss": torch.tensor(1.5), "Yb": torch.tensor([1])}))
    assert type(found["n"]) is int
    assert found["n"] == 32
    assert isinstance(found["loss"], torch.Tensor)
    assert isinstance(found["Yb"], torch.Tensor)


CONSTANT_OR_NOT = {
    "int64": torch.tensor(3),
    "int32": torch.tensor(3, dtype=torch.int32),
    "uint8": torch.tensor(3, dtype=torch.uint8),
    "bool": torch.tensor(True),
    "float32": torch.tensor(3.0),
    "float64": torch.tensor(0.1, dtype=torch.float64),
    "int64 of one element": torch.tensor([3]),
}


def test_a_constant_is_a_zero_dimensional_int64_float64_or_bool() -> None:
    loaded = load(safetensors.torch.save(CONSTANT_OR_NOT))
    assert {name: value for name, value in loaded.items() if not isinstance(value, torch.Tensor)} == {
        "int64": 3,
        "bool": True,
        "float64": 0.1,
    }


def test_the_server_takes_the_same_tensors_for_constants(live: Live) -> None:
    """Over HTTP: the exercise's constants are the ints of its forward state."""
    account = Server(live.address).join(live.code, "Ada")
    server = Server(live.address, account["token"])
    slugs = [exercise.slug for exercise in server.exercises("autumn")]
    found: dict[str, int] = {}
    for slug in slugs:
        state = server.state("autumn", slug)
        assert state is not None
        constants = {name: value for name, value in load(state).items() if type(value) is int}
        assert server.exercise("autumn", slug).body["constants"] == constants
        found |= constants
    assert found


@pytest.mark.parametrize("content", [b"", b"\xff" * 20, b"\x08\0\0\0\0\0\0\0notjson!", save({"x": torch.ones(2)})[:-1]])
def test_bytes_that_are_no_safetensors_are_refused(content: bytes) -> None:
    with pytest.raises(BadFile, match="save_file"):
        describe(content)


def test_the_absence_of_torch_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    content = save({"dx": torch.ones(2)})
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(TorchMissing, match="pip install torch"):
        load(content)
    with pytest.raises(TorchMissing):
        save({"dx": 1})
    assert describe(content)["dx"].shape == (2,)
